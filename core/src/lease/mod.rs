//! Taking, holding and releasing ports: composes pool, registry and probe.

mod guard;
mod guarding;
mod request;
mod socket;
mod sticky;
mod take;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::error::{Error, ErrorCode, Result};
use crate::port_set::PortRange;
use crate::process::{Maker, warn_once};
use crate::registry::{Label, PortsFile, Registry, Slot};
use crate::sys::{self, Inheritable};
use guard::Guard;

pub use guard::GuardState;
pub use request::LeaseRequest;
pub(crate) use request::Ports;
pub use socket::SocketOptions;
pub(crate) use sticky::Sticky;
pub(crate) use take::take_ports;

/// Ports that are nobody else's until this value is dropped or released, or until its process is gone, whichever
/// comes first.
///
/// The claim is a lock in the kernel on an open file description of its own, so the end of the process, however it
/// comes, ends the lease. It costs one file descriptor, which is closed on exec.
///
/// **Threads**: a lease may be moved to and shared by any thread. **Fork**: a forked child gets a copy of the
/// descriptor, with which the lease lives until parent and child are both gone, or the parent releases it. The child
/// itself cannot release it: dropping its copy only closes its descriptor.
pub struct Lease {
    ports: Box<[u16]>,
    ranges: Vec<PortRange>,
    registry: Arc<Registry>,
    /// The only one that may let go.
    maker: Maker,
    label: Label,
    /// None once released.
    file: Mutex<Option<PortsFile>>,
    guard: Mutex<Option<Guard>>,
    /// Whether another process may have the lease too, which ends with the last of them.
    passed_on: AtomicBool,
}

impl Lease {
    /// The ports: ascending for a run, in the order asked for otherwise.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The first port.
    #[must_use]
    pub fn base_port(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    /// The port of a lease of one.
    ///
    /// # Errors
    /// `invalid_argument` if the lease has several.
    pub fn port(&self) -> Result<u16> {
        match self.ports() {
            [port] => Ok(*port),
            ports => Err(Error::invalid_argument(
                format!("the lease has {} ports, not one", ports.len()),
                "choose one of its ports, or take the base port",
            )),
        }
    }

    /// Whether it was released.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.in_sight(&self.file).is_some_and(|file| file.is_none())
    }

    /// Whether the ports are still this lease's: it was not released, and its descriptor is still its own. A program that
    /// closes descriptors that it does not know, as daemons do when they start, ends its leases by that.
    ///
    /// In a forked child: whether the child's copy of the descriptor keeps the lease alive.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.in_sight(&self.file).is_some_and(|file| file.as_ref().is_some_and(PortsFile::is_ours))
    }

    /// What is behind a lock. A forked child does not wait for it: a thread that it does not have may have locked it.
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

    /// Gives the ports back. Releasing again does nothing, and neither does a forked child's call.
    ///
    /// From here on others may be given these ports, so close your own sockets first. A lease that was passed on
    /// ([`inheritable`](Self::inheritable)) ends only when the last process that has it is gone.
    pub fn release(&self) {
        if self.is_ours() {
            // Held until the end, so that no guard is made meanwhile.
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            // step: Holding
            self.let_go(file.take());
        }
    }

    /// Labels are cleared first, under the lock: whoever finds the lock gone finds no label either. A label that
    /// cannot be cleared is harmless, and closing lets go of a lock that cannot be unlocked.
    fn let_go(&self, file: Option<PortsFile>) {
        let Some(file) = file else { return };
        self.registry.live().fetch_sub(1, Ordering::Relaxed);
        // The sockets first: whoever is given the ports next must find nothing on them.
        // step: CloseSockets
        *self.guard.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // Only this process's part in one that was passed on: the lock and the labels are the others' now.
        // step: LookIfPassedOn
        if self.passed_on.load(Ordering::Relaxed) {
            file.leave_locks();
        // step: LookIfStillIts
        } else if self.is_still(&file) {
            for range in &self.ranges {
                // step: ClearLabel
                let _ = file.write(*range, Slot::Empty);
            }
            // step: CloseLease
            file.close();
        }
    }

    /// Whether the descriptor is still the lease's own; else the user is told.
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
                "the lease of port {} is lost: this process closed the descriptor that held it, as daemons do that close all \
                 they do not know",
                self.base_port()
            ),
            "take leases after that, or keep descriptors that portalloc has open; others may have the ports by now",
        )
    }

    /// A copy of the lease's descriptor that is inherited by processes started while it is open: the lease then lives
    /// until this process and every one that inherited it have let go of it or ended, whatever happens to whom.
    ///
    /// Close the copy once the child is started, so that later ones do not inherit it. Guards are not passed on. From
    /// now on releasing or dropping the lease gives up only this process's part in it.
    ///
    /// # Errors
    /// `invalid_argument` if the lease was released; `unsupported` in a forked child; `io` at the descriptor limit.
    pub fn inheritable(&self) -> Result<Inheritable> {
        let copy = self.pass_on()?;
        sys::let_inherit(&copy).map_err(|error| Error::os("cannot pass on the lease", error))?;
        Ok(copy)
    }

    /// A copy of the descriptor for another process, which is told from now on to have a part in the lease.
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

    /// Whether it was passed on, so that it may live on without this process.
    pub(crate) fn is_passed_on(&self) -> bool {
        self.passed_on.load(Ordering::Relaxed)
    }

    pub(crate) fn label(&self) -> &Label {
        &self.label
    }

    /// Whether this process took it, and so may release it: false in a forked child.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.maker.is_this_process()
    }

    /// Writes another label on every port, while the lease is held.
    pub(crate) fn relabel(&mut self, label: Label) -> Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.held(file.as_ref())?;
        self.ranges.iter().try_for_each(|range| held.write(*range, Slot::Label(label)))?;
        drop(file);
        self.label = label;
        Ok(())
    }

    /// Writes labels again that somebody has damaged, while the lease is held.
    pub(crate) fn restore_labels(&self) -> Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.held(file.as_ref())?;
        let own = Slot::Label(self.label);
        for range in &self.ranges {
            // A file that was cut short is not readable there.
            // step: CheckLabel
            if !held.read(*range).is_ok_and(|slots| slots.iter().all(|slot| *slot == own)) {
                // step: WriteBack
                held.write(*range, own)?;
            }
        }
        Ok(())
    }

    /// Lets go of the locks and leaves the labels, which claim the ports from now on.
    pub(crate) fn leave_to_labels(&self) {
        if let Some(file) = self.file.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.registry.live().fetch_sub(1, Ordering::Relaxed);
            drop(file);
        }
    }
}

/// The error of a forked child that does with its parent's lease what only the parent can do.
fn not_ours() -> Error {
    Error::new(
        ErrorCode::Unsupported,
        "the lease is that of the process that this one was forked from",
        "take another one in this process, or do it in that one before the fork",
    )
}

/// The error of whoever uses a lease that was given back.
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
