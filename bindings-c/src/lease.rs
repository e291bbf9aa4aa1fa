//! Leases.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use portalloc_core::{GuardState as CoreGuardState, Result, SocketOptions as CoreSocketOptions, ffi};

use crate::options::{ALLOCATORS, LeaseOptions, SocketOptions, watched};
use crate::pointers::{borrow, fill, free, give, sized, write};
use crate::results::{ResultNumber, call, value};

/// Ports that are nobody else's until it is freed or released, or until the process that took it is gone, whichever
/// comes first: the kernel sees to it, SIGKILL included. It costs one file descriptor, which is closed on exec.
pub struct Lease {
    source: Source,
    ports: Box<[u16]>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are leases, and a box for each would cost more than it saves"
)]
enum Source {
    Own(portalloc_core::Lease),
    /// An environment's, which may be gone before this view of it.
    Of(Arc<Mutex<portalloc_core::Environment>>),
}

/// Whether sockets keep strangers off the ports of a lease.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GuardState {
    /// No guard.
    None = 0,
    /// Servers that set SO_REUSEADDR can bind, others cannot.
    Reuse = 1,
    /// Nobody can bind.
    Shut = 2,
}

impl Lease {
    pub(crate) fn of(environment: &Arc<Mutex<portalloc_core::Environment>>) -> Result<Self> {
        let ports = {
            let environment = environment.lock().unwrap_or_else(PoisonError::into_inner);
            environment.held_lease()?.ports().into()
        };
        Ok(Self { source: Source::Of(Arc::clone(environment)), ports })
    }

    fn with<T>(&self, work: impl FnOnce(&portalloc_core::Lease) -> Result<T>) -> Result<T> {
        match &self.source {
            Source::Own(lease) => work(lease),
            // Not waited for: another thread is cleaning it up, or was when this process was forked.
            Source::Of(environment) => match environment.try_lock() {
                Ok(environment) => environment.held_lease().and_then(work),
                Err(TryLockError::Poisoned(environment)) => environment.into_inner().held_lease().and_then(work),
                Err(TryLockError::WouldBlock) => Err(ffi::no_lease_now()),
            },
        }
    }
}

/// Leases ports, to be given back by `portalloc_lease_free`. Without options: one port.
///
/// Blocks only if a timeout is given. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT, _POOL_EXHAUSTED, _PORT_IN_USE,
/// _TIMEOUT, _REGISTRY_UNUSABLE, _PERMISSION_DENIED or _IO.
///
/// # Safety
/// `options` must be NULL or as its members' comments say, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_new(options: *const LeaseOptions, out: *mut *mut Lease) -> ResultNumber {
    call(|| {
        if out.is_null() {
            return Err(crate::pointers::null("out"));
        }
        // SAFETY: as this function's caller promises; zeros are NULL pointers and no wishes.
        let options = unsafe { sized(options) }?;
        let lease = match options {
            None => ALLOCATORS.with(&portalloc_core::Settings::new(), |allocator| allocator.lease(1))?,
            Some(options) => {
                // SAFETY: as this function's caller promises.
                let settings = unsafe { options.settings() }?;
                // SAFETY: as this function's caller promises.
                let request = unsafe { options.request() }?;
                ALLOCATORS.with(&settings, |allocator| {
                    // SAFETY: as this function's caller promises.
                    unsafe { watched(allocator, options.cancel) }.lease(request)
                })?
            }
        };
        let ports = lease.ports().into();
        // SAFETY: as this function's caller promises.
        unsafe { give(out, Lease { source: Source::Own(lease), ports }) }
    })
}

/// Releases it and frees the handle. In a forked child it only closes the child's copy. That of an environment is not
/// released by this, but by the environment's cleanup. NULL does nothing.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_free(lease: *mut Lease) {
    let _ = call(|| {
        // SAFETY: as this function's caller promises.
        unsafe { free(lease) };
        Ok(())
    });
}

/// Gives the ports back and keeps the handle. Again does nothing, and neither does a forked child's call. Close your own
/// sockets first: from here on others may be given these ports. A lease that was passed on ends only when the last process
/// that has it is gone.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_release(lease: *const Lease) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let lease = unsafe { borrow(lease, "lease") }?;
        lease.with(|lease| {
            lease.release();
            Ok(())
        })
    })
}

/// Whether it was released, or its environment cleaned up. NULL counts as released.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_is_released(lease: *const Lease) -> bool {
    value(true, || {
        // SAFETY: as this function's caller promises.
        let lease = unsafe { borrow(lease, "lease") }?;
        Ok(lease.with(|lease| Ok(lease.is_released())).unwrap_or(true))
    })
}

/// Whether the ports are still this lease's: it was not released, its environment not cleaned up, and its descriptor is still
/// its own. A program that closes descriptors that it does not know, as daemons do when they start, ends its leases by that.
/// In a forked child: whether the child's copy keeps the lease alive. False for NULL.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_is_held(lease: *const Lease) -> bool {
    value(false, || {
        // SAFETY: as this function's caller promises.
        let lease = unsafe { borrow(lease, "lease") }?;
        Ok(lease.with(|lease| Ok(lease.is_held())).unwrap_or(false))
    })
}

