//! From arguments to the core: opens an allocator, and describes the environment that the user asks for. The core adds
//! what the project file and the variables say.

use std::path::PathBuf;
use std::time::Duration;

use portalloc::ffi::{EnvironmentOptions, PortChoice, check_port_name};
use portalloc::pool::{PortSet, parse_ports};
use portalloc::worktree::Worktree;
use portalloc::{Allocator, Environment, EnvironmentRequest, Settings};

use crate::args::{EnvironmentArgs, Which};
use crate::exit::{Exit, Failure};
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

/// Leaves the environment as it is at the end of a command, where each system call counts: to close what is open is the
/// kernel's work.
pub(crate) fn leave(environment: Environment) -> Exit {
    std::mem::forget(environment);
    Exit::Success
}

/// The environment of the worktree, or an error that says how to make it.
pub(crate) fn find_worktree_environment(args: &EnvironmentArgs) -> Result<Environment, Failure> {
    found(settings(args).find_worktree_environment(request(args)?)?, args.worktree.as_ref())
}

/// The environment of the worktree, for commands that never make one.
pub(crate) fn find(which: &Which) -> Result<Environment, Failure> {
    found(Settings::new().find_worktree_environment(described(which)?)?, which.worktree.as_ref())
}

/// The environment that this process works in: one that `ISOLATION_ID` names, if it is of the worktree, else the
/// worktree's. Waits for it for up to `limit`.
pub(crate) fn find_current(which: &Which, limit: Duration) -> Result<Environment, Failure> {
    found(Settings::new().find_current_environment(described(which)?, limit)?, which.worktree.as_ref())
}

fn described(which: &Which) -> Result<EnvironmentRequest, Failure> {
    let options = EnvironmentOptions {
        instance_id: which.instance_id.clone(),
        worktree: which.worktree.clone(),
        ..EnvironmentOptions::default()
    };
    Ok(options.request()?)
}

fn found(environment: Option<Environment>, worktree: Option<&PathBuf>) -> Result<Environment, Failure> {
    output::warnings();
    match environment {
        Some(found) => Ok(found),
        None => {
            let current = || Worktree::current().map(|worktree| worktree.directory().to_owned());
            Err(Failure::NoEnvironment(worktree.cloned().map_or_else(current, Ok)?))
        }
    }
}

/// Whether a word is ports, such as `20010` or `20010-20014,20020`, and not the name of one: no name begins with a digit.
pub(crate) fn is_ports(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
}

/// Checks words that [`ports`] is given later, once there is an environment.
pub(crate) fn check_ports(words: &[String]) -> Result<(), Failure> {
    for word in words {
        if is_ports(word) {
            PortSet::parse(word)?;
        } else {
            check_port_name(word)?;
        }
    }
    Ok(())
}

/// The ports that these words mean: numbers, and names of the environment's ports.
pub(crate) fn ports(words: &[String], environment: &Environment) -> Result<Vec<u16>, Failure> {
    let mut ports = Vec::new();
    for word in words {
        if is_ports(word) {
            ports.extend(PortSet::parse(word)?.ports());
        } else {
            let index = environment.record().index(word)?;
            ports.extend(environment.ports().get(index));
        }
    }
    Ok(ports)
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
