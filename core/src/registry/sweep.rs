//! Removing what interrupted writes have left in the registry: files and folders that never got their names. And telling
//! whether an environment is known at all, without which nothing of it may be swept either. All in opened folders, so
//! that one that was swapped for a link leads nowhere.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::{Registry, STICKY_DIR, records, retire};
use crate::error::{Error, Result};
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::sys::{self, Entry, Folder};

/// Making a file takes microseconds; what is older was interrupted. Whoever was only very slow fails and says so.
const AGE: Duration = Duration::from_secs(10);

/// A lease writes into the file; one that was not written to for so long is not in use.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

impl Registry {
    /// Removes unfinished files and empty folders of this user, and says which.
    pub(crate) fn sweep_unfinished(&self) -> Vec<PathBuf> {
        let (root, memory) = (Folder::open(&self.root), self.folder.open().folder(OsStr::new(STICKY_DIR)));
        let folders = [
            (root.as_ref().ok(), self.root.clone()),
            (Some(self.folder.open()), self.path.clone()),
            (Some(self.records.folder()), self.path.join("envs")),
            (memory.as_ref().ok(), self.path.join(STICKY_DIR)),
        ];
        let mut swept = Vec::new();
        for (folder, path) in folders.into_iter().filter_map(|(folder, path)| Some((folder?, path))) {
            let names = folder.names().unwrap_or_default();
            let removed = names.iter().filter(|name| is_abandoned(folder, name) && remove(folder, name));
            swept.extend(removed.map(|name| path.join(name)));
        }
        swept
    }

    /// Removes the folders of other network namespaces that nobody has used for a day: most are gone, and whoever comes back to
    /// one makes it anew. As far as they are this user's, and hold nothing that anybody may want.
    pub(crate) fn sweep_namespaces(&self) -> Vec<PathBuf> {
        let Ok(root) = Folder::open(&self.root) else { return Vec::new() };
        let mut names = root.names().unwrap_or_default();
        names.retain(|name| retire::is_namespace(name) && Some(name.as_os_str()) != self.path.file_name());
        names.retain(|name| self.sweep_namespace(&root, name).unwrap_or(false));
        names.iter().map(|name| self.root.join(name)).collect()
    }

    fn sweep_namespace(&self, root: &Folder, name: &OsStr) -> Result<bool> {
        let path = self.root.join(name);
        let failed = |error| Error::registry(format!("cannot remove {}", path.display()), error);
        let inside = root.folder(name).map_err(failed)?;
        let is_idle = inside.entry_in(OsStr::new("ports")).is_ok_and(|entry| age(entry) > IDLE);
        // step: RetireHasRecords
        let Some(ports) = retire::open(&inside, &path)?.filter(|_| is_idle && !retire::has_records(&inside)) else {
            return Ok(false);
        };
        // Whoever has a lease there is in a namespace that lives.
        // step: RetireLock
        let Some(_lock) = ports.try_lock(PortRange::ALL)? else { return Ok(false) };
        // step: RetireCheck
        if !retire::keepers(&inside, &ports, &path)?.is_empty() {
            return Ok(false);
        }
        // step: RetireUnlink
        inside.remove(OsStr::new("ports")).map_err(failed)?;
        if let Ok(memory) = inside.folder(OsStr::new(STICKY_DIR)) {
            memory.names().map_err(failed)?.iter().try_for_each(|name| memory.remove(name)).map_err(failed)?;
            inside.remove_folder(OsStr::new(STICKY_DIR)).map_err(failed)?;
        }
        inside.remove_folder(OsStr::new("envs")).map_err(failed)?;
        // Or somebody has made the rest anew by now.
        Ok(root.remove_folder(name).is_ok())
    }

    /// Whether any network namespace's part of the registry has a record of `id`. What cannot be read counts as one.
    pub(crate) fn has_record_anywhere(&self, id: IsolationId) -> bool {
        let found = || -> io::Result<bool> {
            let root = Folder::open(&self.root)?;
            for namespace in root.names()? {
                match root.folder(&namespace).and_then(|namespace| namespace.folder(OsStr::new("envs"))) {
                    Ok(records) if records::is_taken(&records, id)? => return Ok(true),
                    Ok(_) => {}
                    Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                    Err(error) => return Err(error),
                }
            }
            // In another one that somebody put in its place there are none.
            Ok(!self.records.is_in_place())
        };
        found().unwrap_or(true)
    }
}

/// Whether it is 64 bits in hexadecimal, as portalloc's names have them.
pub(crate) fn is_number(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

fn is_abandoned(folder: &Folder, name: &OsStr) -> bool {
    let unfinished = name.to_str().is_some_and(|name| {
        // A name, the mark, and a random number: nothing that a person would call a file.
        name.split_once(sys::UNFINISHED).is_some_and(|(_, number)| is_number(number))
    });
    unfinished && folder.entry_in(name).is_ok_and(|entry| entry.user == sys::user_id() && age(entry) > AGE)
}

/// How long ago it was written; nothing, if that is to come.
fn age(entry: Entry) -> Duration {
    sys::file_time().saturating_sub(Duration::from_micros(entry.written_us))
}

fn remove(folder: &Folder, name: &OsStr) -> bool {
    folder.remove_folder(name).is_ok() || folder.remove(name).is_ok()
}
