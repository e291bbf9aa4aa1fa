//! From arguments to the core: opens an allocator, and describes the environment that the user asks for. The core adds
//! what the project file and the variables say.

use portalloc::ffi::Wanted;
use portalloc::{Allocator, EnvironmentRequest, Settings};

use crate::args::EnvironmentArgs;
use crate::exit::Failure;
use crate::output;

/// The request without what only one command knows: how long the environment lives, where its env file goes.
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

/// Opens an allocator for the request, and completes the request from the project file.
pub(crate) fn open_for(
    args: &EnvironmentArgs,
    request: EnvironmentRequest,
) -> Result<(Allocator, EnvironmentRequest), Failure> {
    let settings = with_ports(Settings::new(), args.pool.as_deref(), args.exclude.as_deref());
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

/// Settings with the pool that the user named.
pub(crate) fn with_ports(mut settings: Settings, pool: Option<&str>, exclude: Option<&str>) -> Settings {
    if let Some(pool) = pool {
        settings = settings.pool(pool);
    }
    if let Some(exclude) = exclude {
        settings = settings.exclude(exclude);
    }
    settings
}
