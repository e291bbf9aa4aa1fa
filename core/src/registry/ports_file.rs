//! The `ports` file through one open file description: locks and labels. Decides nothing.
//!
//! The file is never mapped into memory: truncation by another program, or a full disk, must cause an error and not a
//! signal.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::header::{Header, SLOT};
use super::label::Slot;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::port_set::{PortRange, PortSet};
use crate::sys::{self, Directory, Entry, FileId, Inheritable, Marked};

/// Size of the file in bytes: one slot for each port number, including the invalid port 0.
pub(crate) const FILE_SIZE: u64 = 65536 * SLOT as u64;

/// Slots read or written at a time: few for a lease, on the stack; many when a whole pool is read.
const SMALL_CHUNK: usize = 16;
const LARGE_CHUNK: usize = 256;

/// Identifies the file, whatever its path.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Identity {
    pub(super) id: FileId,
    /// Whether the file system counts names (hard links); some do not.
    counts_names: bool,
}

impl Identity {
    pub(crate) fn of(entry: &Entry) -> Self {
        Self { id: entry.id, counts_names: entry.names > 0 }
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// File positions that distinguish descriptions lie between these: above all data, below the locks.
const FIRST_POSITION: u64 = 1 << 24;
const POSITIONS: u64 = (1 << 40) - FIRST_POSITION;

/// One open file description of the `ports` file. Its locks end when the last process that shares it closes it. The
/// process that opened it unlocks it on drop, because a child that was forked meanwhile has a copy that would keep the
/// locks.
pub(crate) struct PortsFile {
    file: Marked<File>,
    /// The identity of the registry's file.
    identity: Identity,
    /// The generation of the process that opened it.
    maker: u64,
    /// How many locks it has at most: some may cover the same ports.
    locks: AtomicUsize,
}

impl PortsFile {
    /// `random` distinguishes this description from every other one; `identity` is the file that it should be.
    pub(crate) fn new(file: File, random: u64, identity: Identity) -> io::Result<Self> {
        let file = Marked::by_position(file, FIRST_POSITION + random % POSITIONS)?;
        Ok(Self { file, identity, maker: sys::generation(), locks: AtomicUsize::new(0) })
    }

    /// For one call that takes no lock, so that nothing need tell this description from another one.
    pub(crate) fn unmarked(file: File, identity: Identity) -> io::Result<Self> {
        let file = Marked::by_position(file, 0)?;
        Ok(Self { file, identity, maker: sys::generation(), locks: AtomicUsize::new(0) })
    }

    /// Releases all locks and closes the file, without checking its descriptor: for a caller that has checked it.
    pub(crate) fn close(mut self) {
        // step: Unlock
        self.unlock_all();
        // step: Close
        drop(self.file.take());
    }

    /// Closes the file and leaves its locks to the processes that have a copy.
    pub(crate) fn leave_locks(self) {
        self.locks.store(0, Ordering::Relaxed);
    }

    fn unlock_all(&self) {
        // Closing is enough, unless another process has a copy.
        if self.locks.swap(0, Ordering::Relaxed) > 0 {
            let _ = sys::unlock(self.file.open(), PortRange::ALL);
        }
    }

    /// Whether its descriptor, and so its locks, are still its own.
    pub(crate) fn is_ours(&self) -> bool {
        self.file.is_ours()
    }

    /// Locks all of `range` or nothing, without waiting. If the file is no longer the registry's, returns an error that
    /// makes the caller open the registry again: a process that opens it later would get another file, in which this
    /// lock means nothing. This is checked once the lock is taken, since a process that removes the file holds all of
    /// its locks.
    pub(crate) fn try_lock(&self, range: PortRange) -> Result<Option<RangeLock<'_>>> {
        // step: LockRange
        let locked = sys::try_lock(self.file.open(), range)
            .map_err(|error| Error::registry(format!("cannot lock port {range} in the registry"), error))?;
        if !locked {
            return Ok(None);
        }
        self.locks.fetch_add(1, Ordering::Relaxed);
        // step: LookIfLinked, SetupLookIfLinked
        if !self.is_linked() {
            // step: UnlockUnlinked
            self.unlock_all();
            return Err(Error::registry_gone());
        }
        Ok(Some(RangeLock { file: self, range }))
    }

    /// Locks a byte that stands for no port, or returns `None` if another description has it.
    pub(crate) fn try_lock_byte(&self, byte: u64) -> Result<Option<ByteLock<'_>>> {
        let locked = sys::try_lock_byte(self.file.open(), byte).map_err(byte_not_locked)?;
        if !locked {
            return Ok(None);
        }
        let lock = ByteLock { file: self, byte };
        if self.is_linked() { Ok(Some(lock)) } else { Err(Error::registry_gone()) }
    }

