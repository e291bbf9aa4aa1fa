//! The env file of an environment. Overwrites only env files of environments that have ended, and removes only a file
//! that names this environment.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::removal::Removal;
use super::{EnvFile, status};
use crate::backoff::Backoff;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::registry::{Record, Registry, Stored, making_path, record_name};
use crate::sys::{self, Entry};
use crate::variables::{Syntax, render};

const NAME: &str = ".env.isolation";
const FIRST_LINE: &str = "# Written by portalloc for environment ";
const RECORD_LINE: &str = "# Record: ";
/// How long a removal waits for another process that replaces or removes the same file, which takes microseconds.
const REPLACEMENT_PATIENCE: Duration = Duration::from_secs(5);

/// Larger than the env file of an environment with every port and the longest names.
const MAX_BYTES: u64 = 16 << 20;

/// The existing file at the path of an env file.
enum Found {
    Nothing,
    /// The env file of an environment that is gone or stale.
    Abandoned(Opened),
    /// The env file of an environment that may be alive.
    OfLiving(IsolationId),
    /// A file that portalloc did not write.
    Foreign,
}

/// The path that the env file of `record` will probably get.
pub(super) fn expected(registry: &Registry, record: &Record, choice: &EnvFile) -> Result<Option<PathBuf>> {
    let Some(wanted) = wanted(record, choice)? else { return Ok(None) };
    Ok(Some(match (look(registry, &wanted, record.isolation_id)?, choice) {
        (Found::Nothing | Found::Abandoned(_), _) => wanted,
        (found, EnvFile::At(_)) => return Err(taken(&wanted, &found)),
        _ => beside(&wanted, record.isolation_id),
    }))
}

/// Writes the env file and returns its path. It is written completely beside its path, under a name that contains the
/// ID, and then moved there; after a crash in between, cleanup recognises the file by that name.
pub(super) fn write(registry: &Registry, record: &Record, choice: &EnvFile) -> Result<Option<PathBuf>> {
    let Some(wanted) = wanted(record, choice)? else { return Ok(None) };
    let own = beside(&wanted, record.isolation_id);
    let failed = |error: io::Error| refused("write", &wanted, error);
    // step: BeginEnvFile, WriteEnvFile
    let written = sys::create_new(&own).and_then(|mut file| file.write_all(content(record).as_bytes()));
    if let Err(error) = written {
        return Err(failed(error));
    }
    // step: MoveEnvFile
    match sys::rename_new(&own, &wanted) {
        Ok(()) => return Ok(Some(wanted)),
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Err(_) => {}
    }
    // step: LookAtOther
    match look(registry, &wanted, record.isolation_id)? {
        // step: ReplaceOther
        Found::Abandoned(old) if replace(&own, &wanted, &old).map_err(failed)? => Ok(Some(wanted)),
        found if matches!(choice, EnvFile::At(_)) => Err(taken(&wanted, &found)),
        _ => Ok(Some(own)),
    }
}

/// The env file that `record` names, and the path from or to which it is moved; after a crash it may be at either.
pub(super) fn candidates(record: &Record) -> Option<(PathBuf, PathBuf)> {
    let named = record.env_file.as_ref()?;
    let other = match named.to_str().and_then(|path| path.strip_suffix(&record.isolation_id.between(".", ""))) {
        Some(wanted) => wanted.into(),
        None => beside(named, record.isolation_id),
    };
    Some((named.clone(), other))
}

/// What has the name that the env file of `record` was to have, as a phrase; `None` if the env file has that name.
pub(super) fn in_the_way(registry: &Registry, record: &Record) -> Option<String> {
    let wanted = candidates(record).filter(|(named, _)| is_own_name(named, record.isolation_id))?.1;
    let name = wanted.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let owner = open(&wanted).ok().flatten().and_then(|file| owner(&file.read().ok()?));
    let Some(owner) = owner else { return Some(format!("{name} exists there and was not written by portalloc")) };
    let other = registry.records().read(owner).ok().and_then(Stored::record);
    let of = match other {
        Some(other) if other.worktree_path == record.worktree_path => ", which has this worktree, too",
        _ => "",
    };
    Some(format!("{name} is that of environment {owner}{of}"))
}

/// Whether the path has a name that [`beside`] makes.
pub(super) fn is_own_name(path: &Path, id: IsolationId) -> bool {
    let without_id = path.as_os_str().as_encoded_bytes().strip_suffix(&id.digits());
    without_id.is_some_and(|name| name.ends_with(b"."))
}

