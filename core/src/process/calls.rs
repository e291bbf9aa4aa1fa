//! Calls without an allocator: they use the settings of the variables and the project file, through allocators that
//! stay open.

use std::panic::Location;

use crate::allocators::Allocators;
use crate::environment::{Environment, EnvironmentRequest};
use crate::error::Result;
use crate::lease::{Lease, LeaseRequest};
use crate::settings::Settings;

pub(super) static ALLOCATORS: Allocators = Allocators::new();

/// Leases ports. A number asks for that many consecutive ports; a [`LeaseRequest`] can ask for more. The lease ends
/// when you drop it, or when the process ends.
///
/// The settings come from `PORTALLOC_DIR`, `PORTALLOC_POOL` and `PORTALLOC_EXCLUDE`, then from the nearest
/// `portalloc.toml`, then from the defaults. Any thread may call this, and so may a forked child. Blocks only if the
/// request waits.
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
#[track_caller]
pub fn lease(request: impl Into<LeaseRequest>) -> Result<Lease> {
    let request = request.into().called_from(Location::caller());
    ALLOCATORS.with(&Settings::new(), |allocator| allocator.lease(request))
}

/// Creates an environment. Dropping a held one removes it; a kept one stays. Settings as for [`lease`], with the
/// project file of the request's worktree.
///
/// # Errors
/// As [`Settings::open_for`] and [`Allocator::create_environment`](crate::Allocator::create_environment).
#[track_caller]
pub fn environment(request: EnvironmentRequest) -> Result<Environment> {
    let (allocator, request) = Settings::new().open_for(request)?;
    allocator.create_environment(&request)
}
