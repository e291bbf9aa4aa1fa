//! Holds on kept environments, by number: like a lease, none ends with an object of JavaScript, but when it is released, or
//! with its thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use napi::Env;
use napi_derive::napi;
use portalloc::environment::Hold;
use portalloc::ffi;

use crate::lease::Inheritable;
use crate::{call, held};

thread_local! {
    static HOLDS: RefCell<BTreeMap<i64, Hold>> = RefCell::default();
}

/// Keeps a hold, and returns its number.
pub(crate) fn keep(hold: Hold) -> i64 {
    let number = held::number();
    HOLDS.with_borrow_mut(|holds| holds.insert(number, hold));
    number
}

/// Releases the holds that this thread has taken after `mark` was the last number.
pub(crate) fn release_since(mark: i64) {
    drop(HOLDS.with_borrow_mut(|holds| holds.split_off(&(mark + 1))));
}

/// Lets child processes inherit it.
#[napi]
pub fn inherit_hold(env: &Env, number: i64) -> napi::Result<Inheritable> {
    let copied = || HOLDS.with_borrow(|holds| holds.get(&number).ok_or_else(ffi::no_hold)?.inheritable());
    call::without_allocator(env, copied).map(Inheritable::new)
}

/// Gives up this thread's share.
#[napi]
pub fn release_hold(number: i64) {
    drop(HOLDS.with_borrow_mut(|holds| holds.remove(&number)));
}

/// Whether it was released.
#[napi]
pub fn hold_is_released(number: i64) -> bool {
    HOLDS.with_borrow(|holds| !holds.contains_key(&number))
}
