//! Where the registry's directory is, and whether it can be trusted. Knows nothing of what is in its files.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};
use crate::sys::{self, Directory, Entry, Marked, PLAIN, SET_UP, words};

/// The directory that the caller names, else `/run/portalloc` if it belongs to root and is shared, else
/// `/tmp/portalloc`. The choice never depends on whether this process can use the directory: two processes that chose
/// differently would not exclude each other. It is never below `$TMPDIR`, which differs between processes that must
/// share a registry, nor in `/dev/shm`, where a logout removes the user's files.
pub(super) fn root(named: Option<&Path>) -> Result<PathBuf> {
    let Some(named) = named else {
        let set_up = Path::new(SET_UP);
        // step: ChoosePlace
        return Ok(if sys::is_roots_shared_directory(set_up) { set_up } else { Path::new(PLAIN) }.to_owned());
    };
    let invalid = |why: &str| {
        Error::invalid_argument(
            format!("the registry directory {named:?} {why}"),
            "set PORTALLOC_DIR to the path of a directory",
        )
    };
    if named.as_os_str().is_empty() || named.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(invalid("is not a path"));
    }
    // Absolute and without a trailing slash, because a link before a trailing slash would be followed.
    let path = std::path::absolute(named).map_err(|_| invalid("is not a path"))?.components().collect::<PathBuf>();
    if path.to_str().is_none() {
        return Err(invalid("is not valid UTF-8"));
    }
    if path.to_str().is_some_and(|path| path.contains(char::is_control)) {
        return Err(invalid("has control characters"));
    }
    if path.file_name().is_none() {
        return Err(invalid("is the root directory"));
    }
    Ok(path)
}

/// Opens the registry's own directory, and creates it if it is missing. It never creates the one that only `portalloc
/// setup` makes: if that is missing, another directory is the registry.
pub(super) fn open_root(named: Option<&Path>, root: &Path) -> Result<Directory> {
    let is_only_opened = named.is_none() && root == Path::new(SET_UP);
    match open_existing(None, root) {
        Err(error) if is_only_opened && error.kind() == io::ErrorKind::NotFound => Err(Error::registry_gone()),
        Ok(directory) => trusted(directory, root).map(|(directory, _)| directory),
        _ => open(None, root),
    }
}

/// Opens a directory of the registry that no other user can swap or empty unnoticed, and creates it if it is missing.
/// An inner directory is looked up in the opened one `around` it, so a changed path leads nowhere else.
pub(super) fn open(around: Option<&Directory>, path: &Path) -> Result<Directory> {
    open_with_entry(around, path).map(|(directory, _)| directory)
}

/// As [`open`], and keeps it open for a long time.
pub(super) fn open_kept(around: &Directory, path: &Path) -> Result<Marked<Directory>> {
    let (directory, entry) = open_with_entry(Some(around), path)?;
    directory.kept(entry).map_err(|error| unusable_for(path, error))
}

fn open_with_entry(around: Option<&Directory>, path: &Path) -> Result<(Directory, Entry)> {
    let io = |error| unusable_for(path, error);
    let mut opened = open_existing(around, path);
    if matches!(&opened, Err(error) if error.kind() == io::ErrorKind::NotFound) {
        create(around, path).map_err(io)?;
        opened = open_existing(around, path);
    }
    let failed = match opened {
        Ok(directory) => return trusted(directory, path),
        Err(error) => error,
    };
    match sys::entry(path).map_err(io)? {
        Some(entry) => Err(entry.distrust_as_directory().map_or_else(|| io(failed), |why| unusable(path, &why))),
        None if failed.kind() != io::ErrorKind::NotFound => Err(io(failed)),
        None => Err(unusable(path, "was removed in the meantime")),
    }
}

/// Returns an opened directory, and its metadata, if it can be trusted.
fn trusted(directory: Directory, path: &Path) -> Result<(Directory, Entry)> {
    let entry = directory.entry().map_err(|error| unusable_for(path, error))?;
    entry.distrust_as_directory().map_or(Ok((directory, entry)), |why| Err(unusable(path, &why)))
}

fn unusable_for(path: &Path, error: io::Error) -> Error {
    Error::registry(format!("cannot use the registry directory {}", path.display()), error)
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(
        ErrorCode::RegistryUnusable,
        format!("the registry directory {} {why}", path.display()),
        "remove it if it is yours, or set PORTALLOC_DIR to another directory",
    )
}

/// Adds the most likely reason to an error about the default registry, which this user should be able to write. It
/// stays an error: falling back to another directory would mean another registry.
pub(super) fn explain_place(error: Error, root: &Path) -> Error {
    if error.code() != ErrorCode::PermissionDenied {
        return error;
    }
    error.recast(ErrorCode::RegistryUnusable, "").with_remedy(&words::let_write(&root.display().to_string()))
}

fn open_existing(around: Option<&Directory>, path: &Path) -> io::Result<Directory> {
    match around {
        Some(around) => around.directory(path.file_name().unwrap_or_default()),
        None => Directory::place(path),
    }
}

fn create(around: Option<&Directory>, path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    if let Some(around) = around {
        return around.create_shared_directory(name);
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent)?;
    // A component of the parent may be a link, as on a system where /tmp is one.
    Directory::place(&parent.canonicalize()?)?.create_shared_directory(name)
}
