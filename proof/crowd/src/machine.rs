//! What a result has to say of where it comes from.

use std::path::Path;
use std::process::Command;

use portalloc::registry::Timestamp;
use serde_json::{Value, json};

use crate::fault::{Doing, Fallible};

/// Date, machine and versions, with `result` beside them.
pub(crate) fn described(result: Value) -> Value {
    let names = rustix::system::uname();
    let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
    json!({
        "date": Timestamp::now().to_string(),
        "machine": {
            "system": text(names.sysname()),
            "kernel": text(names.release()),
            "architecture": text(names.machine()),
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "processor": processor(),
        },
        "versions": {
            "portalloc": env!("CARGO_PKG_VERSION"),
            "python": version(std::env::var_os("PORTALLOC_PYTHON").unwrap_or_else(|| "python3".into()), "--version"),
            "node": version("node".into(), "--version"),
            "go": version("go".into(), "version"),
            "cc": version("cc".into(), "--version"),
        },
        "result": result,
    })
}

pub(crate) fn write(path: &Path, result: Value) -> Fallible<()> {
    let text = serde_json::to_string_pretty(&described(result))?;
    std::fs::write(path, text + "\n").doing(|| format!("cannot write {}", path.display()))
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(": ").map(|(_, name)| name.to_owned())
}

/// The first line that a program says of itself; nothing, where there is none.
fn version(program: std::ffi::OsString, argument: &str) -> Option<String> {
    let said = Command::new(program).arg(argument).output().ok().filter(|said| said.status.success())?;
    String::from_utf8_lossy(&said.stdout).lines().next().map(str::to_owned)
}
