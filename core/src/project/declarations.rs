//! Converts TOML to declarations: checks that each key is known, and each value valid and of the right type. Knows no
//! file but its text.
//!
//! Written by hand rather than with serde, which would lose the line of an invalid value that has the right type.

use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::Lines;
use crate::error::{Error, Result};
use crate::names::{check_instance_id, check_names};
use crate::port_set::PortSet;

/// The contents of a `portalloc.toml`. Arguments and `PORTALLOC_*` variables override them.
///
/// ```
/// use portalloc::project::Project;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// let path = scratch.path().join("portalloc.toml");
/// std::fs::write(&path, "names = [\"postgres\", \"api\"]").unwrap();
/// assert_eq!(Project::read(&path)?.names, ["postgres", "api"]);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Project {
    /// The path of the file.
    pub path: PathBuf,
    /// The names of the ports.
    pub names: Vec<String>,
    /// The number of ports.
    pub ports: Option<usize>,
    /// The pool, in the notation of port sets.
    pub pool: Option<String>,
    /// Ports that are never leased, in the notation of port sets.
    pub exclude: Option<String>,
    /// Whether the same worktree gets the same ports again when they are free.
    pub sticky: Option<bool>,
    /// Whether ports are guarded against foreign processes until the server starts.
    pub guard: Option<bool>,
    /// The instance ID, which distinguishes its environments from others of the same worktree.
    pub instance_id: Option<String>,
}

/// The known keys, in the order of the documentation.
const KEYS: [&str; 7] = ["names", "ports", "pool", "exclude", "sticky", "guard", "instance_id"];

/// The largest possible number of ports.
const MOST_PORTS: usize = 65535;

type Item<'a> = Spanned<DeValue<'a>>;

pub(super) fn read(path: PathBuf, text: &str) -> Result<Project> {
    let mut project = Project { path: path.clone(), ..Project::default() };
    let lines = Lines { path: &path, text };
    let table = DeTable::parse(text).map_err(|error| syntax(&lines, &error))?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    // The table is sorted by name, but errors should follow the order of the file.
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut names = 0..0;
    for (key, item) in entries {
        let found = Found { lines: &lines, key: key.get_ref(), at: key.span(), item };
        match found.key {
            "names" => {
                project.names = found.names()?;
                names = found.at;
            }
            "ports" => project.ports = Some(found.count()?),
            "pool" => project.pool = Some(found.pool()?),
            "exclude" => project.exclude = Some(found.port_set()?.to_string()),
            "sticky" => project.sticky = Some(found.truth()?),
            "guard" => project.guard = Some(found.truth()?),
            "instance_id" => project.instance_id = Some(found.instance_id()?),
            unknown => {
                let message = format!("unknown key `{}`; known keys are {}", unknown.escape_debug(), KEYS.join(", "));
                return Err(lines.error(found.at, &message, "correct or remove it"));
            }
        }
    }
    let count = project.ports.unwrap_or(project.names.len());
    check_names(&project.names, count).map_err(|error| lines.blame(names, "names", error))?;
    Ok(project)
}

fn syntax(lines: &Lines<'_>, error: &toml::de::Error) -> Error {
    // An error without a position means that something is missing at the end of the file.
    let at = error.span().unwrap_or(lines.text.len()..lines.text.len());
    lines.error(at, error.message(), "the project file is TOML, such as: names = [\"postgres\", \"api\"]")
}

/// A key with its value.
struct Found<'a> {
    lines: &'a Lines<'a>,
    key: &'a str,
    at: Range<usize>,
    item: &'a Item<'a>,
}

impl Found<'_> {
    fn names(&self) -> Result<Vec<String>> {
        let wanted = "a list of strings, such as [\"postgres\", \"api\"]";
        let DeValue::Array(items) = self.item.get_ref() else { return Err(self.wrong_type(self.item, wanted)) };
        items.iter().map(|item| self.text(item, wanted)).collect()
    }

    fn count(&self) -> Result<usize> {
        let wanted = "a number of ports, such as 5";
        let DeValue::Integer(number) = self.item.get_ref() else { return Err(self.wrong_type(self.item, wanted)) };
        match usize::from_str_radix(number.as_str(), number.radix()) {
            Ok(count @ 1..=MOST_PORTS) => Ok(count),
            _ => {
                let message = format!("`{}` is {number}, but must be from 1 to {MOST_PORTS}", self.key);
                Err(self.lines.error(self.item.span(), &message, "declare how many consecutive ports are needed"))
            }
        }
    }

    fn pool(&self) -> Result<String> {
        let pool = self.port_set()?;
        if pool.is_empty() {
            let message = format!("`{}` has no ports", self.key);
            return Err(self.lines.error(self.at.clone(), &message, "name ports, such as \"20000-29999\""));
        }
        Ok(pool.to_string())
    }

    /// Ports in their notation, or a list of numbers and texts in that notation.
    fn port_set(&self) -> Result<PortSet> {
        let mut ranges = Vec::new();
        match self.item.get_ref() {
            DeValue::Array(items) => {
                for item in items.iter() {
                    ranges.extend_from_slice(self.some_ports(item)?.ranges());
                }
            }
            _ => ranges.extend_from_slice(self.some_ports(self.item)?.ranges()),
        }
        Ok(ranges.into_iter().collect())
    }

    fn some_ports(&self, item: &Item<'_>) -> Result<PortSet> {
        let text = match item.get_ref() {
            // As written in the file, so that 0x5000 is rejected and not taken for another number.
            DeValue::Integer(number) => number.to_string(),
            _ => self.text(item, "ports, such as \"27017,28000-28010\", or a list of them")?,
        };
        PortSet::parse(&text).map_err(|error| self.lines.blame(item.span(), self.key, error))
    }

    fn truth(&self) -> Result<bool> {
        self.item.get_ref().as_bool().ok_or_else(|| self.wrong_type(self.item, "true or false"))
    }

    fn instance_id(&self) -> Result<String> {
        let text = self.text(self.item, "a text")?;
        check_instance_id(&text).map_err(|error| self.lines.blame(self.at.clone(), self.key, error))?;
        Ok(text)
    }

    fn text(&self, item: &Item<'_>, wanted: &str) -> Result<String> {
        item.get_ref().as_str().map(str::to_owned).ok_or_else(|| self.wrong_type(item, wanted))
    }

    fn wrong_type(&self, item: &Item<'_>, wanted: &str) -> Error {
        let is = match item.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let inside = if std::ptr::eq(item, self.item) { "" } else { "an item of " };
        let message = format!("{inside}`{}` is {is}, but must be {wanted}", self.key);
        self.lines.error(item.span(), &message, "correct the value")
    }
}
