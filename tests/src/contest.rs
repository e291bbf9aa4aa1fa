//! The independent judge: actors note in a shared journal what they hold while they surely hold it, and the journal
//! is replayed. It knows nothing of locks and labels, so it cannot share a mistake with them.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests: a failure is a failed test")]

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The file that all actors of a contest append to. An append of one small write is never torn or lost.
#[derive(Debug)]
pub struct Journal {
    file: File,
    holder: String,
}

impl Journal {
    /// Opens the journal for a holder, such as a process ID.
    #[must_use]
    pub fn open(path: &Path, holder: impl ToString) -> Self {
        let file = OpenOptions::new().append(true).create(true).open(path).expect("the journal opens");
        Self { file, holder: holder.to_string() }
    }

    /// To be called after ports were taken.
    pub fn took(&mut self, ports: &[u16]) {
        self.note("took", ports);
    }

    /// To be called before ports are given back.
    pub fn gave(&mut self, ports: &[u16]) {
        self.note("gave", ports);
    }

    fn note(&mut self, what: &str, ports: &[u16]) {
        let base = ports.first().copied().unwrap_or_default();
        let line = format!("{what} {} {base} {}\n", self.holder, ports.len());
        self.file.write_all(line.as_bytes()).expect("the journal can be written");
    }
}

/// What a journal says.
#[derive(Debug)]
pub struct Verdict {
    /// How many times ports were taken.
    pub taken: usize,
    /// Who had which port at the end.
    pub holders: HashMap<u16, String>,
}

/// Replays a journal and fails if two held a port at once.
///
/// A holder that was killed gives nothing back, so others may take its ports once it wrote its last line.
#[must_use]
pub fn judge(path: &Path) -> Verdict {
    let text = std::fs::read_to_string(path).expect("the journal is readable");
    let lines: Vec<Line<'_>> = text.lines().enumerate().map(|(at, line)| Line::read(at, line)).collect();
    let last_lines: HashMap<&str, usize> = lines.iter().map(|line| (line.holder, line.at)).collect();
    let mut holders: HashMap<u16, &str> = HashMap::new();
    let mut taken = 0;
    for line in &lines {
        for port in line.first..line.first + line.count {
            if !line.took {
                holders.remove(&port);
                continue;
            }
            let Some(other) = holders.insert(port, line.holder) else { continue };
            let wrote_later = last_lines.get(other).is_some_and(|last| *last > line.at);
            assert!(!wrote_later, "line {}: {} took port {port} while {other} held it", line.at, line.holder);
        }
        taken += usize::from(line.took);
    }
    Verdict { taken, holders: holders.into_iter().map(|(port, holder)| (port, holder.to_owned())).collect() }
}

struct Line<'a> {
    at: usize,
    took: bool,
    holder: &'a str,
    first: u16,
    count: u16,
}

impl<'a> Line<'a> {
    fn read(at: usize, line: &'a str) -> Self {
        let bad = || -> ! { panic!("line {at} of the journal is {line:?}") };
        let words: Vec<&str> = line.split(' ').collect();
        let [what, holder, first, count] = words.as_slice() else { bad() };
        let (Ok(first), Ok(count)) = (first.parse(), count.parse()) else { bad() };
        Self { at, took: *what == "took", holder, first, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Verdict {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("journal");
        std::fs::write(&path, text).unwrap();
        judge(&path)
    }

    #[test]
    fn a_proper_journal_is_accepted() {
        let verdict = judged("took a 5 2\ntook b 7 1\ngave a 5 2\ntook b 6 1\ngave b 7 1\ngave b 6 1\n");
        assert_eq!((verdict.taken, verdict.holders.len()), (3, 0));
    }

    #[test]
    fn ports_of_one_that_was_killed_may_be_taken() {
        let verdict = judged("took a 5 2\ntook b 6 1\ngave b 6 1\n");
        assert_eq!((verdict.taken, verdict.holders.get(&5).map(String::as_str)), (2, Some("a")));
    }

    #[test]
    #[should_panic(expected = "b took port 6 while a held it")]
    fn an_overlap_is_noticed() {
        let _ = judged("took a 5 2\ntook b 6 2\ngave a 5 2\ngave b 6 2\n");
    }
}
