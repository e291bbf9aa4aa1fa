//! The temp directory, and the project file.

use std::path::Path;

use super::report::Check;
use crate::environment::temp_base;
use crate::error::Error;
use crate::project::Project;
use crate::sys;

/// Whether environments can have temp directories.
pub(super) fn temp_dir() -> Check {
    const CODE: &str = "temp_dir";
    let base = match temp_base() {
        Ok(base) => base,
        Err(error) => return Check::failed(CODE, &error),
    };
    match try_a_file(&base) {
        Ok(()) => Check::ok(CODE, format!("{} takes new files", base.display())).fact("directory", base.display()),
        Err(why) => Check::broken(
            CODE,
            format!("the temp directory {} {why}: no environment can be created", base.display()),
            "create it or free some space there, or set TMPDIR to another directory",
        )
        .fact("directory", base.display()),
    }
}

/// Creates a file and removes it: only trying tells of a full disk and a quota alike.
fn try_a_file(base: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("takes no file: {error}");
    match sys::entry(base).map_err(failed)? {
        None => return Err("does not exist".to_owned()),
        // It may be a link.
        Some(_) if !base.is_dir() => return Err("is not a directory".to_owned()),
        Some(_) => {}
    }
    let random = sys::random_number().map_err(failed)?;
    let path = base.join(format!("portalloc{}{random:016x}", sys::UNFINISHED));
    let file = sys::create_new(&path).map_err(failed)?;
    let written = sys::write_all_at(&file, &[1; 4096], 0);
    let removed = sys::remove_file(&path);
    written.and(removed).map_err(failed)
}

/// Which project file applies in the current directory.
pub(super) fn project(project: Result<Option<&Project>, &Error>) -> Check {
    const CODE: &str = "project";
    match project {
        Ok(Some(project)) => Check::ok(CODE, format!("{} applies", project.path.display())),
        Ok(None) => Check::ok(CODE, "no portalloc.toml applies in this directory"),
        Err(error) => Check::failed(CODE, error),
    }
}
