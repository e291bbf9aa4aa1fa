//! The independent judge: replays the journal while it is written, and knows nothing of locks and labels, so it cannot
//! share a mistake with them.
//!
//! A holder is called `SERIAL`, `SERIAL-PART` (a child or a thread of that worker), `SERIAL=ID` (a kept environment that
//! the worker owns, so it ends with it) or `SERIAL+ID` (a kept environment that outlives its worker). A holder that is gone gives nothing back; whoever says of one that it is gone says so
//! before he ends it, and while he ends it it may still write. So a port of one that is not gone is nobody else's, and
//! one that is gone must not write any more once its port is another's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::failure::{Context, Outcome};

/// What the judge knows.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    holders: HashMap<u16, String>,
    gone: HashSet<String>,
    /// Workers that have written something.
    begun: HashSet<String>,
    /// Those that were gone when their port became another's, and what happened.
    replaced: HashMap<String, String>,
    /// What was done, and how often, by language and word.
    done: BTreeMap<(String, String), u64>,
    lines: u64,
    /// Set while a fault takes away the protection of labels: see `fault.rs`.
    pub(crate) ignores_labelled: bool,
    /// Set while a fault takes away all protection.
    pub(crate) ignores_all: bool,
}

/// The worker of a holder.
pub(crate) fn serial(holder: &str) -> &str {
    holder.split(['-', '=', '+']).next().unwrap_or_default()
}

