//! What the tests and proofs of all crates share: an isolated world for each test, the command line in it, and
//! processes that end with the test. Knows nothing of any single test.
//!
//! A failure in this crate is a failed test, so these functions panic where product code would return an error.

#![expect(clippy::expect_used, clippy::panic, reason = "a failure in here is a failed test")]

mod command_line;
mod condition;
mod created;
mod namespaces;
mod place;
mod process;
mod random;
mod run;
mod running;
mod skip;
mod slice;
mod turn;
mod world;

pub use command_line::CommandLine;
pub use condition::{PATIENCE, until};
pub use created::{id, path, ports};
pub use namespaces::{can_unshare, own_network};
pub use place::{Place, names};
pub use process::{Process, kill};
pub use random::Random;
pub use run::{Run, run, status};
pub use running::Running;
pub use skip::{has, is_installed, skip, skip_unless_root};
pub use slice::Slice;
pub use world::World;
