//! portalloc for C: converts arguments, calls the core once, returns a number for its error. The crate `portalloc` decides
//! what a call means. The comments of what is exported become those of `include/portalloc.h`.
#![expect(unsafe_code, reason = "pointers of another language; whatever touches one is in pointers.rs")]
#![expect(
    clippy::missing_safety_doc,
    reason = "all ask the same of their callers: the conventions at the head of the header"
)]

pub mod cancel;
pub mod environment;
pub mod handler;
pub mod held;
pub mod lease;
pub mod options;
mod pointers;
pub mod ports;
pub mod reports;
pub mod results;
pub mod texts;
pub mod version;
pub mod waits;
pub mod warnings;
pub mod worktree;
