//! Explains a port conflict: who is on the port. The port is often only a guess, so it is named only if it is in use or
//! leased, or if the failure itself names it.

use std::collections::HashSet;
use std::fmt;

use super::PortReport;
use crate::allocator::Allocator;
use crate::conflict::{PortConflict, ports_in};
use crate::error::Result;

/// How many ports one failure may check: each costs about 0.3 ms.
const MAX_PORTS: usize = 64;

/// A failure that may be a port conflict, as a test runner sees it.
///
/// ```
/// use portalloc::who::Failure;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let mut failure = Failure::new();
/// failure.texts.push("bind: address already in use: 127.0.0.1:21999".to_owned());
/// for explanation in allocator.explain_conflict(&failure)?.unwrap_or_default() {
///     println!("{explanation}");
/// }
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Ports that the error itself names, such as `port` of Node's `EADDRINUSE`.
    pub named: Vec<u16>,
    /// Messages of errors whose code says that they are port conflicts, in any language.
    pub conflicts: Vec<String>,
    /// Other texts that may mention a port conflict: messages, and output of programs.
    pub texts: Vec<String>,
}

/// What is on a port that a failure was about.
///
/// [`Failure`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortExplanation {
    /// The port.
    pub port: u16,
    /// The sentence: who is on it, and who has leased it.
    pub message: String,
    /// Whether this very process has a socket on it, as a test does whose server is still open.
    pub is_ours: bool,
}

impl fmt::Display for PortExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    /// A failure without any information yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Groups of candidate ports, the most likely first; `None` if it is not a port conflict.
    fn candidates(&self) -> Option<Vec<Vec<u16>>> {
        let told: Vec<PortConflict> = self.texts.iter().filter_map(|text| PortConflict::in_text(text)).collect();
        if told.is_empty() && self.conflicts.is_empty() && self.named.is_empty() {
            return None;
        }
        let (mut in_lines, mut around) = (Vec::new(), Vec::new());
        for conflict in told {
            in_lines.extend(conflict.told);
            around.extend(conflict.around);
        }
        Some(vec![self.conflicts.iter().flat_map(|text| ports_in(text)).collect(), in_lines, around])
    }
}

impl Allocator {
    /// Explains each port that a failure was about: who is on it, with PIDs and leases. `None` if the
    /// failure is not a port conflict; an empty list if none of the candidate ports is in use or leased. Checks at most
    /// 64 ports.
    ///
    /// # Errors
    /// As [`who`](Self::who).
    pub fn explain_conflict(&self, failure: &Failure) -> Result<Option<Vec<PortExplanation>>> {
        let Some(candidates) = failure.candidates() else { return Ok(None) };
        if !failure.named.is_empty() {
            let named = distinct(&failure.named, &mut HashSet::new());
            return Ok(Some(self.who(named)?.iter().map(|report| explained(report, sure(report))).collect()));
        }
        self.explain_candidates(&candidates).map(Some)
    }

    /// As [`explain_conflict`](Self::explain_conflict), for `candidates` that the caller has guessed: reports the first
    /// group that contains a port in use, or else a leased one.
    ///
    /// # Errors
    /// As [`who`](Self::who).
    pub fn explain_candidates(&self, candidates: &[Vec<u16>]) -> Result<Vec<PortExplanation>> {
        let mut asked = HashSet::new();
        for group in candidates {
            let found = culprits(self.who(distinct(group, &mut asked))?);
            if !found.is_empty() {
                return Ok(found.iter().map(|report| explained(report, report.to_string())).collect());
            }
        }
        Ok(Vec::new())
    }
}

/// Ports that were not checked before, up to the maximum.
fn distinct(ports: &[u16], asked: &mut HashSet<u16>) -> Vec<u16> {
    let mut new = Vec::new();
    for port in ports {
        if *port != 0 && asked.len() < MAX_PORTS && asked.insert(*port) {
            new.push(*port);
        }
    }
    new
}

fn explained(report: &PortReport, message: String) -> PortExplanation {
    PortExplanation { port: report.port, message, is_ours: report.is_ours() }
}

/// The sentence for a port that was certainly in use a moment ago.
fn sure(report: &PortReport) -> String {
    if report.is_in_use() || report.is_leased() {
        return report.to_string();
    }
    format!("port {} was in use, but is not any more", report.port)
}

/// The ports that can have caused a conflict: those with a socket, since only a socket blocks an address; or else those
/// that are only leased.
fn culprits(reports: Vec<PortReport>) -> Vec<PortReport> {
    let (in_use, mut others): (Vec<_>, Vec<_>) = reports.into_iter().partition(PortReport::is_in_use);
    if !in_use.is_empty() {
        return in_use;
    }
    others.retain(PortReport::is_leased);
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port_state::PortUsage;
    use crate::who::SocketInfo;

    fn report(port: u16, usage: PortUsage, is_in_use: bool) -> PortReport {
        let socket = SocketInfo {
            protocol: "tcp",
            local: "127.0.0.1:8080".parse().unwrap(),
            remote: None,
            state: "listen",
            user_id: None,
            processes: Vec::new(),
            hidden: None,
        };
        PortReport {
            port,
            usage,
            record: None,
            taken_at: None,
            sockets: vec![socket; usize::from(is_in_use)],
            complete: true,
        }
    }

    #[test]
    fn sockets_count_more_than_leases_and_leases_more_than_nothing() {
        let held = || PortUsage::Held { holder: None, id: None, since: None };
        let bound = || PortUsage::Bound { protocol: "tcp" };
        let ports = |reports| culprits(reports).iter().map(|report| report.port).collect::<Vec<_>>();
        let (free, leased) = (report(1, PortUsage::Free, false), report(2, held(), false));
        assert_eq!(
            ports(vec![free.clone(), leased.clone(), report(3, bound(), true), report(4, held(), true)]),
            [3, 4]
        );
        assert_eq!(ports(vec![free.clone(), leased]), [2]);
        assert_eq!(ports(vec![free]), [0_u16; 0]);
    }

    #[test]
    fn a_port_that_the_error_names_is_always_told_of() {
        assert_eq!(sure(&report(7, PortUsage::Free, false)), "port 7 was in use, but is not any more");
        let bound = report(7, PortUsage::Bound { protocol: "tcp" }, true);
        assert_eq!(sure(&bound), bound.to_string());
    }

    #[test]
    fn lines_that_tell_of_a_conflict_come_before_those_around_them() {
        let text = "listening on port 8081\nError: listen EADDRINUSE: address already in use :::8080\n".to_owned();
        let failure = Failure { texts: vec!["all well".to_owned(), text], ..Failure::new() };
        assert_eq!(failure.candidates(), Some(vec![vec![], vec![8080], vec![8081]]));
        let by_code =
            Failure { conflicts: vec!["Adresse wird schon benutzt: ('::', 8082)".to_owned()], ..Failure::new() };
        assert_eq!(by_code.candidates(), Some(vec![vec![8082], vec![], vec![]]));
        assert_eq!(Failure { texts: vec!["port 8080 is fine".to_owned()], ..Failure::new() }.candidates(), None);
    }

    #[test]
    fn a_failure_asks_about_each_port_once_and_not_about_too_many() {
        let mut asked = HashSet::new();
        assert_eq!(distinct(&[5, 0, 6, 5], &mut asked), [5, 6]);
        assert_eq!(distinct(&[6, 7], &mut asked), [7]);
        assert_eq!(distinct(&(100..400).collect::<Vec<_>>(), &mut asked).len(), MAX_PORTS - 3);
    }
}
