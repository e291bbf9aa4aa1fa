//! The records of environments: `envs/<id>.json`, one file each, which appears complete or not at all. While an
//! environment is being created, its record is `envs/<id>.making`. Renaming it commits the environment, because every
//! user can see a name. An ID is in use if either file exists.
//!
//! Records are untrusted input: one counts only if it is a plain file of this user, is not too large, and contains
//! nothing that portalloc would not have written (record.rs).

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::record::{Lifetime, Record, Stored, parse};
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::sys::{self, Directory, Entry, FileId, Marked};

/// Larger than the record of an environment with every port and the longest names.
const MAX_BYTES: u64 = 8 << 20;

/// Enough for most.
const USUAL_BYTES: usize = 1024;

/// The records directory.
pub(crate) struct Records {
    path: PathBuf,
    directory: Marked<Directory>,
    user: u32,
}

impl Records {
    /// The records of `user` count.
    pub(crate) fn new(path: PathBuf, directory: Marked<Directory>, user: u32) -> Self {
        Self { path, directory, user }
    }

    /// The directory itself.
    pub(super) fn directory(&self) -> &Directory {
        self.directory.open()
    }

    /// Whether its descriptor is still its own.
    pub(super) fn is_ours(&self) -> bool {
        self.directory.is_ours()
    }

