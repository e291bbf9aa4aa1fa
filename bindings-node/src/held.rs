//! What a thread of JavaScript has taken and not given back: leases and held environments, by number. Knows nothing of what
//! is done with them.
//!
//! Not objects of JavaScript: one whose end native code is told of costs a fifth of a lease. And what JavaScript has lost is
//! not over: its number may be in a variable, a file or another process. So nothing here ends with an object or with a
//! realm. It ends when somebody says so, or with its thread, also that of a worker that was terminated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use portalloc::ffi::no_panic;
use portalloc::{Lease, Result};

use crate::environment::Shared;

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

#[derive(Default)]
struct Table {
    /// Numbers ascend and never come round, so that of two the greater one is the younger one.
    last: i64,
    held: BTreeMap<i64, Rc<Held>>,
    /// The one released last, which answers for all that were: their numbers are forgotten, so that they cost nothing.
    released: Option<Rc<Held>>,
}

/// The end of a thread. Not left to the values themselves: JavaScript may still have its part in an environment, which nobody
/// frees when a process ends.
impl Drop for Table {
    fn drop(&mut self) {
        self.held.values().for_each(|held| held.end());
    }
}

/// A lease, by whose it is.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are leases, and a box for each would cost more than it saves"
)]
pub(crate) enum Held {
    Own(Lease),
    Of(Arc<Shared>),
}

impl Held {
    pub(crate) fn ports(&self) -> &[u16] {
        match self {
            Self::Own(lease) => lease.ports(),
            Self::Of(environment) => &environment.record().ports.ports,
        }
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Lease) -> Result<T>) -> Result<T> {
        match self {
            Self::Own(lease) => work(lease),
            Self::Of(environment) => environment.with_lease(work),
        }
    }

    pub(crate) fn is_released(&self) -> bool {
        self.with(|lease| Ok(lease.is_released())).unwrap_or(true)
    }

    /// Whether the kernel holds the ports for this process.
    pub(crate) fn is_held(&self) -> bool {
        self.with(|lease| Ok(lease.is_held())).unwrap_or(false)
    }

    /// Gives back a lease, removes an environment. What cannot be removed is left to `cleanup --stale`.
    fn end(&self) {
        let _ = no_panic(|| match self {
            Self::Own(lease) => {
                lease.release();
                Ok(())
            }
            Self::Of(environment) => environment.end(),
        });
    }
}

/// A number that is greater than every one before it in this thread.
pub(crate) fn number() -> i64 {
    TABLE.with_borrow_mut(|table| {
        table.last += 1;
        table.last
    })
}

/// The last number that was given.
pub(crate) fn last_number() -> i64 {
    TABLE.with_borrow(|table| table.last)
}

/// Keeps a lease or an environment, and returns its number.
pub(crate) fn keep(held: Held) -> i64 {
    let number = number();
    TABLE.with_borrow_mut(|table| table.held.insert(number, Rc::new(held)));
    number
}

/// The lease of this number, unless it is forgotten.
pub(crate) fn get(number: i64) -> Option<Rc<Held>> {
    TABLE.with_borrow(|table| table.held.get(&number).cloned())
}

/// A lease that was released, whichever.
pub(crate) fn any_released() -> Option<Rc<Held>> {
    TABLE.with_borrow(|table| table.released.clone())
}

/// Forgets a lease that was released.
pub(crate) fn forget_released(number: i64) {
    TABLE.with_borrow_mut(|table| table.released = table.held.remove(&number).or(table.released.take()));
}

/// Forgets an environment that has ended and that JavaScript has no more.
pub(crate) fn forget(number: i64) {
    // Objects of JavaScript may be freed after the table of their thread.
    let forgotten = TABLE.try_with(|table| table.borrow_mut().held.remove(&number));
    drop(forgotten);
}

/// Ends what this thread has taken after `mark` was the last number. Objects that JavaScript still has of it say that it was
/// released.
pub(crate) fn end_since(mark: i64) {
    let since: Vec<_> = TABLE.with_borrow(|table| table.held.range(mark + 1..).map(|(_, held)| held.clone()).collect());
    since.iter().for_each(|held| held.end());
}

/// Ends the environments of this thread. Its leases the kernel ends.
pub(crate) fn end_environments() {
    let all: Vec<_> = TABLE.with_borrow(|table| table.held.values().cloned().collect());
    all.iter().filter(|held| matches!(***held, Held::Of(_))).for_each(|held| held.end());
}
