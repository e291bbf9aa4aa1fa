//! Changes a file that people and editors change, too: the new text is written beside it and swapped in, so that nobody
//! sees half of it, and a kill or a full disk loses nothing. Processes that use portalloc exclude each other by a lock;
//! editors take none, so the displaced file is checked, and put back if it is not what was read. Knows no registry.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::backoff::Backoff;
use crate::error::{Error, ErrorCode};
use crate::process::warn_once;
use crate::sys;

/// Larger than any env file; a file that somebody named by mistake may be of any size.
const MAX_BYTES: u64 = 1 << 20;

/// How long a change waits for other processes that change the same file, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a file was not changed.
pub(super) enum Unchanged {
    /// It is no file that portalloc may have changed before.
    NotOurs(Error),
    Failed(Error),
}

impl Unchanged {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::NotOurs(error) | Self::Failed(error) => error,
        }
    }
}

type Result<T> = std::result::Result<T, Unchanged>;

/// What becomes of a file.
pub(super) enum Edited {
    Same,
    To(Vec<u8>),
    Gone,
}

/// What an edit makes of a text, or of no file, and what it found there.
pub(super) trait Edit {
    type Found;

    fn edit(&self, text: Option<&[u8]>) -> Result<(Edited, Self::Found)>;

    /// What of a text, which may be cut off anywhere, is not portalloc's.
    fn of_others(text: &[u8]) -> Vec<u8>;
}

/// Whether [`change`] would change the file.
pub(super) fn would_change<E: Edit>(path: &Path, edit: &E) -> Result<bool> {
    let text = open(path, sys::open_without_following)?.map(|mut file| read(path, &mut file)).transpose()?;
    Ok(!matches!(edit.edit(text.as_deref())?.0, Edited::Same))
}

/// Changes the file at `path`, whose last component is no link. Leaves it untouched if its text stays the same.
pub(super) fn change<E: Edit>(path: &Path, edit: &E) -> Result<E::Found> {
    // Usually nothing changes: then it takes no lock.
    let text = open(path, sys::open_without_following)?.map(|mut file| read(path, &mut file)).transpose()?;
    if let (Edited::Same, found) = edit.edit(text.as_deref())? {
        return Ok(found);
    }
    let mut backoff = Backoff::steady(PATIENCE);
    loop {
        if let Some(found) = attempt(path, edit)? {
            return Ok(found);
        }
        match backoff.wait() {
            Ok(true) => {}
            Ok(false) => {
                return Err(Unchanged::Failed(Error::new(
                    ErrorCode::Timeout,
                    format!("other processes had locked {}, or changed it, for {PATIENCE:?}", path.display()),
                    "repeat the command when they have ended",
                )));
            }
            Err(error) => return Err(failed(path, error)),
        }
    }
}

/// `None` if another process was in the way.
fn attempt<E: Edit>(path: &Path, edit: &E) -> Result<Option<E::Found>> {
    let failed = |error| failed(path, error);
    let Some(file) = open(path, sys::open_to_change)? else {
        let (edited, found) = edit.edit(None)?;
        let Edited::To(text) = edited else { return Ok(Some(found)) };
        clear_leftovers::<E>(path, b"").map_err(failed)?;
        let new = Written::beside(path, &text, None).map_err(failed)?;
        return Ok(new.give_name(path).map_err(failed)?.then_some(found));
    };
    if !sys::try_lock_file(&file).map_err(failed)? || !is_at(&file, path).map_err(failed)? {
        return Ok(None);
    }
    let mut old = Written { path: path.to_owned(), file, text: Vec::new() };
    old.text = read(path, &mut old.file)?;
    let (edited, found) = edit.edit(Some(&old.text))?;
    let is_done = match edited {
        Edited::Same => Ok(true),
        Edited::Gone => old.remove(),
        Edited::To(text) => {
            check_length(path, &text)?;
            clear_leftovers::<E>(path, &old.text).map_err(failed)?;
            check_links(path, &old.file);
            Written::beside(path, &text, Some(&old.file)).and_then(|new| new.replace(&mut old))
        }
    };
    Ok(is_done.map_err(failed)?.then_some(found))
}

/// A file with the text that it had when this process read or wrote it.
struct Written {
    path: PathBuf,
    file: File,
    text: Vec<u8>,
}

