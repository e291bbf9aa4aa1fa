//! `portalloc wait`: prints nothing, because the exit status is the result.

use portalloc::Settings;
use portalloc::pool::PortSet;

use crate::args::Wait;
use crate::exit::{Exit, Failure};
use crate::wanted;

pub(crate) fn run(args: &Wait) -> Result<Exit, Failure> {
    let named = PortSet::parse(&args.ports.join(","))?;
    let id = args.id.as_ref().map(|id| id.parse()).transpose()?;
    let allocator = wanted::open(Settings::new())?;
    let ports = match id {
        Some(id) => allocator.environment_ports(id)?,
        None => named.ports().collect(),
    };
    if args.free {
        allocator.wait_until_free(&ports, args.timeout)?;
    } else {
        allocator.wait_until_open(&ports, args.timeout)?;
    }
    Ok(Exit::Success)
}
