//! Calls that name no allocator: with the variables' settings and the project file's, through allocators that stay open.

use crate::allocators::Allocators;
use crate::environment::{Environment, EnvironmentRequest};
use crate::error::Result;
use crate::lease::{Lease, LeaseRequest};
use crate::settings::Settings;

pub(super) static ALLOCATORS: Allocators = Allocators::new();

/// Leases ports: a number asks for so many consecutive ones, a [`LeaseRequest`] for more. The ports are this process's until the
/// lease is dropped.
///
/// The settings are those of `PORTALLOC_DIR`, `PORTALLOC_POOL` and `PORTALLOC_EXCLUDE`, else those of the nearest
/// `portalloc.toml`, else the defaults. Any thread may call it, and a forked child. Blocks only if the request waits.
///
/// ```
/// # fn main() -> Result<(), portalloc::Error> {
/// # if std::env::var_os("PORTALLOC_DIR").is_none() { return Ok(()) } // never the registry of this machine
/// let lease = portalloc::lease(1)?;
/// let server = std::net::TcpListener::bind(("127.0.0.1", lease.base_port())).expect("the port is ours");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Settings::open`] and [`Allocator::lease`](crate::Allocator::lease).
pub fn lease(request: impl Into<LeaseRequest>) -> Result<Lease> {
    let request = request.into();
    ALLOCATORS.with(&Settings::new(), |allocator| allocator.lease(request))
}

/// Makes an environment, which is removed when it is dropped, unless it is a kept one. Settings as for [`lease`], from the
/// project file of the request's worktree.
///
/// # Errors
/// As [`Settings::open_for`] and [`Allocator::create_environment`](crate::Allocator::create_environment).
pub fn environment(request: EnvironmentRequest) -> Result<Environment> {
    let (allocator, request) = Settings::new().open_for(request)?;
    allocator.create_environment(&request)
}
