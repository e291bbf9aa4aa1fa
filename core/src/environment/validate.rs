//! Checking one environment, part by part.

use std::collections::HashSet;

use super::status;
use super::{env_file, temp_dir};
use crate::allocator::Allocator;
use crate::check;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::registry::{PortsFile, Record, Stored};
use crate::sys;

/// What the check of one part found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The part: `record`, `temp_dir`, `env_file` or `lease`.
    pub name: &'static str,
    /// Why it failed; none if it passed.
    pub failure: Option<String>,
}

/// A port of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortCheck {
    /// The port.
    pub port: u16,
    /// Whether some program has a socket on it, as a server of the environment would. That is no failure.
    pub in_use: bool,
}

/// What a validation found.
#[derive(Clone, Debug)]
pub struct Validation {
    /// The environment.
    pub id: IsolationId,
    /// Its parts; `env_file` only if it has one.
    pub checks: Vec<Check>,
    /// Its ports.
    pub ports: Vec<PortCheck>,
    /// All of its record, if that is readable.
    pub record: Option<Box<Record>>,
}

impl Validation {
    /// Whether every check passed.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.checks.iter().all(|check| check.failure.is_none())
    }
}

impl Allocator {
    /// Checks record, temp dir, env file and lease of an environment of this user, and looks at its ports.
    ///
    /// # Errors
    /// `not_found`, `permission_denied` if it is another user's, `registry_unusable`, `io`.
    pub fn validate(&self, id: IsolationId) -> Result<Validation> {
        self.in_checked_registry(|allocator| allocator.validate_once(id))
    }

    fn validate_once(&self, id: IsolationId) -> Result<Validation> {
        let registry = &self.registry;
        let record = match registry.records().read(id)? {
            Stored::Record(record) => record,
            Stored::Broken(why) => {
                let checks = vec![Check { name: "record", failure: Some(why) }];
                return Ok(Validation { id, checks, ports: Vec::new(), record: None });
            }
            Stored::Missing => {
                return Err(Error::new(
                    ErrorCode::NotFound,
                    format!("there is no environment {id} in {}", registry.path().display()),
                    "see `portalloc list`; environments of other network namespaces are not shown",
                ));
            }
            Stored::Foreign(user) => {
                return Err(Error::new(
                    ErrorCode::PermissionDenied,
                    format!("the environment {id} belongs to user {user}"),
                    "validate it as that user",
                ));
            }
        };
        let (ports, here) = (registry.ports()?, registry.process()?);
        let mut checks = vec![
            Check { name: "record", failure: None },
            Check { name: "temp_dir", failure: temp_dir::check(&record.temp_dir) },
        ];
        if let Some(path) = &record.env_file {
            let failure = env_file::check(path, id).err().map(|why| format!("{} {why}", path.display()));
            checks.push(Check { name: "env_file", failure });
        }
        let status = status::judge(registry, &ports, &record, &here)?;
        checks.push(Check { name: "lease", failure: status.reason() });
        let ports = look_at_ports(&ports, &record)?;
        Ok(Validation { id, checks, ports, record: Some(record) })
    }
}

/// A port that nobody has locked is probed under its lock. One that a live process holds is not, because a probe
/// might get in the way of its server: there the kernel's tables of sockets tell.
fn look_at_ports(ports: &PortsFile, record: &Record) -> Result<Vec<PortCheck>> {
    let mut with_sockets = None;
    let mut found = Vec::new();
    for port in record.ports.ports.iter().copied() {
        let in_use = match (check::is_bound(ports, port)?, &mut with_sockets) {
            (Some(bound), _) => bound,
            (None, Some(listed)) => HashSet::contains(listed, &port),
            (None, unread) => {
                let listed = sys::ports_with_sockets().map_err(|error| Error::os(sys::words::NO_SOCKETS, error))?;
                unread.insert(listed).contains(&port)
            }
        };
        found.push(PortCheck { port, in_use });
    }
    Ok(found)
}
