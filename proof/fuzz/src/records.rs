//! Records as portalloc writes them, for the fuzzer to start from.

use std::path::Path;

use portalloc::registry::ProcessStamp;
use serde_json::{Value, json};

/// A time that is over, and one that is not, whenever this runs.
pub const PAST: &str = "2001-01-01T00:00:00.000Z";
pub const FUTURE: &str = "9999-01-01T00:00:00.000Z";

/// The ID of the environment of this number.
pub fn id(number: u8) -> String {
    format!("f022{number:08x}")
}

/// A kept environment's record that nothing is wrong with, to be changed.
pub fn record(id: &str, ports: &[u16], temp: &Path, holder: ProcessStamp) -> Value {
    json!({
        "format": 1,
        "isolation_id": id,
        "compose_project_name": format!("portalloc-{id}"),
        "worktree_path": temp,
        "instance_id": "",
        "temp_dir": temp.join(format!("portalloc-{id}")),
        "lock_file": temp.join(format!("{id}.json")),
        "env_file": null,
        "ports": { "base_port": ports.first(), "count": ports.len(), "ports": ports },
        "names": [],
        "lifetime": "kept",
        "created_at": PAST,
        "expires_at": null,
        "holder": holder,
        "owner": null,
        "mount_namespace": 0,
        "lease": 1,
    })
}
