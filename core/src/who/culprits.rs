//! Who is to be named to somebody whose program found an address in use. Which port that was is only guessed, so most of
//! the ports asked about may have nothing to do with it.

use super::PortReport;
use crate::allocator::Allocator;
use crate::error::Result;

impl Allocator {
    /// Of `ports`, those that can be what a clash was about: an address is in use by a socket; a mere lease is of interest
    /// if there is none any more.
    ///
    /// # Errors
    /// As [`who`](Self::who).
    pub fn culprits(&self, ports: impl IntoIterator<Item = u16>) -> Result<Vec<PortReport>> {
        Ok(culprits(self.who(ports)?))
    }
}

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
        PortReport { port, usage, record: None, sockets: vec![socket; usize::from(is_in_use)], complete: true }
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
}
