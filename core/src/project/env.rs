//! The variables that `[env]` declares: templates that are filled with an environment's ports. Knows no file but its text.

use toml::de::DeValue;

use super::found::{Found, entries};
use crate::error::Result;
use crate::names::{DEFAULT_COUNT, LARGEST_ENV, check_value, check_variable};
use crate::template;

/// A variable of `[env]`.
///
/// ```
/// use portalloc::project::Project;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// let path = scratch.path().join("portalloc.toml");
/// std::fs::write(&path, "names = [\"postgres\"]\n[env]\nPGPORT = \"{postgres}\"").unwrap();
/// let project = Project::read(&path)?;
/// assert_eq!((&*project.env[0].name, &*project.env[0].text, project.env[0].line), ("PGPORT", "{postgres}", 3));
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvTemplate {
    /// Its name.
    pub name: String,
    /// Its value, with placeholders for ports: `{web}`, `{port}`, `{port:1}`.
    pub text: String,
    /// Its line in the file.
    pub line: usize,
}

/// Reads the table. `names` and `ports` are what the same file declares.
pub(super) fn read(found: &Found<'_>, names: &[String], ports: Option<usize>) -> Result<Vec<EnvTemplate>> {
    let wanted = "a table of variables, such as [env] with PGPORT = \"{postgres}\" below";
    let DeValue::Table(table) = found.item.get_ref() else { return Err(found.wrong_type(found.item, wanted)) };
    let count = ports.unwrap_or(if names.is_empty() { DEFAULT_COUNT } else { names.len() });
    let mut templates = Vec::new();
    let mut size = 0;
    for (key, item) in entries(table) {
        let name = key.get_ref().to_string();
        check_variable(&name, names).map_err(|error| found.lines.blame(key.span(), found.key, error))?;
        let what = format!("{name} in `{}`", found.key);
        let Some(text) = item.get_ref().as_str().map(str::to_owned) else {
            return Err(found.wrong_kind(item, &what, "a text, such as \"{port}\""));
        };
        check_value(&name, &text).map_err(|error| found.lines.blame(item.span(), found.key, error))?;
        if let Some(unknown) = unknown(&text, names, count) {
            let message = format!("{what} has {{{unknown}}}, but {}", declared(names, count));
            let remedy = "declare that port in `names`; {{ and ${ stay as they are";
            return Err(found.lines.error(item.span(), &message, remedy));
        }
        size += name.len() + text.len();
        if size > LARGEST_ENV {
            let message = format!("`{}` has more than {LARGEST_ENV} bytes", found.key);
            return Err(found.lines.error(key.span(), &message, "set what has no port in it elsewhere"));
        }
        templates.push(EnvTemplate { name, text, line: found.lines.number(&key.span()) });
    }
    Ok(templates)
}

/// The first placeholder without a port. It is almost surely a mistake, and a value with braces in it would hide that.
fn unknown(text: &str, names: &[String], count: usize) -> Option<String> {
    let mut unknown = None;
    template::fill(text, |placeholder| {
        let index = template::index(placeholder, names).filter(|index| *index < count);
        if index.is_none() && template::is_placeholder(placeholder) {
            unknown.get_or_insert_with(|| placeholder.to_owned());
        }
        None
    });
    unknown
}

/// Which placeholders there are, as a phrase.
fn declared(names: &[String], count: usize) -> String {
    let last = count.saturating_sub(1);
    match names {
        [] => format!("`names` declares none: the ports are {{port:0}} to {{port:{last}}}"),
        names => format!("the names are {}", names.join(", ")),
    }
}
