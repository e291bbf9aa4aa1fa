//! Converts TOML to declarations: checks that each key is known. Knows no file but its text.
//!
//! Written by hand rather than with serde, which would lose the line of an invalid value that has the right type.

use std::path::PathBuf;

use toml::de::DeTable;

use super::env::{self, EnvTemplate};
use super::found::{Found, entries};
use super::lines::Lines;
use super::named::NamedPorts;
use crate::error::{Error, Result};
use crate::names::check_names;

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

pub(super) fn read(path: PathBuf, text: &str) -> Result<Project> {
    let mut project = Project { path: path.clone(), ..Project::default() };
    let lines = Lines { path: &path, text };
    let table = DeTable::parse(text).map_err(|error| syntax(&lines, &error))?;
    let (mut names, mut variables) = (None, None);
    for (key, item) in entries(table.get_ref()) {
        let found = Found { lines: &lines, key: key.get_ref(), at: key.span(), item };
        match found.key {
            "names" => names = Some((NamedPorts::read(&found)?, found.at)),
            "ports" => project.ports = Some(found.count()?),
            "pool" => project.pool = Some(found.pool()?),
            "exclude" => project.exclude = Some(found.port_set()?.to_string()),
            "prefer" => project.prefer = found.prefer()?,
            "sticky" => project.sticky = Some(found.truth()?),
            "guard" => project.guard = Some(found.truth()?),
            "instance_id" => project.instance_id = Some(found.instance_id()?),
            "env" => variables = Some(found),
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
    if let Some(found) = variables {
        project.env = env::read(&found, &project.names, project.ports)?;
    }
    Ok(project)
}

fn syntax(lines: &Lines<'_>, error: &toml::de::Error) -> Error {
    // An error without a position means that something is missing at the end of the file.
    let at = error.span().unwrap_or(lines.text.len()..lines.text.len());
    lines.error(at, error.message(), "the project file is TOML, such as: names = [\"postgres\", \"api\"]")
}