    /// Whether the path still leads to the opened directory. Otherwise another directory may contain records that this
    /// process does not see, and their labels would look like those of environments without records.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(sys::entry(&self.path), Ok(Some(there)) if self.directory.was(there.id))
    }

    /// The path of the finished record of an ID.
    pub(crate) fn path(&self, id: IsolationId) -> PathBuf {
        self.path.join(name(id))
    }

    pub(crate) fn exists(&self, id: IsolationId) -> Result<bool> {
        is_taken(self.directory(), id).map_err(|error| self.failed("look for", id, error))
    }

    /// Whether labels of this ID claim their ports: its finished record exists.
    pub(crate) fn claims(&self, id: IsolationId) -> Result<bool> {
        self.directory().contains(&name(id)).map_err(|error| self.failed("look for", id, error))
    }

    pub(crate) fn read(&self, id: IsolationId) -> Result<Stored> {
        self.read_open(id).map(|(stored, _)| stored)
    }

    /// The record of an environment of this user, or an error.
    pub(crate) fn require(&self, id: IsolationId) -> Result<Box<Record>> {
        self.require_read(id, self.read(id)?)
    }

    /// As `require`, for a record that was read already.
    pub(crate) fn require_read(&self, id: IsolationId, stored: Stored) -> Result<Box<Record>> {
        let mut owner = None;
        let (code, message, remedy) = match stored {
            Stored::Record(record) => return Ok(record),
            Stored::Missing => (
                ErrorCode::NotFound,
                format!("there is no environment {id} in {}", self.path.display()),
                "see `portalloc list`; environments of other network namespaces are not shown",
            ),
            Stored::Foreign(user) => {
                owner = Some(user);
                (
                    ErrorCode::PermissionDenied,
                    format!("the environment {id} belongs to user {user}"),
                    "do it as that user; `portalloc list` shows its ports",
                )
            }
            Stored::Broken(why) => (
                ErrorCode::RegistryUnusable,
                format!("the record of environment {id} is damaged: {why}"),
                "clean it up and make another; `portalloc list` shows its ports",
            ),
        };
        let error = Error::new(code, message, remedy);
        Err(owner.into_iter().fold(error, Error::of_user))
    }

    /// As `read`, with the open file, which shows later whether the record was replaced or finished.
    pub(crate) fn read_open(&self, id: IsolationId) -> Result<(Stored, Option<OpenRecord>)> {
        // The first name is tried again at the end, because the record may be finished between the first two reads.
        let names: [(fn(_) -> _, _); 3] = [
            // step: ReadFinished
            (name, false),
            // step: ReadMaking
            (making, true),
            // step: ReadFinishedAgain
            (name, false),
        ];
        for (name, is_unfinished) in names {
            let name = name(id);
            match self.directory().read(&name) {
                Ok(file) => {
                    let entry = sys::entry_of(&file).map_err(|error| self.failed("read", id, error))?;
                    let stored = self.read_file(id, &file, &entry, is_unfinished)?;
                    return Ok((stored, Some(OpenRecord { file, which: entry.id, name })));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => match self.unreadable(id, &name, error)? {
                    Stored::Missing => {}
                    stored => return Ok((stored, None)),
                },
            }
        }
        Ok((Stored::Missing, None))
    }

    fn read_file(&self, id: IsolationId, file: &File, entry: &Entry, is_unfinished: bool) -> Result<Stored> {
        Ok(if entry.user != self.user {
            Stored::Foreign(entry.user)
        } else if !entry.is_file() {
            Stored::Broken("the record is not a plain file".to_owned())
        } else if entry.length > MAX_BYTES {
            Stored::Broken(format!("the record has {} bytes", entry.length))
        } else {
            let mut text = Vec::new();
            text.try_reserve_exact(usize::try_from(entry.length).unwrap_or(0))
                .map_err(|_| Error::out_of_memory(format!("read the record of environment {id}")))?;
            // No more than it has: a record never grows, and another call would only find its end.
            file.take(entry.length).read_to_end(&mut text).map_err(|error| self.failed("read", id, error))?;
            parse(id, &text, is_unfinished)
        })
    }

    /// Whether an open record is still the one under its name. Records are renamed, replaced and removed as a whole,
    /// never rewritten in place.
    pub(crate) fn still_stands(&self, record: &OpenRecord) -> bool {
        // While the file is open, no other one can have its number.
        self.directory().entry_in(&record.name).is_ok_and(|there| there.id == record.which)
    }

    /// Why a record could not be opened.
    fn unreadable(&self, id: IsolationId, name: &OsString, error: io::Error) -> Result<Stored> {
        match sys::entry(&self.path.join(name)) {
            Ok(None) => Ok(Stored::Missing),
            Ok(Some(entry)) if entry.user != self.user => Ok(Stored::Foreign(entry.user)),
            Ok(Some(entry)) if !entry.is_file() => Ok(Stored::Broken(format!("the record is {}", entry.describe()))),
            Ok(Some(_)) if error.kind() == io::ErrorKind::PermissionDenied => {
                Ok(Stored::Broken("the record is not readable by its owner".to_owned()))
            }
            _ => Err(self.failed("read", id, error)),
        }
    }

    /// The IDs that have a record, ascending.
    pub(crate) fn ids(&self) -> Result<Vec<IsolationId>> {
        let mut ids = Vec::new();
        self.directory()
            .each_name(|name| ids.extend(name.to_str().and_then(id_of)))
            .map_err(|error| Error::registry(format!("cannot list the directory {}", self.path.display()), error))?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Creates an unfinished record. `false` if a record of that ID exists, finished or not; it is left unchanged.
    pub(crate) fn create(&self, record: &Record) -> Result<bool> {
        let id = record.isolation_id;
        // step: MakeRecord
        let is_new = self.write(record, |new, name| self.directory().rename_new(new, name))?;
        // Checked only now: of two processes that both found neither name, one gets this name.
        // step: LookForFinished
        if is_new && self.claims(id)? {
            // step: TakeBack
            self.remove_name(id, &making(id))?;
            return Ok(false);
        }
        Ok(is_new)
    }

    /// Replaces the record of this ID with an unfinished one.
    pub(crate) fn replace(&self, record: &Record) -> Result<()> {
        self.write(record, |new, name| self.directory().replace(new, name)).map(|_| ())
    }

    /// Writes the text of an unfinished record. `false` if `publish` found an existing file.
    fn write(&self, record: &Record, publish: impl FnOnce(&OsString, &OsString) -> io::Result<()>) -> Result<bool> {
        let id = record.isolation_id;
        let mut text = Vec::with_capacity(USUAL_BYTES);
        match record.lifetime {
            // Indented, because people read it, too. A held one is removed soon.
            Lifetime::Kept => serde_json::to_writer_pretty(&mut text, record),
            Lifetime::Held => serde_json::to_writer(&mut text, record),
        }
        .map_err(|error| self.failed("write", id, error.into()))?;
        let random = sys::random_number().map_err(|error| self.failed("write", id, error))?;
        let mut new = making(id);
        new.push(format!("{}{random:016x}", sys::UNFINISHED));
        let written = self.directory().create(&new).and_then(|mut file| {
            file.write_all(&text)?;
            publish(&new, &making(id))
        });
        match written {
            Ok(()) => Ok(true),
            Err(error) => {
                // The temporary file is no longer needed; `cleanup --stale` also removes it.
                let _ = self.directory().remove(&new);
                if error.kind() == io::ErrorKind::AlreadyExists {
                    Ok(false)
                } else {
                    Err(self.failed("write", id, error))
                }
            }
        }
    }

    /// Renames a record to the name of a finished one. From here on its environment lives, even if the process that
    /// created it dies.
    pub(crate) fn finish(&self, id: IsolationId) -> Result<()> {
        self.directory().rename_new(&making(id), &name(id)).map_err(|error| self.failed("finish", id, error))
    }

    /// Removes a record if it exists, only under the name that it has: the other name may belong to another process
    /// that was just given the same ID.
    pub(crate) fn remove(&self, id: IsolationId, is_unfinished: bool) -> Result<()> {
        // step: RemoveRecord
        self.remove_name(id, &if is_unfinished { making(id) } else { name(id) })
    }

    /// Removes the name that a record does not have, too, whichever process created it.
    pub(crate) fn remove_other(&self, id: IsolationId, is_unfinished: bool) -> Result<()> {
        self.remove_name(id, &if is_unfinished { name(id) } else { making(id) })
    }

    /// Removes both names of a record, whichever process created them. The unfinished one first: a process that creates one now
    /// checks for the finished one after that.
    pub(crate) fn remove_both(&self, id: IsolationId) -> Result<()> {
        self.remove_name(id, &making(id))?;
        self.remove_name(id, &name(id))
    }

    fn remove_name(&self, id: IsolationId, name: &OsString) -> Result<()> {
        match self.directory().remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("remove", id, error)),
            _ => Ok(()),
        }
    }

    fn failed(&self, verb: &str, id: IsolationId, error: io::Error) -> Error {
        Error::registry(format!("cannot {verb} the record {}", self.path(id).display()), error)
    }
}

