//! Retires the part of a registry that belongs to one network namespace: finds out who has ports of it, by locks and by
//! labels. A process that removes a `ports` file holds all of its locks meanwhile; a process that gets a lock checks
//! that the file still has its name.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::label::Claim;
use super::ports_file::{self, Identity, PortsFile};
use super::records;
use crate::error::{Error, ErrorCode, Result};
use crate::port_set::PortRange;
use crate::sys::{self, Directory, ProcessStamp, words};

/// Whether an entry of a registry is the directory of a network namespace.
pub(super) fn is_namespace(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("net-") && !name.contains(sys::UNFINISHED))
}

/// The `ports` file in the directory of a network namespace, if there is one.
pub(super) fn open(inside: &Directory, path: &Path) -> Result<Option<PortsFile>> {
    let failed = |error| Error::registry(format!("cannot lock the ports of {}", path.display()), error);
    let file = match ports_file::open(inside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let entry = sys::entry_of(&file).map_err(failed)?;
    if let Some(why) = ports_file::distrust(&entry) {
        return Err(Error::new(
            ErrorCode::RegistryUnusable,
            format!("{} is {why}", path.join("ports").display()),
            "remove it, and try again",
        ));
    }
    let random = sys::random_number().map_err(failed)?;
    PortsFile::new(file, random, Identity::of(&entry)).map(Some).map_err(failed)
}

/// The processes that have locked ports.
pub(super) fn holders(ports: &PortsFile) -> Result<BTreeSet<String>> {
    let mut holders = BTreeSet::new();
    for range in ports.locked(PortRange::ALL)?.ranges() {
        for port in range.ports() {
            holders.insert(match ports.read_one(port)?.label() {
                Some(label) => match (label.id, label.claim) {
                    (Some(id), _) => format!("environment {id}"),
                    (None, Claim::Held { holder }) => format!("PID {}", holder.pid),
                    (None, Claim::Kept { .. }) => "another process".to_owned(),
                },
                None => "a process that is probing a port".to_owned(),
            });
        }
    }
    Ok(holders)
}

/// The kept environments that claim ports. The caller holds all locks.
pub(super) fn keepers(inside: &Directory, ports: &PortsFile, path: &Path) -> Result<BTreeSet<String>> {
    let failed = |error| Error::registry(format!("cannot read the records of {}", path.display()), error);
    let here = ProcessStamp::current().map_err(|error| Error::os(words::NO_PROCESS, error))?;
    let envs = match inside.directory(OsStr::new("envs")) {
        Ok(envs) => envs,
        Err(error) if sys::is_absent(&error) => return Ok(BTreeSet::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut keepers = BTreeSet::new();
    let mut claimed = BTreeSet::new();
    ports.each(PortRange::ALL, |_, slot| {
        let kept = slot.label().filter(|label| label.is_kept() && label.claim.end(&here).is_none());
        claimed.extend(kept.and_then(|label| label.id));
    })?;
    for id in claimed {
        // step: SetupCheck
        if envs.contains(&records::name(id)).map_err(failed)? {
            keepers.insert(format!("environment {id}"));
        }
    }
    Ok(keepers)
}

/// Whether there is any record, of a live environment or not.
pub(super) fn has_records(inside: &Directory) -> bool {
    let records = inside.directory(OsStr::new("envs")).and_then(|envs| envs.names()).unwrap_or_default();
    records.iter().any(|name| name != sys::KEEP)
}
