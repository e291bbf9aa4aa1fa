//! Converts TOML to declarations: checks that each key is known, and each value valid and of the right type. Knows no
//! file but its text.
//!
//! Written by hand rather than with serde, which would lose the line of an invalid value that has the right type.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::env::EnvTemplate;
use super::lines::Lines;
use super::named::NamedPorts;
use crate::error::{Error, Result};
use crate::names::{check_instance_id, check_names};
use crate::port_set::{PortSet, parse_ports};

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
    /// The names of the ports. An item with a `count` has as many: `api`, `api_1`, `api_2`.
    pub names: Vec<String>,
    /// The distances of the named ports from the first one, if they are not consecutive.
    pub offsets: Option<Vec<u16>>,
    /// The number of ports.
    pub ports: Option<usize>,
    /// The pool, in the notation of port sets.
    pub pool: Option<String>,
    /// Ports that are never leased, in the notation of port sets.
    pub exclude: Option<String>,
    /// Base ports to try before all others; empty if there are none.
    pub prefer: Vec<u16>,
    /// Whether the same worktree gets the same ports again when they are free.
    pub sticky: Option<bool>,
    /// Whether ports are guarded against foreign processes until the server starts.
    pub guard: Option<bool>,
    /// The instance ID, which distinguishes its environments from others of the same worktree.
    pub instance_id: Option<String>,
    /// Further variables of its environments, in the order of the file.
    pub env: Vec<EnvTemplate>,
}

/// The known keys, in the order of the documentation.
const KEYS: [&str; 9] = ["names", "ports", "pool", "exclude", "prefer", "sticky", "guard", "instance_id", "env"];

/// The largest possible number of ports.
pub(super) const MOST_PORTS: usize = 65535;

/// At most this many base ports can be preferred: each costs an attempt whenever it is not free.
const MOST_PREFERRED: usize = 100;

pub(super) type Item<'a> = Spanned<DeValue<'a>>;

/// The entries of a table in the order of the file. The parser sorts them by name, but errors should follow the file.
pub(super) fn entries<'t, 'a>(table: &'t DeTable<'a>) -> Vec<(&'t Spanned<DeString<'a>>, &'t Item<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

pub(super) fn read(path: PathBuf, text: &str) -> Result<Project> {
    let mut project = Project { path: path.clone(), ..Project::default() };
    let lines = Lines { path: &path, text };
    let table = DeTable::parse(text).map_err(|error| syntax(&lines, &error))?;
    let (mut names, mut env) = (None, None);
    for (key, item) in entries(table.get_ref()) {
        let found = Found { lines: &lines, key: key.get_ref(), at: key.span(), item };
        match found.key {
            "names" => names = Some((found.named()?, found.at)),
            "ports" => project.ports = Some(found.count()?),
            "pool" => project.pool = Some(found.pool()?),
            "exclude" => project.exclude = Some(found.port_set()?.to_string()),
            "prefer" => project.prefer = found.prefer()?,
            "sticky" => project.sticky = Some(found.truth()?),
            "guard" => project.guard = Some(found.truth()?),
            "instance_id" => project.instance_id = Some(found.instance_id()?),
            "env" => env = Some(found),
            unknown => {
                let message = format!("unknown key `{}`; known keys are {}", unknown.escape_debug(), KEYS.join(", "));
                return Err(lines.error(found.at, &message, "correct or remove it"));
            }
        }
    }
    if let Some((ports, at)) = names {
        let count = project.ports.unwrap_or(ports.names.len());
        check_names(&ports.names, count).map_err(|error| lines.blame(at.clone(), "names", error))?;
        project.offsets = ports.offsets();
        project.names = ports.names;
    }
    // Last, because its placeholders stand for the ports, wherever in the file those are declared.
    if let Some(found) = env {
        project.env = super::env::read(&found, &project)?;
    }
    Ok(project)
}

fn syntax(lines: &Lines<'_>, error: &toml::de::Error) -> Error {
    // An error without a position means that something is missing at the end of the file.
    let at = error.span().unwrap_or(lines.text.len()..lines.text.len());
    lines.error(at, error.message(), "the project file is TOML, such as: names = [\"postgres\", \"api\"]")
}

/// A key with its value.
pub(super) struct Found<'a> {
    pub(super) lines: &'a Lines<'a>,
    pub(super) key: &'a str,
    pub(super) at: Range<usize>,
    pub(super) item: &'a Item<'a>,
}

