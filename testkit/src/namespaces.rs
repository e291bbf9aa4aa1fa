//! Namespaces, created with `unshare` of util-linux.

use std::process::{Command, Stdio};

use crate::skip;

/// Whether `unshare` works with these flags. Calls [`skip()`] if not.
#[must_use]
pub fn can_unshare(flags: &[&str]) -> bool {
    let works = succeeds(Command::new("unshare").args(flags).arg("true"));
    if !works {
        skip(&format!("`unshare {}` does not work here", flags.join(" ")));
    }
    works
}

/// A command that starts the program in its further arguments in a new network namespace, in which the loopback
/// interface is up and the shell script `prepare` ran first. `None` if that does not work here.
#[must_use]
pub fn own_network(prepare: &str) -> Option<Command> {
    // Only root can do this without a user namespace.
    let flags = if rustix::process::geteuid().is_root() { "-n" } else { "-rn" };
    let shell = |script: &str| {
        let mut command = Command::new("unshare");
        command.args([flags, "sh", "-euc", script]);
        command
    };
    let prepare = format!("ip link set lo up; {prepare}\n");
    succeeds(&mut shell(&prepare)).then(|| shell(&format!("{prepare}exec \"$0\" \"$@\"")))
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
