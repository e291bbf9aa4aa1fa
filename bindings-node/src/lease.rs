//! Leases, by number.

use napi::Env;
use napi::bindgen_prelude::{Either, Object};
use napi_derive::napi;
use portalloc::{GuardState, Lease, LeaseRequest, Result, SocketOptions, ffi};

use crate::arguments::{self, Ports, Where, checked};
use crate::background::{Wait, in_background};
use crate::call;
use crate::held::{self, Held};

/// What a lease is asked for.
#[napi(object, object_to_js = false)]
pub struct LeaseOptions {
    pub wanted: Option<Ports>,
    pub place: Option<Where>,
    pub guard: Option<bool>,
    pub sticky_key: Option<String>,
    pub prefer: Option<Vec<f64>>,
    pub wait_ms: Option<f64>,
    /// The line that calls.
    pub at: Option<String>,
}

/// Takes a lease of so many ports on this thread. Apart from `lease`, because options take longer to read than a port to lease.
#[napi]
pub fn lease_count(env: &Env, count: f64, at: String) -> napi::Result<i64> {
    let request = LeaseRequest::run(checked(env, arguments::count(count))?).place(at);
    call::here(env, None, |allocator| allocator.lease(request)).map(kept)
}

/// Takes a lease on this thread.
#[napi]
pub fn lease(env: &Env, options: LeaseOptions) -> napi::Result<i64> {
    let (place, request) = checked(env, asked(options))?;
    call::here(env, place, |allocator| allocator.lease(request)).map(kept)
}

/// Takes a lease on another thread.
#[napi(ts_return_type = "Promise<number>")]
pub fn lease_async<'env>(env: &'env Env, wait: &Wait, options: LeaseOptions) -> napi::Result<Object<'env>> {
    let (place, request) = checked(env, asked(options))?;
    let allocator = wait.watch(&call::allocator(env, place)?);
    in_background(env, move || allocator.lease(request), |_, lease| kept(lease))
}

fn kept(lease: Lease) -> i64 {
    held::keep(Held::Own(lease))
}

fn asked(options: LeaseOptions) -> Result<(Option<Where>, LeaseRequest)> {
    let request = ffi::LeaseOptions {
        ports: options.wanted.unwrap_or_default().try_into()?,
        wait: arguments::milliseconds(options.wait_ms)?,
        guard: options.guard.unwrap_or_default(),
        sticky_key: options.sticky_key,
        prefer: options.prefer.map(arguments::ports).transpose()?.unwrap_or_default(),
        place: options.at,
    };
    Ok((options.place, request.request()?))
}

/// Does `work` with the lease of this number. A number that is forgotten was released: then another released lease answers.
fn with<T>(env: &Env, number: i64, work: impl FnOnce(&Lease) -> Result<T>) -> napi::Result<T> {
    let held = held::get(number).or_else(held::any_released);
    let held = held.ok_or_else(|| napi::Error::from_reason(format!("there never was a lease {number}")))?;
    call::without_allocator(env, || work(held.lease()))
}

/// Its ports; none of one that is forgotten.
#[napi]
pub fn lease_ports(number: i64) -> Option<Vec<u16>> {
    held::get(number).map(|held| held.lease().ports().to_vec())
}

/// Its only port; an error if it has several.
#[napi]
pub fn lease_port(env: &Env, number: i64) -> napi::Result<u16> {
    let is_known = held::get(number).is_some();
    with(env, number, |lease| {
        if !is_known {
            // The lease that answers has other ports. This fails with the error of every released lease.
            lease.share_guard()?;
        }
        lease.port()
    })
}

/// Whether it was released.
#[napi]
pub fn lease_is_released(number: i64) -> bool {
    held::get(number).is_none_or(|held| held.lease().is_released())
}

/// Whether the kernel holds its ports for this process.
#[napi]
pub fn lease_is_held(env: &Env, number: i64) -> napi::Result<bool> {
    call::without_allocator(env, || Ok(held::get(number).is_some_and(|held| held.lease().is_held())))
}

/// Gives its ports back and returns them; one alone as a number, which is faster to make than a list. That of an environment
/// stays known until the environment ends.
#[napi]
pub fn release_lease(env: &Env, number: i64) -> napi::Result<Option<Either<u16, Vec<u16>>>> {
    let Some(held) = held::get(number) else { return Ok(None) };
    call::without_allocator(env, || {
        held.lease().release();
        Ok(())
    })?;
    if let Held::Own(_) = *held {
        held::forget_released(number);
    }
    Ok(Some(match held.lease().ports() {
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
pub fn share_guard(env: &Env, number: i64) -> napi::Result<()> {
    with(env, number, Lease::share_guard)
}

/// Closes the guard.
#[napi]
pub fn drop_guard(env: &Env, number: i64) -> napi::Result<()> {
    with(env, number, |lease| {
        lease.drop_guard();
        Ok(())
    })
}

/// Which servers can bind.
#[napi(ts_return_type = "'none' | 'shared' | 'exclusive'")]
pub fn guard_state(env: &Env, number: i64) -> &'static str {
    with(env, number, |lease| Ok(lease.guard_state())).unwrap_or(GuardState::None).as_str()
}

/// A bound socket, whose descriptor is the caller's from now on.
#[napi]
pub fn lease_fd(env: &Env, number: i64, index: f64, udp: bool, host: String, listen: bool) -> napi::Result<i64> {
    let socket = with(env, number, |lease| {
        let options = if udp { SocketOptions::udp() } else { SocketOptions::tcp() };
        let options = options.address(ffi::address(&host)?).listen(listen);
        lease.socket(arguments::index(index, lease.ports().len())?, &options)
    })?;
    Ok(socket.into_number())
}

/// A copy of the descriptor of a lease or a hold, which child processes inherit.
#[napi]
pub struct Inheritable(Option<portalloc::Inheritable>);

/// Lets child processes inherit the lease.
#[napi]
pub fn inherit_lease(env: &Env, number: i64) -> napi::Result<Inheritable> {
    with(env, number, Lease::inheritable).map(Inheritable::new)
}

impl Inheritable {
    pub(crate) fn new(copy: portalloc::Inheritable) -> Self {
        Self(Some(copy))
    }
}

#[napi]
impl Inheritable {
    /// Its descriptor; none once it is closed.
    #[napi(getter)]
    pub fn fd(&self) -> Option<i64> {
        self.0.as_ref().map(portalloc::Inheritable::number)
    }

    /// Closes this copy. Safe to call twice.
    #[napi]
    pub fn close(&mut self) {
        self.0 = None;
    }
}
