//! Leases ports: while you hold one, no other process on this machine is given it.
//!
//! Other tools *probe*: they find a free port, close it, and hope that it is still free when the server binds it.
//! portalloc *holds*: a lease is a lock in the kernel, so no other process is given the port until you release the
//! lease or the last process that holds it ends. There is no daemon, and a crash leaves no port behind.
//!
//! ```
//! # fn main() -> Result<(), portalloc::Error> {
//! # let scratch = std::env::temp_dir().join(format!("portalloc-doc-{}", std::process::id()));
//! # let settings = portalloc::Settings::new().directory(&scratch);
//! let allocator = settings.open()?; // or Allocator::open() for the settings of the environment
//! let lease = allocator.lease(5)?; // five consecutive ports, held until dropped
//! assert_eq!(lease.ports().len(), 5);
//! let server = std::net::TcpListener::bind(("127.0.0.1", lease.base_port())).expect("it is ours");
//! # drop(server);
//! # drop(lease);
//! # std::fs::remove_dir_all(scratch).ok();
//! # Ok(())
//! # }
//! ```
//!
//! Start with an [`Allocator`]: [`Allocator::lease`] takes ports, and [`Allocator::create_environment`] takes ports
//! with an isolation ID, a temp directory and an env file. `DESIGN.md` in the repository explains how it works and why.
//!
//! **What a lease does not do**: it does not keep a program that does not use portalloc from binding the port before
//! your server does. The default pool lies outside the kernel's ephemeral range, so only a program that asks for that
//! port number can bind it. A guard ([`Lease::guard`]) or socket activation ([`Lease::socket`]) closes this gap.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod allocator;
mod allocators;
mod backoff;
mod check;
pub mod conflict;
mod connect;
pub mod doctor;
pub mod environment;
mod error;
pub mod ffi;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod id;
mod lease;
mod names;
pub mod pool;
mod pool_usage;
mod port_set;
mod port_state;
mod probe;
pub mod process;
pub mod project;
mod random;
mod readiness;
mod refusals;
pub mod registry;
mod search;
mod settings;
mod sys;
mod template;
mod text;
mod time;
mod variables;
mod wait;
pub mod who;
pub mod worktree;

pub use allocator::Allocator;
pub use environment::{Environment, EnvironmentRequest, cleanup};
pub use error::{Error, ErrorCode, Result};
pub use id::IsolationId;
pub use lease::{GuardState, Lease, LeaseRequest, SocketOptions};
pub use process::{environment, give_back, lease, port};
pub use readiness::Readiness;
pub use settings::{Settings, SettingsSummary};
pub use sys::{Inheritable, ServerSocket};
