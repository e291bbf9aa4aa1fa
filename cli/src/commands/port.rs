//! `portalloc port`

use portalloc::ffi::check_port_name;

use crate::args::Port;
use crate::exit::{Exit, Failure};
use crate::{output, wanted};

pub(crate) fn run(args: &Port) -> Result<Exit, Failure> {
    check_port_name(&args.name)?;
    let environment = if args.ensure {
        wanted::worktree_environment(&args.environment)?
    } else {
        wanted::find_worktree_environment(&args.environment)?
    };
    let index = environment.record().index(&args.name)?;
    let port = environment.ports().get(index).copied().unwrap_or_default();
    output::result(&format!("{port}\n"))?;
    Ok(wanted::leave(environment))
}
