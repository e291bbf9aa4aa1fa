//! `portalloc who`

use portalloc::who::{Hidden, PortClaim, PortReport, PortSummary, ProcessInfo, SocketInfo};
use portalloc::{IsolationId, Settings};
use serde_json::{Value, json};

use super::list::holder_value;
use crate::args::Who;
use crate::exit::{Exit, Failure};
use crate::{output, table};

pub(crate) fn run(args: &Who) -> Result<Exit, Failure> {
    let id = args.id.as_deref().map(str::parse::<IsolationId>).transpose()?;
    let allocator = super::open(Settings::new())?;
    let reports = match id {
        Some(id) => allocator.who_environment(id)?,
        None => allocator.who(args.ports.iter().copied())?,
    };
    output::result(&if args.json { output::json(&value(&reports))? } else { human(&reports) })?;
    Ok(Exit::Success)
}

fn value(reports: &[PortReport]) -> Value {
    json!({"ports": reports.iter().map(port_value).collect::<Vec<_>>()})
}

fn port_value(report: &PortReport) -> Value {
    let summary = PortSummary::from(report);
    json!({
        "port": summary.port,
        "in_use": summary.in_use,
        "lease": summary.claim.as_ref().map(lease_value),
        // With all that is known of their processes.
        "sockets": report.sockets.iter().map(socket_value).collect::<Vec<_>>(),
        "complete": summary.complete,
        "message": summary.message,
    })
}

fn lease_value(claim: &PortClaim) -> Value {
    json!({
        "lifetime": claim.lifetime,
        "holder": holder_value(claim.holder_pid, claim.holder_name.as_deref()),
        "since": claim.since,
        "isolation_id": claim.isolation_id,
        "worktree_path": claim.worktree_path,
        "instance_id": claim.instance_id,
    })
}

fn socket_value(socket: &SocketInfo) -> Value {
    json!({
        "protocol": socket.protocol,
        "local": socket.local.to_string(),
        "remote": socket.remote.map(|remote| remote.to_string()),
        "state": socket.state,
        "user_id": socket.user_id,
        "processes": socket.processes.iter().map(process_value).collect::<Vec<_>>(),
        "hidden": socket.hidden.map(Hidden::as_str),
    })
}

fn process_value(process: &ProcessInfo) -> Value {
    json!({
        "pid": process.pid,
        "name": process.name,
        "command": process.command,
        "user_id": process.user_id,
        "user": process.user_name,
        "started_at": process.started_at,
    })
}

/// A sentence for each port, and below it its sockets.
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

/// A row for each process of a socket; one for a socket without.
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
            row(process.pid.to_string(), user, output::age(process.started_at.age()), command(process))
        })
        .collect()
}

/// As much of a command line as tells one from another; JSON has all of it.
const SHOWN: usize = 60;

fn command(process: &ProcessInfo) -> String {
    let whole = if process.command.is_empty() { &process.name } else { &process.command };
    let mut shown: String = whole.chars().take(SHOWN).map(|c| if c.is_control() { '?' } else { c }).collect();
    if whole.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}
