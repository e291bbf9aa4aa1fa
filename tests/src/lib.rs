//! What the tests of several processes share: a world of its own for each test, actors in it, and a judge.
//!
//! A failure in here is a failed test, so helpers panic where product code would return an error.

mod actor;
mod condition;
mod contest;
mod isolation;
mod options;
mod performer;
mod slice;
mod stepper;
mod world;

pub use actor::{Actor, Answer, Failure};
pub use condition::{PATIENCE, until};
pub use contest::{Journal, Random, Verdict, judge};
pub use isolation::{can_unshare, unshared};
pub use performer::Performer;
pub use stepper::{Call, Steps, can_step};
pub use world::World;