/// The language of a holder.
fn language(holder: &str) -> &str {
    holder.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// Whether it outlives its worker.
fn is_kept(holder: &str) -> bool {
    holder.contains('+')
}

/// Whether its labels protect it, and no lock.
fn is_labelled(holder: &str) -> bool {
    is_kept(holder) || holder.contains('=')
}

impl Judge {
    /// Reads a line.
    pub(crate) fn read(&mut self, line: &str) -> Outcome<()> {
        self.lines += 1;
        let bad = || format!("the journal has the line {line:?}");
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["took", holder, first, count] => {
                let (first, count): (u16, u16) = (first.parse().context(bad())?, count.parse().context(bad())?);
                self.is_alive(holder, line)?;
                self.count(holder, "took");
                (first..first + count).try_for_each(|port| self.take(holder, port, line))
            }
            ["gave", holder, first, count] => {
                let (first, count): (u16, u16) = (first.parse().context(bad())?, count.parse().context(bad())?);
                self.is_alive(holder, line)?;
                for port in first..first + count {
                    if self.holders.get(&port).is_some_and(|other| other == holder) {
                        self.holders.remove(&port);
                    }
                }
                Ok(())
            }
            ["gone", holder] => {
                self.gone.insert((*holder).to_owned());
                Ok(())
            }
            ["did", holder, what] => {
                self.count(holder, what);
                Ok(())
            }
            _ => Err(bad().into()),
        }
    }

    fn take(&mut self, holder: &str, port: u16, line: &str) -> Outcome<()> {
        let Some(other) = self.holders.insert(port, holder.to_owned()) else { return Ok(()) };
        if self.ignores_all || (self.ignores_labelled && (is_labelled(&other) || is_labelled(holder))) {
            return Ok(());
        }
        if other == holder {
            return Err(format!("line {}: {holder} was given port {port} twice: {line:?}", self.lines).into());
        }
        let happened = format!("line {}: {holder} took port {port} while {other} held it", self.lines);
        if self.is_gone(&other) {
            self.replaced.insert(other, happened);
            return Ok(());
        }
        Err(happened.into())
    }

    /// Fails if this is the line of one that held a port when somebody else was given it.
    fn is_alive(&self, holder: &str, line: &str) -> Outcome<()> {
        match self.replaced.get(holder) {
            Some(happened) => Err(format!("{happened}, and wrote {line:?} afterwards").into()),
            None => Ok(()),
        }
    }

    fn is_gone(&self, holder: &str) -> bool {
        let by_name = if is_labelled(holder) { serial(holder) } else { holder };
        !is_kept(holder) && (self.gone.contains(by_name) || self.gone.contains(&format!("{}-*", serial(holder))))
    }

    /// Says that a worker is going to be killed, and maybe its children.
    pub(crate) fn killed(&mut self, serial: &str, with_children: bool) {
        self.gone.insert(serial.to_owned());
        if with_children {
            self.gone.insert(format!("{serial}-*"));
        }
    }

    fn count(&mut self, holder: &str, what: &str) {
        let serial = serial(holder);
        if !self.begun.contains(serial) {
            self.begun.insert(serial.to_owned());
        }
        *self.done.entry((language(holder).to_owned(), what.to_owned())).or_default() += 1;
    }

    /// How many lines were read.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// What was done, and how often, by language and word.
    pub(crate) fn done(&self) -> &BTreeMap<(String, String), u64> {
        &self.done
    }

    /// Whether a worker has done anything yet.
    pub(crate) fn has_begun(&self, serial: &str) -> bool {
        self.begun.contains(serial)
    }

    /// Whether a worker holds ports.
    pub(crate) fn holds(&self, serial: &str) -> bool {
        self.holders.values().any(|holder| self::serial(holder) == serial)
    }

    /// Kept environments that nobody has given back: their IDs, with holder and ports.
    pub(crate) fn kept(&self) -> BTreeMap<String, (String, Vec<u16>)> {
        let mut kept: BTreeMap<String, (String, Vec<u16>)> = BTreeMap::new();
        for (port, holder) in &self.holders {
            if let Some((_, id)) = holder.split_once('+') {
                kept.entry(id.to_owned()).or_insert_with(|| (holder.clone(), Vec::new())).1.push(*port);
            }
        }
        kept.values_mut().for_each(|(_, ports)| ports.sort_unstable());
        kept
    }

    /// Everybody is gone. Only what is kept lives on, as far as it is still alive.
    pub(crate) fn begin_anew(&mut self, alive: &BTreeSet<String>) {
        self.holders.retain(|_, holder| holder.split_once('+').is_some_and(|(_, id)| alive.contains(id)));
        self.gone.clear();
        self.begun.clear();
        self.replaced.clear();
    }

    /// What is kept is gone, too.
    pub(crate) fn forget_kept(&mut self) {
        self.holders.retain(|_, holder| !is_kept(holder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lines: &[&str]) -> Outcome<Judge> {
        let mut judge = Judge::default();
        lines.iter().try_for_each(|line| judge.read(line))?;
        Ok(judge)
    }

    #[test]
    fn a_proper_journal_is_accepted() {
        let judge = judged(&["took c1 5 2", "took go2 7 1", "gave c1 5 2", "took go2 6 1", "took c1+ab 9 2"]).unwrap();
        assert!(judge.holds("go2"));
        assert_eq!(judge.kept(), BTreeMap::from([("ab".to_owned(), ("c1+ab".to_owned(), vec![9, 10]))]));
        assert_eq!(judge.done()[&("c".to_owned(), "took".to_owned())], 2);
    }

    #[test]
    fn a_port_of_one_that_lives_is_nobody_elses() {
        let failure = judged(&["took c1 5 2", "took go2 6 1"]).unwrap_err().to_string();
        assert_eq!(failure, "line 2: go2 took port 6 while c1 held it");
        assert!(judged(&["took c1+ab 5 2", "gone c1", "took go2 6 1"]).is_err(), "what is kept outlives its maker");
        assert!(judged(&["took c1 5 2", "took c1-child 5 2"]).is_err());
        assert!(judged(&["took c1 5 2", "took c1 5 1"]).is_err());
        assert!(judged(&["gave c1 5 2", "took c1+a 5 2", "gave go1+b 5 2", "took go2 5 1"]).is_err());
    }

    #[test]
    fn what_a_worker_owns_ends_with_it_and_not_with_a_part_of_it() {
        assert!(judged(&["took c1=ab 5 2", "took go2 6 1"]).is_err());
        assert!(judged(&["took c1=ab 5 2", "gone c1-thread", "took go2 6 1"]).is_err());
        assert!(judged(&["took c1=ab 5 2", "gone c1", "took go2 6 1"]).is_ok());
    }

    #[test]
    fn a_port_of_one_that_is_gone_is_free() {
        assert!(judged(&["took c1 5 2", "gone c1", "took go2 6 1", "took c1-child 5 1"]).is_ok());
        assert!(judged(&["took c1-child 5 2", "gone c1", "took go2 6 1"]).is_err(), "the child lives");
        assert!(judged(&["took c1-child 5 2", "gone c1-*", "took go2 6 1"]).is_ok());
    }

    #[test]
    fn one_that_is_gone_writes_no_more_once_it_was_replaced() {
        assert!(judged(&["took c1 5 2", "gone c1", "gave c1 5 2", "took go2 6 1"]).is_ok());
        assert!(judged(&["took c1 5 2", "gone c1", "took go2 6 1", "gave c1 5 2"]).is_err());
    }
}