impl Written {
    /// Writes a file beside `path`, locked, so that nobody takes it for a leftover, and as accessible as `old`.
    fn beside(path: &Path, text: &[u8], old: Option<&File>) -> io::Result<Self> {
        loop {
            let new = beside(path, sys::random_number()?);
            let file = if old.is_some() { sys::create_private(&new)? } else { sys::create_new(&new)? };
            let mut written = Self { path: new, file, text: text.to_owned() };
            if !sys::try_lock_file(&written.file)? || !is_at(&written.file, &written.path)? {
                // Another process took it for a leftover and removed it.
                continue;
            }
            let filled = old.map_or(Ok(()), |old| sys::make_alike(&written.file, old)).and_then(|()| {
                written.file.write_all(text)?;
                // A system that stops may otherwise keep the new name and lose the text.
                written.file.sync_all()
            });
            return match filled {
                Ok(()) => Ok(written),
                Err(error) => {
                    let _ = sys::remove_file(&written.path);
                    Err(error)
                }
            };
        }
    }

    /// Moves it to `path`. `false` if that exists by now.
    fn give_name(self, path: &Path) -> io::Result<bool> {
        sys::rename_new(&self.path, path).map(|()| true).or_else(|error| {
            sys::remove_file(&self.path)?;
            if error.kind() == io::ErrorKind::AlreadyExists { Ok(false) } else { Err(error) }
        })
    }

    /// Swaps it with `old`, which is locked, and removes that. `false` if somebody changed or replaced `old` after it
    /// was read.
    fn replace(mut self, old: &mut Self) -> io::Result<bool> {
        if !is_at(&old.file, &old.path)? || !old.is_as_it_was()? {
            return sys::remove_file(&self.path).map(|()| false);
        }
        match sys::exchange(&self.path, &old.path) {
            Ok(()) => {}
            // The file system does not support the exchange.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
                return fs::rename(&self.path, &old.path).map(|()| true);
            }
            Err(error) => {
                sys::remove_file(&self.path)?;
                return if error.kind() == io::ErrorKind::NotFound { Ok(false) } else { Err(error) };
            }
        }
        if is_at(&old.file, &self.path)? && old.is_as_it_was()? {
            return sys::remove_file(&self.path).map(|()| true);
        }
        // What was displaced has an editor's changes, so it goes back.
        match sys::exchange(&self.path, &old.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                sys::rename_new(&self.path, &old.path)?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        if is_at(&self.file, &self.path)? && self.is_as_it_was()? {
            sys::remove_file(&self.path)?;
        } else {
            // The editor was faster: its newest file is the one that stays. The other becomes a leftover, which the next
            // attempt examines.
            sys::exchange(&self.path, &old.path)?;
        }
        Ok(false)
    }

    /// Removes it. `false` if somebody changed or replaced it after it was read.
    fn remove(&mut self) -> io::Result<bool> {
        let aside = beside(&self.path, sys::random_number()?);
        match sys::rename_new(&self.path, &aside) {
            Err(error) if sys::is_absent(&error) => return Ok(false),
            other => other?,
        }
        if is_at(&self.file, &aside)? && self.is_as_it_was()? {
            return sys::remove_file(&aside).map(|()| true);
        }
        sys::rename_new(&aside, &self.path).map(|()| false)
    }

    fn is_as_it_was(&mut self) -> io::Result<bool> {
        let mut text = Vec::with_capacity(self.text.len() + 1);
        self.file.rewind()?;
        (&self.file).take(MAX_BYTES + 1).read_to_end(&mut text)?;
        Ok(text == self.text)
    }
}

