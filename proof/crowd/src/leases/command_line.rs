//! The contender on the command line: `portalloc run`, again and again, and the command that it runs. Both are this
//! very program, since it carries the command line as a library and must be where every user can read it.

use std::process::{Command, Stdio};

use portalloc_testkit::Random;

use super::contender::{MIXED_PATIENCE, OFFSETS, PATIENCE, Shape};
use super::journal::Notes;
use crate::args::{Contend, Hold};
use crate::fault::{Doing, Fallible};
use crate::sockets;

/// What `portalloc` ends with when there are no ports.
const EXHAUSTED: i32 = 3;

pub(super) fn contend(options: &Contend, holder: u32, random: &mut Random) -> Fallible<(u64, u64)> {
    let program = std::env::current_exe()?;
    let (mut served, mut refused) = (0, 0);
    while served < options.times {
        let shape = Shape::choose(options.count, random);
        let patience = if options.count == 0 { MIXED_PATIENCE } else { PATIENCE }.as_millis();
        let mut command = Command::new(&program);
        command.args(["portalloc", "portalloc", "run", "--wait", &format!("{patience}ms")]).stderr(Stdio::piped());
        let (count, offsets) = (shape.count().to_string(), OFFSETS.map(|offset| offset.to_string()));
        match shape {
            Shape::Run(_) => command.args(["--ports", &count]),
            Shape::Scattered(_) => command.args(["--ports", &count, "--scattered"]),
            Shape::Offsets(count) => {
                let first: Vec<&str> = offsets.iter().take(count).map(String::as_str).collect();
                command.args(["--offsets", &first.join(",")])
            }
        };
        command.arg("--").arg(&program).arg("hold").arg(&options.journal).arg(holder.to_string());
        if options.every > 0 && served % options.every == 0 {
            command.arg("--bind");
        }
        // Ports in the place of their numbers.
        command.args((0..shape.count()).map(|index| format!("{{port:{index}}}")));
        let done = command.output().doing(|| "cannot start the command line".to_owned())?;
        match done.status.code() {
            Some(0) => served += 1,
            Some(EXHAUSTED) if options.count == 0 => refused += 1,
            _ => {
                return Err(
                    format!("`run` ended with {}: {}", done.status, String::from_utf8_lossy(&done.stderr)).into()
                );
            }
        }
    }
    Ok((served, refused))
}

/// What `run` runs: binds the ports that it was given, and notes them.
pub(crate) fn hold(options: &Hold) -> Fallible<()> {
    let mut notes = Notes::open(&options.journal, options.holder)?;
    let mut servers = Vec::new();
    for port in options.ports.iter().copied().filter(|_| options.bind) {
        servers.push(sockets::serve(port).doing(|| format!("cannot bind leased port {port}"))?);
    }
    notes.took(&options.ports)?;
    drop(servers);
    notes.gave(&options.ports)
}
