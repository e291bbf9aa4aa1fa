//! From which ports of a pool others at given offsets can be leased, too. Pure.

use super::Pool;
use crate::port_set::{PortRange, PortSet};

impl Pool {
    /// The ports of the pool from which every offset leads to a port that can be leased: first those that lead to none that
    /// the kernel gives to other programs, then all of them.
    pub(crate) fn bases(&self, offsets: &[u16]) -> [PortSet; 2] {
        let mut all = self.ports.clone();
        let mut quiet = self.ports.clone();
        for offset in offsets {
            let reachable = PortSet::from_iter(PortRange::new(1, u16::MAX - offset));
            let leading_to =
                |ports: &PortSet| ports.ranges().iter().filter_map(|range| lowered(*range, *offset)).collect();
            all = all.intersection(&reachable).without(&leading_to(&self.excluded));
            quiet = quiet
                .without(&leading_to(&self.kernel.reserved))
                .without(&leading_to(&self.kernel.ephemeral.into_iter().collect()));
        }
        [quiet.intersection(&all), all]
    }

    /// Whether the ports at these offsets above a base that a user named are ports, and not excluded ones.
    pub(crate) fn permits(&self, base: u16, offsets: &[u16]) -> bool {
        let is_permitted = |offset: &u16| base.checked_add(*offset).is_some_and(|port| !self.excluded.contains(port));
        base > 0 && offsets.iter().all(is_permitted)
    }

    /// A warning if the kernel gives some of `ports`, which a user named, to other programs.
    pub(crate) fn warning_about(&self, ports: &[u16]) -> Option<String> {
        let ports: PortSet = ports.iter().copied().map(PortRange::one).collect();
        let ports = ports.without(&self.ports);
        let ephemeral: PortSet = self.kernel.ephemeral.into_iter().collect();
        let (taken, reserved) = (ports.intersection(&ephemeral), ports.intersection(&self.kernel.reserved));
        let mut warnings = Vec::new();
        if !taken.is_empty() {
            warnings.push(format!(
                "{taken} in the ephemeral range {ephemeral}: an outgoing connection or a bind(0) of any program may take a \
                 leased port before your server binds it; choose ports outside of {ephemeral}"
            ));
        }
        if !reserved.is_empty() {
            warnings.push(format!(
                "{reserved} in ip_local_reserved_ports: the administrator of this machine keeps them for other programs"
            ));
        }
        if warnings.is_empty() { None } else { Some(format!("leased {}", warnings.join("; "))) }
    }
}

fn lowered(range: PortRange, offset: u16) -> Option<PortRange> {
    PortRange::new(range.first().saturating_sub(offset).max(1), range.last().checked_sub(offset)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port_set::KernelPorts;

    fn pool(asked: &str, exclude: &str) -> Pool {
        let kernel =
            KernelPorts { ephemeral: PortRange::new(32768, 60999), reserved: PortSet::parse("30005").unwrap() };
        Pool::new(Some(asked), Some(exclude), &kernel).unwrap()
    }

    #[test]
    fn bases_that_lead_to_quiet_ports_come_first() {
        let [quiet, all] = pool("20001-24000", "").bases(&[0, 10000]);
        assert_eq!((quiet.span(), all.span()), (PortRange::new(20001, 22767), PortRange::new(20001, 24000)));
        assert!(!quiet.contains(20005) && all.contains(20005), "+10000 is reserved");
    }

    #[test]
    fn no_base_leads_to_an_excluded_port_or_beyond_the_last() {
        let [quiet, all] = pool("65000-65100", "65101,65535").bases(&[0, 1, 500]);
        assert_eq!(quiet.to_string(), "65000-65034");
        assert_eq!(all.to_string(), "65000-65034");
    }

    #[test]
    fn a_named_base_may_lie_anywhere_but_on_an_excluded_port() {
        let pool = pool("20001-24000", "3001,20002");
        assert!(pool.permits(3000, &[0]) && pool.permits(40000, &[0, 1]) && pool.permits(65535, &[0]));
        assert!(!pool.permits(3000, &[0, 1]) && !pool.permits(20002, &[0]) && !pool.permits(65535, &[0, 1]));
        assert!(!pool.permits(0, &[0]));
    }

    #[test]
    fn named_ports_that_the_kernel_gives_away_deserve_a_warning() {
        let pool = pool("20001-24000", "");
        assert_eq!(pool.warning_about(&[20002, 8080, 61000]), None);
        let warning = pool.warning_about(&[40000, 8080, 40001, 30005]).unwrap();
        assert!(warning.starts_with("leased 40000-40001 in the ephemeral range 32768-60999: "), "{warning}");
        assert!(warning.contains("30005 in ip_local_reserved_ports"), "{warning}");
    }
}
