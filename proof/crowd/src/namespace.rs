//! A network namespace of the run's own, so that nobody else's sockets meddle with the result, and its ports are nobody
//! else's trouble. The program starts itself again in it.

use std::process::ExitCode;

use portalloc_testkit::own_network;

use crate::fault::Fallible;
use crate::say;

const INSIDE: &str = "PORTALLOC_CROWD_NAMESPACE";

/// Does `work` in a namespace of its own; where there can be none, says so and does it here.
pub(crate) fn within(work: impl FnOnce() -> Fallible<ExitCode>) -> Fallible<ExitCode> {
    if std::env::var_os(INSIDE).is_some() {
        return work();
    }
    let Some(mut command) = own_network("") else {
        say("NOTE: no network namespace can be made here: other programs' sockets meddle");
        return work();
    };
    command.arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    let status = command.env(INSIDE, "1").status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the kernel's settings for the network may be changed, because they are those of a namespace of our own.
pub(crate) fn is_own() -> bool {
    std::env::var_os(INSIDE).is_some()
}
