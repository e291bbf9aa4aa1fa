//! The environment of a worktree: made when it is first asked for, and the same ever after, from any subdirectory, shell
//! or process.
//!
//! An index in the registry names it. Whoever makes it, moves it or removes it has the worktree's lock, which dies with
//! its holder, so that many processes that ask at once get one environment. The index is written before the record is
//! finished, and counts only with a finished record: whenever a process is killed, there is no environment, or that one.
//!
//! Whoever works in the worktree can wait until the servers on its ports are its own ([`Environment::wait_until_ours`]), and
//! end them and nothing else ([`Environment::stop`], [`Environment::down`]).
//!
//! [`Environment::wait_until_ours`]: crate::Environment::wait_until_ours
//! [`Environment::stop`]: crate::Environment::stop
//! [`Environment::down`]: crate::Environment::down
//!
//! ```
//! use portalloc::EnvironmentRequest;
//!
//! # let scratch = tempfile::tempdir().unwrap();
//! # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
//! let request = EnvironmentRequest::new().names(["web", "db"]).worktree(scratch.path());
//! let environment = allocator.worktree_environment(&request)?;
//! let again = allocator.worktree_environment(&request)?;
//! assert_eq!(environment.id(), again.id());
//! environment.cleanup()?;
//! # Ok::<(), portalloc::Error>(())
//! ```

mod down;
mod facts;
mod index;
mod key;
mod lock;
mod obtain;
mod ours;
mod place;
mod repair;
mod stop;
mod stop_report;
mod wait;

pub(crate) use index::Index;
pub(crate) use key::Key;
pub(crate) use lock::lock;
pub use ours::OursReason;
pub use place::Worktree;
pub use stop::StopOptions;
pub use stop_report::{ForeignProcess, Outcome, StopReport, StoppedProcess, Supervisor, UnknownHolder};
