//! Leases.

use std::sync::Arc;

use portalloc_core::{GuardState as CoreGuardState, Result, ffi};

use crate::options::{ALLOCATORS, LeaseOptions, SocketOptions, settings, watched};
use crate::pointers::{borrow, fill, free, handle, sized, write};
use crate::results::{ResultNumber, call, value};

/// Ports that no other process is given until you free or release the lease, or this process ends, whichever comes first: the
/// kernel sees to it, SIGKILL included. A lease costs one file descriptor, closed on exec.
pub struct Lease(pub(crate) Arc<portalloc_core::Lease>);

/// Whether sockets keep foreign processes off the ports of a lease.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GuardState {
    /// There is no guard.
    None = 0,
    /// Servers that set SO_REUSEADDR can bind the ports, others cannot.
    Shared = 1,
    /// No program can bind the ports.
    Exclusive = 2,
}

/// Leases ports. Free the lease with portalloc_lease_free. Without options: one port.
///
/// Blocks only if `wait_ms` is set. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT, _POOL_EXHAUSTED, _PORT_IN_USE, _TIMEOUT,
/// _REGISTRY_UNUSABLE, _PERMISSION_DENIED or _IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_new(options: *const LeaseOptions, out: *mut *mut Lease) -> ResultNumber {
    let make = || {
        // SAFETY: the caller keeps to the header's conventions; zeros are NULL pointers and no wishes.
        let options = unsafe { sized(options) }?;
        // SAFETY: the caller keeps to the header's conventions.
        let settings = unsafe { settings(options.pool, options.exclude) }?;
        // SAFETY: the caller keeps to the header's conventions.
        let request = unsafe { options.request() }?;
        let lease = ALLOCATORS.with(&settings, |allocator| {
            // SAFETY: the caller keeps to the header's conventions.
            unsafe { watched(allocator, options.cancel) }.lease(request)
        })?;
        Ok(handle(Lease(Arc::new(lease))))
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, make) })
}

/// Releases the lease and frees the handle. In a forked child it only closes the child's copy. The lease of an environment
/// ends with the environment instead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_free(lease: *mut Lease) {
    let _ = call(|| {
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { free(lease) };
        Ok(())
    });
}

/// Calls the core with a lease.
///
/// # Safety
/// `lease` is NULL or a live handle.
unsafe fn with<T>(lease: *const Lease, work: impl FnOnce(&portalloc_core::Lease) -> Result<T>) -> Result<T> {
    // SAFETY: as this function's caller promises.
    work(&unsafe { borrow(lease, "lease") }?.0)
}

/// Gives the ports back and keeps the handle. Close your own sockets first: from now on another process may be given these
/// ports. Safe to call twice; does nothing in a forked child. An inherited lease ends only with the last process that has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_release(lease: *const Lease) -> ResultNumber {
    let release = |lease: &portalloc_core::Lease| {
        lease.release();
        Ok(())
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { with(lease, release) })
}

/// Returns whether the lease was released, or its environment cleaned up. True for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_is_released(lease: *const Lease) -> bool {
    // SAFETY: the caller keeps to the header's conventions.
    value(true, || unsafe { with(lease, |lease| Ok(lease.is_released())) })
}

/// Returns whether the lease still has its ports: it was not released, its environment was not cleaned up, and its descriptor
/// is still open. A program that closes descriptors it does not know, as daemons do when they start, ends its leases that way.
/// In a forked child: whether the child's copy keeps the lease alive. False for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_is_held(lease: *const Lease) -> bool {
    // SAFETY: the caller keeps to the header's conventions.
    value(false, || unsafe { with(lease, |lease| Ok(lease.is_held())) })
}

/// Returns how many ports the lease has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_count(lease: *const Lease) -> usize {
    // SAFETY: the caller keeps to the header's conventions.
    value(0, || unsafe { with(lease, |lease| Ok(lease.ports().len())) })
}

