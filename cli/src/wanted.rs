//! From arguments to the core: opens an allocator, and describes the environment that the user asks for. The core adds
//! what the project file and the variables say.

use portalloc::ffi::{EnvironmentOptions, PortChoice};
use portalloc::pool::parse_ports;
use portalloc::{Allocator, EnvironmentRequest, Settings};

use crate::args::EnvironmentArgs;
use crate::exit::Failure;
use crate::output;

/// The request without what only one command knows: how long the environment lives, where its env file goes.
pub(crate) fn request(args: &EnvironmentArgs) -> Result<EnvironmentRequest, Failure> {
    let options = EnvironmentOptions {
        ports: PortChoice {
            count: args.ports,
            exact: args.specific.as_deref().map(parse_ports).transpose()?,
            offsets: (!args.offsets.is_empty()).then(|| args.offsets.clone()),
            scattered: args.scattered,
        },
        names: Some(args.names.clone()),
        instance_id: args.instance_id.clone(),
        worktree: args.worktree.clone(),
        sticky: args.sticky.then_some(true),
        prefer: args.prefer.as_deref().map(parse_ports).transpose()?,
        wait: args.wait,
        ..EnvironmentOptions::default()
    };
    Ok(options.request()?)
}

/// Opens an allocator for the request, and completes the request from the project file.
pub(crate) fn open_for(
    args: &EnvironmentArgs,
    request: EnvironmentRequest,
) -> Result<(Allocator, EnvironmentRequest), Failure> {
    let settings = Settings::given(None, args.pool.clone(), args.exclude.clone());
    let opened = settings.open_for(request)?;
    output::warnings();
    Ok(opened)
}

/// Opens an allocator.
pub(crate) fn open(settings: Settings) -> Result<Allocator, Failure> {
    let allocator = settings.open()?;
    output::warnings();
    Ok(allocator)
}
