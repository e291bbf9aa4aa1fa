//! The index of a worktree: a small file in the registry that says which environment is the worktree's. It is a note,
//! never a claim: whoever reads it looks at the environment's record.
//!
//! It is untrusted input, as everything in the registry: it counts only if it is a plain file of this user.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::key::Key;
use crate::error::{Error, Result};
use crate::id::IsolationId;
use crate::registry::{Registry, worktree_byte};
use crate::sys;

/// More than the longest paths of many files.
const MAX_BYTES: u64 = 1 << 20;

/// The words before the lines that follow the ID.
const BEFORE: &str = "before ";
const BLOCK: &str = "block ";

/// What is written about a worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// Its environment.
    pub(crate) id: IsolationId,
    /// The environment that `id` is to replace, or has replaced, and that is removed next. It is the worktree's as long
    /// as `id` is not finished.
    pub(crate) before: Option<IsolationId>,
    /// The files with a managed block of the environment.
    pub(crate) blocks: Vec<PathBuf>,
}

impl Index {
    /// The index of an environment without managed blocks.
    pub(crate) fn new(id: IsolationId) -> Self {
        Self { id, before: None, blocks: Vec::new() }
    }

    /// What is written about the worktree. One that cannot be read, or that says nothing, counts as none.
    ///
    /// # Errors
    /// `io` if this process has too many files open: then there may be one.
    pub(crate) fn read(registry: &Registry, key: &Key) -> Result<Option<Self>> {
        let name = key.file_name();
        match text(registry, &name) {
            Ok(text) => Ok(text.as_deref().and_then(parse)),
            Err(error) if sys::limit_reached(&error) => {
                Err(Error::os(format!("cannot read {}", registry.path_of_worktree(&name).display()), error))
            }
            Err(_) => Ok(None),
        }
    }

    /// Replaces what is written about the worktree. The caller has the worktree's lock.
    pub(crate) fn write(&self, registry: &Registry, key: &Key) -> Result<()> {
        let name = key.file_name();
        let failed = |error: io::Error| {
            let path = registry.path_of_worktree(&name);
            let error = Error::registry(format!("cannot write {}", path.display()), error);
            match sys::entry(&path) {
                // In a directory of everybody only its owner can replace it.
                Ok(Some(entry)) if entry.user != sys::user_id() => {
                    error.with_remedy(&format!("have user {} or root remove that file", entry.user))
                }
                _ => error,
            }
        };
        let directory = registry.worktrees_dir()?;
        let random = sys::random_number().map_err(failed)?;
        let new = format!("{name}{}{random:016x}", sys::UNFINISHED);
        let written = directory
            .create(new.as_ref())
            .and_then(|mut file| file.write_all(self.text().as_bytes()))
            .and_then(|()| directory.replace(new.as_ref(), name.as_ref()));
        written.map_err(|error| {
            let _ = directory.remove(new.as_ref());
            failed(error)
        })
    }

    /// Removes what is written about the worktree, if anything is. The caller has the worktree's lock.
    pub(crate) fn remove(registry: &Registry, key: &Key) -> Result<()> {
        Self::remove_file(registry, &key.file_name())
    }

    fn remove_file(registry: &Registry, name: &str) -> Result<()> {
        match registry.worktrees_dir()?.remove(name.as_ref()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::registry(format!("cannot remove {}", registry.path_of_worktree(name).display()), error))
            }
            _ => Ok(()),
        }
    }

    /// Removes the files of this user that name no environment, and returns their paths. Whoever makes an environment
    /// writes the index ere the record is finished, and has the worktree's lock: a worktree that is locked is passed over.
    pub(crate) fn sweep(registry: &Registry) -> Result<Vec<PathBuf>> {
        let mut swept = Vec::new();
        let mut names = registry.old_of_worktrees();
        names.retain(|name| names_nothing(registry, name));
        if names.is_empty() {
            return Ok(swept);
        }
        let ports = registry.ports()?;
        for name in names {
            let Ok(hash) = u64::from_str_radix(&name, 16) else { continue };
            let Some(_lock) = ports.try_lock_byte(worktree_byte(hash))? else { continue };
            // It may have been written again before it was locked.
            if names_nothing(registry, &name) && Self::remove_file(registry, &name).is_ok() {
                swept.push(registry.path_of_worktree(&name));
            }
        }
        Ok(swept)
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.id);
        if let Some(before) = self.before {
            let _ = writeln!(text, "{BEFORE}{before}");
        }
        for path in &self.blocks {
            let _ = writeln!(text, "{BLOCK}{}", path.display());
        }
        text
    }
}

/// Whether it can be read and none of the environments in it has a record, be that finished or not.
fn names_nothing(registry: &Registry, name: &str) -> bool {
    let Ok(text) = text(registry, name) else { return false };
    let Some(Index { id, before, .. }) = text.as_deref().and_then(parse) else { return true };
    [Some(id), before].into_iter().flatten().all(|id| matches!(registry.records().exists(id), Ok(false)))
}

/// The text of an index, if it is a plain file of this user.
fn text(registry: &Registry, name: &str) -> io::Result<Option<String>> {
    let file = registry.open_of_worktree(name)?;
    let entry = sys::entry_of(&file)?;
    if !entry.is_file() || entry.user != registry.user() || entry.length > MAX_BYTES {
        return Ok(None);
    }
    let mut text = Vec::with_capacity(usize::try_from(entry.length).unwrap_or(0) + 1);
    // Never rewritten in place. With this limit no further call has to find its end.
    file.take(entry.length).read_to_end(&mut text)?;
    Ok(String::from_utf8(text).ok())
}

/// Only whole lines count, and those of a later version are passed over.
fn parse(text: &str) -> Option<Index> {
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let mut index = Index::new(lines.next()?.parse().ok()?);
    for line in lines {
        if let Some(id) = line.strip_prefix(BEFORE) {
            index.before = Some(id.parse().ok()?);
        } else if let Some(path) = line.strip_prefix(BLOCK).map(Path::new).filter(|path| path.is_absolute()) {
            index.blocks.push(path.to_owned());
        }
    }
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789ab";
    const OTHER: &str = "ba9876543210";

    #[test]
    fn what_is_written_is_read() {
        let mut index = Index::new(ONE.parse().unwrap());
        assert_eq!(parse(&index.text()), Some(index.clone()));
        index.before = Some(OTHER.parse().unwrap());
        index.blocks = vec!["/home/me/a b/.env".into(), "/x".into()];
        assert_eq!(index.text(), format!("{ONE}\nbefore {OTHER}\nblock /home/me/a b/.env\nblock /x\n"));
        assert_eq!(parse(&index.text()), Some(index));
    }

    #[test]
    fn nonsense_is_none() {
        let too_long = format!("{ONE}0\n");
        for text in ["", "\n", ONE, "0123456789AB\n", " 0123456789ab\n", "../../../etc\n", &too_long] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&format!("{ONE}\nbefore me\n")), None);
        let index = parse(&format!("{ONE}\nblock relative\nlater than this\nblock /cut off")).unwrap();
        assert_eq!(index, Index::new(ONE.parse().unwrap()));
    }
}
