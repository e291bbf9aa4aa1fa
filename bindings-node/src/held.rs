//! The leases that a thread of JavaScript has, by number. Knows nothing of what is done with them.
//!
//! Not objects of JavaScript: one whose end native code is told of costs a fifth of a lease. `js/lease.js` owns the
//! number, and says when it is through with it. What a thread has left at its end, be it a worker's that was terminated,
//! is released then.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use portalloc::{Lease, Result};

use crate::environment::Shared;

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

#[derive(Default)]
struct Table {
    last: u32,
    leases: HashMap<u32, Rc<Held>>,
    /// The one released last, which answers for all that were: their numbers are forgotten, so that they cost nothing.
    released: Option<Rc<Held>>,
}

/// A lease, by whose it is.
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
}

/// Keeps a lease, and returns its number.
pub(crate) fn keep(held: Held) -> u32 {
    TABLE.with_borrow_mut(|table| {
        // Numbers come round after four billion leases; those that are still in use are left out then.
        loop {
            table.last = table.last.wrapping_add(1);
            if !table.leases.contains_key(&table.last) {
                break;
            }
        }
        table.leases.insert(table.last, Rc::new(held));
        table.last
    })
}

/// The lease of this number, unless it is forgotten.
pub(crate) fn get(number: u32) -> Option<Rc<Held>> {
    TABLE.with_borrow(|table| table.leases.get(&number).cloned())
}

/// A lease that was released, whichever.
pub(crate) fn any_released() -> Option<Rc<Held>> {
    TABLE.with_borrow(|table| table.released.clone())
}

/// Forgets a lease that was released.
pub(crate) fn forget_released(number: u32) {
    TABLE.with_borrow_mut(|table| table.released = table.leases.remove(&number).or(table.released.take()));
}

/// Forgets a lease that JavaScript has no more, and returns it, if it was known.
pub(crate) fn forget(number: u32) -> Option<Rc<Held>> {
    TABLE.with_borrow_mut(|table| table.leases.remove(&number))
}
