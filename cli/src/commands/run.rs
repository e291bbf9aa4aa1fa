//! `portalloc run`

use std::ffi::OsString;
use std::process::{Command, ExitStatus};

use portalloc::environment::{EnvFile, SpawnOptions};
use portalloc::{Environment, ErrorCode};

use crate::args::Run;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::signals::Signals;
use crate::wanted;

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
    let (allocator, request) = wanted::open(&args.environment, request)?;
    let mut environment = allocator.create_environment(&request)?;
    // From now on a signal waits until the command can get it. Not before, since waiting for ports may take long, and
    // what a signal leaves of an environment in the making is stale.
    let signals = Signals::hold()?;
    let ran = supervise(args, &environment, &signals);
    // Removed in any case, or left to whatever the command has left running.
    let cleaned = environment.cleanup();
    let exit = ran?;
    cleaned?;
    Ok(exit)
}

fn supervise(args: &Run, environment: &Environment, signals: &Signals) -> Result<Exit, Failure> {
    // If there is a guard, the command's servers are to get past it.
    if let Some(lease) = environment.lease() {
        lease.open_guard()?;
    }
    let mut words = args.command.iter().map(|word| fill(environment, word));
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    let options = match args.listen.as_deref() {
        None => SpawnOptions::new(),
        Some([]) => SpawnOptions::new().listen(),
        Some(addresses) => SpawnOptions::new().listen_on(addresses.iter().copied()),
    };
    match environment.spawn(command, &options) {
        Ok(mut child) => Ok(exit(signals.forward_until_end(&mut child)?)),
        // As shells have it.
        Err(error) if error.code() == ErrorCode::NotFound => Ok(told(error, 127)),
        Err(error) if error.code() == ErrorCode::PermissionDenied => Ok(told(error, 126)),
        Err(error) => Err(error.into()),
    }
}

/// Ports in the place of their names. An argument that is not text has none.
fn fill(environment: &Environment, word: &OsString) -> OsString {
    word.to_str().map_or_else(|| word.clone(), |text| environment.record().fill(text).into())
}

fn told(error: portalloc::Error, status: u8) -> Exit {
    output::error(&format!("{}: {error}", error.code()));
    Exit::Command(status)
}

fn exit(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Exit::Command(u8::try_from(code).unwrap_or(1))
}
