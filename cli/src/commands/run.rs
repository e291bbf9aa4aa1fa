//! `portalloc run`

use portalloc::environment::{EnvFile, SpawnOptions};
use portalloc::{Allocator, Environment};

use crate::args::Run;
use crate::exit::{Exit, Failure};
use crate::sweep::Sweep;
use crate::sys::{self, Forwarder};
use crate::{output, started, wanted};

pub(crate) fn run(args: &Run) -> Result<Exit, Failure> {
    let env_file = match &args.env_file {
        None => EnvFile::None,
        Some(None) => EnvFile::Worktree,
        Some(Some(path)) => EnvFile::At(path.clone()),
    };
    let mut request = wanted::request(&args.environment)?.env_file(env_file);
    if args.guard {
        request = request.guard(true);
    }
    let (allocator, request) = wanted::open_for(&args.environment, request)?;
    let environment = allocator.create_environment(&request)?;
    output::warnings();
    // The command inherits the default for SIGCHLD, too, even if this process was started with it ignored. Otherwise
    // the command would lose the exit statuses of its children.
    Environment::keep_exit_statuses()?;
    // Until here a signal ends this process, because waiting for ports may take long; an unfinished environment is stale.
    // From here on signals are kept for the command.
    let forwarder =
        Forwarder::hold().map_err(|error| Failure::System("cannot forward signals to the command", error))?;
    let ran = supervise(args, &allocator, &environment, &forwarder);
    let lost = environment.lease().and_then(|lease| lease.check().err()).filter(portalloc::Error::is_lease_lost);
    // Even if the command failed. Processes that it left running keep the environment.
    let cleaned = environment.cleanup();
    let exit = ran?;
    cleaned?;
    match lost.map(|error| Failure::Core(error).report()) {
        Some(lost) if exit == Exit::Command(0) => Ok(lost),
        _ => Ok(exit),
    }
}

fn supervise(
    args: &Run,
    allocator: &Allocator,
    environment: &Environment,
    forwarder: &Forwarder,
) -> Result<Exit, Failure> {
    // The command's servers must be able to bind guarded ports.
    if let Some(lease) = environment.lease() {
        lease.share_guard()?;
    }
    let command = started::command(environment, &args.command, args.no_expand);
    let options = match args.listen.as_deref() {
        None => SpawnOptions::new(),
        Some([]) => SpawnOptions::new().listen(),
        Some(addresses) => SpawnOptions::new().listen_on(addresses.iter().copied()),
    };
    match environment.spawn(command, &options) {
        Ok(mut child) => {
            let sweep = Sweep::start(allocator);
            let status = forwarder
                .wait(&mut child)
                .map_err(|error| Failure::System("cannot wait for the command, which may still be running", error))?;
            sweep.finish();
            Ok(Exit::Command(sys::exit_code(status)))
        }
        Err(error) => started::refused(error),
    }
}
