//! Two hundred environments made at once, as a machine full of test workers does it.

use std::collections::HashSet;

use portalloc_testkit::{CommandLine, id, path, ports, run};
use serde_json::Value;

use crate::PORTALLOC;

const AT_ONCE: usize = 20;
const EACH: usize = 10;

#[test]
fn two_hundred_at_once_get_a_thousand_ports() {
    // In the default pool its probes would make ports of the tests beside it busy.
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1200);
    let create = || run(&mut scratch.command(["create", "--json", "--ports", "5"])).json();
    let created: Vec<Value> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..AT_ONCE).map(|_| scope.spawn(|| (0..EACH).map(|_| create()).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(created.iter().map(id).collect::<HashSet<_>>().len(), 200);
    assert_eq!(created.iter().flat_map(ports).collect::<HashSet<_>>().len(), 1000);
    for key in ["temp_dir", "env_file", "lock_file"] {
        let paths: HashSet<_> = created.iter().map(|created| path(created, key)).collect();
        assert_eq!(paths.len(), 200, "{key}");
        assert!(paths.iter().all(|path| path.exists()), "{key}");
    }
    let listed = scratch.environments();
    assert_eq!(listed.len(), 200);
    assert!(listed.iter().all(|environment| environment["status"] == "active"));
    assert_eq!(scratch.run(["cleanup", "--all"]).succeeded().lines().count(), 200);
    scratch.assert_nothing_left(&[]);
}
