//! The temp directory of an environment. This is the only place that removes a directory tree, and only one that is
//! certainly portalloc's: a real directory of this user, with the name of its environment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::removal::Removal;
use crate::error::{Error, Result};
use crate::id::IsolationId;
use crate::registry::{Registry, project_name};
use crate::sys::{self, Directory};

/// The system's temp directory: `TMPDIR` where it is set and not empty. Its path must be UTF-8, because it goes into
/// variables.
pub(super) fn base() -> Result<PathBuf> {
    let base = match named() {
        Some(base) => base,
        None => return Ok(sys::plain_temp_directory()),
    };
    let absolute = std::path::absolute(&base).map_err(|error| unusable(&base, error))?;
    if absolute.to_str().is_none() {
        return Err(Error::invalid_argument(format!("TMPDIR is not valid UTF-8: {base:?}"), REMEDY));
    }
    Ok(absolute)
}

const REMEDY: &str = "set TMPDIR to a directory that exists and is yours to write, or unset it";

/// Empty counts as not set, as in mktemp and in Python's tempfile.
fn named() -> Option<PathBuf> {
    std::env::var_os("TMPDIR").filter(|base| !base.is_empty()).map(PathBuf::from)
}

/// The error of a `TMPDIR` that is missing, not a directory, or not writable.
fn unusable(base: &Path, error: io::Error) -> Error {
    Error::os(format!("cannot use TMPDIR={}", base.display()), error).with_remedy(REMEDY)
}

pub(super) fn exists(path: &Path) -> Result<bool> {
    Ok(sys::entry(path).map_err(|error| not_made(path, error))?.is_some())
}

/// Creates the directory, empty and with mode 0700. `false` if something of that name exists.
pub(super) fn create(path: &Path, registry: &Registry) -> Result<bool> {
    match sys::create_private_directory(path) {
        Ok(()) => {
            // step: MarkTempDir
            sys::mark(path, mark(registry));
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(not_made(path, error)),
    }
}

fn not_made(path: &Path, error: io::Error) -> Error {
    let is_places_fault = !sys::limit_reached(&error) && error.kind() != io::ErrorKind::StorageFull;
    match named().filter(|_| is_places_fault) {
        Some(base) => unusable(&base, error),
        None => Error::os(format!("cannot make the temp dir {}", path.display()), error),
    }
}

fn mark(registry: &Registry) -> &[u8] {
    registry.root().as_os_str().as_encoded_bytes()
}

/// The problem with the temp directory at `path`; `None` if it is fine.
pub(super) fn check(path: &Path) -> Option<String> {
    let why = match sys::entry(path) {
        Ok(Some(entry)) if !entry.is_directory() => format!("is {}", entry.describe()),
        Ok(Some(entry)) if entry.user != sys::user_id() => format!("belongs to user {}", entry.user),
        Ok(Some(_)) => return None,
        Ok(None) => "does not exist".to_owned(),
        Err(error) => format!("cannot be read: {error}"),
    };
    Some(format!("{} {why}", path.display()))
}

/// Removes the temp directory at `path` if it belongs to `id`.
pub(super) fn remove(path: &Path, id: IsolationId) -> Removal {
    let entry = match sys::entry(path) {
        Ok(Some(entry)) => entry,
        Ok(None) => return Removal::Absent,
        Err(error) => {
            return Removal::Failed(Error::os(format!("cannot check the temp dir {}", path.display()), error));
        }
    };
    if path.file_name() != Some(project_name(id).as_ref()) {
        return Removal::NotOurs("has another name than the environment's temp dir".to_owned());
    }
    if !entry.is_directory() {
        return Removal::NotOurs(format!("is {}", entry.describe()));
    }
    if entry.user != sys::user_id() {
        return Removal::NotOurs(format!("belongs to user {}", entry.user));
    }
    match remove_tree(path) {
        Ok(()) => Removal::Removed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Removal::Absent,
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Removal::NotOurs("was replaced in the meantime".to_owned())
        }
        Err(error) => Removal::Failed(Error::os(format!("cannot remove the temp dir {}", path.display()), error)),
    }
}

/// Directories inside may be read-only (package caches are): those are made writable before a second attempt.
fn remove_tree(path: &Path) -> io::Result<()> {
    // It is usually empty.
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotADirectory => {}
        other => return other,
    }
    match sys::remove_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(None, path)?;
            sys::remove_all(path)
        }
        other => other,
    }
}

/// Descends from opened directory to opened directory, so that one that is replaced by a link leads nowhere.
fn open_up(inside: Option<&Directory>, name: &Path) -> io::Result<()> {
    let directory = match Directory::opened_up(inside, name) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotADirectory | io::ErrorKind::NotFound) => return Ok(()),
        other => other?,
    };
    directory.names()?.iter().try_for_each(|name| open_up(Some(&directory), name.as_ref()))
}

/// Removes temp directories of this user that were created for this registry and have no record any more: leftovers of
/// a lost registry, for instance after a reboot. A record is created before its temp directory and removed after it, so
/// one that is being created or removed at this moment has a record.
pub(super) fn sweep(registry: &Registry) -> Result<Vec<PathBuf>> {
    let mut swept = Vec::new();
    let Ok(entries) = fs::read_dir(base()?) else { return Ok(swept) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|name| name.strip_prefix("portalloc-")?.parse::<IsolationId>().ok())
        else {
            continue;
        };
        let path = entry.path();
        // step: SweepLook
        let of_this_registry = sys::marked(&path).as_deref() == Some(mark(registry));
        // step: SweepRecord, SweepRemove
        if of_this_registry && !registry.has_record_anywhere(id) && matches!(remove(&path, id), Removal::Removed) {
            swept.push(path);
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> IsolationId {
        "0123456789ab".parse().unwrap()
    }

    #[test]
    fn only_a_real_directory_with_the_right_name_is_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let victim = scratch.path().join("victim");
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("precious"), "1").unwrap();
        let path = scratch.path().join("portalloc-0123456789ab");

        assert!(matches!(remove(&victim, id()), Removal::NotOurs(_)));
        assert!(matches!(remove(&path, id()), Removal::Absent));
        sys::make_link(&victim, &path);
        assert!(matches!(remove(&path, id()), Removal::NotOurs(_)));
        sys::remove_file(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        assert!(matches!(remove(&path, id()), Removal::NotOurs(_)));
        assert!(victim.join("precious").exists() && path.exists());
    }

    #[test]
    fn links_inside_are_removed_and_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let victim = scratch.path().join("victim");
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("precious"), "1").unwrap();
        let path = scratch.path().join("portalloc-0123456789ab");
        fs::create_dir_all(path.join("a/b")).unwrap();
        sys::make_link(&victim, &path.join("a/link"));
        let mut mode = fs::metadata(path.join("a")).unwrap().permissions();
        mode.set_readonly(true);
        fs::set_permissions(path.join("a"), mode).unwrap();
        assert!(matches!(remove(&path, id()), Removal::Removed));
        assert!(!path.exists() && victim.join("precious").exists());
    }
}
