//! `portalloc who`

use portalloc::pool::parse_ports;
use portalloc::who::{PortReport, PortSummary, ProcessInfo, SocketInfo};
use portalloc::{IsolationId, Settings};
use serde::Serialize;

use crate::args::Who;
use crate::exit::{Exit, Failure};
use crate::{output, table, wanted};

pub(crate) fn run(args: &Who) -> Result<Exit, Failure> {
    let id = args.id.as_deref().map(str::parse::<IsolationId>).transpose()?;
    let allocator = wanted::open(Settings::new())?;
    let reports = match id {
        Some(id) => allocator.who_environment(id)?,
        None => allocator.who(parse_ports(&args.ports.join(","))?)?,
    };
    let text = if args.json {
        output::json(&Ports { ports: reports.iter().map(PortSummary::from).collect() })?
    } else {
        human(&reports)
    };
    output::result(&text)?;
    Ok(Exit::Success)
}

/// The ports' summaries, under a key of their own.
#[derive(Serialize)]
struct Ports {
    ports: Vec<PortSummary>,
}

/// A sentence for each port, followed by its sockets.
fn human(reports: &[PortReport]) -> String {
    let mut text = String::new();
    for report in reports {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &table::paragraph(&report.to_string());
        if !report.sockets.is_empty() {
            let rows = report.sockets.iter().flat_map(rows);
            text.push('\n');
            text += &table::render(["SOCKET", "STATE", "PID", "USER", "AGE", "COMMAND"], rows);
        }
    }
    text
}

/// A row for each process of a socket; one row for a socket without processes.
fn rows(socket: &SocketInfo) -> Vec<[String; 6]> {
    let mut place = format!("{} {}", socket.protocol, socket.local);
    if let Some(remote) = socket.remote {
        place += &format!("\nto {remote}");
    }
    let state = socket.state.replace('_', " ");
    let row = |pid, user, age, command| [place.clone(), state.clone(), pid, user, age, command];
    if socket.processes.is_empty() {
        let (mark, user) = match (socket.hidden, socket.user_id) {
            (Some(_), Some(user)) => ("hidden", user.to_string()),
            _ => ("none", String::new()),
        };
        return vec![row(mark.to_owned(), user, String::new(), String::new())];
    }
    let processes = socket.processes.iter();
    processes
        .map(|process| {
            let user = process.user_name.clone().unwrap_or_else(|| process.user_id.to_string());
            row(process.pid.to_string(), output::plain(user), output::age(process.started_at.age()), command(process))
        })
        .collect()
}

/// Length at which a command line is cut; JSON has all of it.
const SHOWN: usize = 60;

fn command(process: &ProcessInfo) -> String {
    let whole = if process.command.is_empty() { &process.name } else { &process.command };
    let mut shown = output::plain(whole.chars().take(SHOWN).collect::<String>());
    if whole.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}