/// An open record that was read.
pub(crate) struct OpenRecord {
    #[expect(dead_code, reason = "open, so that the file system gives its number to no other file")]
    file: File,
    which: FileId,
    name: OsString,
}

const FINISHED: &str = ".json";
const MAKING: &str = ".making";

/// The file name of a finished record.
pub(crate) fn name(id: IsolationId) -> OsString {
    id.between("", FINISHED).into()
}

/// The file name of a record that is being created.
fn making(id: IsolationId) -> OsString {
    id.between("", MAKING).into()
}

/// The path of an unfinished record, from that of the finished one.
pub(crate) fn making_path(finished: &Path) -> PathBuf {
    finished.with_extension(MAKING.trim_start_matches('.'))
}

/// The ID whose record has this file name.
fn id_of(name: &str) -> Option<IsolationId> {
    name.strip_suffix(FINISHED).or_else(|| name.strip_suffix(MAKING))?.parse().ok()
}

/// Whether a records directory has a record of this ID, finished or not.
pub(super) fn is_taken(directory: &Directory, id: IsolationId) -> io::Result<bool> {
    // The record may be finished between the first two checks.
    // step: LookFinished
    Ok(directory.contains(&name(id))?
        // step: LookMaking
        || directory.contains(&making(id))?
        // step: LookFinishedAgain
        || directory.contains(&name(id))?)
}
