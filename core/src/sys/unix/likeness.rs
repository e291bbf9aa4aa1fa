//! A file that is to take another's place: nobody gets access to it who has none to the other.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{Gid, Mode, XattrFlags};

use super::descriptor::above_standard;

/// The extended attribute in which POSIX access control lists are.
const ACCESS_LIST: &[u8] = b"system.posix_acl_access";

/// What belongs to the content of a file, and so must not be copied to another one.
const OF_CONTENT: [&[u8]; 3] = [b"security.ima", b"security.evm", b"security.capability"];

/// No file has longer lists of attributes, nor longer attributes, on Linux.
const ROOM: usize = 64 << 10;

/// Creates a file for reading and writing that must not exist yet, and that only this user may access.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mode = Mode::RUSR | Mode::WUSR;
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode.bits()).open(path)?;
    let file = above_standard(file.into())?;
    rustix::fs::fchmod(&file, mode)?;
    Ok(file.into())
}

/// Gives `new` the group, the extended attributes and the mode of `old`, as far as the system allows that. Where it does
/// not, the group gets no more access than everybody has.
pub(crate) fn make_alike(new: &File, old: &File) -> io::Result<()> {
    let (wanted, got) = (rustix::fs::fstat(old)?, rustix::fs::fstat(new)?);
    let mut mode = Mode::from_raw_mode(wanted.st_mode);
    let group = wanted.st_gid != got.st_gid;
    let mut is_alike = !group || rustix::fs::fchown(new, None, Some(Gid::from_raw(wanted.st_gid))).is_ok();
    is_alike &= copy_attributes(new, old);
    if !is_alike {
        let everybody = Mode::from_raw_mode((mode & Mode::RWXO).bits() << 3);
        mode = mode.difference(Mode::RWXG).union(everybody & mode);
    }
    Ok(rustix::fs::fchmod(new, mode)?)
}

/// `false` if the access control list could not be copied.
fn copy_attributes(new: &File, old: &File) -> bool {
    let mut buffer = vec![0; ROOM];
    let Ok(length) = rustix::fs::flistxattr(old, &mut buffer) else { return true };
    let names = buffer.get(..length).unwrap_or_default().to_vec();
    let mut is_alike = true;
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty() && !OF_CONTENT.contains(name)) {
        let copied = rustix::fs::fgetxattr(old, name, &mut buffer).and_then(|length| {
            rustix::fs::fsetxattr(new, name, buffer.get(..length).unwrap_or_default(), XattrFlags::empty())
        });
        is_alike &= copied.is_ok() || name != ACCESS_LIST;
    }
    is_alike
}
