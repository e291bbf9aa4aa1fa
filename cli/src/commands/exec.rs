//! `portalloc exec`

use portalloc::Environment;

use crate::args::Exec;
use crate::exit::{Exit, Failure};
use crate::{output, started, wanted};

pub(crate) fn run(args: &Exec) -> Result<Exit, Failure> {
    let (settings, request) = (wanted::settings(&args.environment), wanted::request(&args.environment)?);
    let (environment, hold) = settings.hold_worktree_environment(request)?;
    let command = started::command(&environment, &args.command, args.no_expand);
    // As with `run`: a process that ignores SIGCHLD would make the command lose the exit statuses of its children.
    Environment::keep_exit_statuses()?;
    output::warnings();
    started::refused(hold.exec(command))
}
