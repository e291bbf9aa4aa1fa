//! The protocol of leases and environments as a state machine, explored exhaustively.

fn main() {}
