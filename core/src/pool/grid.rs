//! The grid on which runs of one size lie: each range of a pool is divided into cells of that size, starting at its
//! first port, so that runs leave no gaps too small for the next. Pure.

use crate::port_set::{PortRange, PortSet};

/// The cells of `size` ports of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid<'a> {
    ports: &'a PortSet,
    /// A narrow type, because the cost of finding a cell is one division.
    size: u32,
}

impl<'a> Grid<'a> {
    pub(crate) fn new(ports: &'a PortSet, size: usize) -> Self {
        Self { ports, size: u32::try_from(size).unwrap_or(u32::MAX).max(1) }
    }

    /// The number of cells.
    pub(crate) fn cells(self) -> u32 {
        self.ports.ranges().iter().map(|range| self.cells_of(*range)).sum()
    }

    fn cells_of(self, range: PortRange) -> u32 {
        (u32::from(range.last() - range.first()) + 1) / self.size
    }

    /// The first port of a cell, counted from 0; `None` if there are fewer cells.
    pub(crate) fn base(self, mut cell: u32) -> Option<u16> {
        for range in self.ports.ranges() {
            let cells = self.cells_of(*range);
            if cell < cells {
                return u16::try_from(u32::from(range.first()) + cell * self.size).ok();
            }
            cell -= cells;
        }
        None
    }

    /// The first port of the lowest cell that does not start below `from`.
    pub(crate) fn base_from(self, from: u16) -> Option<u16> {
        self.ports.ranges().iter().filter(|range| range.last() >= from).find_map(|range| {
            let cell = u32::from(from.saturating_sub(range.first())).div_ceil(self.size);
            (cell < self.cells_of(*range)).then(|| u16::try_from(u32::from(range.first()) + cell * self.size).ok())?
        })
    }
}
