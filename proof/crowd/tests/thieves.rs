//! What README and `docs/socket-activation.md` say of thieves, cell by cell.

use std::process::Command;

use portalloc_testkit::{own_network, skip};
use serde_json::Value;

const THIEVES: [&str; 8] = ["aW", "a4", "a6", "b", "c", "d", "e", "eA"];

/// `·` nothing may be stolen, `X` it is known that all can be: that nothing holds a port must show, or the thieves are
/// none.
const EXPECTED: [(&str, &str); 10] = [
    ("nothing: probed", "XXXXXXXX"),
    ("a lease, in the ephemeral range", "XXXXXXXX"),
    ("a lease from the default pool", "····XXX·"),
    ("a shared guard", "·····XXX"),
    ("an exclusive guard", "········"),
    ("sockets for the server", "········"),
    ("the same sockets, not listening yet", "·····X··"),
    ("sockets on [::]", "········"),
    ("`portalloc run --guard`", "·····XXX"),
    ("`portalloc run --listen`", "······XX"),
];

#[test]
fn nobody_steals_what_is_promised_and_everybody_what_nobody_holds() {
    if own_network("").is_none() {
        return skip("no network namespace can be made here");
    }
    let scratch = tempfile::tempdir().unwrap();
    let json = scratch.path().join("thieves.json");
    let done = Command::new(env!("CARGO_BIN_EXE_portalloc-crowd"))
        .args(["thieves", "--rounds", "2", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let written: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let rows = written["result"]["table"].as_array().unwrap();
    assert_eq!(rows.len(), EXPECTED.len());
    for (row, (holder, expected)) in rows.iter().zip(EXPECTED) {
        assert!(row["holder"].as_str().unwrap().starts_with(holder), "{row}");
        for (thief, expected) in THIEVES.iter().zip(expected.chars()) {
            let cell = &row["thieves"][thief];
            assert_eq!(cell["tried"], 40);
            assert_eq!(cell["stolen"], if expected == 'X' { 40 } else { 0 }, "{holder}, {thief}");
        }
    }
}
