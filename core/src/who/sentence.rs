//! Describes a port in one sentence for people and error messages. Pure. Any user can choose the name of a process, so
//! control characters in it are escaped.

use std::collections::HashSet;
use std::fmt;

use super::{Hidden, PortReport, ProcessInfo, SocketInfo};
use crate::port_state::{PortState, PortUsage};
use crate::text::printable;

/// How many processes a sentence names.
const NAMED: usize = 3;

impl fmt::Display for PortReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        if self.usage == PortUsage::Denied {
            return PortState { port, usage: PortUsage::Denied }.fmt(f);
        }
        match (self.occupants(), self.claim()) {
            (Some(occupants), Some(claim)) => write!(f, "port {port} is in use by {occupants}; {claim}")?,
            (Some(occupants), None) => write!(f, "port {port} is in use by {occupants}; not leased")?,
            (None, Some(claim)) => write!(f, "port {port} is {claim}")?,
            (None, None) if self.sockets.is_empty() => match &self.usage {
                PortUsage::Free if self.complete => write!(f, "port {port} is not in use")?,
                PortUsage::Free => write!(
                    f,
                    "port {port} is not in use, as far as this kernel shows: a program might have bound it without \
                     listening"
                )?,
                usage => PortState { port, usage: usage.clone() }.fmt(f)?,
            },
            (None, None) => {}
        }
        self.ownerless(f)
    }
}

impl PortReport {
    /// The processes of the sockets that hold the port if there are any, else those of connections.
    fn occupants(&self) -> Option<String> {
        let holds = |socket: &&SocketInfo| matches!(socket.state, "listen" | "bound" | "unconnected");
        let mut sockets: Vec<&SocketInfo> = self.sockets.iter().filter(holds).collect();
        if sockets.is_empty() {
            sockets = self.sockets.iter().filter(|socket| socket.user_id.is_some()).collect();
        }
        sockets.sort_by_key(|socket| socket.rank());
        let mut named = HashSet::new();
        let mut processes: Vec<&ProcessInfo> = sockets.iter().flat_map(|socket| &socket.processes).collect();
        processes.retain(|process| named.insert(process.pid));
        let mut parts: Vec<String> = processes.iter().take(NAMED).map(ToString::to_string).collect();
        if processes.len() > NAMED {
            parts.push(format!("{} more", processes.len() - NAMED));
        }
        let mut hidden: Vec<Hidden> = sockets.iter().filter_map(|socket| socket.hidden).collect();
        hidden.dedup();
        parts.extend(hidden.iter().map(ToString::to_string));
        (!parts.is_empty()).then(|| parts.join(", and "))
    }

    /// "leased to ...": the lease or the environment.
    fn claim(&self) -> Option<String> {
        let worktree = self
            .record
            .as_ref()
            .map(|record| format!(" of worktree {}", printable(&record.worktree_path.to_string_lossy())));
        let worktree = worktree.unwrap_or_default();
        match &self.usage {
            PortUsage::Kept { id, since } => Some(format!("kept by environment {id}{worktree}, since {since}")),
            PortUsage::Held { holder, id, since } => {
                let holder = match (&self.taken_at, holder) {
                    (Some(place), _) if place.is_empty() => "this process".to_owned(),
                    (Some(place), _) => format!("this process, leased at {}", printable(place)),
                    (None, Some(holder)) => printable(&holder.to_string()),
                    (None, None) => "another process".to_owned(),
                };
                let id = id.map_or(String::new(), |id| format!(", environment {id}{worktree}"));
                let since = since.map_or(String::new(), |since| format!(", since {since}"));
                Some(format!("held by {holder}{id}{since}"))
            }
            _ => None,
        }
    }

    /// Connections without a process: closed ones, which the kernel keeps for a minute or so, and those not accepted
    /// yet.
    fn ownerless(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ownerless = || self.sockets.iter().filter(|socket| socket.user_id.is_none());
        let waiting = ownerless().filter(|socket| socket.waits_to_be_accepted()).count();
        let count = ownerless().count();
        let is_alone = count == self.sockets.len() && self.claim().is_none();
        let mut before = if is_alone { &*format!("no process is on port {}, only ", self.port) } else { "; " };
        for (count, kind, why) in [
            (count - waiting, "closed connection", "that the kernel has yet to drop"),
            (waiting, "connection", "still to be accepted"),
        ] {
            if count > 0 {
                write!(f, "{before}{count} {kind}{} {why}", if count == 1 { "" } else { "s" })?;
                before = "; ";
            }
        }
        Ok(())
    }
}

