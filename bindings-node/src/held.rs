//! The leases and held environments of each JavaScript thread, by number. Knows nothing of what is done with them.
//!
//! Numbers, not objects of JavaScript: a finalizer costs a fifth of a lease. And an object that JavaScript has lost is not
//! over: its port may be in a variable, a file or another process. So nothing here ends with an object or a realm. It ends
//! when it is released, or with its thread, also when a worker is terminated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use portalloc::ffi::no_panic;
use portalloc::{Environment, Lease};

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

#[derive(Default)]
struct Table {
    /// Numbers ascend and never wrap, so that the greater of two is the younger one.
    last: i64,
    held: BTreeMap<i64, Rc<Held>>,
    /// The lease released last, which answers for all released ones: their numbers are forgotten, so that they cost nothing.
    released: Option<Rc<Held>>,
}

/// The end of a thread. Not left to the values' own `Drop`: JavaScript may still have its part in an environment, which
/// nobody frees when a process ends.
impl Drop for Table {
    fn drop(&mut self) {
        self.held.values().for_each(|held| held.end());
    }
}

/// A lease, by its owner.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are leases, and a box for each would cost more than it saves"
)]
pub(crate) enum Held {
    Own(Lease),
    Of(Arc<Environment>, Arc<Lease>),
}

impl Held {
    pub(crate) fn lease(&self) -> &Lease {
        match self {
            Self::Own(lease) => lease,
            Self::Of(_, lease) => lease,
        }
    }

    /// Releases a lease, removes an environment. What cannot be removed is left to `cleanup --stale`.
    fn end(&self) {
        let _ = no_panic(|| match self {
            Self::Own(lease) => {
                lease.release();
                Ok(())
            }
            Self::Of(environment, _) => environment.cleanup(),
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

/// Some lease that was released.
pub(crate) fn any_released() -> Option<Rc<Held>> {
    TABLE.with_borrow(|table| table.released.clone())
}

/// Forgets a lease that was released, or an environment that has ended.
pub(crate) fn forget_released(number: i64) {
    let forgotten = TABLE.with_borrow_mut(|table| {
        let removed = table.held.remove(&number)?;
        table.released.replace(removed)
    });
    // Not under the borrow: its end may come back here.
    drop(forgotten);
}

/// Ends what this thread has taken after `mark` was the last number. Objects that JavaScript still has of it say that it was
/// released.
pub(crate) fn end_since(mark: i64) {
    let since: Vec<_> = TABLE.with_borrow(|table| table.held.range(mark + 1..).map(|(_, held)| held.clone()).collect());
    since.iter().for_each(|held| held.end());
}

/// Ends the environments of this thread. The kernel ends its leases.
pub(crate) fn end_environments() {
    let all: Vec<_> = TABLE.with_borrow(|table| table.held.values().cloned().collect());
    all.iter().filter(|held| matches!(***held, Held::Of(..))).for_each(|held| held.end());
}
