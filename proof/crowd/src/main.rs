//! Millions of leases by all languages and several users, with thieves beside them.

fn main() {}
