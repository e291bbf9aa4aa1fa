//! What an actor says of what it did, as JSON.

use portalloc::Result;
use portalloc::cleanup::CleanupReport;
use serde_json::{Value, json};

pub(super) fn report(report: &CleanupReport) -> Value {
    let removed = |removed: &portalloc::cleanup::Removed| {
        json!({
            "id": removed.id.to_string(),
            "reason": format!("{:?}", removed.reason),
            "ports": removed.ports,
            "temp_dir": removed.traces.temp_dir,
            "env_file": removed.traces.env_file,
            "left": removed.traces.left.iter().map(|left| format!("{} {}", left.path.display(), left.why)).collect::<Vec<_>>(),
        })
    };
    let skipped = |skipped: &portalloc::cleanup::Skipped| json!({"id": skipped.id.to_string(), "error": skipped.error.code().as_str()});
    json!({
        "removed": report.removed.iter().map(removed).collect::<Vec<_>>(),
        "skipped": report.skipped.iter().map(skipped).collect::<Vec<_>>(),
        "swept": report.swept,
    })
}

pub(super) fn stale_word(status: &portalloc::environment::Status) -> Option<&'static str> {
    match status {
        portalloc::environment::Status::Stale(reason) => Some(reason.as_str()),
        _ => None,
    }
}

pub(super) fn answer(done: Result<Value>) -> Value {
    match done {
        Ok(value) => json!({"ok": value}),
        Err(error) => json!({"error": error.code().as_str(), "message": error.to_string()}),
    }
}
