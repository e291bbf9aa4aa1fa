//! Leases, by number.

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use napi::Env;
use napi::bindgen_prelude::{Either, Object};
use napi_derive::napi;
use portalloc::ffi::Wanted;
use portalloc::{GuardState, Lease, LeaseRequest, Result, Settings, SocketOptions, ffi};

use crate::arguments::{self, Ports, Where, checked};
use crate::background::{Wait, in_background};
use crate::call;
use crate::held::{self, Held};

/// What a lease is asked for, beside the number of ports.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct LeaseOptions {
    pub wanted: Option<Ports>,
    pub place: Option<Where>,
    pub guard: Option<bool>,
    pub sticky: Option<String>,
    pub timeout_ms: Option<f64>,
}

/// Takes a lease on this thread. One number is said without options, which take longer to read than a port to lease.
#[napi]
pub fn lease(env: &Env, count: Option<f64>, options: Option<LeaseOptions>) -> napi::Result<i64> {
    let (settings, request) = checked(env, asked(count, options))?;
    call::here(env, &settings, |allocator| allocator.lease(request)).map(kept)
}

/// Takes a lease on another thread.
#[napi(ts_return_type = "Promise<number>")]
pub fn lease_async<'env>(
    env: &'env Env,
    wait: &Wait,
    count: Option<f64>,
    options: Option<LeaseOptions>,
) -> napi::Result<Object<'env>> {
    let (settings, request) = checked(env, asked(count, options))?;
    let allocator = wait.watch(&call::allocator(env, &settings)?);
    in_background(env, move || allocator.lease(request), |_, lease| kept(lease))
}

fn kept(lease: Lease) -> i64 {
    held::keep(Held::Own(lease))
}

fn asked(count: Option<f64>, options: Option<LeaseOptions>) -> Result<(Settings, LeaseRequest)> {
    let Some(options) = options else {
        return Ok((Settings::new(), LeaseRequest::run(count.map_or(Ok(1), arguments::count)?)));
    };
    let wanted = Wanted::try_from(options.wanted.unwrap_or_default())?;
    let mut request = wanted.request()?.guard(options.guard.unwrap_or_default());
    if let Some(key) = options.sticky {
        request = request.sticky(key);
    }
    if let Some(limit) = arguments::milliseconds(options.timeout_ms)? {
        request = request.wait(limit);
    }
    Ok((call::settings(options.place), request))
}

/// Does `work` with the lease of this number; if that is forgotten, it was released, and another such answers.
fn with<T>(env: &Env, number: i64, work: impl FnOnce(&Lease) -> Result<T>) -> napi::Result<T> {
    let held = held::get(number).or_else(held::any_released);
    let held = held.ok_or_else(|| napi::Error::from_reason(format!("there never was a lease {number}")))?;
    call::without_allocator(env, || held.with(work))
}

/// Its ports.
#[napi]
pub fn lease_ports(number: i64) -> Option<Vec<u16>> {
    held::get(number).map(|held| held.ports().to_vec())
}

/// Its only port; an error if it has several.
#[napi]
pub fn lease_port(env: &Env, number: i64) -> napi::Result<u16> {
    let is_known = held::get(number).is_some();
    with(env, number, |lease| {
        if !is_known {
            // The ports of the one that answers are others. This fails with what is to be said of all of them.
            lease.open_guard()?;
        }
        lease.port()
    })
}

/// Whether it was released.
#[napi]
pub fn lease_is_released(number: i64) -> bool {
    held::get(number).is_none_or(|held| held.is_released())
}

/// Whether the kernel holds its ports for this process.
#[napi]
pub fn lease_is_held(env: &Env, number: i64) -> napi::Result<bool> {
    call::without_allocator(env, || Ok(held::get(number).is_some_and(|held| held.is_held())))
}

/// Gives its ports back and returns them; one alone, because a list of it takes longer to make. One of an environment stays
/// known.
#[napi]
pub fn release_lease(env: &Env, number: i64) -> napi::Result<Option<Either<u16, Vec<u16>>>> {
    let Some(held) = held::get(number) else { return Ok(None) };
    call::without_allocator(env, || match &*held {
        Held::Of(_) if held.is_released() => Ok(()),
        _ => held.with(|lease| {
            lease.release();
            Ok(())
        }),
    })?;
    if let Held::Own(_) = *held {
        held::forget_released(number);
    }
    Ok(Some(match held.ports() {
        [port] => Either::A(*port),
        ports => Either::B(ports.to_vec()),
    }))
}

/// Holds the ports by sockets, too.
#[napi]
pub fn guard_lease(env: &Env, number: i64) -> napi::Result<()> {
    with(env, number, Lease::guard)
}

/// Lets servers bind over the guard.
#[napi]
pub fn open_guard(env: &Env, number: i64) -> napi::Result<()> {
    with(env, number, Lease::open_guard)
}

/// Closes the guard.
#[napi]
pub fn drop_guard(env: &Env, number: i64) -> napi::Result<()> {
    with(env, number, |lease| {
        lease.drop_guard();
        Ok(())
    })
}

/// What the guard lets in.
#[napi(ts_return_type = "'none' | 'reuse' | 'shut'")]
pub fn guard_state(env: &Env, number: i64) -> &'static str {
    with(env, number, |lease| Ok(lease.guard_state())).unwrap_or(GuardState::None).as_str()
}

/// A bound socket, whose descriptor is the caller's from now on.
#[napi]
pub fn lease_fd(env: &Env, number: i64, index: f64, udp: bool, host: String, listen: bool) -> napi::Result<i32> {
    let socket = with(env, number, |lease| {
        let hand_off = if udp { SocketOptions::udp() } else { SocketOptions::tcp() };
        let hand_off = hand_off.address(ffi::address(&host)?).listen(listen);
        lease.socket(arguments::index(index, lease.ports().len())?, &hand_off)
    })?;
    Ok(socket.into_raw_fd())
}

/// A copy of a lease's descriptor, which child processes inherit.
#[napi]
pub struct Inheritable(Option<OwnedFd>);

/// Lets child processes inherit the lease.
#[napi]
pub fn pass_on_lease(env: &Env, number: i64) -> napi::Result<Inheritable> {
    with(env, number, Lease::inheritable).map(|copy| Inheritable(Some(copy)))
}

#[napi]
impl Inheritable {
    /// Its descriptor; none once it is closed.
    #[napi(getter)]
    pub fn fd(&self) -> Option<i32> {
        self.0.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Closes this copy. Again does nothing.
    #[napi]
    pub fn close(&mut self) {
        self.0 = None;
    }
}
