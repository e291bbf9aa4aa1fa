//! `portalloc wait`: says nothing, since what it has to say is its exit status.

use portalloc::Settings;
use portalloc::pool::PortSet;

use crate::args::Wait;
use crate::exit::{Exit, Failure};

pub(crate) fn run(args: &Wait) -> Result<Exit, Failure> {
    let named = PortSet::parse(&args.ports.join(","))?;
    let id = args.id.as_ref().map(|id| id.parse()).transpose()?;
    let allocator = super::open(Settings::new())?;
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