/// Removes the env file at `path` if it still names `id`.
pub(super) fn remove(path: &Path, id: IsolationId) -> Removal {
    let failed = |error| Removal::Failed(Error::os(format!("cannot remove the env file {}", path.display()), error));
    // step: OpenEnvFile
    let file = match open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return Removal::Absent,
        Err(Unopened::NotOurs(why)) => return Removal::NotOurs(why),
        // The owner of the file is unknown, so its record must stay.
        Err(Unopened::Failed(error)) => return failed(error),
    };
    let mut backoff = Backoff::steady(REPLACEMENT_PATIENCE);
    loop {
        // step: LockEnvFile
        match sys::try_lock_file(&file.file).and_then(|locked| if locked { Ok(None) } else { backoff.wait().map(Some) })
        {
            Ok(None) => break,
            // Another process is replacing or removing it, or died while doing so: then the lock has ended, and the
            // file still exists.
            Ok(Some(true)) => {}
            Ok(Some(false)) => return failed(io::Error::from(io::ErrorKind::WouldBlock)),
            Err(error) => return failed(error),
        }
    }
    // step: ReadEnvFile
    match file.is_in_place(path) {
        Ok(true) => {}
        Ok(false) => return Removal::Absent,
        Err(error) => return failed(error),
    }
    // step: ReadOwner
    let text = match file.read() {
        Ok(text) => text,
        Err(error) => return failed(error),
    };
    let named = owner(&text);
    // A file whose writing or replacement was interrupted is recognised by its name, which is random.
    let has_own_name = is_own_name(path, id);
    let is_unfinished = || {
        let started = id.between(FIRST_LINE, "");
        started.starts_with(&text) || text.starts_with(&started) || named.is_some()
    };
    let is_ours = named == Some(id) || (has_own_name && is_unfinished());
    if !is_ours {
        return Removal::NotOurs(match named {
            Some(other) => format!("is the env file of environment {other}"),
            None => "was not written by portalloc".to_owned(),
        });
    }
    if !has_own_name {
        return remove_aside(&file, path, id).unwrap_or_else(failed);
    }
    // step: RemoveEnvFile
    match sys::remove_file(path) {
        Ok(()) => Removal::Removed,
        Err(error) if sys::is_absent(&error) => Removal::Absent,
        Err(error) => failed(error),
    }
}

/// Removes the file at `path` if it still is `file`. Renames it to this environment's own name first, because an
/// editor, which does not take the lock, may have put another file in its place. Such a file is moved back.
fn remove_aside(file: &Opened, path: &Path, id: IsolationId) -> io::Result<Removal> {
    let aside = beside(path, id);
    // step: PutAside
    match sys::rename_new(path, &aside) {
        Ok(()) => {}
        Err(error) if sys::is_absent(&error) => return Ok(Removal::Absent),
        // Even that name exists.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            sys::remove_file(path)?;
            return Ok(Removal::Removed);
        }
        Err(error) => return Err(error),
    }
    if file.is_in_place(&aside)? {
        // step: RemoveAside
        sys::remove_file(&aside)?;
        return Ok(Removal::Removed);
    }
    sys::rename_new(&aside, path)?;
    Ok(Removal::NotOurs("was replaced in the meantime".to_owned()))
}

