//! Calls on a thread of their own, so that JavaScript goes on meanwhile, and a promise of what they come to.
//!
//! Not in libuv's pool: it has four threads for all files and name lookups of the process, and the server that somebody
//! waits for may need one of them. Knows no call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};
use napi_derive::napi;
use portalloc::ffi::no_panic;
use portalloc::{Allocator, Result};

use crate::call;

/// One wait. It ends early once it is cancelled, or once JavaScript has let go of this object, which the end of a worker
/// thread makes it do.
#[napi(js_name = "Wait")]
pub struct Wait {
    cancelled: Arc<AtomicBool>,
}

#[napi]
impl Wait {
    /// Goes on until it is cancelled.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self { cancelled: Arc::new(AtomicBool::new(false)) }
    }

    /// Ends it, within a quarter of a second. What it would have come to is given back.
    #[napi]
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The allocator, with waits that end with this one.
    pub(crate) fn watch(&self, allocator: &Allocator) -> Allocator {
        let cancelled = self.cancelled.clone();
        allocator.cancelled_by(move || cancelled.load(Ordering::Relaxed))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Does `work` on another thread, and then `shape` on this one with what it came to.
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
