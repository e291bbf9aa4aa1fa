//! The project file `portalloc.toml`, in which a worktree declares its ports once for every language's runner. Finds
//! and reads it; arguments and variables override it.

mod declarations;
mod lines;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use declarations::Project;

use crate::error::{Error, ErrorCode, Result};
use crate::sys;

/// The project file's name.
const FILE_NAME: &str = "portalloc.toml";

/// Size limit in bytes: far more than a declaration needs, and still quick to read.
const LARGEST: u64 = 1024 * 1024;

impl Project {
    /// Finds and reads the nearest `portalloc.toml`, in the directory `from` or above, up to the root of the file
    /// system. Directories that this user may not search have none. A broken or unreadable file is an error; the search
    /// does not continue above it.
    ///
    /// # Errors
    /// As [`Project::read`]; `invalid_argument` if `from` does not exist.
    pub fn nearest(from: &Path) -> Result<Option<Self>> {
        let from = from.canonicalize().map_err(|error| {
            Error::invalid_argument(
                format!("the worktree {} cannot be used: {error}", from.display()),
                "name an existing directory as the worktree",
            )
        })?;
        search(&from)
    }

    /// As [`nearest`](Self::nearest), from the current directory. If that has been removed, there is none.
    ///
    /// # Errors
    /// As [`Project::read`].
    pub fn current() -> Result<Option<Self>> {
        // The kernel knows the path even if this user may not read it, as after `su` in root's home.
        std::env::current_dir().map_or(Ok(None), |directory| search(&directory))
    }

    /// Reads a project file.
    ///
    /// # Errors
    /// `invalid_argument`, with file and line, for any mistake in it, and for a file that is not text or is too large;
    /// `not_found`, `permission_denied`, `io`.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let text = text(&path)?;
        log::debug!("the project file is {}", path.display());
        declarations::read(path, &text)
    }

    /// The directory that contains it: the worktree of environments that name no other.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

/// Searches `from`, a path without links, and the directories above it.
fn search(from: &Path) -> Result<Option<Project>> {
    for directory in from.ancestors() {
        let path = directory.join(FILE_NAME);
        // Checks neither whether it can be read nor where a link leads: a broken file must not count as missing.
        match fs::symlink_metadata(&path) {
            Ok(_) => return Project::read(&path).map(Some),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::InvalidFilename => {} // the last: no file can be there
                _ => return Err(Error::os(format!("cannot look for {}", path.display()), error)),
            },
        }
    }
    Ok(None)
}

/// Reads the file's text. Opens it without blocking, so that a pipe of that name cannot hang the caller.
fn text(path: &Path) -> Result<String> {
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
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot_read)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(Error::invalid_argument(
            format!("the project file {shown} is larger than {LARGEST} bytes"),
            "declare ports in it and nothing else",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::invalid_argument(format!("{shown}:{line}: not valid UTF-8"), "save it as UTF-8")
    })
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
