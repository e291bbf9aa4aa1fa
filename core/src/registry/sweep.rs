//! Removes what interrupted writes have left in the registry: files and directories that were never renamed to their
//! final names. Also tells whether an environment is known at all; if not, its files may be swept. Works in opened
//! directories only, so a directory that was replaced by a link leads nowhere.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::{Registry, STICKY_DIR, WORKTREES_DIR, records, retire};
use crate::error::{Error, Result};
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::sys::{self, Directory, Entry};

/// Creating a file takes microseconds, so an older one was interrupted. A process that was only very slow gets an
/// error.
const AGE: Duration = Duration::from_secs(10);

/// A lease writes to the file, so a file without writes for this long is not in use.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

impl Registry {
    /// Removes unfinished files and empty directories of this user, and returns their paths.
    pub(crate) fn sweep_unfinished(&self) -> Vec<PathBuf> {
        let inside = |name: &str| self.directory.open().directory(OsStr::new(name));
        let (root, memory, worktrees) = (Directory::open(&self.root), inside(STICKY_DIR), inside(WORKTREES_DIR));
        let directories = [
            (root.as_ref().ok(), self.root.clone()),
            (Some(self.directory.open()), self.path.clone()),
            (Some(self.records.directory()), self.path.join("envs")),
            (memory.as_ref().ok(), self.path.join(STICKY_DIR)),
            (worktrees.as_ref().ok(), self.path.join(WORKTREES_DIR)),
        ];
        let mut swept = Vec::new();
        for (directory, path) in directories.into_iter().filter_map(|(directory, path)| Some((directory?, path))) {
            let names = directory.names().unwrap_or_default();
            let removed = names.iter().filter(|name| is_abandoned(directory, name) && remove(directory, name));
            swept.extend(removed.map(|name| path.join(name)));
        }
        swept
    }

    /// The names of the files about worktrees that are this user's, and were not written just now.
    pub(crate) fn old_of_worktrees(&self) -> Vec<String> {
        let Ok(directory) = self.directory.open().directory(OsStr::new(WORKTREES_DIR)) else { return Vec::new() };
        let names = directory.names().unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok());
        names.filter(|name| is_number(name) && is_old(&directory, OsStr::new(name))).collect()
    }

    /// Removes the directories of other network namespaces that have been unused for a day: most of those namespaces no
    /// longer exist, and a process that returns to one creates it again. Only removes directories of this user without
    /// records or held ports.
    pub(crate) fn sweep_namespaces(&self) -> Vec<PathBuf> {
        let Ok(root) = Directory::open(&self.root) else { return Vec::new() };
        let mut names = root.names().unwrap_or_default();
        names.retain(|name| retire::is_namespace(name) && Some(name.as_os_str()) != self.path.file_name());
        names.retain(|name| self.sweep_namespace(&root, name).unwrap_or(false));
        names.iter().map(|name| self.root.join(name)).collect()
    }

    fn sweep_namespace(&self, root: &Directory, name: &OsStr) -> Result<bool> {
        let path = self.root.join(name);
        let failed = |error| Error::registry(format!("cannot remove {}", path.display()), error);
        let inside = root.directory(name).map_err(failed)?;
        let is_idle = inside.entry_in(OsStr::new("ports")).is_ok_and(|entry| age(entry) > IDLE);
        // step: RetireHasRecords
        let Some(ports) = retire::open(&inside, &path)?.filter(|_| is_idle && !retire::has_records(&inside)) else {
            return Ok(false);
        };
        // A process with a lease there lives in a namespace that still exists.
        // step: RetireLock
        let Some(_lock) = ports.try_lock(PortRange::ALL)? else { return Ok(false) };
        // step: RetireCheck
        if !retire::keepers(&inside, &ports, &path)?.is_empty() {
            return Ok(false);
        }
        // step: RetireUnlink
        inside.remove(OsStr::new("ports")).map_err(failed)?;
        for name in [STICKY_DIR, WORKTREES_DIR].map(OsStr::new) {
            if let Ok(notes) = inside.directory(name) {
                notes.names().map_err(failed)?.iter().try_for_each(|name| notes.remove(name)).map_err(failed)?;
                inside.remove_directory(name).map_err(failed)?;
            }
        }
        inside.remove_directory(OsStr::new("envs")).map_err(failed)?;
        // Otherwise another process has created new files in it.
        Ok(root.remove_directory(name).is_ok())
    }

    /// Whether any network namespace's part of the registry has a record of `id`. An unreadable part counts as yes.
    pub(crate) fn has_record_anywhere(&self, id: IsolationId) -> bool {
        let found = || -> io::Result<bool> {
            let root = Directory::open(&self.root)?;
            for namespace in root.names()? {
                match root.directory(&namespace).and_then(|namespace| namespace.directory(OsStr::new("envs"))) {
                    Ok(records) if records::is_taken(&records, id)? => return Ok(true),
                    Ok(_) => {}
                    Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                    Err(error) => return Err(error),
                }
            }
            // A directory that replaced the opened one says nothing about the records in the opened one.
            Ok(!self.records.is_in_place())
        };
        found().unwrap_or(true)
    }
}

/// Whether the text is 64 bits in hexadecimal, as in portalloc's file names.
pub(crate) fn is_number(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

fn is_abandoned(directory: &Directory, name: &OsStr) -> bool {
    let unfinished = name.to_str().is_some_and(|name| {
        // A name, the mark, and a random number: people do not name files like this.
        name.split_once(sys::UNFINISHED).is_some_and(|(_, number)| is_number(number))
    });
    unfinished && is_old(directory, name)
}

/// Whether it is this user's, and surely not being written any more.
fn is_old(directory: &Directory, name: &OsStr) -> bool {
    directory.entry_in(name).is_ok_and(|entry| entry.user == sys::user_id() && age(entry) > AGE)
}

/// How long ago it was written; zero if that is in the future.
fn age(entry: Entry) -> Duration {
    sys::file_time().saturating_sub(Duration::from_micros(entry.written_us))
}

fn remove(directory: &Directory, name: &OsStr) -> bool {
    directory.remove_directory(name).is_ok() || directory.remove(name).is_ok()
}
