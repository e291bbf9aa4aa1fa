//! The loop of a worktree: whose server answers, wait until it is one's own, end one's own and nothing else.

mod facts;
mod ours;
mod stop;
mod stop_report;
mod wait;

pub use ours::OursReason;
pub use stop::StopOptions;
pub use stop_report::{ForeignProcess, Outcome, StopReport, StoppedProcess, Supervisor, UnknownHolder};