    /// Shares such a byte with other descriptions, until the last process that has this description has closed it.
    /// `false` if another description has locked it.
    pub(crate) fn try_share_byte(&self, byte: u64) -> Result<bool> {
        let shared = sys::try_share_byte(self.file.open(), byte).map_err(byte_not_locked)?;
        if shared && !self.is_linked() {
            return Err(Error::registry_gone());
        }
        Ok(shared)
    }

    /// Whether the file still has a name, and is the registry's.
    pub(crate) fn is_linked(&self) -> bool {
        sys::entry_of(self.file.open())
            .is_ok_and(|entry| entry.id == self.identity.id && (entry.names > 0 || !self.identity.counts_names))
    }

    /// A lock of another description that overlaps `range`.
    pub(crate) fn conflict(&self, range: PortRange) -> Result<Option<PortRange>> {
        sys::conflict(self.file.open(), range)
            .map_err(|error| Error::registry("cannot read the registry's locks", error))
    }

    /// The ports of `range` that other descriptions have locked.
    pub(crate) fn locked(&self, range: PortRange) -> Result<PortSet> {
        let mut found = Vec::new();
        let mut open = vec![range];
        while let Some(range) = open.pop() {
            let Some(lock) = self.conflict(range)?.and_then(|lock| lock.intersection(range)) else { continue };
            found.push(lock);
            open.extend(lock.first().checked_sub(1).and_then(|last| PortRange::new(range.first(), last)));
            open.extend(lock.last().checked_add(1).and_then(|first| PortRange::new(first, range.last())));
        }
        Ok(found.into_iter().collect())
    }

    /// The slots of `range`, which is not too wide: see [`each`](Self::each).
    pub(crate) fn read(&self, range: PortRange) -> Result<Vec<Slot>> {
        let mut slots = reserved(range)?;
        self.each_chunk(range, |chunk| slots.extend(chunk.iter().map(Slot::decode)))?;
        Ok(slots)
    }

    /// Shows each slot of `range` with its port. The slots of every port there is would take megabytes at once.
    pub(crate) fn each(&self, range: PortRange, mut see: impl FnMut(u16, Slot)) -> Result<()> {
        let mut ports = range.ports();
        self.each_chunk(range, |chunk| {
            // In this order, so that no port is taken without a slot.
            chunk.iter().zip(ports.by_ref()).for_each(|(slot, port)| see(port, Slot::decode(slot)));
        })
    }

    /// The ports of `range` whose labels are those of `id`.
    pub(crate) fn labelled(&self, range: PortRange, id: IsolationId) -> Result<Vec<u16>> {
        let mut found = Vec::new();
        self.each(range, |port, slot| found.extend(slot.is_of(id).then_some(port)))?;
        Ok(found)
    }

    pub(crate) fn read_one(&self, port: u16) -> Result<Slot> {
        let mut slot = Slot::Empty;
        self.each_chunk(PortRange::one(port), |chunk| slot = chunk.first().map_or(Slot::Empty, Slot::decode))?;
        Ok(slot)
    }

