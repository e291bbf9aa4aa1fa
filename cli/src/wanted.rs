//! What kind of environment the user wants, as the arguments say it. What the project file and variables add is the
//! core's.

use portalloc::ffi::{EnvironmentOptions, PortChoice};
use portalloc::{Allocator, EnvironmentRequest, Settings};

use crate::args::EnvironmentArgs;
use crate::commands;
use crate::exit::Failure;

/// The request, without what only one of the commands knows: how long it lives, where its env file goes.
pub(crate) fn request(args: &EnvironmentArgs) -> Result<EnvironmentRequest, Failure> {
    let some = |ports: &[u16]| (!ports.is_empty()).then(|| ports.to_vec());
    let options = EnvironmentOptions {
        ports: PortChoice {
            count: args.ports,
            ports: some(&args.specific),
            offsets: some(&args.offsets),
            scattered: args.scattered,
        },
        names: Some(args.names.clone()),
        instance_id: args.instance_id.clone(),
        worktree: args.worktree.clone(),
        sticky: args.sticky.then_some(true),
        wait: args.wait,
        ..EnvironmentOptions::default()
    };
    Ok(options.request()?)
}

/// Opens for the request, which the project file may complete.
pub(crate) fn open(
    args: &EnvironmentArgs,
    request: EnvironmentRequest,
) -> Result<(Allocator, EnvironmentRequest), Failure> {
    let settings = Settings::given(None, args.pool.clone(), args.exclude.clone());
    let (allocator, request) = settings.open_for(request)?;
    commands::warn();
    Ok((allocator, request))
}
