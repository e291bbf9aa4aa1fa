//! Sockets that hold ports and that a forked child must not keep: while one copy is open, no other program can bind the
//! port, and the child does not know that it has a copy. So a fork handler closes them in the child before `fork`
//! returns there. The parent's `fork` waits for that, so that a guard that is dropped after a fork is closed
//! everywhere.
//!
//! The handler may only do what a signal handler may, so it finds the sockets in a fixed array of atomics. No handler
//! runs in a child of a raw `clone`.

use std::cell::Cell;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use socket2::Socket;

use super::bound_port::BoundPort;
use super::socket_numbers::number_of;
use crate::sys::unix::descriptor::{Marked, above_standard};
use crate::sys::unix::fork::at_fork;

/// The most guard sockets that a process may have: two per port.
const MAX_TRACKED: usize = 8192;

/// One entry per socket: the low bits of its cookie, then its descriptor plus one. 0 is a free entry.
static TABLE: [AtomicU64; MAX_TRACKED] = [const { AtomicU64::new(0) }; MAX_TRACKED];

/// All entries in use are below this index.
static END: AtomicUsize = AtomicUsize::new(0);

/// The number of entries in use.
static LIVE: AtomicUsize = AtomicUsize::new(0);

const DESCRIPTOR_BITS: u32 = 24;

/// How long a parent's fork waits, in milliseconds, for a child that does not run. It takes microseconds, unless the
/// child is stopped.
const CHILD_PATIENCE_MS: i32 = 100;

/// How many interruptions by a signal that wait survives.
const INTERRUPTIONS: usize = 10;

thread_local! {
    /// The descriptor by which the child of this thread's fork reports that it has closed its copies; negative if there
    /// is none.
    static CLOSED: Cell<i32> = const { Cell::new(-1) };
}

/// A socket that forked children do not keep, and that is used and closed only while its descriptor is its own.
#[derive(Debug)]
pub(crate) struct GuardSocket {
    socket: Option<Marked<Socket>>,
    place: usize,
    entry: u64,
}

impl GuardSocket {
    pub(crate) fn new(port: BoundPort) -> io::Result<Self> {
        static HANDLER: Once = Once::new();
        HANDLER.call_once(|| at_fork(Some(before_fork), Some(wait_for_child), close_in_child));
        let socket = Marked::by_cookie(port.into_socket())?;
        let entry = entry(socket.cookie(), socket.open().as_raw_fd());
        let place = TABLE
            .iter()
            .position(|place| place.compare_exchange(0, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok());
        let Some(place) = place else {
            return Err(io::Error::other(format!(
                "this process guards {} ports already, as many as it can",
                MAX_TRACKED / 2
            )));
        };
        END.fetch_max(place + 1, Ordering::AcqRel);
        LIVE.fetch_add(1, Ordering::AcqRel);
        Ok(Self { socket: Some(socket), place, entry })
    }

    /// Allows or blocks TCP binds over it by servers that set `SO_REUSEADDR`. An error if the program has closed its
    /// descriptor.
    pub(crate) fn open(&self, open: bool) -> io::Result<()> {
        match &self.socket {
            Some(socket) if socket.is_ours() => socket.open().set_reuse_address(open),
            _ => Err(io::Error::from_raw_os_error(libc::EBADF)),
        }
    }
}

impl Drop for GuardSocket {
    fn drop(&mut self) {
        // Closed before its entry is cleared: a child that is forked in between finds an entry that matches no socket.
        self.socket = None;
        if let Some(place) = TABLE.get(self.place) {
            // In a forked child, the entry may belong to another socket by now.
            if place.compare_exchange(self.entry, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                LIVE.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
}

fn entry(cookie: u64, fd: i32) -> u64 {
    (cookie << DESCRIPTOR_BITS) | u64::from(fd.unsigned_abs() + 1)
}

extern "C" fn before_fork() {
    let event = if LIVE.load(Ordering::Acquire) == 0 { -1 } else { event() };
    CLOSED.set(event);
}

/// A descriptor that becomes readable once something is written to it; negative if none is available, and then the fork
/// does not wait.
fn event() -> i32 {
    let flags = rustix::event::EventfdFlags::CLOEXEC | rustix::event::EventfdFlags::NONBLOCK;
    let made = rustix::event::eventfd(0, flags).map_err(io::Error::from).and_then(above_standard);
    made.map_or(-1, IntoRawFd::into_raw_fd)
}

extern "C" fn wait_for_child() {
    let event = CLOSED.replace(-1);
    if event < 0 {
        return;
    }
    let mut ready = libc::pollfd { fd: event, events: libc::POLLIN, revents: 0 };
    for _ in 0..INTERRUPTIONS {
        // SAFETY: a system call on one entry, which it writes to.
        let found = unsafe { libc::poll(&raw mut ready, 1, CHILD_PATIENCE_MS) };
        if found >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
    // SAFETY: a system call on a number, which was opened for this.
    unsafe { libc::close(event) };
}

extern "C" fn close_in_child() {
    close_copies();
    let event = CLOSED.replace(-1);
    if event >= 0 {
        let one = 1u64;
        // SAFETY: a system call that reads the eight bytes of a number.
        unsafe { libc::write(event, (&raw const one).cast(), size_of::<u64>()) };
        // SAFETY: a system call on a number, which was opened for this.
        unsafe { libc::close(event) };
    }
}

fn close_copies() {
    LIVE.store(0, Ordering::Release);
    let end = END.load(Ordering::Acquire);
    for place in TABLE.iter().take(end) {
        let entry = place.swap(0, Ordering::AcqRel);
        let fd = (entry & ((1 << DESCRIPTOR_BITS) - 1)) as i32 - 1;
        if fd >= 0
            && number_of(fd, libc::SO_COOKIE)
                .is_ok_and(|cookie| cookie << DESCRIPTOR_BITS == entry >> DESCRIPTOR_BITS << DESCRIPTOR_BITS)
        {
            // SAFETY: a system call on a number; it stands for the guard's socket, which nobody but its entry knows of here.
            unsafe { libc::close(fd) };
        }
    }
}
