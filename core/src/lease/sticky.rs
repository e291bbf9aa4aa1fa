//! Getting the same ports again: which first ports a key prefers. A preference only; whether they can be had is decided
//! by the search, like for any others.
//!
//! Two sources, in this order: what the key was given last on this machine (a small file in the registry), and what its
//! hash says, which is the same on every machine with the same pool. The hash is over a name that colleagues share,
//! such as the work tree's; the memory over one that tells two work trees of the same name apart.

use std::fs::File;
use std::io::{Read, Write};
use std::time::SystemTime;

use crate::hash::sha256;
use crate::pool::Grid;
use crate::port_set::{PortRange, PortSet};
use crate::registry::{Registry, is_number};
use crate::sys::{self, Folder};

/// How many places a key has before it takes any that is free.
const PLACES: u32 = 8;

/// So many keys of a user are remembered. Whoever makes new ones for ever, of the numbers of CI jobs for instance, would
/// else fill the registry: then what was not used for longest is forgotten.
const REMEMBERED: usize = 1000;

/// The two names of one sticky request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sticky {
    /// The same for a colleague.
    pub(crate) everywhere: String,
    /// The same for this work tree on this machine.
    pub(crate) here: String,
}

impl Sticky {
    /// First ports to prefer for runs of `count` ports, best first.
    pub(crate) fn bases(&self, registry: &Registry, ports: &PortSet, count: usize) -> Vec<u16> {
        let grid = Grid::new(ports, count);
        let cells = u64::from(grid.cells());
        let fits = |base: &u16| {
            PortRange::of(*base, count).is_some_and(|run| {
                ports.ranges().iter().any(|range| range.contains(run.first()) && range.contains(run.last()))
            })
        };
        let remembered = self.remembered(registry).map(|(base, _)| base).filter(fits);
        let hashed = (0..PLACES).filter_map(|place| {
            let cell = number(&[self.everywhere.as_bytes(), &place.to_le_bytes()]).checked_rem(cells)?;
            grid.base(u32::try_from(cell).ok()?)
        });
        remembered.into_iter().chain(hashed).collect()
    }

    /// Keeps in mind where the key was at last. That it cannot be kept is no reason to fail.
    pub(crate) fn remember(&self, registry: &Registry, base: u16) {
        if let Some((_, file)) = self.remembered(registry).filter(|(remembered, _)| *remembered == base) {
            // Used again, so it is not the next to be forgotten.
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

    /// The file may have been written by anyone: only a port of this user's own counts, and only as a preference.
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

/// The half that was not used for longest, so that it is seldom done. What else somebody has put there stays.
fn forget_the_oldest(memory: &Folder) {
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

/// The first 8 bytes of the hash over the parts.
fn number(parts: &[&[u8]]) -> u64 {
    sha256(parts).first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
