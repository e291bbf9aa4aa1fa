//! Namespaces by `unshare` of util-linux. Where it does not work, tests are skipped: loudly, and never in CI.

#![expect(clippy::panic, reason = "a helper of tests: a failure is a failed test")]
#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

use std::process::{Command, Stdio};

use crate::{Actor, World};

/// Whether `unshare` works with these flags. If not, says so on standard error, and fails where `CI` is set.
#[must_use]
pub fn can_unshare(flags: &[&str]) -> bool {
    let tried = Command::new("unshare").args(flags).arg("true").stderr(Stdio::null()).status();
    if tried.is_ok_and(|status| status.success()) {
        return true;
    }
    if std::env::var_os("CI").is_some() {
        panic!("`unshare {}` does not work here, but CI must run this test", flags.join(" "));
    }
    eprintln!("SKIPPED: `unshare {}` does not work here", flags.join(" "));
    false
}

/// An actor in new namespaces, in which `prepare` (a shell script, `$1` is the world's scratch folder) ran first.
#[must_use]
pub fn unshared(world: &World, flags: &[&str], prepare: &str) -> Actor {
    let mut command = world.command("unshare");
    command.args(flags).args(["sh", "-ec", &format!("{prepare}\nexec \"$2\""), "sh"]);
    command.arg(world.scratch()).arg(world.program());
    Actor::spawn(command)
}
