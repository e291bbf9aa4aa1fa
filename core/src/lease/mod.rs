//! Taking, holding and releasing ports. Combines pool, registry and probe.

mod guard;
mod guarding;
mod request;
mod socket;
mod sticky;
mod take;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use log::debug;

use crate::error::{Error, ErrorCode, Result};
use crate::port_set::PortRange;
use crate::process::{Maker, Noted, warn_once};
use crate::registry::{Label, PortsFile, Registry, Slot};
use crate::sys::{self, Inheritable};
use guard::Guard;

pub use guard::GuardState;
pub use request::LeaseRequest;
pub(crate) use request::Ports;
pub use socket::SocketOptions;
pub(crate) use sticky::Sticky;
pub(crate) use take::take_ports;

/// An exclusive hold on one or more ports. It ends when you drop or release this value, or when the process ends.
///
/// The lease is a kernel lock on an open file description of its own, so it ends with the process, even if the process
/// is killed. It uses one file descriptor, which is closed on exec.
///
/// **Threads**: any thread may own or share a lease. **Fork**: a forked child gets a copy of the descriptor, so the
/// lease lives until both parent and child have ended, or the parent releases it. The child cannot release the lease:
/// dropping its copy only closes its descriptor.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let server = std::net::TcpListener::bind(("127.0.0.1", lease.port()?)).expect("the port is ours");
/// drop(server);
/// lease.release();
/// assert!(lease.is_released());
/// # Ok::<(), portalloc::Error>(())
/// ```
pub struct Lease {
    _noted: Noted,
    ports: Box<[u16]>,
    ranges: Vec<PortRange>,
    registry: Arc<Registry>,
    /// The process that took the lease; only it can release the lease.
    maker: Maker,
    label: Label,
    /// `None` once released.
    file: Mutex<Option<PortsFile>>,
    guard: Mutex<Option<Guard>>,
    /// Whether another process may have inherited the lease, which then ends with the last process that holds it.
    passed_on: AtomicBool,
}

impl Lease {
    /// The ports: ascending for a run, otherwise in the order asked for.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The first port.
    #[must_use]
    pub fn base_port(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    /// The port of a lease with exactly one.
    ///
    /// # Errors
    /// `invalid_argument` if the lease has more than one port.
    pub fn port(&self) -> Result<u16> {
        match self.ports() {
            [port] => Ok(*port),
            ports => Err(Error::invalid_argument(
                format!("the lease has {} ports, not one", ports.len()),
                "choose one of its ports, or take the base port",
            )),
        }
    }

    /// Whether the lease was released.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.in_sight(&self.file).is_some_and(|file| file.is_none())
    }

