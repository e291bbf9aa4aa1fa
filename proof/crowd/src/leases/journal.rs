//! The pipe into which contenders of all languages note what they hold, and its two ends. A write of a few lines is
//! never torn, and the order of the lines is that of the writes; when the witness is slow the writers wait, so that
//! neither memory nor disk fills up.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rustix::event::{Timespec, poll};

use super::witness::Witness;
use crate::fault::{Doing, Fallible};

const CAPACITY: usize = 1 << 20;
/// Less than this: let some more notes gather before the next look, instead of being woken for each.
const FEW: usize = 1 << 16;
const GATHER: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };

/// The witness's end.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

/// What others may know while the witness reads.
#[derive(Default)]
pub(crate) struct Progress {
    /// How many notes there were.
    pub(crate) heard: AtomicU64,
    /// Whether there was an overlap.
    pub(crate) overlap: AtomicBool,
    /// All contenders have ended: what is in the pipe now is the rest.
    pub(crate) over: AtomicBool,
}

impl Journal {
    pub(crate) fn new(path: PathBuf) -> Fallible<Self> {
        mkfifo(&path, Mode::from_bits_truncate(0o666))?;
        // Whatever the umask.
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666))?;
        // For writing too, so that it has an end only when we say so.
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits())?;
        let file = OpenOptions::new().read(true).write(true).custom_flags(nonblocking).open(&path)?;
        rustix::pipe::fcntl_setpipe_size(&file, CAPACITY).doing(|| "cannot widen the journal's pipe".to_owned())?;
        Ok(Self { path, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells the witness everything, until it is over.
    pub(crate) fn tell(&mut self, witness: &mut Witness, progress: &Progress) -> Fallible<()> {
        let mut buffer = vec![0; CAPACITY];
        let mut unread = Vec::new();
        loop {
            // Before the read: what is written before it is over is read after that.
            let over = progress.over.load(Ordering::Acquire);
            let read = match self.file.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error.into()),
            };
            unread.extend(buffer.iter().take(read));
            let whole = unread.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            for line in unread.drain(..whole).as_slice().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                witness.hear(line)?;
            }
            progress.heard.store(witness.heard(), Ordering::Relaxed);
            progress.overlap.store(!witness.overlaps().is_empty(), Ordering::Relaxed);
            if over && read == 0 {
                return if unread.is_empty() { Ok(()) } else { Err("the journal ends within a line".into()) };
            }
            if read < FEW {
                let _ = poll(&mut [], Some(&GATHER));
            }
        }
    }
}

/// A contender's end.
pub(crate) struct Notes {
    file: File,
    holder: u32,
}

impl Notes {
    pub(crate) fn open(path: &Path, holder: u32) -> Fallible<Self> {
        let file = OpenOptions::new().append(true).open(path).doing(|| format!("cannot open {}", path.display()))?;
        Ok(Self { file, holder })
    }

    /// To be called after ports were taken.
    pub(crate) fn took(&mut self, ports: &[u16]) -> Fallible<()> {
        self.note("took", ports)
    }

    /// To be called before ports are given back.
    pub(crate) fn gave(&mut self, ports: &[u16]) -> Fallible<()> {
        self.note("gave", ports)
    }

    fn note(&mut self, what: &str, ports: &[u16]) -> Fallible<()> {
        let runs = ports.chunk_by(|one, next| one.checked_add(1) == Some(*next));
        let lines: String = runs
            .filter_map(|run| run.first().map(|base| format!("{what} {} {base} {}\n", self.holder, run.len())))
            .collect();
        // In one write, which is not torn: it is shorter than PIPE_BUF.
        Ok(self.file.write_all(lines.as_bytes())?)
    }
}
