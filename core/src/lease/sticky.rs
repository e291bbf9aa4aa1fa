//! Getting the same ports again: which base ports a key prefers. This is only a preference; the search decides whether
//! they are free, as for any others.
//!
//! There are two sources, in this order: the ports that the key was last given on this machine (a small file in the
//! registry), and the hash of the key, which is the same on every machine with the same pool. The hash uses a name that
//! colleagues share, such as that of the worktree; the file uses one that distinguishes two worktrees of the same name.

use std::fs::File;
use std::io::{Read, Write};
use std::time::SystemTime;

use crate::hash::number;
use crate::pool::Grid;
use crate::port_set::{PortRange, PortSet};
use crate::registry::{Registry, is_number};
use crate::sys::{self, Directory};

/// How many preferred places a key has before any free one is used.
const PLACES: u32 = 8;

/// At most this many keys are remembered per user; the least recently used ones are evicted. Otherwise a user who keeps
/// making new keys, such as CI job numbers, would fill the registry.
const REMEMBERED: usize = 1000;

/// The two names of a sticky request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sticky {
    /// The same name for a colleague.
    pub(crate) everywhere: String,
    /// The name for this worktree on this machine.
    pub(crate) here: String,
}

impl Sticky {
    /// The base that the key was given last, if it lies in the pool or is one of `wishes`.
    pub(crate) fn last(&self, registry: &Registry, ports: &PortSet, count: usize, wishes: &[u16]) -> Option<u16> {
        let fits = |base: &u16| {
            PortRange::of(*base, count).is_some_and(|run| {
                ports.ranges().iter().any(|range| range.contains(run.first()) && range.contains(run.last()))
            })
        };
        self.remembered(registry).map(|(base, _)| base).filter(|base| fits(base) || wishes.contains(base))
    }

    /// The bases for runs of `count` ports that the hash of the key selects, best first.
    pub(crate) fn hashed(&self, ports: &PortSet, count: usize) -> impl Iterator<Item = u16> {
        let grid = Grid::new(ports, count);
        let cells = u64::from(grid.cells());
        (0..PLACES).filter_map(move |place| {
            let cell = number(&[self.everywhere.as_bytes(), &place.to_le_bytes()]).checked_rem(cells)?;
            grid.base(u32::try_from(cell).ok()?)
        })
    }

    /// Remembers the base that the key was given. A failure is ignored, since it only loses a preference.
    pub(crate) fn remember(&self, registry: &Registry, base: u16) {
        if let Some((_, file)) = self.remembered(registry).filter(|(remembered, _)| *remembered == base) {
            // Marks the key as recently used, so that it is not evicted next.
            let _ = file.set_modified(SystemTime::UNIX_EPOCH + sys::file_time());
            return;
        }
        let (Ok(memory), Ok(random)) = (registry.sticky_dir(), sys::random_number()) else { return };
        let name = self.file_name();
        let new = format!("{name}{}{random:016x}", sys::UNFINISHED);
        let written = memory
            .create(new.as_ref())
            .and_then(|mut file| write!(file, "{base}"))
            .and_then(|()| memory.replace(new.as_ref(), name.as_ref()));
        match written {
            Ok(()) => forget_the_oldest(&memory),
            Err(_) => {
                let _ = memory.remove(new.as_ref());
            }
        }
    }

    /// Any user may have written the file, so it counts only if it belongs to this user, and only as a preference.
    fn remembered(&self, registry: &Registry) -> Option<(u16, File)> {
        let file = registry.sticky_dir().ok()?.read(self.file_name().as_ref()).ok()?;
        let entry = sys::entry_of(&file).ok()?;
        if !entry.is_file() || entry.user != sys::user_id() {
            return None;
        }
        let mut text = String::new();
        (&file).take(8).read_to_string(&mut text).ok()?;
        Some((text.parse().ok()?, file))
    }

    fn file_name(&self) -> String {
        format!("{:016x}", number(&[self.here.as_bytes()]))
    }
}

/// Evicts the less recently used half, so that this is seldom necessary. Files that portalloc did not write stay.
fn forget_the_oldest(memory: &Directory) {
    let names = memory.names().unwrap_or_default();
    if names.len() <= REMEMBERED {
        return;
    }
    let mut own = Vec::new();
    for name in names.iter().filter(|name| name.to_str().is_some_and(is_number)) {
        if let Some(entry) = memory.entry_in(name).ok().filter(|entry| entry.user == sys::user_id()) {
            own.push((entry.written_us, name));
        }
    }
    if own.len() > REMEMBERED {
        let half = own.len() / 2;
        let (oldest, ..) = own.select_nth_unstable_by_key(half, |(time, _)| *time);
        for (_, name) in oldest {
            let _ = memory.remove(name);
        }
    }
}
