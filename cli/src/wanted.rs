//! What kind of environment the user wants, as the arguments say it. What the project file and variables add is the
//! core's.

use portalloc::ffi::Wanted;
use portalloc::{Allocator, EnvironmentRequest, Settings};

use crate::args::EnvironmentArgs;
use crate::commands;
use crate::exit::Failure;

/// The request, without what only one of the commands knows: how long it lives, where its env file goes.
pub(crate) fn request(args: &EnvironmentArgs) -> Result<EnvironmentRequest, Failure> {
    let mut request = EnvironmentRequest::new().names(args.names.iter().map(String::as_str));
    if let Some(instance_id) = &args.instance_id {
        request = request.instance_id(instance_id);
    }
    if args.sticky {
        request = request.sticky(true);
    }
    if let Some(worktree) = &args.worktree {
        request = request.worktree(worktree);
    }
    if let Some(wait) = args.wait {
        request = request.wait(wait);
    }
    let some = |ports: &[u16]| (!ports.is_empty()).then(|| ports.to_vec());
    let wanted = Wanted {
        count: args.ports,
        ports: some(&args.specific),
        offsets: some(&args.offsets),
        scattered: args.scattered,
    };
    Ok(wanted.of_environment(request)?)
}

/// Opens for the request, which the project file may complete.
pub(crate) fn open(
    args: &EnvironmentArgs,
    request: EnvironmentRequest,
) -> Result<(Allocator, EnvironmentRequest), Failure> {
    let mut settings = Settings::new();
    if let Some(pool) = &args.pool {
        settings = settings.pool(pool);
    }
    if let Some(exclude) = &args.exclude {
        settings = settings.exclude(exclude);
    }
    let (allocator, request) = settings.open_for(request)?;
    commands::warn();
    Ok((allocator, request))
}