    /// The slots of any ports, in the order of the ports.
    pub(crate) fn read_each(&self, ports: &[u16]) -> Result<Vec<(u16, Slot)>> {
        let mut found = Vec::with_capacity(ports.len());
        for run in ports.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
            if let Some(range) = run.first().zip(run.last()).and_then(|(first, last)| PortRange::new(*first, *last)) {
                found.extend(range.ports().zip(self.read(range)?));
            }
        }
        Ok(found)
    }

    /// For each port of `range`, whether its slot is empty: far cheaper than decoding the labels.
    pub(crate) fn read_empty(&self, range: PortRange) -> Result<Vec<bool>> {
        let mut empty = reserved(range)?;
        self.each_chunk(range, |chunk| empty.extend(chunk.iter().map(|slot| *slot == [0; SLOT])))?;
        Ok(empty)
    }

    /// Whether every slot of `range` is empty.
    pub(crate) fn is_empty(&self, range: PortRange) -> Result<bool> {
        let mut empty = true;
        self.each_chunk(range, |chunk| empty &= chunk.iter().all(|slot| *slot == [0; SLOT]))?;
        Ok(empty)
    }

    /// Reads `range` through a small buffer on the stack.
    fn each_chunk(&self, range: PortRange, mut see: impl FnMut(&[[u8; SLOT]])) -> Result<()> {
        let mut small = [0; SMALL_CHUNK * SLOT];
        let mut large = Vec::new();
        let buffer: &mut [u8] = if range.count() <= SMALL_CHUNK {
            &mut small
        } else {
            large.resize(LARGE_CHUNK * SLOT, 0);
            &mut large
        };
        let (mut at, mut left) = (offset(range), range.count() * SLOT);
        while left > 0 {
            let length = left.min(buffer.len());
            let Some(part) = buffer.get_mut(..length) else { break };
            sys::read_exact_at(self.file.open(), part, at).map_err(unreadable)?;
            see(part.as_chunks::<SLOT>().0);
            (at, left) = (at + length as u64, left - length);
        }
        Ok(())
    }

    /// Writes the same slot for every port of `range`. The caller holds the lock.
    pub(crate) fn write(&self, range: PortRange, slot: Slot) -> Result<()> {
        let bytes = slot.encode();
        let mut chunk = [[0; SLOT]; SMALL_CHUNK];
        let (mut at, mut left) = (offset(range), range.count());
        while left > 0 {
            let count = left.min(SMALL_CHUNK);
            let Some(part) = chunk.get_mut(..count) else { break };
            part.fill(bytes);
            sys::write_all_at(self.file.open(), part.as_flattened(), at)
                .map_err(|error| Error::registry("cannot write to the registry's ports file", error))?;
            (at, left) = (at + (count * SLOT) as u64, left - count);
        }
        Ok(())
    }

    /// Copies the descriptor: the same description, and so the same locks.
    pub(crate) fn copy(&self) -> io::Result<Inheritable> {
        sys::share(self.file.open())
    }

    /// Sets the file's full size. Slots that were cut off become empty.
    pub(crate) fn resize(&self) -> io::Result<()> {
        self.file.open().set_len(FILE_SIZE)
    }

    /// The contents of slot 0.
    pub(crate) fn header(&self) -> io::Result<Option<[u8; SLOT]>> {
        header(self.file.open())
    }

    /// Writes the header.
    pub(crate) fn write_header(&self, header: &Header) -> io::Result<()> {
        sys::write_all_at(self.file.open(), &header.encode(), 0)
    }
}

/// Room for one item for each port of `range`.
fn reserved<T>(range: PortRange) -> Result<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(range.count()).map_err(|_| Error::out_of_memory("read the labels of the registry"))?;
    Ok(room)
}

/// A lock that is released when this is dropped, on every way out of a function. Closing is not enough: a forked
/// child's copy of the description would keep the lock beyond the end of the call.
#[must_use]
pub(crate) struct RangeLock<'a> {
    file: &'a PortsFile,
    range: PortRange,
}

impl RangeLock<'_> {
    /// Leaves the lock to its description.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }

    pub(crate) fn range(&self) -> PortRange {
        self.range
    }
}

impl Drop for RangeLock<'_> {
    fn drop(&mut self) {
        // Unlocking fails only if the kernel has no memory to split a lock, or the program has closed the descriptor.
        // The lock then ends with the description, at the end of the call, and the result of the call is still valid.
        if sys::unlock(self.file.file.open(), self.range).is_ok() {
            self.file.locks.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The lock of a byte that stands for no port, released as a [`RangeLock`] is.
#[must_use]
pub(crate) struct ByteLock<'a> {
    file: &'a PortsFile,
    byte: u64,
}

impl Drop for ByteLock<'_> {
    fn drop(&mut self) {
        // As for a `RangeLock`, a failure only means that the lock ends with the description.
        let _ = sys::unlock_byte(self.file.file.open(), self.byte);
    }
}

