//! portalloc for C: converts arguments, calls the core once, gives a number for its error. What a call means is decided in
//! the crate `portalloc`. The comments of what is exported become those of `include/portalloc.h`.
#![expect(unsafe_code, reason = "pointers of another language; whatever touches one is in pointers.rs")]

pub mod cancel;
pub mod environment;
pub mod held;
pub mod lease;
pub mod listing;
pub mod options;
mod pointers;
pub mod ports;
pub mod report;
pub mod results;
pub mod settings;
pub mod version;
pub mod warnings;
