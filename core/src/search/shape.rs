//! What a search looks for: ports at distances from a base, repeated until there are enough. A run has the distances 0,
//! 1, 2 and so on. Pure.

use crate::port_set::PortRange;

/// Ports at distances from a base, which lies in the pool.
pub(crate) struct Shape {
    offsets: Vec<u16>,
    /// The step between two bases of the grid: the length of a run, so that runs leave no gaps; otherwise 1.
    pub(crate) step: usize,
    /// The total number of ports, at as many bases as that takes.
    pub(crate) count: usize,
}

impl Shape {
    /// This many consecutive ports.
    pub(crate) fn run(count: usize) -> Self {
        Self { offsets: (0..=u16::MAX).take(count).collect(), step: count, count }
    }

    /// This many ports, consecutive or not.
    pub(crate) fn scattered(count: usize) -> Self {
        Self { offsets: vec![0], step: 1, count }
    }

    pub(crate) fn offsets(offsets: &[u16]) -> Self {
        Self { offsets: offsets.to_vec(), step: 1, count: offsets.len() }
    }

    pub(super) fn is_scattered(&self) -> bool {
        self.count > self.offsets.len()
    }

    fn is_run(&self) -> bool {
        self.step == self.offsets.len()
    }

    /// The ports at `base`, highest first, without those above 65535.
    pub(super) fn ports(&self, base: u16) -> impl Iterator<Item = u16> {
        self.offsets.iter().rev().filter_map(move |offset| base.checked_add(*offset))
    }

    /// All ports at `base`, in the order asked for; `None` if one would exceed 65535.
    pub(super) fn at(&self, base: u16) -> Option<Box<[u16]>> {
        self.offsets.iter().map(|offset| base.checked_add(*offset)).collect()
    }

    /// Whether a base fits in `area`: a run must lie in it entirely.
    pub(super) fn fits(&self, base: u16, area: PortRange) -> bool {
        usize::from(base) + self.step - 1 <= usize::from(area.last())
    }

    /// The next base at which `port`, one of the ports at or above `base`, is not in the way.
    pub(super) fn beyond(&self, base: u16, port: u16) -> Option<u16> {
        if self.is_run() { port.max(base).checked_add(1) } else { base.checked_add(1) }
    }

    /// The range from the first port of `pool` to the last port that it can reach.
    pub(super) fn span(&self, pool: PortRange) -> Option<PortRange> {
        let reach = self.offsets.iter().max().copied().unwrap_or_default();
        PortRange::new(pool.first(), pool.last().saturating_add(reach))
    }
}