impl Found<'_> {
    fn named(&self) -> Result<NamedPorts> {
        let wanted = "a list of names, such as [\"postgres\", { name = \"api\", count = 3 }]";
        let DeValue::Array(items) = self.item.get_ref() else { return Err(self.wrong_type(self.item, wanted)) };
        let mut ports = NamedPorts::default();
        items.iter().try_for_each(|item| ports.add(self, item))?;
        Ok(ports)
    }

    fn count(&self) -> Result<usize> {
        let wanted = "a number of ports, such as 5";
        self.number(self.item, &format!("`{}`", self.key), 1..=MOST_PORTS, wanted)
    }

    /// A number in these bounds; `what` it is, as a phrase.
    pub(super) fn number(
        &self,
        item: &Item<'_>,
        what: &str,
        bounds: RangeInclusive<usize>,
        wanted: &str,
    ) -> Result<usize> {
        let DeValue::Integer(number) = item.get_ref() else { return Err(self.wrong_kind(item, what, wanted)) };
        match usize::from_str_radix(number.as_str(), number.radix()) {
            Ok(count) if bounds.contains(&count) => Ok(count),
            _ => {
                let message = format!("{what} is {number}, but must be from {} to {}", bounds.start(), bounds.end());
                Err(self.lines.error(item.span(), &message, format!("write {wanted}")))
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
        PortSet::parse(&self.notation(item)?).map_err(|error| self.lines.blame(item.span(), self.key, error))
    }

    /// A number as a text, so that it is read as one.
    fn notation(&self, item: &Item<'_>) -> Result<String> {
        match item.get_ref() {
            // As written in the file, so that 0x5000 is rejected and not taken for another number.
            DeValue::Integer(number) => Ok(number.to_string()),
            _ => self.text(item, "ports, such as \"27017,28000-28010\", or a list of them"),
        }
    }

    /// Ports in their order: a number, a text in the notation of ports, or a list of them.
    fn prefer(&self) -> Result<Vec<u16>> {
        let mut ports = Vec::new();
        let items = match self.item.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![self.item],
        };
        for item in items {
            let some =
                parse_ports(&self.notation(item)?).map_err(|error| self.lines.blame(item.span(), self.key, error))?;
            ports.extend(some);
        }
        if ports.len() > MOST_PREFERRED {
            let message = format!("`{}` has {} ports, but at most {MOST_PREFERRED} are tried", self.key, ports.len());
            return Err(self.lines.error(self.at.clone(), &message, "name the few that matter, or set `pool`"));
        }
        Ok(ports)
    }

    fn truth(&self) -> Result<bool> {
        self.item.get_ref().as_bool().ok_or_else(|| self.wrong_type(self.item, "true or false"))
    }

    fn instance_id(&self) -> Result<String> {
        let text = self.text(self.item, "a text")?;
        check_instance_id(&text).map_err(|error| self.lines.blame(self.at.clone(), self.key, error))?;
        Ok(text)
    }

    pub(super) fn text(&self, item: &Item<'_>, wanted: &str) -> Result<String> {
        item.get_ref().as_str().map(str::to_owned).ok_or_else(|| self.wrong_type(item, wanted))
    }

    pub(super) fn wrong_type(&self, item: &Item<'_>, wanted: &str) -> Error {
        let inside = if std::ptr::eq(item, self.item) { "" } else { "an item of " };
        self.wrong_kind(item, &format!("{inside}`{}`", self.key), wanted)
    }

    /// As [`wrong_type`](Self::wrong_type), of a value deeper inside.
    pub(super) fn wrong_kind(&self, item: &Item<'_>, what: &str, wanted: &str) -> Error {
        let is = match item.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("{what} is {is}, but must be {wanted}");
        self.lines.error(item.span(), &message, "correct the value")
    }
}
