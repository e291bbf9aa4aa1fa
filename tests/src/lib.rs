//! What the tests of several processes share: actors on a stage of their own for each test, and a judge.
//!
//! A failure in here is a failed test, so helpers panic where product code would return an error.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod actor;
mod contest;
mod options;
mod performer;
mod stage;
mod stepper;

pub use actor::{Actor, Answer, Failure};
pub use contest::{Journal, Verdict, judge};
pub use performer::Performer;
pub use stage::Stage;
pub use stepper::{Call, Steps, can_step};
