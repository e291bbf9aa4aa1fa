//! A network namespace of the run's own, so that nobody else's sockets meddle with the result, and its ports are nobody
//! else's trouble. The program starts itself again in it.

use std::process::{Command, ExitCode, Stdio};

use crate::fault::Fallible;
use crate::{say, user};

const INSIDE: &str = "PORTALLOC_CROWD_NAMESPACE";

/// What `unshare` has to do, in words for it: only root can do without a user namespace.
fn flags() -> &'static str {
    if user::own() == 0 { "-n" } else { "-rn" }
}

/// Does `work` in a namespace of its own; where there can be none, says so and does it here.
pub(crate) fn within(work: impl FnOnce() -> Fallible<ExitCode>) -> Fallible<ExitCode> {
    if std::env::var_os(INSIDE).is_some() {
        return work();
    }
    let prepare = "ip link set lo up";
    let tried = Command::new("unshare").args([flags(), "sh", "-c", prepare]).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        say(&format!(
            "NOTE: `unshare {}` with `{prepare}` does not work here: other programs' sockets meddle",
            flags()
        ));
        return work();
    }
    let script = format!("{prepare} && exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command.args([flags(), "sh", "-c", &script]).arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    let status = command.env(INSIDE, "1").status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the kernel's settings for the network may be changed, because they are those of a namespace of our own.
pub(crate) fn is_own() -> bool {
    std::env::var_os(INSIDE).is_some()
}