fn byte_not_locked(error: io::Error) -> Error {
    Error::registry("cannot lock a byte of the registry's ports file", error)
}

impl Drop for PortsFile {
    fn drop(&mut self) {
        // step: HasCopy
        if self.locks.load(Ordering::Relaxed) > 0 && self.maker == sys::generation() && self.file.is_ours() {
            self.unlock_all();
            drop(self.file.take());
        }
    }
}

/// Opens the file in the registry's directory. A symbolic link is an error.
pub(crate) fn open(directory: &Directory) -> io::Result<File> {
    directory.write(OsStr::new("ports"))
}

/// Opens the file at its path, wherever that leads: the caller must check its identity before reading it.
pub(crate) fn open_at(path: &Path) -> io::Result<File> {
    sys::open_to_change(path)
}

/// The contents of slot 0 of an open file; `None` if the file is too short.
pub(crate) fn header(file: &File) -> io::Result<Option<[u8; SLOT]>> {
    let mut bytes = [0; SLOT];
    match sys::read_exact_at(file, &mut bytes, 0) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Why portalloc cannot have made the file at this path. A file that has another name elsewhere, and that is not
/// world-writable anyway, belongs to somebody: portalloc must not write labels to it.
pub(crate) fn distrust(entry: &Entry) -> Option<&'static str> {
    if !entry.is_file() {
        Some("not a plain file")
    } else if entry.names > 1 && !entry.is_writable_for_all() {
        Some("a hard link to a file that has another name")
    } else {
        None
    }
}

fn unreadable(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::new(
            ErrorCode::RegistryUnusable,
            "the registry's ports file was truncated while in use",
            "try again: it is restored from the records when it is opened next",
        )
        .outdated(),
        _ => Error::registry("cannot read the registry's ports file", error),
    }
}

fn offset(range: PortRange) -> u64 {
    u64::from(range.first()) * SLOT as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(file: &tempfile::NamedTempFile, random: u64) -> PortsFile {
        let again = file.reopen().unwrap();
        let identity = Identity::of(&sys::entry_of(&again).unwrap());
        PortsFile::new(again, random, identity).unwrap()
    }

    #[test]
    fn dropping_lets_go_of_locks_that_a_copy_would_keep() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, other) = (described(&file, 1), described(&file, 2));
        let ports = PortRange::new(7, 9).unwrap();
        one.try_lock(ports).unwrap().unwrap().keep();
        let copy = one.copy().unwrap();
        assert!(other.try_lock(ports).unwrap().is_none());
        drop(one);
        assert!(other.try_lock(ports).unwrap().is_some());
        drop(copy);
    }

    #[test]
    fn a_lock_goes_with_its_guard_and_not_with_a_copy_of_the_description() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, other) = (described(&file, 1), described(&file, 2));
        let lock = one.try_lock(PortRange::one(7)).unwrap().unwrap();
        let _copy = one.copy().unwrap();
        assert!(other.try_lock(PortRange::one(7)).unwrap().is_none());
        drop(lock);
        assert!(other.try_lock(PortRange::one(7)).unwrap().is_some());
    }

    #[test]
    fn locks_that_are_left_are_a_copys() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, other) = (described(&file, 1), described(&file, 2));
        let ports = PortRange::one(7);
        one.try_lock(ports).unwrap().unwrap().keep();
        let copy = one.copy().unwrap();
        one.leave_locks();
        assert!(other.try_lock(ports).unwrap().is_none());
        drop(copy);
        assert!(other.try_lock(ports).unwrap().is_some());
    }

    #[test]
    fn a_file_without_a_name_is_no_longer_locked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let one = described(&file, 1);
        one.try_lock(PortRange::one(7)).unwrap().unwrap().keep();
        file.close().unwrap();
        assert!(one.try_lock(PortRange::one(8)).is_err());
    }
}