/// Returns the port at `index`, also after the release; 0 if there is none. Consecutive ports ascend, others are in the order
/// you asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_port(lease: *const Lease, index: usize) -> u16 {
    let port = |lease: &portalloc_core::Lease| {
        let ports = lease.ports();
        ports.get(index).copied().ok_or_else(|| ffi::no_index(index, ports.len()))
    };
    // SAFETY: the caller keeps to the header's conventions.
    value(0, || unsafe { with(lease, port) })
}

/// Fills `out` with up to `capacity` of the ports, and returns how many there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_ports(lease: *const Lease, out: *mut u16, capacity: usize) -> usize {
    let ports = |lease: &portalloc_core::Lease| {
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { fill(out, capacity, lease.ports()) };
        Ok(lease.ports().len())
    };
    // SAFETY: the caller keeps to the header's conventions.
    value(0, || unsafe { with(lease, ports) })
}

/// Guards the ports with sockets that do not listen: no foreign process can bind them, and neither can your own server until
/// portalloc_lease_share_guard or portalloc_lease_drop_guard. Fails with PORTALLOC_RESULT_PORT_IN_USE if a foreign process has
/// bound one of them already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_guard(lease: *const Lease) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { with(lease, portalloc_core::Lease::guard) })
}

/// Lets servers that set SO_REUSEADDR, as nearly all do, bind over the guard. It still keeps other programs off, except from
/// UDP ports. Does nothing without a guard.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_share_guard(lease: *const Lease) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { with(lease, portalloc_core::Lease::share_guard) })
}

/// Closes the sockets of the guard, for servers that do not set SO_REUSEADDR. The lease stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_drop_guard(lease: *const Lease) -> ResultNumber {
    let drop_guard = |lease: &portalloc_core::Lease| {
        lease.drop_guard();
        Ok(())
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { with(lease, drop_guard) })
}

/// Returns the state of the guard; PORTALLOC_GUARD_NONE for NULL and after the release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_guard_state(lease: *const Lease) -> GuardState {
    let state = |lease: &portalloc_core::Lease| {
        Ok(match lease.guard_state() {
            CoreGuardState::None => GuardState::None,
            CoreGuardState::Shared => GuardState::Shared,
            CoreGuardState::Exclusive => GuardState::Exclusive,
        })
    };
    // SAFETY: the caller keeps to the header's conventions.
    value(GuardState::None, || unsafe { with(lease, state) })
}

/// Binds the port at `index` and returns the socket, ready to be passed to the server: a descriptor with close-on-exec, which
/// you close and which outlives the lease. A TCP socket is bound over the guard of this lease, so no other program can come in
/// between. Without options: TCP, listening on 127.0.0.1. Fails with PORTALLOC_RESULT_PORT_IN_USE if a foreign process has
/// bound the port.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_socket(
    lease: *const Lease,
    index: i64,
    options: *const SocketOptions,
    out: *mut i32,
) -> ResultNumber {
    let bind = |lease: &portalloc_core::Lease| {
        // SAFETY: the caller keeps to the header's conventions; zeros are a NULL pointer and no wishes.
        let options = unsafe { sized(options) }?;
        // SAFETY: the caller keeps to the header's conventions.
        let wanted = unsafe { options.request() }?;
        let index = usize::try_from(index).map_err(|_| ffi::no_index(index, lease.ports().len()))?;
        lease.socket(index, &wanted)
    };
    // SAFETY: the caller keeps to the header's conventions.
    let socket = || Ok(unsafe { with(lease, bind) }?.into_number() as i32);
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, socket) })
}

/// Duplicates the descriptor of the lease without close-on-exec, so that processes started while it is open inherit the lease.
/// The lease then ends when the last of them and this process have closed it or ended. Close the copy once the child runs.
/// Guards are not inherited. Fails with PORTALLOC_RESULT_UNSUPPORTED in a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_lease_inheritable(lease: *const Lease, out: *mut i32) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    let copy = || Ok(unsafe { with(lease, portalloc_core::Lease::inheritable) }?.into_number() as i32);
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, copy) })
}
