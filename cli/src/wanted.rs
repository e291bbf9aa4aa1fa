//! From arguments to the core: opens an allocator, and describes the environment that the user asks for. The core adds
//! what the project file and the variables say.

use portalloc::ffi::{EnvironmentOptions, PortChoice};
use portalloc::pool::parse_ports;
use portalloc::worktree::Worktree;
use portalloc::{Allocator, Environment, EnvironmentRequest, Settings};

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

/// The settings that the arguments give.
pub(crate) fn settings(args: &EnvironmentArgs) -> Settings {
    Settings::given(None, args.pool.clone(), args.exclude.clone())
}

/// The environment of the worktree, made if there is none.
pub(crate) fn worktree_environment(args: &EnvironmentArgs) -> Result<Environment, Failure> {
    Ok(settings(args).worktree_environment(request(args)?)?)
}

/// The environment of the worktree, or an error that says how to make it.
pub(crate) fn find_worktree_environment(args: &EnvironmentArgs) -> Result<Environment, Failure> {
    match settings(args).find_worktree_environment(request(args)?)? {
        Some(found) => Ok(found),
        None => {
            let worktree = args
                .worktree
                .clone()
                .map_or_else(|| Worktree::current().map(|worktree| worktree.directory().to_owned()), Ok)?;
            Err(Failure::NoEnvironment(worktree))
        }
    }
}

/// Opens an allocator for the request, and completes the request from the project file.
pub(crate) fn open_for(
    args: &EnvironmentArgs,
    request: EnvironmentRequest,
) -> Result<(Allocator, EnvironmentRequest), Failure> {
    let opened = settings(args).open_for(request)?;
    output::warnings();
    Ok(opened)
}

/// Opens an allocator.
pub(crate) fn open(settings: Settings) -> Result<Allocator, Failure> {
    let allocator = settings.open()?;
    output::warnings();
    Ok(allocator)
}