    /// Whether the lease still holds its ports: it was not released, and its descriptor is still open. A program that
    /// closes descriptors it does not know, as daemons do at start, ends its leases that way.
    ///
    /// In a forked child: whether the child's copy of the descriptor keeps the lease alive.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.in_sight(&self.file).is_some_and(|file| file.as_ref().is_some_and(PortsFile::is_ours))
    }

    /// Checks that the lease still excludes everybody else: as [`is_held`](Self::is_held), and the registry that it is
    /// in is still this machine's.
    ///
    /// # Errors
    /// An error that [is that of a lost lease](Error::is_lease_lost); `invalid_argument` if it was released; `io`.
    pub fn check(&self) -> Result<()> {
        if let Some(file) = self.in_sight(&self.file) {
            self.held(file.as_ref())?;
        }
        self.registry.check_place()
    }

    /// The value behind a mutex. A forked child does not wait for the mutex, because the thread that locked it may
    /// exist only in the parent.
    fn in_sight<'a, T>(&self, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
        if self.is_ours() {
            return Some(mutex.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match mutex.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Releases the ports. Does nothing on a released lease, or in a forked child.
    ///
    /// Others may be given these ports from now on, so close your own sockets first. A lease that other processes have
    /// inherited ([`inheritable`](Self::inheritable)) ends only when the last of them has ended or closed its copy.
    pub fn release(&self) {
        if self.is_ours() {
            // Held until the end, so that no guard is added meanwhile.
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            // step: Holding
            self.let_go(file.take());
        }
    }

    /// Labels are cleared first, under the lock, so that a process that finds no lock finds no label either. A label
    /// that cannot be cleared is harmless, and closing the file releases a lock that cannot be unlocked.
    fn let_go(&self, file: Option<PortsFile>) {
        let Some(file) = file else { return };
        self.registry.live().fetch_sub(1, Ordering::Relaxed);
        // The sockets first: the next holder of the ports must find nothing bound to them.
        // step: CloseSockets
        *self.guard.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // Closes only this process's copy of an inherited lease: the lock and the labels now belong to the other
        // processes.
        // step: LookIfPassedOn
        if self.passed_on.load(Ordering::Relaxed) {
            file.leave_locks();
        // step: LookIfStillIts
        } else if self.is_still(&file) {
            for range in &self.ranges {
                // step: ClearLabel
                let _ = file.write(*range, Slot::Empty);
            }
            debug!("released {:?}", self.ports);
            // step: CloseLease
            file.close();
        }
    }

    /// Whether the descriptor is still the lease's own; if not, warns the user.
    fn is_still(&self, file: &PortsFile) -> bool {
        let is_ours = file.is_ours();
        if !is_ours {
            let lost = self.lost();
            warn_once("lease_lost", lost.message(), lost.to_string());
        }
        is_ours
    }

    /// The error of a lease that has lost its descriptor.
    fn lost(&self) -> Error {
        Error::new(
            ErrorCode::NotFound,
            format!(
                "the lease of port {} is lost: this process closed the descriptor that held it, as daemons do when they \
                 close all open files",
                self.base_port()
            ),
            "take leases after that, or leave portalloc's descriptors open; others may have the ports by now",
        )
        .of_lost_lease()
    }

    /// Duplicates the descriptor without close-on-exec, so that children spawned while the copy is open inherit it. The
    /// lease then ends when the last process that holds it has ended or released it.
    ///
    /// Close the copy once the child has started, so that later children do not inherit it. Children do not inherit
    /// guards. From now on, releasing or dropping the lease only gives up this process's share of it.
    ///
    /// # Errors
    /// `invalid_argument` if the lease was released; `unsupported` in a forked child; `io` at the descriptor limit.
    pub fn inheritable(&self) -> Result<Inheritable> {
        let copy = self.pass_on()?;
        sys::let_inherit(&copy).map_err(|error| Error::os("cannot pass on the lease", error))?;
        Ok(copy)
    }

    /// Copies the descriptor for another process, and records that the lease is inherited.
    pub(crate) fn pass_on(&self) -> Result<Inheritable> {
        if !self.is_ours() {
            return Err(not_ours());
        }
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.held(file.as_ref())?;
        let copy = file.copy().map_err(|error| Error::os("cannot pass on the lease", error))?;
        self.passed_on.store(true, Ordering::Relaxed);
        Ok(copy)
    }

    /// The file of a lease that is still held.
    fn held<'a>(&self, file: Option<&'a PortsFile>) -> Result<&'a PortsFile> {
        let file = file.ok_or_else(released)?;
        if file.is_ours() { Ok(file) } else { Err(self.lost()) }
    }

    /// Whether another process may hold the lease, so that it may outlive this one.
    pub(crate) fn is_passed_on(&self) -> bool {
        self.passed_on.load(Ordering::Relaxed)
    }

    pub(crate) fn label(&self) -> &Label {
        &self.label
    }

    /// Whether this process took the lease and so may release it; false in a forked child.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.maker.is_this_process()
    }

    /// Replaces the label of every port, while the lease is held.
    pub(crate) fn relabel(&mut self, label: Label) -> Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.held(file.as_ref())?;
        self.ranges.iter().try_for_each(|range| held.write(*range, Slot::Label(label)))?;
        drop(file);
        self.label = label;
        Ok(())
    }

    /// Writes damaged labels again, while the lease is held.
    pub(crate) fn restore_labels(&self) -> Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.held(file.as_ref())?;
        let own = Slot::Label(self.label);
        for range in &self.ranges {
            // A truncated file cannot be read there.
            // step: CheckLabel
            if !held.read(*range).is_ok_and(|slots| slots.iter().all(|slot| *slot == own)) {
                // step: WriteBack
                held.write(*range, own)?;
            }
        }
        Ok(())
    }

    /// Releases the locks and leaves the labels, which claim the ports from now on.
    pub(crate) fn leave_to_labels(&self) {
        if let Some(file) = self.file.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.registry.live().fetch_sub(1, Ordering::Relaxed);
            drop(file);
        }
    }
}

/// The error of a forked child that calls what only the process that took the lease may call.
fn not_ours() -> Error {
    Error::new(
        ErrorCode::Unsupported,
        "the lease belongs to the process that this one was forked from",
        "take another lease in this process, or make this call in the parent before the fork",
    )
}

/// The error of using a released lease.
fn released() -> Error {
    Error::invalid_argument("the lease was released", "take a new one")
}

impl Drop for Lease {
    fn drop(&mut self) {
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.is_ours() {
            self.let_go(file);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("ports", &self.ports)
            .field("released", &self.is_released())
            .finish_non_exhaustive()
    }
}
