//! The independent witness: hears what holders say that they hold, while they surely hold it, and knows nothing of
//! locks, labels and sockets. It judges as it goes, so millions of leases need no more memory than one.

use std::collections::{BTreeMap, VecDeque};

use crate::fault::Fallible;

const PORTS: usize = 1 << 16;
/// So many of the last notes are kept as evidence.
const REMEMBERED: usize = 100_000;
/// So many overlaps are kept; there may be more.
const TOLD: usize = 100;

/// Two held one port at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overlap {
    pub(crate) port: u16,
    pub(crate) holder: u32,
    pub(crate) intruder: u32,
    /// Which of the notes said so.
    pub(crate) note: u64,
}

pub(crate) struct Witness {
    /// Who has which port; 0 is nobody.
    holders: Vec<u32>,
    held: usize,
    most_held: usize,
    heard: u64,
    /// The ports that each holder took.
    taken: BTreeMap<u32, u64>,
    overlaps: Vec<Overlap>,
    overlap_count: u64,
    recent: VecDeque<String>,
}

impl Witness {
    pub(crate) fn new() -> Self {
        Self {
            holders: vec![0; PORTS],
            held: 0,
            most_held: 0,
            heard: 0,
            taken: BTreeMap::new(),
            overlaps: Vec::new(),
            overlap_count: 0,
            recent: VecDeque::new(),
        }
    }

    /// One line of the journal: `took HOLDER BASE COUNT` or `gave HOLDER BASE COUNT`.
    pub(crate) fn hear(&mut self, line: &[u8]) -> Fallible<()> {
        let text = String::from_utf8_lossy(line).into_owned();
        let note = Note::read(&text).ok_or_else(|| format!("note {} is {text:?}", self.heard))?;
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(text);
        if note.took {
            self.took(&note);
        } else {
            self.gave(&note)?;
        }
        self.heard += 1;
        Ok(())
    }

    fn took(&mut self, note: &Note) {
        *self.taken.entry(note.holder).or_default() += u64::try_from(note.ports().count()).unwrap_or_default();
        for port in note.ports() {
            let Some(holder) = self.holders.get_mut(usize::from(port)) else { continue };
            let before = std::mem::replace(holder, note.holder);
            if before == 0 {
                self.held += 1;
                continue;
            }
            self.overlap_count += 1;
            if self.overlaps.len() < TOLD {
                self.overlaps.push(Overlap { port, holder: before, intruder: note.holder, note: self.heard });
            }
        }
        self.most_held = self.most_held.max(self.held);
    }

    fn gave(&mut self, note: &Note) -> Fallible<()> {
        for port in note.ports() {
            let Some(holder) = self.holders.get_mut(usize::from(port)) else { continue };
            if *holder == note.holder {
                *holder = 0;
                self.held -= 1;
            } else if self.overlap_count == 0 {
                // After an overlap somebody else may have it. Before, the witness is blind.
                return Err(
                    format!("note {}: {} gave port {port}, which it never took", self.heard, note.holder).into()
                );
            }
        }
        Ok(())
    }

    pub(crate) fn heard(&self) -> u64 {
        self.heard
    }

    /// The first of them.
    pub(crate) fn overlaps(&self) -> &[Overlap] {
        &self.overlaps
    }

    pub(crate) fn overlap_count(&self) -> u64 {
        self.overlap_count
    }

    /// How many ports are held.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// How many ports were held at once, since the last time this was asked.
    pub(crate) fn take_most_held(&mut self) -> usize {
        std::mem::replace(&mut self.most_held, self.held)
    }

    /// How many ports a holder took.
    pub(crate) fn taken_by(&self, holder: u32) -> u64 {
        self.taken.get(&holder).copied().unwrap_or_default()
    }

    /// The last notes, a line each.
    pub(crate) fn evidence(&self) -> String {
        let first = self.heard.saturating_sub(u64::try_from(self.recent.len()).unwrap_or_default());
        self.recent.iter().zip(first..).map(|(note, number)| format!("{number} {note}\n")).collect()
    }
}

struct Note {
    took: bool,
    holder: u32,
    base: u16,
    count: u16,
}

impl Note {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let took = match words.next()? {
            "took" => true,
            "gave" => false,
            _ => return None,
        };
        let holder = words.next()?.parse().ok().filter(|holder| *holder != 0)?;
        let (base, count) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { took, holder, base, count }).filter(|note| words.next().is_none() && note.is_sound())
    }

    fn is_sound(&self) -> bool {
        self.base != 0 && self.count != 0 && self.base.checked_add(self.count - 1).is_some()
    }

    fn ports(&self) -> std::ops::RangeInclusive<u16> {
        self.base..=self.base + (self.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &str) -> Witness {
        let mut witness = Witness::new();
        for line in lines.lines() {
            witness.hear(line.as_bytes()).unwrap();
        }
        witness
    }

    #[test]
    fn ports_one_after_the_other_are_fine() {
        let mut witness = told("took 7 100 2\ntook 8 102 1\ngave 7 100 2\ntook 8 100 2\ngave 8 102 1\n");
        assert_eq!(witness.overlaps(), []);
        assert_eq!((witness.held(), witness.take_most_held(), witness.heard()), (2, 3, 5));
        assert_eq!((witness.taken_by(7), witness.taken_by(8), witness.taken_by(9)), (2, 3, 0));
    }

    #[test]
    fn two_holders_of_one_port_are_an_overlap() {
        let witness = told("took 7 100 3\ntook 8 102 1\ngave 7 100 3\ngave 8 102 1\n");
        assert_eq!(witness.overlaps(), [Overlap { port: 102, holder: 7, intruder: 8, note: 1 }]);
        assert_eq!(witness.held(), 0);
    }

    #[test]
    fn the_same_holder_twice_is_an_overlap_too() {
        assert_eq!(told("took 7 100 1\ntook 7 100 1\n").overlap_count(), 1);
    }

    #[test]
    fn every_overlap_is_counted_and_the_first_are_told() {
        let witness = told(&format!("took 7 1 1000\n{}", "took 8 1 1000\n".repeat(3)));
        assert_eq!((witness.overlap_count(), witness.overlaps().len()), (3000, TOLD));
    }

    #[test]
    fn the_last_ports_there_are_can_be_held() {
        assert_eq!(told("took 7 65535 1\ntook 8 65535 1\n").overlap_count(), 1);
    }

    #[test]
    fn a_witness_that_misunderstands_says_so() {
        for line in ["", "took 7 100", "took 0 100 1", "took 7 0 1", "took 7 100 0", "took 7 65535 2", "has 7 100 1"] {
            assert!(Witness::new().hear(line.as_bytes()).is_err(), "{line:?}");
        }
        assert!(Witness::new().hear(b"gave 7 100 1").is_err());
    }

    #[test]
    fn evidence_is_bounded_and_numbered() {
        let witness = told(&"took 7 100 1\ngave 7 100 1\n".repeat(REMEMBERED));
        let evidence = witness.evidence();
        assert_eq!(evidence.lines().count(), REMEMBERED);
        assert!(evidence.starts_with(&format!("{REMEMBERED} took 7 100 1\n")), "{}", evidence.get(..40).unwrap());
    }
}
