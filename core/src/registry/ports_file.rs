//! The `ports` file through one open file description: locks and labels. Decides nothing.
//!
//! Never mapped into memory: a file that somebody truncates, or a full disk, must be an error and not a signal.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::label::{SLOT, Slot};
use crate::error::{Error, ErrorCode, Result};
use crate::pool::PortRange;
use crate::sys;

/// Size of the file: a slot for each number a port can have, and for 0, which none has.
pub(crate) const FILE_SIZE: u64 = 65536 * SLOT as u64;

/// One open file description of the `ports` file. Its locks go when the last process that shares it closes it.
pub(crate) struct PortsFile {
    file: File,
}

impl PortsFile {
    pub(crate) fn new(file: File) -> Self {
        Self { file }
    }

    /// Locks all of `range` or nothing, without waiting.
    pub(crate) fn try_lock(&self, range: PortRange) -> Result<bool> {
        sys::try_lock(&self.file, range)
            .map_err(|error| Error::registry(format!("cannot lock port {range} in the registry"), error))
    }

    pub(crate) fn unlock(&self, range: PortRange) -> Result<()> {
        sys::unlock(&self.file, range)
            .map_err(|error| Error::registry(format!("cannot unlock port {range} in the registry"), error))
    }

    /// A lock of somebody else's that overlaps `range`.
    pub(crate) fn conflict(&self, range: PortRange) -> Result<Option<PortRange>> {
        sys::conflict(&self.file, range).map_err(|error| Error::registry("cannot read the registry's locks", error))
    }

    pub(crate) fn read(&self, range: PortRange) -> Result<Vec<Slot>> {
        let mut bytes = vec![0; range.count() * SLOT];
        self.file.read_exact_at(&mut bytes, offset(range)).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::new(
                ErrorCode::RegistryUnusable,
                "the registry's ports file was truncated while in use",
                "run `portalloc reconcile`, which restores it from the records",
            ),
            _ => Error::registry("cannot read the registry's ports file", error),
        })?;
        let (slots, _) = bytes.as_chunks::<SLOT>();
        Ok(slots.iter().map(Slot::decode).collect())
    }

    pub(crate) fn read_one(&self, port: u16) -> Result<Slot> {
        Ok(self.read(PortRange::one(port))?.first().copied().unwrap_or(Slot::Empty))
    }

    /// Writes the same slot for every port of `range`. The caller has the lock.
    pub(crate) fn write(&self, range: PortRange, slot: Slot) -> Result<()> {
        self.file
            .write_all_at(&slot.encode().repeat(range.count()), offset(range))
            .map_err(|error| Error::registry("cannot write to the registry's ports file", error))
    }

    /// Gives the file its size: what was cut off comes back as empty slots.
    pub(crate) fn resize(&self) -> io::Result<()> {
        self.file.set_len(FILE_SIZE)
    }
}

/// Opens the file at `path`, which must be a plain file and not a link.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let no_follow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    std::fs::OpenOptions::new().read(true).write(true).custom_flags(no_follow.bits().cast_signed()).open(path)
}

fn offset(range: PortRange) -> u64 {
    u64::from(range.first()) * SLOT as u64
}
