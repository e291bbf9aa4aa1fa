//! Managed blocks: the variables of an environment between two marker lines, in a file that people edit, too. Knows no
//! registry.

mod file;
#[cfg(fuzzing)]
pub(super) mod fuzzing;
mod markers;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use super::removal::Removal;
use crate::error::{Error, Result};
use crate::sys;
use crate::variables::{Syntax, render};
use file::{Edit, Edited, Unchanged, change, clear, warn, would_change};
pub(super) use markers::Owner;
use text::{Damage, Found, insert, remove as take_out, without_blocks};

/// The file that `path` leads to: absolute, and without links, since a link stays as it is and the file behind it is
/// changed. The file need not exist.
pub(super) fn locate(path: &Path) -> Result<PathBuf> {
    let shown = path.display();
    let invalid = |why: &str, remedy: &str| Err(Error::invalid_argument(format!("{path:?} {why}"), remedy));
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.contains(&0) || bytes.ends_with(b"/") || path.file_name().is_none() {
        return invalid("is not a path for a file", "name a file, such as .env.local");
    }
    let failed = |error| Error::os(format!("cannot find {shown}"), error);
    let located = match path.canonicalize() {
        Ok(located) => located,
        Err(error) if !sys::is_absent(&error) => return Err(failed(error)),
        Err(_) if sys::entry(path).map_err(failed)?.is_some() => {
            return invalid("is a link to a file that does not exist", "make that file, or remove the link");
        }
        Err(_) => {
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match directory.canonicalize() {
                Ok(directory) => directory.join(path.file_name().unwrap_or_default()),
                Err(error) if !sys::is_absent(&error) => return Err(failed(error)),
                Err(_) => return invalid("is in a directory that does not exist", "make the directory first"),
            }
        }
    };
    // It goes into a list with a path a line.
    if located.to_str().is_none_or(|path| path.contains(char::is_control)) {
        return invalid("leads to a path with control characters, or not in UTF-8", "name another file");
    }
    Ok(located)
}

/// Whether the file at a located path has just this block.
pub(super) fn is_written(path: &Path, owner: &Owner, variables: &[(String, String)]) -> bool {
    matches!(would_change(path, &Writing::new(path, owner, variables)), Ok(false))
}

/// Checks that the block can be written into the file at a located path, as far as that can be told without trying.
pub(super) fn check(path: &Path, owner: &Owner, variables: &[(String, String)]) -> Result<()> {
    would_change(path, &Writing::new(path, owner, variables)).map(|_| ()).map_err(Unchanged::into_error)
}

/// Writes the block of `owner` with `variables` into the file at a located path: in the place of the one that is there,
/// else at the end. Leaves a file untouched that has just this block.
pub(super) fn write(path: &Path, owner: &Owner, variables: &[(String, String)]) -> Result<()> {
    put(path, owner, &Writing::new(path, owner, variables))
}

/// As [`write()`], but leaves a file untouched that has no such block any more.
pub(super) fn rewrite(path: &Path, owner: &Owner, variables: &[(String, String)]) -> Result<()> {
    put(path, owner, &Writing { adds: false, ..Writing::new(path, owner, variables) })
}

fn put(path: &Path, owner: &Owner, writing: &Writing<'_>) -> Result<()> {
    let found = change(path, writing).map_err(Unchanged::into_error)?;
    let Some((first, doubles)) = found.split_first() else { return Ok(()) };
    warn_of_edits(path, &found, "wrote it anew");
    for double in doubles {
        tell(path, double.line, "the managed block stood here a second time; portalloc removed that one");
    }
    if first.owner.worktree != owner.worktree {
        let what = format!(
            "the managed block was that of the worktree {}; portalloc replaced it by that of {}, since a worktree that was \
             moved or copied is a new one",
            first.owner.worktree, owner.worktree
        );
        tell(path, first.line, &what);
    }
    Ok(())
}

/// Removes the block of `owner`, or of an earlier environment of the same worktree and instance, from the file at a
/// located path; and the file, if portalloc made it and nothing else is in it.
pub(super) fn remove(path: &Path, owner: &Owner) -> Removal {
    match change(path, &Removing { path, owner }) {
        Ok(found) if found.is_empty() => {
            clear::<Removing<'_>>(path);
            Removal::Absent
        }
        Ok(found) => {
            clear::<Removing<'_>>(path);
            warn_of_edits(path, &found, "removed it");
            Removal::Removed
        }
        Err(Unchanged::NotOurs(error)) => Removal::NotOurs(format!("was not changed: {}", error.message())),
        Err(Unchanged::Failed(error)) => Removal::Failed(error),
    }
}

struct Writing<'a> {
    path: &'a Path,
    owner: &'a Owner,
    lines: String,
    /// Whether a block is added where there is none.
    adds: bool,
}

impl<'a> Writing<'a> {
    fn new(path: &'a Path, owner: &'a Owner, variables: &[(String, String)]) -> Self {
        Self { path, owner, lines: render(variables, Syntax::Dotenv), adds: true }
    }
}

impl Edit for Writing<'_> {
    type Found = Vec<Found>;

    fn edit(&self, text: Option<&[u8]>) -> std::result::Result<(Edited, Vec<Found>), Unchanged> {
        let before = text.unwrap_or_default();
        let edit =
            insert(before, self.owner, &self.lines, text.is_none()).map_err(|damage| blame(self.path, damage))?;
        let stays = edit.text == before || (edit.found.is_empty() && !self.adds);
        Ok((if stays { Edited::Same } else { Edited::To(edit.text) }, edit.found))
    }

    fn of_others(text: &[u8]) -> Vec<u8> {
        without_blocks(text)
    }
}

struct Removing<'a> {
    path: &'a Path,
    owner: &'a Owner,
}

impl Edit for Removing<'_> {
    type Found = Vec<Found>;

    fn edit(&self, text: Option<&[u8]>) -> std::result::Result<(Edited, Vec<Found>), Unchanged> {
        let Some(before) = text else { return Ok((Edited::Same, Vec::new())) };
        let edit = take_out(before, |owner| {
            (&owner.instance, &owner.worktree) == (&self.owner.instance, &self.owner.worktree)
                || owner.id == self.owner.id
        })
        .map_err(|damage| blame(self.path, damage))?;
        let edited = if edit.leaves_nothing {
            Edited::Gone
        } else if edit.found.is_empty() {
            Edited::Same
        } else {
            Edited::To(edit.text)
        };
        Ok((edited, edit.found))
    }

    fn of_others(text: &[u8]) -> Vec<u8> {
        without_blocks(text)
    }
}

fn blame(path: &Path, damage: Damage) -> Unchanged {
    let message = format!("{}:{}: {}", path.display(), damage.line, damage.what);
    Unchanged::NotOurs(Error::invalid_argument(message, damage.remedy))
}

fn warn_of_edits(path: &Path, found: &[Found], done: &str) {
    for block in found.iter().filter(|block| block.is_edited) {
        let what = format!(
            "somebody edited the managed block that began here, and portalloc {done}; write lines of your own above or \
             below the block"
        );
        tell(path, block.line, &what);
    }
}

fn tell(path: &Path, line: usize, what: &str) {
    let path = path.display().to_string();
    warn(&path, format!("{path}:{line}: {what}"));
}
