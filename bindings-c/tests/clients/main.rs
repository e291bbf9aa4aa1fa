//! What clients of the library see: programs in C and C++, compiled against it and run.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure is a failed test")]

mod behaviours;
mod contract;
mod holders;
mod installed;
mod support;
