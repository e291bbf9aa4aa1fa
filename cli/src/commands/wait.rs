//! `portalloc wait`: prints nothing, because the exit status is the result.

use std::time::{Duration, Instant};

use portalloc::pool::PortSet;
use portalloc::{Environment, IsolationId, Readiness, Settings};

use crate::args::Wait;
use crate::exit::{Exit, Failure};
use crate::wanted;

pub(crate) fn run(args: &Wait) -> Result<Exit, Failure> {
    let id = args.id.as_ref().map(|id| id.parse::<IsolationId>()).transpose()?;
    wanted::check_ports(&args.ports)?;
    if args.mine {
        let (environment, left) = match id {
            Some(id) => (wanted::open(Settings::new())?.attach(id)?, args.timeout),
            None => found(args)?,
        };
        let ports = wanted::ports(&args.ports, &environment)?;
        environment.wait_until_ours(&ports, &readiness(args), left)?;
        return Ok(Exit::Success);
    }
    let numbers = !args.ports.is_empty() && args.ports.iter().all(|word| wanted::is_ports(word));
    let mut left = args.timeout;
    let ports = match id {
        None if numbers => PortSet::parse(&args.ports.join(","))?.ports().collect(),
        None => {
            let environment;
            (environment, left) = found(args)?;
            named(args, &environment)?
        }
        Some(_) => Vec::new(),
    };
    let allocator = wanted::open(Settings::new())?;
    let ports = match id {
        Some(id) => allocator.environment_ports(id)?,
        None => ports,
    };
    if args.free {
        allocator.wait_until_free(&ports, left)?;
    } else {
        allocator.wait_until_ready(&ports, &readiness(args), left)?;
    }
    Ok(Exit::Success)
}

/// The worktree's environment, and the time that is left for its servers. What makes it may have been started a moment ago,
/// as in `portalloc exec ... &`.
fn found(args: &Wait) -> Result<(Environment, Duration), Failure> {
    let begun = Instant::now();
    match wanted::find_current(&args.which, Duration::ZERO) {
        Err(Failure::NoEnvironment(_)) if !args.free => {}
        found => return Ok((found?, args.timeout)),
    }
    let found = wanted::find_current(&args.which, args.timeout)?;
    // As messages tell it.
    let waited = Duration::from_millis(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    Ok((found, args.timeout.saturating_sub(waited)))
}

/// The ports that the words mean; without words, every port of the environment.
fn named(args: &Wait, environment: &Environment) -> Result<Vec<u16>, Failure> {
    if args.ports.is_empty() { Ok(environment.ports().to_vec()) } else { wanted::ports(&args.ports, environment) }
}

fn readiness(args: &Wait) -> Readiness {
    let readiness = args.http.as_ref().map_or_else(Readiness::open, Readiness::http);
    match args.status {
        Some(status) => readiness.status(status),
        None => readiness,
    }
}
