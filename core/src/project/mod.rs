//! The project file `portalloc.toml`, in which a worktree declares its ports once for every language's runner. Finds
//! and reads it; arguments and variables override it.

mod declarations;
mod env;
mod found;
mod lines;
mod named;
mod search;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use declarations::Project;
pub use env::EnvTemplate;
pub(crate) use lines::place;
pub(crate) use search::{Found, search, search_here};

use crate::error::{Error, ErrorCode, Result};
use crate::sys;

/// Size limit in bytes: far more than a declaration needs, and still quick to read.
const LARGEST: u64 = 1024 * 1024;

/// Room beyond the size that a file says it has, which lets one read find its end.
const READ_AHEAD: usize = 64;

/// The permission bit.
const WRITABLE_BY_ALL: u32 = 0o002;

impl Project {
    /// Finds and reads the nearest `portalloc.toml`, in the directory `from` or above: up to the directory with a `.git`,
    /// and no further; without Git up to the root of the file system. Directories that this user may not search have
    /// none. A broken or unreadable file is an error; the search does not continue above it.
    ///
    /// # Errors
    /// As [`Project::read`]; `invalid_argument` if `from` does not exist.
    pub fn nearest(from: &Path) -> Result<Option<Self>> {
        search(from)?.project()
    }

    /// As [`nearest`](Self::nearest), from the current directory. If that has been removed, there is none.
    ///
    /// # Errors
    /// As [`Project::read`].
    pub fn current() -> Result<Option<Self>> {
        search_here()?.map_or(Ok(None), |found| found.project())
    }

    /// Reads a project file.
    ///
    /// # Errors
    /// `invalid_argument`, with file and line, for any mistake in it, and for a file that is not text or is too large;
    /// `not_found`, `permission_denied`, `io`.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let (text, file) = open(&path)?;
        log::debug!("the project file is {}", path.display());
        let project = declarations::read(path, &text)?;
        if let Some(first) = project.env.first() {
            check_owner(&project, first, &file)?;
        }
        Ok(project)
    }

    /// The directory that contains it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

/// Refuses variables that another user wrote. In a directory such as /tmp, anybody can make a project file, and so set
/// variables of the programs of everybody who works in a directory below without Git.
fn check_owner(project: &Project, first: &EnvTemplate, file: &File) -> Result<()> {
    let entry = |path: &Path| sys::entry(path).ok().flatten();
    // The dot is the directory itself, also where its name is a link.
    let directory = entry(&project.directory().join("."));
    let Some(directory) = directory.filter(|directory| directory.mode & WRITABLE_BY_ALL != 0) else { return Ok(()) };
    let named = entry(&project.path).map(|entry| entry.user);
    let trusted = [sys::user_id(), 0, directory.user];
    let writers = sys::entry_of(file).ok().map(|entry| entry.user).into_iter().chain(named);
    match writers.into_iter().find(|user| !trusted.contains(user)) {
        Some(user) => Err(Error::invalid_argument(
            format!(
                "{}`env` was written by user {user}, in a directory that every user can write to",
                place(&project.path, first.line)
            ),
            "keep the project in a directory of its own, or make the file yours if you trust it",
        )),
        None => Ok(()),
    }
}

/// Reads the file's text. Opens it without blocking, so that a pipe of that name cannot hang the caller.
fn open(path: &Path) -> Result<(String, File)> {
    let shown = path.display();
    let file = sys::open_without_waiting(path).map_err(|error| unopened(path, error))?;
    let cannot_read = |error| Error::os(format!("cannot read the project file {shown}"), error);
    let metadata = file.metadata().map_err(cannot_read)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "not a regular file" };
        return Err(Error::invalid_argument(
            format!("{shown} is {what}"),
            "the project file is a text file of that name",
        ));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(LARGEST)).unwrap_or_default() + READ_AHEAD);
    (&file).take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot_read)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(Error::invalid_argument(
            format!("the project file {shown} is larger than {LARGEST} bytes"),
            "declare ports in it and nothing else",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::invalid_argument(format!("{shown}:{line}: not valid UTF-8"), "save it as UTF-8")
    })?;
    Ok((text, file))
}

/// Why it cannot be opened, in terms of the project file.
fn unopened(path: &Path, error: io::Error) -> Error {
    let shown = path.display();
    if sys::leads_in_a_circle(&error) {
        return Error::invalid_argument(
            format!("the project file {shown} is a symbolic link that leads back to itself"),
            "remove the link, or let it lead to a file",
        );
    }
    if error.kind() == io::ErrorKind::NotFound {
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let message = if is_link {
            format!("the project file {shown} is a symbolic link to nothing")
        } else {
            format!("there is no project file {shown}")
        };
        return Error::new(ErrorCode::NotFound, message, "name one that exists, or remove the link");
    }
    Error::os(format!("cannot read the project file {shown}"), error)
}
