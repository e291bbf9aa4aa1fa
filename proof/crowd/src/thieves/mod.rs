//! Thieves against leased ports: who can bind one between the lease and the server's own bind, as a table. In a network
//! namespace of its own, with an ephemeral range so small that thieves use it up.

mod holder;
mod table;
mod thief;

use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::json;

use self::holder::{Holder, PORTS};
use self::table::{Cell, Row};
pub(crate) use self::thief::Thief;
use crate::args::{Steal, Thieves};
use crate::fault::{Doing, Fallible};
use crate::{machine, namespace, print, user};

/// Where the kernel takes ports from: the first and the last.
const EPHEMERAL: (u16, u16) = (40000, 40299);
/// Thieves are somebody else.
const THIEF: u32 = 54321;

pub(crate) fn prove(options: &Thieves) -> Fallible<ExitCode> {
    if !namespace::is_own() {
        return Err("thieves need a network namespace of their own".into());
    }
    std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", format!("{} {}", EPHEMERAL.0, EPHEMERAL.1))
        .doing(|| "cannot shrink the ephemeral range".to_owned())?;
    let directory = tempfile::Builder::new().prefix("portalloc-thieves-").tempdir()?;
    let columns = Thief::ALL.map(|(_, name, _)| name);
    let mut rows = Vec::new();
    for (holder, name, promised) in Holder::ALL {
        let mut cells = columns.map(|name| Cell { promised: promised.contains(&name), ..Cell::default() });
        for _ in 0..options.rounds {
            for (cell, thief) in cells.iter_mut().zip(columns) {
                cell.stolen += robbed(holder, thief, directory.path())?;
                cell.tried += PORTS;
            }
        }
        rows.push(Row { name, cells: cells.to_vec() });
    }
    print(&table::text(&columns, &rows))?;
    print(&format!(
        "\n{PORTS} ports, {} rounds, ephemeral range {}-{}; `·` nothing stolen, `X` all, `!` against the promise",
        options.rounds, EPHEMERAL.0, EPHEMERAL.1
    ))?;
    for (_, name, what) in Thief::ALL {
        print(&format!("{name:2}  {what}"))?;
    }
    if let Some(path) = &options.json {
        let legend: serde_json::Map<_, _> =
            Thief::ALL.iter().map(|(_, name, what)| ((*name).to_owned(), json!(what))).collect();
        let result = json!({
            "rounds": options.rounds,
            "ports": PORTS,
            "ephemeral": [EPHEMERAL.0, EPHEMERAL.1],
            "thieves": legend,
            "table": table::json(&columns, &rows),
        });
        machine::write(path, result)?;
    }
    verdict(&rows)
}

/// Everything that is promised holds; and the thieves are good ones, for they get whatever nobody holds.
fn verdict(rows: &[Row]) -> Fallible<ExitCode> {
    let broken = rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.is_broken()).count();
    let promised = rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.promised).count();
    let clumsy = rows.first().is_none_or(|nothing| !nothing.cells.iter().all(Cell::is_all));
    if clumsy {
        print("\nFAILED: the thieves do not even get what nobody holds, so this shows nothing")?;
    } else if broken > 0 {
        print(&format!("\nFAILED: ports were stolen in {broken} of the {promised} cells where none may be"))?;
    } else {
        print(&format!("\nok: nothing stolen in any of the {promised} cells where that is promised"))?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// How many ports a thief gets of a holder. Each time both begin anew.
fn robbed(holder: Holder, thief: &str, directory: &Path) -> Fallible<usize> {
    let held = holder.hold(directory)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["steal", thief]).args(held.ports.iter().map(ToString::to_string));
    let done = command.output()?;
    if !done.status.success() {
        return Err(format!("the thief {thief} fails: {}", String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&done.stdout).split_whitespace().count())
}

/// The thief's process: steals, and says what.
pub(crate) fn steal(options: &Steal) -> Fallible<()> {
    if user::can_change() {
        user::become_user(THIEF)?;
    }
    let stolen = options.thief.steal(&options.ports)?;
    print(&stolen.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}