/// Checks that the env file at `path` names `id`; otherwise says why not.
pub(super) fn check(path: &Path, id: IsolationId) -> std::result::Result<(), String> {
    let Some(file) = open(path).map_err(|unopened| unopened.to_string())? else {
        return Err("does not exist".to_owned());
    };
    match file.read().map(|text| owner(&text)) {
        Ok(Some(owner)) if owner == id => Ok(()),
        Ok(Some(other)) => Err(format!("is the env file of environment {other}")),
        Ok(None) => Err("was not written by portalloc".to_owned()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

fn wanted(record: &Record, choice: &EnvFile) -> Result<Option<PathBuf>> {
    let path = match choice {
        EnvFile::None => return Ok(None),
        EnvFile::Worktree => return Ok(Some(record.worktree_path.join(NAME))),
        EnvFile::At(path) => path,
    };
    let invalid = || {
        Error::invalid_argument(
            format!("{path:?} is not a path for an env file"),
            "name a file in an existing directory",
        )
    };
    if path.as_os_str().as_encoded_bytes().contains(&0) || path.file_name().is_none() || path.to_str().is_none() {
        return Err(invalid());
    }
    std::path::absolute(path).map(Some).map_err(|_| invalid())
}

/// The name beside `path` that only this environment uses.
fn beside(path: &Path, id: IsolationId) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(id.between(".", ""));
    name.into()
}

fn content(record: &Record) -> String {
    let id = record.isolation_id;
    [
        &id.between(FIRST_LINE, "; `portalloc cleanup --id "),
        &id.between("", "` removes it.\n"),
        RECORD_LINE,
        &record.lock_file.to_string_lossy(),
        "\n",
        &render(&record.variables(), Syntax::Dotenv),
    ]
    .concat()
}

/// The environment that an env file names in its text.
fn owner(text: &str) -> Option<IsolationId> {
    let id = text.strip_prefix(FIRST_LINE)?.split(';').next()?;
    let named = text.lines().find_map(|line| line.strip_prefix("ISOLATION_ID="))?;
    if id == named { id.parse().ok() } else { None }
}

/// Why an env file cannot be made at `path`.
fn refused(what: &str, path: &Path, error: io::Error) -> Error {
    let denied = matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
    let error = Error::os(format!("cannot {what} the env file {}", path.display()), error);
    if denied {
        error.with_remedy(
            "name a path in a writable directory for the env file (--env-file), or make none (--no-env-file)",
        )
    } else {
        error
    }
}

fn look(registry: &Registry, path: &Path, me: IsolationId) -> Result<Found> {
    let entry = sys::entry(path).map_err(|error| refused("check", path, error))?;
    if entry.is_none() {
        return Ok(Found::Nothing);
    }
    let file = match open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(Found::Nothing),
        Err(Unopened::NotOurs(_)) => return Ok(Found::Foreign),
        Err(Unopened::Failed(error)) => return Err(refused("check", path, error)),
    };
    let Ok(text) = file.read() else { return Ok(Found::Foreign) };
    // step: LookAtEnvFile
    let Some(owner) = owner(&text) else { return Ok(Found::Foreign) };
    let record = text.lines().find_map(|line| line.strip_prefix(RECORD_LINE)).map(Path::new);
    // Its record is in this registry, unless the file names another one.
    let lives = status::lives(registry, owner)?
        || match record {
            Some(record) if record == registry.records().path(owner) => false,
            // An environment of another registry: it may be alive if it has a record.
            Some(record) if record.is_absolute() && record.file_name() == Some(&record_name(owner)) => {
                let is_absent = |path: &Path| matches!(sys::entry(path), Ok(None));
                !is_absent(record) || !is_absent(&making_path(record)) || !is_absent(record)
            }
            // Somebody edited the line: nothing says that the environment is gone.
            _ => true,
        };
    Ok(if lives && owner != me { Found::OfLiving(owner) } else { Found::Abandoned(file) })
}

fn taken(path: &Path, found: &Found) -> Error {
    let whose = match found {
        Found::OfLiving(id) => format!("is the env file of environment {id}"),
        _ => "exists and was not written by portalloc".to_owned(),
    };
    Error::new(
        ErrorCode::EnvFileExists,
        format!("{} {whose}", path.display()),
        "name another file, or move that one away",
    )
}

/// Why an env file was not opened.
enum Unopened {
    NotOurs(String),
    /// The system failed, for example at the descriptor limit, which says nothing about the file.
    Failed(io::Error),
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs(why) => f.write_str(why),
            Self::Failed(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

/// A plain file of this user, as it was when it was opened.
struct Opened {
    file: File,
    entry: Entry,
}

impl Opened {
    /// The text that it had when it was opened.
    fn read(&self) -> io::Result<String> {
        let length = self.entry.length.min(MAX_BYTES);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        (&self.file).take(length).read_to_end(&mut bytes)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Whether it is still the one at `path`.
    fn is_in_place(&self, path: &Path) -> io::Result<bool> {
        Ok(sys::entry(path)?.is_some_and(|there| there.id == self.entry.id))
    }
}

/// Opens a plain file of this user. `None` if it does not exist; otherwise says why it is not one.
fn open(path: &Path) -> std::result::Result<Option<Opened>, Unopened> {
    let not_ours = |why: String| Err(Unopened::NotOurs(why));
    let opened = sys::open_without_following(path);
    match opened.and_then(|file| sys::entry_of(&file).map(|entry| (file, entry))) {
        Ok((_, entry)) if !entry.is_file() => not_ours("is not a plain file".to_owned()),
        Ok((_, entry)) if entry.user != sys::user_id() => not_ours(format!("belongs to user {}", entry.user)),
        Ok((file, entry)) => Ok(Some(Opened { file, entry })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => match sys::entry(path) {
            Ok(None) => Ok(None),
            Ok(Some(entry)) if !entry.is_file() => not_ours(format!("is {}", entry.describe())),
            _ if error.kind() == io::ErrorKind::PermissionDenied => not_ours(format!("cannot be read: {error}")),
            _ => Err(Unopened::Failed(error)),
        },
    }
}

/// Replaces the abandoned file with `new`. `false` if another process did so first. Each process that replaces or
/// removes an env file takes its lock, so only one process replaces an abandoned file. Editors do not take this lock,
/// so the displaced file is checked before it is removed.
fn replace(new: &Path, path: &Path, old: &Opened) -> io::Result<bool> {
    // step: LockOldEnvFile, LookForOldEnvFile
    if !sys::try_lock_file(&old.file)? || !old.is_in_place(path)? {
        return Ok(false);
    }
    // step: ReplaceEnvFile
    match sys::exchange(new, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        // The file system does not support the exchange.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            fs::rename(new, path)?;
            return Ok(true);
        }
        Err(error) => return Err(error),
    }
    // step: LookAtReplaced
    if old.is_in_place(new)? {
        // step: RemoveReplaced
        sys::remove_file(new)?;
        return Ok(true);
    }
    sys::exchange(new, path)?;
    Ok(false)
}