/// How many ports it has; 0 for NULL.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_count(lease: *const Lease) -> usize {
    // SAFETY: as this function's caller promises.
    value(0, || Ok(unsafe { borrow(lease, "lease") }?.ports.len()))
}

/// Its port at `index`, known also after the release; 0 if there is none. Those of a run ascend, others are in the order
/// asked for.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_port(lease: *const Lease, index: usize) -> u16 {
    value(0, || {
        // SAFETY: as this function's caller promises.
        let ports = &unsafe { borrow(lease, "lease") }?.ports;
        ports.get(index).copied().ok_or_else(|| ffi::no_index(index, ports.len()))
    })
}

/// Fills `out` with its ports, as many as there is room for, and returns how many it has.
///
/// # Safety
/// `lease` must be NULL or a live handle, and `out` NULL or have room for `capacity` ports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_ports(lease: *const Lease, out: *mut u16, capacity: usize) -> usize {
    value(0, || {
        // SAFETY: as this function's caller promises.
        let ports = &unsafe { borrow(lease, "lease") }?.ports;
        // SAFETY: as this function's caller promises.
        unsafe { fill(out, capacity, ports) };
        Ok(ports.len())
    })
}

/// Holds the ports by sockets, against programs that know nothing of portalloc: none of them, and no server of your own,
/// can bind the ports until portalloc_lease_open_guard or portalloc_lease_drop_guard. The sockets do not listen. Fails with
/// PORTALLOC_RESULT_PORT_IN_USE if a stranger is there already.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_guard(lease: *const Lease) -> ResultNumber {
    // SAFETY: as this function's caller promises.
    call(|| unsafe { borrow(lease, "lease") }?.with(portalloc_core::Lease::guard))
}

/// Lets servers that set SO_REUSEADDR, as nearly all do, bind over the guard, which goes on keeping others off. UDP ports
/// are not guarded from then on. Without a guard does nothing.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_open_guard(lease: *const Lease) -> ResultNumber {
    // SAFETY: as this function's caller promises.
    call(|| unsafe { borrow(lease, "lease") }?.with(portalloc_core::Lease::open_guard))
}

/// Closes the guard's sockets, for servers that do not set SO_REUSEADDR. The lease stays.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_drop_guard(lease: *const Lease) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let lease = unsafe { borrow(lease, "lease") }?;
        lease.with(|lease| {
            lease.drop_guard();
            Ok(())
        })
    })
}

/// The state of its guard; none for NULL and once released.
///
/// # Safety
/// `lease` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_guard_state(lease: *const Lease) -> GuardState {
    value(GuardState::None, || {
        // SAFETY: as this function's caller promises.
        let lease = unsafe { borrow(lease, "lease") }?;
        Ok(match lease.with(|lease| Ok(lease.guard_state())) {
            Ok(CoreGuardState::Exclusive) => GuardState::Shut,
            Ok(CoreGuardState::Shared) => GuardState::Reuse,
            _ => GuardState::None,
        })
    })
}

/// A socket bound to the port at `index`, to hand to the server itself: a descriptor of yours to close, with close-on-exec,
/// which outlives the lease. Nobody can come in between: a TCP socket is bound over a guard of this lease. Without options:
/// TCP, listening on 127.0.0.1. Fails with PORTALLOC_RESULT_PORT_IN_USE if a stranger was there first.
///
/// # Safety
/// `lease` must be NULL or a live handle, `options` NULL or as its members' comments say, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_socket(
    lease: *const Lease,
    index: usize,
    options: *const SocketOptions,
    out: *mut i32,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let lease = unsafe { borrow(lease, "lease") }?;
        // SAFETY: as this function's caller promises; zeros are a NULL pointer and no wishes.
        let wanted = match unsafe { sized(options) }? {
            // SAFETY: as this function's caller promises.
            Some(options) => unsafe { options.request() }?,
            None => CoreSocketOptions::tcp(),
        };
        if out.is_null() {
            return Err(crate::pointers::null("out"));
        }
        let socket = lease.with(|lease| lease.socket(index, &wanted))?;
        // A descriptor is an `int`.
        // SAFETY: as this function's caller promises.
        unsafe { write(out, socket.into_number() as i32) }
    })
}

/// A copy of the lease's descriptor, without close-on-exec, so that processes started while it is open inherit the lease:
/// it then lives until this process and every one of them have closed it or ended. Close it once the child is started.
/// Guards are not passed on. From now on releasing the lease gives up only this process's part in it. Fails with
/// PORTALLOC_RESULT_UNSUPPORTED in a forked child.
///
/// # Safety
/// `lease` must be NULL or a live handle, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_inheritable(lease: *const Lease, out: *mut i32) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let lease = unsafe { borrow(lease, "lease") }?;
        if out.is_null() {
            return Err(crate::pointers::null("out"));
        }
        let copy = lease.with(portalloc_core::Lease::inheritable)?;
        // A descriptor is an `int`.
        // SAFETY: as this function's caller promises.
        unsafe { write(out, copy.into_number() as i32) }
    })
}
