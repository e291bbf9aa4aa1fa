//! `portalloc wait`: prints nothing, because the exit status is the result.

use std::time::Instant;

use portalloc::pool::PortSet;
use portalloc::{Environment, IsolationId, Readiness, Settings};

use crate::args::Wait;
use crate::exit::{Exit, Failure};
use crate::wanted;

pub(crate) fn run(args: &Wait) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let id = args.id.as_ref().map(|id| id.parse::<IsolationId>()).transpose()?;
    if args.mine {
        let environment = match id {
            Some(id) => wanted::open(Settings::new())?.attach(id)?,
            None => wanted::find_within(&args.which, args.timeout)?,
        };
        let ports = wanted::ports(&args.ports, &environment)?;
        environment.wait_until_ours(&ports, &readiness(args), args.timeout.saturating_sub(begun.elapsed()))?;
        return Ok(Exit::Success);
    }
    let numbers = !args.ports.is_empty() && args.ports.iter().all(|word| wanted::is_ports(word));
    let ports = match id {
        None if numbers => PortSet::parse(&args.ports.join(","))?.ports().collect(),
        None => named(args, &wanted::find_within(&args.which, args.timeout)?)?,
        Some(_) => Vec::new(),
    };
    let allocator = wanted::open(Settings::new())?;
    let ports = match id {
        Some(id) => allocator.environment_ports(id)?,
        None => ports,
    };
    if args.free {
        allocator.wait_until_free(&ports, args.timeout.saturating_sub(begun.elapsed()))?;
    } else {
        allocator.wait_until_ready(&ports, &readiness(args), args.timeout.saturating_sub(begun.elapsed()))?;
    }
    Ok(Exit::Success)
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
