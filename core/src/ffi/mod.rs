//! What bindings to other languages are built from: open allocators for calls that do not name one, arguments as those
//! languages pass them, the errors for invalid ones, and a barrier that stops panics. Programs in Rust do not need it.

mod exported;
mod logging;
mod obtain;
mod options;
mod values;
mod worktree;

pub use crate::allocators::Allocators;
pub use crate::process::{Maker, port_at, warn_once};
pub use crate::refusals::*;
pub use exported::Exported;
pub use logging::start_log;
pub use obtain::Obtain;
pub use options::{EnvironmentOptions, LeaseOptions, PortChoice};
pub use values::{address, check_port_name, milliseconds, seconds, syntax};
pub use worktree::{EndOptions, ReadinessOptions, down, stop, wait_until_ours};

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, ErrorCode, Result};

/// Serializes a value to the JSON that the command line prints for it, for languages that read JSON rather than
/// structs.
///
/// # Errors
/// `internal` for a value that cannot be written as JSON.
pub fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorCode::Internal, format!("cannot write a value as JSON: {error}"), "please report it")
    })
}

/// Runs `work`, and turns a panic in it into the error `internal`.
///
/// Every call of a binding comes through here, so it also [starts the log](start_log).
///
/// A panic may leave values half changed, and poisons their mutexes; this library ignores the poison.
///
/// # Errors
/// Any error of `work`, and `internal`.
pub fn no_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    start_log();
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<&str>().copied().map(ToOwned::to_owned);
        let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(
            ErrorCode::Internal,
            format!("portalloc has a defect: {what}"),
            "please report it, with what was called",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        let error = no_panic(|| -> Result<()> { panic!("of {}", 7) }).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal);
        assert_eq!(error.message(), "portalloc has a defect: of 7");
        assert!(no_panic(|| Ok(1)).is_ok());
    }
}
