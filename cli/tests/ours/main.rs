//! `wait --mine`, `stop` and `down` with real processes: what is ended and what is spared.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in helpers of tests, too, a failure is a failed test"
)]

mod down;
mod kinds;
mod place;
mod stop;
mod wait;
