//! Getting the same ports again: which first ports a key prefers. A preference only; whether they can be had is decided
//! by the search, like for any others.
//!
//! Two sources, in this order: what the key was given last on this machine (a small file in the registry), and what its
//! hash says, which is the same on every machine with the same pool. The hash is over a name that colleagues share,
//! such as the work tree's; the memory over one that tells two work trees of the same name apart.

use std::fs::File;
use std::io::{Read, Write};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::port_set::PortSet;
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
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        let cells = |first: u16, last: u16| (u32::from(last - first) + 1) / u32::from(count);
        let total: u32 = ports.ranges().iter().map(|range| cells(range.first(), range.last())).sum();
        let fits = |base: &u16| {
            base.checked_add(count - 1)
                .is_some_and(|last| ports.ranges().iter().any(|range| range.contains(*base) && range.contains(last)))
        };
        let remembered = self.remembered(registry).map(|(base, _)| base);
        let mut bases: Vec<u16> = remembered.into_iter().filter(fits).collect();
        for place in 0..if total == 0 { 0 } else { PLACES } {
            let mut cell =
                u32::try_from(number(&[self.everywhere.as_bytes(), &place.to_le_bytes()]) % u64::from(total))
                    .unwrap_or(0);
            for range in ports.ranges() {
                let here = cells(range.first(), range.last());
                if cell < here {
                    bases.extend(u16::try_from(u32::from(range.first()) + cell * u32::from(count)));
                    break;
                }
                cell -= here;
            }
        }
        bases
    }

    /// Keeps in mind where the key was at last. That it cannot be kept is no reason to fail.
    pub(crate) fn remember(&self, registry: &Registry, base: u16) {
        if let Some((_, file)) = self.remembered(registry).filter(|(remembered, _)| *remembered == base) {
            // Used again, so it is not the next to be forgotten.
            let _ = file.set_modified(SystemTime::UNIX_EPOCH + sys::file_time());
            return;
        }
        let (Ok(memory), Ok(random)) = (registry.memory(), sys::random_number()) else { return };
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
        let file = registry.memory().ok()?.read(self.file_name().as_ref()).ok()?;
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
        // The median, whatever the times are; a sort for it alone would be a fair part of the binary.
        let (mut low, mut high) = (0, u64::MAX);
        while low < high {
            let middle = low + (high - low) / 2;
            if own.iter().filter(|(time, _)| *time <= middle).count() > own.len() / 2 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        for (_, name) in own.iter().filter(|(time, _)| *time < low) {
            let _ = memory.remove(name);
        }
    }
}

/// The first 8 bytes of SHA-256 over the parts, each with its length.
fn number(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
