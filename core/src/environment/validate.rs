//! Checks the parts of one environment.

use serde::{Serialize, Serializer};
use serde_json::json;

use super::status;
use super::{env_file, temp_dir};
use crate::allocator::Allocator;
use crate::check;
use crate::error::{Error, Result};
use crate::id::IsolationId;
use crate::registry::{PortsFile, Record, Stored};
use crate::sys;

/// The result of checking one part.
///
/// [`Validation`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The part: `record`, `temp_dir`, `env_file` or `lease`.
    pub name: &'static str,
    /// Why it failed; `None` if it passed.
    pub failure: Option<String>,
}

/// A port of an environment.
///
/// [`Validation`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortCheck {
    /// The port.
    pub port: u16,
    /// Whether a program has a socket on it, as a server of the environment would. That is not a failure.
    pub in_use: bool,
}

/// The result of a validation.
///
/// ```
/// use portalloc::EnvironmentRequest;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new())?;
/// let validation = allocator.validate(environment.id())?;
/// assert!(validation.is_valid());
/// assert!(validation.ports.iter().all(|port| !port.in_use), "no server runs yet");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Validation {
    /// The environment.
    pub id: IsolationId,
    /// The checks of its parts; `env_file` only if it has one.
    pub checks: Vec<Check>,
    /// Its ports.
    pub ports: Vec<PortCheck>,
    /// Its record, if that is readable.
    pub record: Option<Box<Record>>,
}

impl Validation {
    /// Whether every check passed.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.checks.iter().all(|check| check.failure.is_none())
    }
}

/// The same form as `validate --json`.
impl Serialize for Validation {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let checks: Vec<_> = self.checks.iter().map(Check::json).collect();
        let ports: Vec<_> = self.ports.iter().map(|port| json!({"port": port.port, "in_use": port.in_use})).collect();
        json!({"isolation_id": self.id, "valid": self.is_valid(), "checks": checks, "ports": ports})
            .serialize(serializer)
    }
}

impl Check {
    fn json(&self) -> serde_json::Value {
        json!({"name": self.name, "ok": self.failure.is_none(), "failure": self.failure})
    }
}

impl Allocator {
    /// Checks record, temp directory, env file and lease of an environment of this user, and whether its ports are in
    /// use.
    ///
    /// # Errors
    /// `not_found`, `permission_denied` if it belongs to another user, `registry_unusable`, `io`.
    pub fn validate(&self, id: IsolationId) -> Result<Validation> {
        self.in_checked_registry(|allocator| allocator.validate_once(id))
    }

    fn validate_once(&self, id: IsolationId) -> Result<Validation> {
        let registry = &self.registry;
        let record = match registry.records().read(id)? {
            Stored::Broken(why) => {
                let checks = vec![Check { name: "record", failure: Some(why) }];
                return Ok(Validation { id, checks, ports: Vec::new(), record: None });
            }
            stored => registry.records().require_read(id, stored)?,
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

/// A port without a lock is probed under its lock. One that a live process holds is not, because a probe could make its
/// server's bind fail; the kernel's socket tables are read instead.
fn look_at_ports(ports: &PortsFile, record: &Record) -> Result<Vec<PortCheck>> {
    let checked = record.ports.ports.iter().map(|port| Ok((*port, check::is_bound(ports, *port)?)));
    let checked = checked.collect::<Result<Vec<_>>>()?;
    let held = checked.iter().filter(|(_, bound)| bound.is_none()).map(|(port, _)| *port).collect();
    let found = sys::port_sockets(&held).map_err(|error| Error::os(sys::words::NO_SOCKETS, error))?;
    let has_socket = |port| found.sockets.iter().any(|socket| socket.local.port() == port);
    Ok(checked
        .iter()
        .map(|(port, bound)| PortCheck { port: *port, in_use: bound.unwrap_or_else(|| has_socket(*port)) })
        .collect())
}
