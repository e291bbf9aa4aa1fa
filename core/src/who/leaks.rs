//! Finds servers that outlive the lease of their port. The caller still holds the lease, so a server on one of its
//! ports got the number from there.

use std::time::Duration;

use super::{PortHolder, PortReport};
use crate::allocator::Allocator;
use crate::backoff::{Backoff, Deadline};
use crate::error::{Error, Result};
use crate::probe;
use crate::text::printable;

/// How long a server that was told to stop may take before it counts as a leak.
pub const LEAK_GRACE: Duration = Duration::from_millis(250);

const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// A server that still listens on a port that is about to be released.
///
/// ```
/// use portalloc::who::LEAK_GRACE;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// assert!(allocator.leaks(lease.ports(), true, LEAK_GRACE)?.is_empty());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The port.
    pub port: u16,
    /// One sentence: which processes listen.
    pub message: String,
    /// Whether this process itself is one of them.
    pub is_ours: bool,
}

impl Allocator {
    /// Returns those of `ports`, which the caller has leased, on which something listens. Takes about 15 µs per port if
    /// nothing does; otherwise blocks for up to `grace` until the servers have stopped ([`LEAK_GRACE`] is what test
    /// runners use). Any thread may call it; [`cancelled_by`](Self::cancelled_by) can end the wait early.
    ///
    /// `ours_too`: whether sockets of this process itself count.
    ///
    /// # Errors
    /// As [`who`](Self::who).
    pub fn leaks(&self, ports: &[u16], ours_too: bool, grace: Duration) -> Result<Vec<Leak>> {
        let mut backoff = Backoff::growing(Deadline::new(grace), LONGEST_PAUSE);
        loop {
            let found = leaks(ports, probe::is_quiet, ours_too, |suspects| self.who(suspects.iter().copied()))?;
            let is_over = found.is_empty() || self.is_cancelled();
            if is_over || !backoff.wait().map_err(|error| Error::os("cannot wait for servers to stop", error))? {
                return Ok(found);
            }
        }
    }
}

/// Reading sockets and processes is expensive, so it is done for suspects only.
fn leaks(
    ports: &[u16],
    is_quiet: impl Fn(u16) -> bool,
    ours_too: bool,
    who: impl FnOnce(&[u16]) -> Result<Vec<PortReport>>,
) -> Result<Vec<Leak>> {
    let suspects: Vec<u16> = ports.iter().copied().filter(|port| !is_quiet(*port)).collect();
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    let reports = who(&suspects)?;
    let found = reports.iter().filter_map(|report| leak(report, ours_too, std::process::id()));
    // A server may have stopped while its sockets and processes were read.
    Ok(found.filter(|leak| !is_quiet(leak.port)).collect())
}

fn leak(report: &PortReport, ours_too: bool, own_pid: u32) -> Option<Leak> {
    let listening: Vec<PortHolder> = report.holders().into_iter().filter(|holder| holder.listening).collect();
    let counted = listening.iter().filter(|holder| ours_too || holder.pid != own_pid);
    let mut names: Vec<String> = counted.map(|holder| name(holder, own_pid)).collect();
    if listening.is_empty() && report.sockets.iter().any(|socket| socket.is_reachable()) {
        names.push("a process that cannot be seen from here".to_owned());
    }
    (!names.is_empty()).then(|| Leak {
        port: report.port,
        message: format!("port {} is given back, but still listened on by {}", report.port, names.join(", ")),
        is_ours: ours_too && listening.iter().any(|holder| holder.pid == own_pid),
    })
}

fn name(holder: &PortHolder, own_pid: u32) -> String {
    let pid = holder.pid;
    if pid == own_pid {
        return format!("this process, PID {pid}: a socket or server that was not closed");
    }
    let command = holder.process.as_ref().map(|process| process.command.as_str()).filter(|command| !command.is_empty());
    let command = command.or(holder.name.as_deref()).unwrap_or("unknown command");
    let since = holder.process.as_ref().map_or(String::new(), |process| format!(", since {}", process.started_at));
    format!("PID {pid} ({}){since}", printable(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port_state::PortUsage;
    use crate::time::Timestamp;
    use crate::who::{Hidden, ProcessInfo, SocketInfo};

    const OWN: u32 = 7;

    fn socket(state: &'static str, pids: &[u32]) -> SocketInfo {
        let process = |pid: &u32| ProcessInfo {
            pid: *pid,
            name: "server".to_owned(),
            command: if *pid == 9 { String::new() } else { "server --web\n".to_owned() },
            user_id: 0,
            user_name: None,
            started_at: Timestamp::from_unix_ms(1_769_853_720_123),
            is_this: *pid == OWN,
        };
        SocketInfo {
            protocol: "tcp",
            local: "127.0.0.1:8080".parse().unwrap(),
            remote: None,
            state,
            user_id: Some(0),
            processes: pids.iter().map(process).collect(),
            hidden: pids.is_empty().then_some(Hidden::Elsewhere),
        }
    }

    fn report(sockets: Vec<SocketInfo>) -> PortReport {
        let usage = PortUsage::Held { holder: None, id: None, since: None };
        PortReport { port: 8080, usage, record: None, taken_at: None, sockets, complete: true }
    }

    fn said(sockets: Vec<SocketInfo>, ours_too: bool) -> Option<(String, bool)> {
        let leak = leak(&report(sockets), ours_too, OWN)?;
        let by = leak.message.strip_prefix("port 8080 is given back, but still listened on by ").unwrap();
        Some((by.to_owned(), leak.is_ours))
    }

    #[test]
    fn who_listens_is_named() {
        let since = "since 2026-01-31T10:02:00.123Z";
        let other = format!("PID 8 (server --web\\n), {since}");
        let ours = "this process, PID 7: a socket or server that was not closed";
        assert_eq!(said(vec![socket("listen", &[8])], false), Some((other.clone(), false)));
        assert_eq!(said(vec![socket("unconnected", &[9])], true), Some((format!("PID 9 (server), {since}"), false)));
        assert_eq!(said(vec![socket("listen", &[8, OWN])], true), Some((format!("{ours}, {other}"), true)));
        assert_eq!(said(vec![socket("listen", &[8, OWN])], false), Some((other, false)));
        assert_eq!(said(vec![socket("listen", &[OWN])], false), None);
        let hidden = "a process that cannot be seen from here".to_owned();
        assert_eq!(said(vec![socket("listen", &[])], false), Some((hidden, false)));
    }

    #[test]
    fn who_does_not_listen_is_not() {
        for state in ["bound", "established", "time_wait"] {
            assert_eq!(said(vec![socket(state, &[8])], true), None, "{state}");
            assert_eq!(said(vec![socket(state, &[])], true), None, "{state}");
        }
        assert_eq!(said(Vec::new(), true), None);
    }

    #[test]
    fn only_suspects_are_asked_about() {
        let quiet = leaks(&[1, 2], |_| true, true, |_| panic!("asked"));
        assert_eq!(quiet.unwrap(), Vec::new());
        let found = leaks(
            &[1, 8080, 2],
            |port| port != 8080,
            true,
            |suspects| {
                assert_eq!(suspects, [8080]);
                Ok(vec![report(vec![socket("listen", &[8])])])
            },
        );
        assert_eq!(found.unwrap().iter().map(|leak| leak.port).collect::<Vec<_>>(), [8080]);
    }
}
