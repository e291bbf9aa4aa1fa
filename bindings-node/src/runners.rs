//! What the helpers for test runners ask when a test is over. Not for users: `index.js` does not export it.

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use portalloc::who::{Failure, LEAK_GRACE, PortExplanation};

use crate::arguments::{Where, checked, ports};
use crate::background::in_background;
use crate::{call, held, held_ports, hold};

/// A sentence about a port, and whether this very process has a socket on it.
#[napi(object, object_from_js = false)]
pub struct Told {
    pub message: String,
    pub port: u16,
    pub is_ours: bool,
}

/// A sentence for each port that a failure was about; none if it was no port conflict. `named` are ports that errors name,
/// `conflicts` messages of errors that are port conflicts by their code, `texts` all others.
#[napi]
pub fn explain_conflict(
    env: &Env,
    named: Vec<f64>,
    conflicts: Vec<String>,
    texts: Vec<String>,
    place: Option<Where>,
) -> napi::Result<Option<Vec<Told>>> {
    let mut failure = Failure::new();
    failure.named = checked(env, ports(named))?;
    failure.conflicts = conflicts;
    failure.texts = texts;
    let found = call::here(env, place, |allocator| allocator.explain_conflict(&failure))?;
    Ok(found.map(|found| {
        let told = |one: PortExplanation| Told { message: one.message, port: one.port, is_ours: one.is_ours };
        found.into_iter().map(told).collect()
    }))
}

/// A sentence for each port on which a server still listens after the grace period, of ports that are still leased. On another
/// thread: a server of this process needs this one to close.
#[napi(ts_return_type = "Promise<Array<string>>")]
pub fn leaks<'env>(env: &'env Env, numbers: Vec<f64>, place: Option<Where>) -> napi::Result<Object<'env>> {
    let ports = checked(env, ports(numbers))?;
    let allocator = call::allocator(env, place)?;
    let messages = |_: &Env, leaks: Vec<portalloc::who::Leak>| -> Vec<String> {
        leaks.into_iter().map(|leak| leak.message).collect()
    };
    in_background(env, move || allocator.leaks(&ports, true, LEAK_GRACE), messages)
}

/// A point in what this thread takes, for `give_back_since`.
#[napi]
pub fn mark() -> i64 {
    held::last_number()
}

/// Ends what this thread has taken since then and not given back: leases, held environments, ports, and holds.
#[napi]
pub fn give_back_since(env: &Env, mark: i64) -> napi::Result<()> {
    call::without_allocator(env, || {
        held::end_since(mark);
        held_ports::give_back_since(mark);
        hold::release_since(mark);
        Ok(())
    })
}
