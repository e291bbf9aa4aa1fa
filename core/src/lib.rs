//! portalloc leases ports that no other process on this machine can be given.
//!
//! Others *probe*: they find a free port, let go, and hope until the server binds it. portalloc *holds*: a lease is a
//! lock in the kernel, so that a port that was given out is nobody else's until it is given back or the last process
//! that holds it is gone. There is no daemon, and after a crash there is nothing to clean.
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
//! An [`Allocator`] is the door: [`Allocator::lease`] for ports, [`Allocator::create_environment`] for ports with an
//! isolation ID, a temp dir and an env file around them. `DESIGN.md` in the repository says how it works and why.
//!
//! **What a lease does not do**: keep a program that knows nothing of portalloc from binding the very port before your
//! server does. The default pool lies outside the kernel's ephemeral range, so only one that names the port can.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod allocator;
mod allocators;
mod backoff;
mod check;
pub mod conflict;
mod connect;
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
mod refusals;
pub mod registry;
mod search;
mod settings;
mod sys;
mod time;
mod variables;
mod wait;
pub mod who;

pub use allocator::Allocator;
pub use environment::{Environment, EnvironmentRequest, cleanup};
pub use error::{Error, ErrorCode, Result};
pub use id::IsolationId;
pub use lease::{GuardState, Lease, LeaseRequest, SocketOptions};
pub use process::{environment, give_back, lease, port};
pub use settings::{Settings, SettingsSummary};
pub use sys::{Inheritable, ServerSocket};
