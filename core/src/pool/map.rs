//! The map of a pool: runs of ports in the same state. Pure.

use super::Census;
use crate::port_set::{PortRange, PortSet};

/// The state of a port of the pool, without details.
///
/// [`PoolMap`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PortClass {
    /// Not leased, and no socket is bound to it.
    Free,
    /// Part of a live lease or a held environment.
    Held,
    /// Part of a live kept environment.
    Kept,
    /// Part of a kept environment that is stale. It is reclaimed when it is needed.
    Stale,
    /// In use by a foreign process, which has no lease on it.
    Foreign,
    /// This user may not bind it (below `ip_unprivileged_port_start`).
    Denied,
}

impl PortClass {
    /// Every class.
    pub const ALL: [Self; 6] = [Self::Free, Self::Held, Self::Kept, Self::Stale, Self::Foreign, Self::Denied];

    /// The stable word for the class: `free`, `held`, `kept`, `stale`, `foreign`, `denied`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Kept => "kept",
            Self::Stale => "stale",
            Self::Foreign => "foreign",
            Self::Denied => "denied",
        }
    }

    /// Whether a lease could have the port; a stale claim is reclaimed.
    const fn is_to_be_had(self) -> bool {
        matches!(self, Self::Free | Self::Stale)
    }
}

/// Every port of a pool with its class.
///
/// ```
/// use portalloc::pool::PortClass;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(3)?;
/// assert_eq!(allocator.pool_map()?.ports(PortClass::Held).count(), 3);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolMap {
    runs: Vec<(PortRange, PortClass)>,
    complete: bool,
}

impl PoolMap {
    /// From ports in ascending order.
    pub(crate) fn new(ports: impl IntoIterator<Item = (u16, PortClass)>, complete: bool) -> Self {
        let mut runs: Vec<(PortRange, PortClass)> = Vec::new();
        for (port, class) in ports {
            if let Some((range, last)) = runs.last_mut()
                && *last == class
                && range.last().checked_add(1) == Some(port)
                && let Some(longer) = PortRange::new(range.first(), port)
            {
                *range = longer;
            } else {
                runs.push((PortRange::one(port), class));
            }
        }
        Self { runs, complete }
    }

    /// Runs of consecutive ports in the same state, ascending. Ports between two runs are not in the pool.
    #[must_use]
    pub fn runs(&self) -> &[(PortRange, PortClass)] {
        &self.runs
    }

    /// The ports of one class.
    #[must_use]
    pub fn ports(&self, class: PortClass) -> PortSet {
        self.runs.iter().filter(|(_, other)| *other == class).map(|(range, _)| *range).collect()
    }

    /// Whether the map shows every foreign socket. False before Linux 6.8, where the kernel does not show TCP sockets
    /// that are bound but neither listen nor are connected: ports with only such sockets are shown as free.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// How many ports are in each class.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        let (mut before, mut run) = (None, 0);
        for (range, class) in &self.runs {
            let count = range.count();
            let adjoins = before == range.first().checked_sub(1);
            run = if !class.is_to_be_had() {
                0
            } else if adjoins {
                run + count
            } else {
                count
            };
            before = Some(range.last());
            census.longest_run = census.longest_run.max(run);
            census.pool += count;
            *match class {
                PortClass::Free => &mut census.free,
                PortClass::Held => &mut census.held,
                PortClass::Kept => &mut census.kept,
                PortClass::Stale => &mut census.stale,
                PortClass::Foreign => &mut census.foreign,
                PortClass::Denied => &mut census.denied,
            } += count;
        }
        census
    }
}

#[cfg(test)]
mod tests {
    use super::PortClass::{Denied, Foreign, Free, Held, Kept, Stale};
    use super::*;

    fn range(first: u16, last: u16) -> PortRange {
        PortRange::new(first, last).unwrap()
    }

    #[test]
    fn equal_neighbours_are_one_run_and_gaps_part_them() {
        let map = PoolMap::new([(10, Free), (11, Free), (12, Held), (14, Held), (15, Held), (65535, Kept)], true);
        let expected =
            [(range(10, 11), Free), (range(12, 12), Held), (range(14, 15), Held), (range(65535, 65535), Kept)];
        assert_eq!(map.runs(), expected);
        assert_eq!(map.ports(Held).to_string(), "12,14-15");
        assert!(map.ports(Stale).is_empty());
    }

    #[test]
    fn a_run_to_be_had_goes_over_stale_ports_and_ends_at_gaps() {
        let classes = [Free, Free, Stale, Free, Held, Free, Kept, Foreign, Denied];
        let map = PoolMap::new((100..).zip(classes).chain((110..113).map(|port| (port, Free))), true);
        let expected = Census { pool: 12, held: 1, kept: 1, stale: 1, foreign: 1, denied: 1, free: 7, longest_run: 4 };
        assert_eq!(map.census(), expected);
        assert_eq!(PoolMap::new([(1, Free), (3, Free)], true).census().longest_run, 1);
        assert_eq!(PoolMap::new([], true).census(), Census::default());
    }
}