/// Removes what killed processes left beside a file that is not changed any more, as far as possible.
pub(super) fn clear<E: Edit>(path: &Path) {
    let text = match open(path, sys::open_without_following) {
        Ok(Some(mut file)) => read(path, &mut file),
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    // What stays is beside the file, and the next change looks at it again.
    let _ = text.map(|text| clear_leftovers::<E>(path, &text));
}

/// Removes what killed processes left beside `path`, if all of it is in `text`, too. Otherwise a user may miss it, and
/// decides.
fn clear_leftovers<E: Edit>(path: &Path, text: &[u8]) -> io::Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let start = [name.as_encoded_bytes(), sys::UNFINISHED.as_bytes()].concat();
    for entry in fs::read_dir(directory)?.flatten() {
        let other = entry.file_name();
        let random = other.as_encoded_bytes().strip_prefix(start.as_slice());
        if !random.is_some_and(|random| random.len() == 16 && random.iter().all(u8::is_ascii_hexdigit)) {
            continue;
        }
        let leftover = directory.join(other);
        let Ok(Some(mut file)) = open(&leftover, sys::open_to_change) else { continue };
        if !sys::try_lock_file(&file)? || !is_at(&file, &leftover)? {
            continue;
        }
        let Ok(left) = read(&leftover, &mut file) else { continue };
        let left = E::of_others(&left);
        let left = left.strip_suffix(b"\n").unwrap_or(&left);
        let left = left.strip_suffix(b"\r").unwrap_or(left);
        if E::of_others(text).starts_with(left) {
            sys::remove_file(&leftover)?;
        } else {
            let (leftover, path) = (leftover.display().to_string(), path.display());
            let message = format!(
                "{leftover} was left by a process that was killed while it changed {path}, and has lines that {path} \
                 does not have; compare the two, and remove {leftover}"
            );
            warn(&leftover, message);
        }
    }
    Ok(())
}

fn check_links(path: &Path, file: &File) {
    if let Ok(names @ 2..) = sys::entry_of(file).map(|entry| entry.names) {
        let path = path.display().to_string();
        let message = format!(
            "{path} had {names} names (hard links); it is a file of its own now, and the other names keep the text as it \
             was; use symbolic links if they are to change with it"
        );
        warn(&path, message);
    }
}

/// Warns of what happened to a file.
pub(super) fn warn(path: &str, message: String) {
    warn_once("managed_block", &format!("{path} {message}"), message);
}

/// A name beside `path` that shows that the file was never finished.
fn beside(path: &Path, random: u64) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(format!("{}{random:016x}", sys::UNFINISHED));
    name.into()
}

/// Opens a plain file of this user; `None` if it does not exist. A device may do something when it is opened, so its
/// type is checked before.
fn open(path: &Path, opened: fn(&Path) -> io::Result<File>) -> Result<Option<File>> {
    let Some(entry) = sys::entry(path).map_err(|error| failed(path, error))? else { return Ok(None) };
    let check = |entry: sys::Entry| {
        let file = path.display();
        if !entry.is_file() {
            let remedy = "name a file that holds text, such as .env.local";
            Err(Unchanged::NotOurs(Error::invalid_argument(format!("{file} is {}", entry.describe()), remedy)))
        } else if entry.user != sys::user_id() {
            Err(Unchanged::NotOurs(Error::new(
                ErrorCode::PermissionDenied,
                format!("{file} belongs to user {}", entry.user),
                "name a file of your own: portalloc replaces the file, so it would be yours afterwards",
            )))
        } else {
            Ok(())
        }
    };
    check(entry)?;
    match opened(path) {
        Ok(file) => sys::entry_of(&file).map_err(|error| failed(path, error)).and_then(check).map(|()| Some(file)),
        Err(error) if sys::is_absent(&error) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(Unchanged::NotOurs(failed(path, error).into_error()))
        }
        Err(error) => Err(failed(path, error)),
    }
}

fn read(path: &Path, file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4096);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(path, error))?;
    check_length(path, &bytes).map(|()| bytes)
}

fn check_length(path: &Path, text: &[u8]) -> Result<()> {
    if text.len() as u64 <= MAX_BYTES {
        return Ok(());
    }
    Err(Unchanged::NotOurs(Error::invalid_argument(
        format!("{} is larger than 1 MiB, or would be", path.display()),
        "name an env file, which has a line for each variable",
    )))
}

/// Whether the opened file is still the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = sys::entry_of(file)?.id;
    Ok(sys::entry(path)?.is_some_and(|there| there.id == here))
}

fn failed(path: &Path, error: io::Error) -> Unchanged {
    use io::ErrorKind as Kind;
    let remedy = match error.kind() {
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
            Some("name a file that you may write, in a directory that you may write")
        }
        Kind::ResourceBusy => Some("if the file itself is mounted there, mount its directory instead"),
        _ => None,
    };
    let error = Error::os(format!("cannot change {}", path.display()), error);
    Unchanged::Failed(match remedy {
        Some(remedy) => error.with_remedy(remedy),
        None => error,
    })
}
