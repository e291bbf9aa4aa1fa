//! The errors for arguments that are none: one place for their words, so that every language refuses the same in the same
//! way. Pure.

use std::fmt::Display;

use crate::error::Error;

/// The error for a number that is no port.
pub fn no_port(shown: impl Display) -> Error {
    Error::invalid_argument(format!("port {shown} does not exist"), "name ports from 1 to 65535")
}

/// The error for a number that is no number of ports.
pub fn no_count(shown: impl Display) -> Error {
    Error::invalid_argument(format!("{shown} ports were asked for"), "ask for 1 or more, and no more than the pool has")
}

/// The error for a number that is no distance between ports.
pub fn no_offset(shown: impl Display) -> Error {
    Error::invalid_argument(
        format!("the offset {shown} is out of range"),
        "name distances from the first port, from 0 to 65534",
    )
}

/// The error for a number that is no index of the ports of a lease.
pub fn no_index(shown: impl Display, count: usize) -> Error {
    Error::invalid_argument(
        format!("the lease has no port at index {shown}"),
        format!("use an index from 0 to {}", count.saturating_sub(1)),
    )
}

/// The error for a number that is no process ID.
pub fn no_process(shown: impl Display) -> Error {
    Error::invalid_argument(format!("{shown} is not a process ID"), "name the ID of a running process")
}

/// The error for a kind of socket that is neither a TCP nor a UDP one.
pub fn no_socket_type(shown: impl Display) -> Error {
    Error::invalid_argument(
        format!("{shown} is no kind of socket to hand over"),
        "ask for a stream or a datagram socket",
    )
}

/// The error for a pointer that must lead somewhere.
pub fn no_pointer(what: &str) -> Error {
    Error::invalid_argument(format!("{what} is NULL"), "give what the function's documentation asks for")
}

/// The error for a text that is none.
pub fn no_text(what: &str, shown: impl Display) -> Error {
    Error::invalid_argument(format!("{what} is not valid UTF-8: {shown}"), "give the text in UTF-8")
}

/// The error for a struct that does not say its size.
pub fn no_struct_size(size: usize) -> Error {
    Error::invalid_argument(
        format!("the options say that their size is {size} bytes"),
        "make them with the function that sets their defaults",
    )
}
