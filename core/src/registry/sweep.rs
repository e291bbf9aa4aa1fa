//! Removing what interrupted writes have left in the registry: files and folders that never got their names.

use std::fs::{self, DirEntry};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use super::Registry;
use crate::sys;

/// Making a file takes microseconds; what is older was interrupted. Whoever was only very slow fails and says so.
const AGE: Duration = Duration::from_secs(10);

impl Registry {
    /// Removes unfinished files and empty folders of this user, and says which.
    pub(crate) fn sweep_unfinished(&self) -> Vec<PathBuf> {
        let mut swept = Vec::new();
        for folder in [self.root.clone(), self.path.clone(), self.path.join("envs"), self.path.join("sticky")] {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            swept.extend(entries.filter(is_abandoned).map(|entry| entry.path()).filter(remove));
        }
        swept
    }
}

fn is_abandoned(entry: &DirEntry) -> bool {
    let unfinished = entry.file_name().to_str().is_some_and(|name| {
        // A name, the mark, and a random number: nothing that a person would call a file.
        name.split_once(sys::UNFINISHED)
            .is_some_and(|(_, number)| number.len() == 16 && number.bytes().all(|c| c.is_ascii_hexdigit()))
    });
    unfinished
        && entry.metadata().is_ok_and(|metadata| {
            metadata.uid() == sys::user_id()
                && metadata.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > AGE))
        })
}

fn remove(path: &PathBuf) -> bool {
    fs::remove_dir(path).is_ok() || rustix::fs::unlink(path).is_ok()
}
