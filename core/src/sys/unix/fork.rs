//! Tells a process from the one that it was forked from, without a system call and without its PID, which a child in
//! another PID namespace may share with its parent.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::sys::platform;

/// The last generation assigned. A forked child continues counting from its parent's number, so it never reuses a
/// generation of its ancestors.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Points to the generation of this process, which is 0 until it is first needed, in a page that the kernel wipes in
/// every forked child, whatever call created the child. Null until it is first needed.
static PAGE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

/// Used in place of the page if the kernel cannot wipe one (before Linux 4.14, and in some sandboxes): then the handler
/// of [`at_fork`] sets it to 0.
static FALLBACK: AtomicU64 = AtomicU64::new(0);

/// A number that this process shares with none of its ancestors or forked children.
pub(crate) fn generation() -> u64 {
    let cell = cell();
    match cell.load(Ordering::Relaxed) {
        0 => first_generation(cell),
        known => known,
    }
}

#[cold]
fn first_generation(cell: &AtomicU64) -> u64 {
    let new = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    match cell.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => new,
        // Another thread was first.
        Err(known) => known,
    }
}

fn cell() -> &'static AtomicU64 {
    let page = PAGE.load(Ordering::Acquire);
    let page = if page.is_null() { publish(new_cell()) } else { page };
    // SAFETY: it points to FALLBACK or into a page that is never unmapped, both zeroed or written to as an AtomicU64 only.
    unsafe { &*page }
}

/// Makes `cell` the cell of this process, unless another thread was first. Returns the one that won.
fn publish(cell: *mut AtomicU64) -> *mut AtomicU64 {
    match PAGE.compare_exchange(ptr::null_mut(), cell, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => cell,
        // The page of this thread is never used; that wastes one page, once.
        Err(known) => known,
    }
}

#[cold]
fn new_cell() -> *mut AtomicU64 {
    platform::wiped_page().unwrap_or_else(|| {
        at_fork(None, None, forget_fallback);
        ptr::from_ref(&FALLBACK).cast_mut()
    })
}

extern "C" fn forget_fallback() {
    FALLBACK.store(0, Ordering::Relaxed);
}

/// Registers handlers that run around every `fork`, in the forking thread: before it, after it in the parent, and in
/// the child before `fork` returns there. The child's handler may only do what a signal handler may: no locks, no
/// allocation. Handlers stay registered as long as the process lives, so their library must never be unloaded.
///
/// Children of a raw `clone` do not run them.
pub(crate) fn at_fork(before: Option<extern "C" fn()>, in_parent: Option<extern "C" fn()>, in_child: extern "C" fn()) {
    let handler = |function: extern "C" fn()| function as unsafe extern "C" fn();
    // SAFETY: they are functions of this library, which is linked so that it is never unloaded.
    let failed = unsafe { libc::pthread_atfork(before.map(handler), in_parent.map(handler), Some(in_child)) };
    debug_assert_eq!(failed, 0, "only a lack of memory can refuse handlers");
}
