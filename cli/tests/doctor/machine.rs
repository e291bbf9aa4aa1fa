//! A machine that is examined twice: as it should be, and spoiled.

use std::collections::BTreeMap;
use std::fs;

use portalloc_testkit::{CommandLine, can_unshare, run};
use serde_json::Value;

use crate::PORTALLOC;

/// How a machine is made and spoiled, in shell, and which line turns.
///
/// Scripts find the scratch directory in `$1`, and `doctor` is examined as the value of `$who doctor --json`.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    /// Namespaces beside those that every machine has: mounts and processes.
    pub(crate) namespaces: &'static str,
    /// Makes the machine as it should be.
    pub(crate) make: &'static str,
    /// Runs the program in its arguments as the user who examines.
    pub(crate) who: &'static str,
    /// Spoils the machine.
    pub(crate) spoil: &'static str,
    /// Starts the program in its arguments in spoiled surroundings.
    pub(crate) within: &'static str,
    /// The line that turns, and to which status.
    pub(crate) turns: (&'static str, &'static str),
    /// What its message or its remedy then contains.
    pub(crate) says: &'static str,
    /// Lines that are not examined then.
    pub(crate) skips: &'static [&'static str],
    /// Lines that keep their status, and show the consequences.
    pub(crate) follow: &'static [&'static str],
}

/// A machine with nothing wrong yet.
pub(crate) const SOUND: Machine = Machine {
    namespaces: "",
    make: "",
    who: "",
    spoil: "",
    within: "",
    turns: ("", ""),
    says: "",
    skips: &[],
    follow: &[],
};

impl Machine {
    /// Examines it before and after it is spoiled.
    pub(crate) fn check(self) {
        // Each has a /proc of its own, so that no machine sees another one's processes.
        let flags = [&format!("-pm{}", self.namespaces), "--fork", "--kill-child", "--mount-proc"];
        if !can_unshare(&flags) {
            return;
        }
        let world = CommandLine::new(PORTALLOC);
        world.open_to_all();
        let Self { make, who, spoil, within, .. } = self;
        let script = format!(
            "P=\"$2\"\n{make}\n{who} \"$P\" doctor --json > \"$1/healthy\" 2>&3\n\
             {spoil}\nstatus=0\n{within} {who} \"$P\" doctor --json > \"$1/spoiled\" 2>&3 || status=$?\necho $status"
        );
        let mut command = world.program("unshare");
        command
            .args(flags)
            .args(["sh", "-euc", &format!("exec 3>&2\n{script}"), "sh"])
            .arg(world.path())
            .arg(PORTALLOC);
        let ended = run(&mut command);
        let status = ended.succeeded();
        let read = |name: &str| -> Value {
            serde_json::from_slice(&fs::read(world.path().join(name)).unwrap())
                .unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let (healthy, spoiled) = (read("healthy"), read("spoiled"));
        assert_eq!(healthy["ok"], true, "{healthy:#}");
        self.compare(&lines(&healthy), &lines(&spoiled));
        let is_broken = self.turns.1 == "broken";
        assert_eq!(spoiled["ok"], !is_broken);
        assert_eq!(status.trim(), if is_broken { "1" } else { "0" });
    }

    fn compare(&self, healthy: &BTreeMap<String, Value>, spoiled: &BTreeMap<String, Value>) {
        let (code, status) = self.turns;
        assert!(healthy.keys().eq(spoiled.keys()), "the same lines");
        for (name, before) in healthy {
            let after = &spoiled[name];
            if name == code {
                assert_ne!(before["status"], status, "it was so before: {before:#}");
                assert_eq!(after["status"], status, "{after:#}");
                let text = format!("{} {}", after["message"], after["remedy"]);
                assert!(text.contains(self.says), "{text}");
                assert_eq!(status == "broken", status == "broken" && after["remedy"].is_string(), "{after:#}");
            } else if self.skips.contains(&name.as_str()) {
                assert_eq!(after["status"], "skipped", "{after:#}");
            } else if self.follow.contains(&name.as_str()) {
                assert_eq!(after["status"], before["status"], "{after:#}");
                assert_ne!(after, before, "it shows no consequence");
            } else {
                assert_eq!(after, before, "only {code} may turn");
            }
        }
    }
}

fn lines(report: &Value) -> BTreeMap<String, Value> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().map(|check| (check["code"].as_str().unwrap().to_owned(), check.clone())).collect()
}
