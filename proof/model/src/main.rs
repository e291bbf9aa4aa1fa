//! The protocol of leases and environments as a state machine, explored exhaustively: `make model`. See README.md.
#![expect(clippy::indexing_slicing, reason = "a proof: an index that is out of range is a failed proof")]

mod code;
mod configurations;
mod coverage;
mod explore;
mod faults;
mod process;
mod properties;
mod protocol;
mod steps;
#[cfg(test)]
mod tests;
mod trace;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use coverage::Coverage;
use protocol::Protocol;

fn main() -> ExitCode {
    let holds = promises_hold();
    let noticed = seeded_bugs_are_noticed();
    if holds && noticed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Explores all configurations, and tells of each what was seen.
fn promises_hold() -> bool {
    println!("{:<52} {:>10} {:>9} {:>5} {:>8}", "configuration", "states", "unique", "depth", "time");
    let coverage = Arc::<Coverage>::default();
    let mut holds = true;
    for protocol in configurations::all() {
        let protocol = Protocol { coverage: coverage.clone(), ..protocol };
        let seen = explore::everything(protocol.clone());
        let time = format!("{:.1} s", seen.time.as_secs_f64());
        println!("{:<52} {:>10} {:>9} {:>5} {:>8}", protocol.name, seen.states, seen.unique, seen.depth, time);
        for property in seen.broken {
            holds = false;
            println!("  BROKEN: {property}");
            print!("{}", explore::shortest(protocol.clone(), property).unwrap_or_default());
        }
    }
    for (step, words, _) in code::STEPS.iter().filter(|(step, ..)| !coverage.steps().contains(step)) {
        holds = false;
        println!("  NEVER MADE: {step:?}, {words}");
    }
    let names: Vec<&str> = properties::ALL.iter().map(|(name, _)| *name).collect();
    println!("\nIn every state of each: {}.\n", names.join(", "));
    holds
}

/// Takes one rule of the protocol away after the other, and shows what it was good for.
fn seeded_bugs_are_noticed() -> bool {
    let mut noticed = true;
    for seeded in &faults::SEEDED {
        let (fault, breaks) = (seeded.fault, seeded.breaks);
        println!("{fault:?}: \"{breaks}\" breaks in \"{}\"", seeded.configuration);
        let told = configurations::named(seeded.configuration)
            .and_then(|protocol| explore::shortest(Protocol { fault: Some(fault), ..protocol }, breaks));
        match told {
            Some(told) => print!("{told}"),
            None => {
                noticed = false;
                println!("  NOT NOTICED");
            }
        }
    }
    for fault in faults::SPARE {
        let needed = [configurations::small(), configurations::middle()].concat().into_iter().find_map(|protocol| {
            let protocol = Protocol { fault: Some(fault), ..protocol };
            let breaks = explore::everything(protocol.clone()).broken.pop_first()?;
            Some((protocol, breaks))
        });
        println!(
            "{fault:?}: {}",
            if needed.is_some() { "NEEDED, other than faults.rs says" } else { "breaks nothing by itself" }
        );
        if let Some((protocol, breaks)) = needed {
            noticed = false;
            println!("  \"{breaks}\" breaks in \"{}\"", protocol.name);
            print!("{}", explore::shortest(protocol, breaks).unwrap_or_default());
        }
    }
    noticed
}
