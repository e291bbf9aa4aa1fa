//! Processes of all languages, killed at random instants.

fn main() {}
