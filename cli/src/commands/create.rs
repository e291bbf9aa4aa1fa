//! `portalloc create`

use portalloc::EnvironmentRequest;
use portalloc::environment::EnvFile;

use crate::args::{Create, Format};
use crate::exit::{Exit, Failure};
use crate::formats::Target;
use crate::sweep::Sweep;
use crate::{output, wanted};

pub(crate) fn run(args: &Create) -> Result<Exit, Failure> {
    let format = match (args.json, args.shell) {
        (true, _) => Format::Json,
        (_, true) => Format::Shell,
        _ => args.format,
    };
    let target = Target::of(format)?;
    let (allocator, request) = wanted::open_for(&args.environment, request(args)?)?;
    let environment = allocator.create_environment(&request)?;
    output::warnings();
    let sweep = Sweep::start(&allocator);
    let shown = target.show(&environment);
    if let Err(error) = shown {
        // The user did not learn its ID, so could not clean it up.
        if let Err(kept) = environment.cleanup() {
            output::warning(&format!(
                "the environment {} is left, because it cannot be removed: {kept}",
                environment.id()
            ));
        }
        return Err(error.into());
    }
    if let (Some(path), Some(other)) = (environment.env_file(), environment.env_file_in_the_way()) {
        output::note(format_args!("the env file is {}, because {other}", path.display()));
    }
    sweep.finish();
    Ok(Exit::Success)
}

fn env_file(args: &Create) -> EnvFile {
    match &args.env_file {
        Some(path) => EnvFile::At(path.clone()),
        None if args.no_env_file => EnvFile::None,
        None => EnvFile::Worktree,
    }
}

fn request(args: &Create) -> Result<EnvironmentRequest, Failure> {
    let mut request = wanted::request(&args.environment)?.kept().env_file(env_file(args)).go_portalloc_names();
    if let Some(ttl) = args.ttl {
        request = request.ttl(ttl);
    }
    if let Some(pid) = args.owner_pid {
        request = request.owner_pid(pid);
    }
    Ok(request)
}