impl fmt::Display for ProcessInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let this = if self.is_this { "this process, " } else { "" };
        write!(f, "{this}PID {} ({}), since {}", self.pid, printable(&self.name), self.started_at)
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherUser(user) => {
                write!(f, "a process of user {user}, which only that user and root may see")
            }
            Self::Elsewhere => f.write_str("a process that cannot be seen from here (root of the host might)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port_state::Holder;
    use crate::time::Timestamp;

    const SINCE: Timestamp = Timestamp::from_unix_ms(1_769_853_720_123);

    fn process(pid: u32) -> ProcessInfo {
        let (name, command) = ("postgres".to_owned(), "postgres -D /x".to_owned());
        ProcessInfo { pid, name, command, user_id: 7, user_name: None, started_at: SINCE, is_this: false }
    }

    fn socket(state: &'static str, pids: &[u32], hidden: Option<Hidden>) -> SocketInfo {
        SocketInfo {
            protocol: "tcp",
            local: "127.0.0.1:8080".parse().unwrap(),
            remote: None,
            state,
            user_id: (state != "time_wait").then_some(7),
            processes: pids.iter().copied().map(process).collect(),
            hidden,
        }
    }

    fn report(usage: PortUsage, sockets: Vec<SocketInfo>) -> PortReport {
        PortReport { port: 8080, usage, record: None, taken_at: None, sockets, complete: true }
    }

    fn bound() -> PortUsage {
        PortUsage::Bound { protocol: "tcp" }
    }

    #[test]
    fn a_process_is_named_with_its_start() {
        let said = report(bound(), vec![socket("listen", &[4242], None), socket("established", &[1], None)]);
        assert_eq!(
            said.to_string(),
            "port 8080 is in use by PID 4242 (postgres), since 2026-01-31T10:02:00.123Z; not leased"
        );
    }

    #[test]
    fn a_lease_is_named_beside_the_process() {
        let holder = Some(Holder { pid: 9, name: Some("pytest".to_owned()), ended: false });
        let usage = PortUsage::Held { holder, id: Some("0123456789ab".parse().unwrap()), since: Some(SINCE) };
        let since = "since 2026-01-31T10:02:00.123Z";
        assert_eq!(
            report(usage.clone(), vec![socket("bound", &[4242], None)]).to_string(),
            format!(
                "port 8080 is in use by PID 4242 (postgres), {since}; held by PID 9 (pytest), environment \
                 0123456789ab, {since}"
            )
        );
        assert_eq!(
            report(usage, Vec::new()).to_string(),
            format!("port 8080 is held by PID 9 (pytest), environment 0123456789ab, {since}")
        );
    }

    #[test]
    fn the_server_comes_before_the_guard() {
        let sockets = vec![socket("bound", &[1], None), socket("listen", &[4242, 1], None)];
        let said = report(bound(), sockets).to_string();
        assert!(said.starts_with("port 8080 is in use by PID 4242 (postgres), since "), "{said}");
        assert_eq!(said.matches("PID 1 ").count(), 1, "{said}");
    }

    #[test]
    fn many_processes_are_counted() {
        let said = report(bound(), vec![socket("listen", &[1, 2, 3, 4, 5], None)]).to_string();
        assert!(said.contains("PID 3 (postgres)") && !said.contains("PID 4"), "{said}");
        assert!(said.contains("and 2 more; not leased"), "{said}");
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        let said = report(bound(), vec![socket("listen", &[], Some(Hidden::OtherUser(999)))]).to_string();
        assert_eq!(
            said,
            "port 8080 is in use by a process of user 999, which only that user and root may see; not leased"
        );
        let blind = PortReport { complete: false, ..report(PortUsage::Free, Vec::new()) };
        assert!(blind.to_string().contains("as far as this kernel shows"), "{blind}");
        assert_eq!(report(PortUsage::Free, Vec::new()).to_string(), "port 8080 is not in use");
    }

    #[test]
    fn closed_connections_have_no_process() {
        let said = report(bound(), vec![socket("time_wait", &[], None)]).to_string();
        assert_eq!(said, "no process is on port 8080, only 1 closed connection that the kernel has yet to drop");
        let said = report(bound(), vec![socket("listen", &[1], None), socket("time_wait", &[], None)]).to_string();
        assert!(said.ends_with("; not leased; 1 closed connection that the kernel has yet to drop"), "{said}");
    }

    #[test]
    fn connections_that_wait_for_their_server_are_not_closed_ones() {
        let waiting = |state| SocketInfo { user_id: None, ..socket(state, &[], None) };
        let mut sockets = vec![socket("listen", &[1], None), waiting("established"), waiting("close_wait")];
        let said = report(bound(), sockets.clone()).to_string();
        assert!(said.ends_with("; not leased; 2 connections still to be accepted"), "{said}");
        sockets.extend([waiting("time_wait"), waiting("fin_wait_2"), waiting("syn_received")]);
        let said = report(bound(), sockets).to_string();
        let connections = "2 closed connections that the kernel has yet to drop; 3 connections still to be accepted";
        assert!(said.ends_with(&format!("; not leased; {connections}")), "{said}");
        // The tables are read one after the other, and the server may have stopped in between.
        let said = report(bound(), vec![waiting("established")]).to_string();
        assert_eq!(said, "no process is on port 8080, only 1 connection still to be accepted");
    }
}
