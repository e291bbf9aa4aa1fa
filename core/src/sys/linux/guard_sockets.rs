//! Sockets that hold ports, and that a forked child is not to have: as long as one copy is open nobody else can bind the
//! port, and the child knows nothing of it. So a handler that runs in the child closes them, before `fork` returns there; and
//! the parent's returns once it has, so that whoever lets go of a guard after a fork lets go of all of it.
//!
//! The handler may do only what a signal handler may, so it looks the sockets up in a fixed array of atomics. A child that
//! a raw `clone` makes runs no handler.

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

/// As many sockets as a process may guard ports with: two a port.
const MOST: usize = 8192;

/// An entry a socket: the low bits of its cookie, then its descriptor and one. 0 is a place that is free.
static TABLE: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];

/// No entry lies at or behind this place.
static END: AtomicUsize = AtomicUsize::new(0);

/// How many entries there are.
static LIVE: AtomicUsize = AtomicUsize::new(0);

const DESCRIPTOR_BITS: u32 = 24;

/// How long a parent's fork waits for a child that does not get to run. It takes microseconds, unless it is stopped.
const CHILD_PATIENCE_MS: i32 = 100;

/// As often as a signal may interrupt that.
const INTERRUPTIONS: usize = 10;

thread_local! {
    /// By which the child of this thread's fork says that it has closed its copies; negative if nobody waits for that.
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
            return Err(io::Error::other(format!("this process guards {} ports already, as many as it can", MOST / 2)));
        };
        END.fetch_max(place + 1, Ordering::AcqRel);
        LIVE.fetch_add(1, Ordering::AcqRel);
        Ok(Self { socket: Some(socket), place, entry })
    }

    /// Lets servers bind over it that set `SO_REUSEADDR`, or nobody: for TCP. An error if its descriptor was closed behind our
    /// back.
    pub(crate) fn open(&self, open: bool) -> io::Result<()> {
        match &self.socket {
            Some(socket) if socket.is_ours() => socket.open().set_reuse_address(open),
            _ => Err(io::Error::from_raw_os_error(libc::EBADF)),
        }
    }
}

impl Drop for GuardSocket {
    fn drop(&mut self) {
        // Before its entry goes: a child that is forked in between finds an entry that means nothing.
        self.socket = None;
        if let Some(place) = TABLE.get(self.place) {
            // In a forked child the place may be another's by now.
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

/// A descriptor that is ready once something is written to it; negative if there is none to be had, and then nobody waits.
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
