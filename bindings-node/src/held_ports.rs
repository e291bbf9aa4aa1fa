//! Ports that the process holds until it ends, and the thread that took each, for the helpers of test runners.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use napi::Env;
use napi_derive::napi;

use crate::arguments::{Where, checked, port, settings};
use crate::{call, held};

/// By port. Locked around the core's calls: otherwise a port that one thread gives back and another one is given at the same
/// moment could be noted as the first thread's.
static TAKEN: Mutex<Option<HashMap<u16, Taken>>> = Mutex::new(None);

struct Taken {
    by: ThreadId,
    /// Its place in the order of what that thread has taken.
    number: i64,
}

/// A port that is held until the process ends, or until it is given back. `at` is the line that asks for it, if known.
#[napi]
pub fn take_port(env: &Env, place: Option<Where>, at: String) -> napi::Result<u16> {
    let settings = settings(place);
    call::without_allocator(env, || {
        let mut taken = taken();
        let port = portalloc::ffi::port_at(&settings, &at)?;
        let by = Taken { by: thread::current().id(), number: held::number() };
        taken.get_or_insert_default().insert(port, by);
        Ok(port)
    })
}

/// Gives back a port; false if it is not one that `take_port` returned, or was given back before.
#[napi]
pub fn give_back(env: &Env, number: f64) -> napi::Result<bool> {
    let port = checked(env, port(number))?;
    call::without_allocator(env, || {
        let mut taken = taken();
        taken.get_or_insert_default().remove(&port);
        Ok(portalloc::give_back(port))
    })
}

/// Gives back what this thread has taken after `mark` was the last number.
pub(crate) fn give_back_since(mark: i64) {
    let here = thread::current().id();
    taken().get_or_insert_default().retain(|port, Taken { by, number }| {
        let is_over = *by == here && *number > mark;
        if is_over {
            portalloc::give_back(*port);
        }
        !is_over
    });
}

fn taken() -> MutexGuard<'static, Option<HashMap<u16, Taken>>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}
