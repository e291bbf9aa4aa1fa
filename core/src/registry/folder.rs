//! Where the registry's folder is, and whether it can be trusted. Knows nothing of what is in its files.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};
use crate::sys::{self, Folder, PLAIN, SET_UP, words};

/// The folder named, else `/run/portalloc` if that is root's and shared, else `/tmp/portalloc`. Chosen by what it is, never by
/// whether it can be used: two processes that chose differently would not exclude each other. Never below `$TMPDIR`, which
/// differs between processes that must meet, nor `/dev/shm`, of which a logout removes what is the user's.
pub(super) fn root(named: Option<&Path>) -> Result<PathBuf> {
    let Some(named) = named else {
        let set_up = Path::new(SET_UP);
        // step: ChoosePlace
        return Ok(if sys::is_roots_shared_folder(set_up) { set_up } else { Path::new(PLAIN) }.to_owned());
    };
    let invalid = |why: &str| {
        Error::invalid_argument(
            format!("the registry folder {named:?} {why}"),
            "set PORTALLOC_DIR to the path of a folder",
        )
    };
    if named.as_os_str().is_empty() || named.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(invalid("is not a path"));
    }
    // Absolute and without a trailing slash, behind which a link would be followed.
    let path = std::path::absolute(named).map_err(|_| invalid("is not a path"))?.components().collect::<PathBuf>();
    if path.to_str().is_none() {
        return Err(invalid("is not valid UTF-8"));
    }
    if path.to_str().is_some_and(|path| path.contains(char::is_control)) {
        return Err(invalid("has control characters"));
    }
    if path.file_name().is_none() {
        return Err(invalid("is the root folder"));
    }
    Ok(path)
}

/// Opens the registry's own folder, and makes it if it is missing: but not one that only root's setup makes, which is gone
/// then, and another one is the registry.
pub(super) fn open_root(named: Option<&Path>, root: &Path) -> Result<Folder> {
    let is_only_opened = named.is_none() && root == Path::new(SET_UP);
    match open_existing(None, root) {
        Err(error) if is_only_opened && error.kind() == io::ErrorKind::NotFound => Err(Error::registry_gone()),
        Ok(folder) if is_only_opened => trusted(folder, root),
        _ => open(None, root),
    }
}

/// Opens a folder of the registry that nobody else can swap or empty behind our back, and makes it if it is missing. An
/// inner one is looked up in the opened one `around` it, so that whatever becomes of the path leads nowhere else.
pub(super) fn open(around: Option<&Folder>, path: &Path) -> Result<Folder> {
    let io = |error| Error::registry(format!("cannot use the registry folder {}", path.display()), error);
    let mut opened = open_existing(around, path);
    if matches!(&opened, Err(error) if error.kind() == io::ErrorKind::NotFound) {
        create(around, path).map_err(io)?;
        opened = open_existing(around, path);
    }
    let failed = match opened {
        Ok(folder) => return trusted(folder, path),
        Err(error) => error,
    };
    match sys::entry(path).map_err(io)? {
        Some(entry) => Err(entry.distrust_as_folder().map_or_else(|| io(failed), |why| unusable(path, &why))),
        None if failed.kind() != io::ErrorKind::NotFound => Err(io(failed)),
        None => Err(unusable(path, "was removed at this moment")),
    }
}

/// An opened folder, if it can be trusted.
fn trusted(folder: Folder, path: &Path) -> Result<Folder> {
    let entry = folder
        .entry()
        .map_err(|error| Error::registry(format!("cannot use the registry folder {}", path.display()), error))?;
    entry.distrust_as_folder().map_or(Ok(folder), |why| Err(unusable(path, &why)))
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(
        ErrorCode::RegistryUnusable,
        format!("the registry folder {} {why}", path.display()),
        "remove it if it is yours, or set PORTALLOC_DIR to another folder",
    )
}

/// Says of an error about a registry that nobody named, and that this user should be able to write, what mostly is the
/// reason. It stays an error: another folder would be another registry.
pub(super) fn explain_place(error: Error, root: &Path) -> Error {
    if error.code() != ErrorCode::PermissionDenied {
        return error;
    }
    error.recast(ErrorCode::RegistryUnusable, "").with_remedy(&words::let_write(&root.display().to_string()))
}

fn open_existing(around: Option<&Folder>, path: &Path) -> io::Result<Folder> {
    match around {
        Some(around) => around.folder(path.file_name().unwrap_or_default()),
        None => Folder::place(path),
    }
}

fn create(around: Option<&Folder>, path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    if let Some(around) = around {
        return around.create_shared_folder(name);
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent)?;
    // Of the parent itself a link may be a part, as on a system whose /tmp is one.
    Folder::place(&parent.canonicalize()?)?.create_shared_folder(name)
}
