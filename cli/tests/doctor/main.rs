//! `portalloc doctor`: for each line that it can print there is a spoiled machine on which exactly that line turns.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of tests: a failure is a failed test"
)]

mod explain;
mod machine;
mod output;
mod spoiled;

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");
