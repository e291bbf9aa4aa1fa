//! The errors for invalid arguments, in one place, so that every language reports them in the same words. Pure.

use std::fmt::Display;

use crate::error::{Error, ErrorCode};

/// The error for a number that is not a valid port.
pub fn no_port(shown: impl Display) -> Error {
    Error::invalid_argument(format!("port {shown} is not valid"), "use ports from 1 to 65535")
}

/// The error for an invalid number of ports.
pub fn no_count(shown: impl Display) -> Error {
    Error::invalid_argument(format!("{shown} ports were asked for"), "ask for 1 or more, and no more than the pool has")
}

/// The error for an invalid offset between ports.
pub fn no_offset(shown: impl Display) -> Error {
    Error::invalid_argument(
        format!("the offset {shown} is out of range"),
        "use distances from the first port, from 0 to 65534",
    )
}

/// The error for an index that the lease does not have.
pub fn no_index(shown: impl Display, count: usize) -> Error {
    Error::invalid_argument(
        format!("the lease has no port at index {shown}"),
        format!("use an index from 0 to {}", count.saturating_sub(1)),
    )
}

/// The error for a hold on an environment that was given up.
#[must_use]
pub fn no_hold() -> Error {
    Error::invalid_argument("the hold has been released", "pass it on before its release, or take another one")
}

/// The error for a worktree whose environment was not made yet, in languages that have no value for that.
#[must_use]
pub fn no_worktree_environment() -> Error {
    Error::new(
        ErrorCode::NotFound,
        "the worktree has no environment yet",
        "make it: `portalloc env` does, and the call for the environment of a worktree",
    )
}

/// The error for a number that is not a process ID.
pub fn no_process(shown: impl Display) -> Error {
    Error::invalid_argument(format!("{shown} is not a process ID"), "name the ID of a running process")
}

/// The error for a socket type other than stream and datagram.
pub fn no_socket_type(shown: impl Display) -> Error {
    Error::invalid_argument(format!("{shown} is not a supported socket type"), "use a stream or a datagram socket")
}

/// The error for a number that is not the HTTP status of an answer.
pub fn no_status(shown: impl Display) -> Error {
    Error::invalid_argument(format!("{shown} is not the HTTP status of an answer"), "use one from 200 to 599")
}

/// The error for a NULL pointer that must not be NULL.
pub fn no_pointer(what: &str) -> Error {
    Error::invalid_argument(format!("{what} is NULL"), "pass what the function's documentation asks for")
}

/// The error for text that is not valid UTF-8.
pub fn no_text(what: &str, shown: impl Display) -> Error {
    Error::invalid_argument(format!("{what} is not valid UTF-8: {shown}"), "pass UTF-8 text")
}

/// The error for a struct whose size field is wrong.
pub fn no_struct_size(size: usize) -> Error {
    Error::invalid_argument(
        format!("the options say that their size is {size} bytes"),
        "initialize them with the function that sets their defaults",
    )
}
