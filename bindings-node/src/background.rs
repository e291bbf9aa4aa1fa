//! Calls on a thread of their own, with a promise of their result, so that JavaScript goes on meanwhile.
//!
//! They do not use libuv's pool: its four threads serve all files and name lookups of the process, and the server that a call
//! waits for may need one of them. Knows no call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};
use napi_derive::napi;
use portalloc::ffi::no_panic;
use portalloc::{Allocator, Result};

use crate::call;

/// One wait. It ends early when it is cancelled, or when JavaScript drops this object, as the end of a worker thread does.
#[napi(js_name = "Wait")]
pub struct Wait {
    cancelled: Arc<AtomicBool>,
}

#[napi]
impl Wait {
    /// A wait that is not cancelled.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self { cancelled: Arc::new(AtomicBool::new(false)) }
    }

    /// Ends the wait within a quarter of a second.
    #[napi]
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The allocator, with waits that end with this one.
    pub(crate) fn watch(&self, allocator: &Allocator) -> Allocator {
        allocator.cancelled_by(self.is_cancelled())
    }

    /// Whether this wait is cancelled, also for another thread to ask.
    pub(crate) fn is_cancelled(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let cancelled = self.cancelled.clone();
        move || cancelled.load(Ordering::Relaxed)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Does `work` on another thread, and then `shape` with its result on this one.
pub(crate) fn in_background<'env, T, V>(
    env: &'env Env,
    work: impl FnOnce() -> Result<T> + Send + 'static,
    shape: impl FnOnce(&Env, T) -> V + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: Send + 'static,
    V: ToNapiValue + 'static,
{
    let (deferred, promise) = env.create_deferred::<V, _>()?;
    let run = move || {
        let done = no_panic(work);
        deferred.resolve(move |env| call::done(&env, done).map(|value| shape(&env, value)));
    };
    std::thread::Builder::new().name("portalloc".to_owned()).spawn(run)?;
    Ok(promise)
}
