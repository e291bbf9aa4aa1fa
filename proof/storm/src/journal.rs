//! The journal that all workers append to, and its reader.
//!
//! Every line has the same length, and that divides a page: a writer that is killed in the middle of a write has then
//! written all of the line or nothing, because the kernel lets a kill in only between pages.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::failure::{Context, Outcome};

/// Length of a line, with its end.
pub(crate) const LINE: usize = 64;

/// A writer's end.
#[derive(Debug)]
pub(crate) struct Journal(File);

impl Journal {
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        OpenOptions::new().append(true).create(true).open(path).map(Self).context(path.display())
    }

    /// Appends a line.
    pub(crate) fn note(&mut self, line: &str) -> Outcome<()> {
        self.0.write_all(format!("{line:<0$}\n", LINE - 1).as_bytes()).context("the journal")
    }

    /// To be called after ports were taken.
    pub(crate) fn took(&mut self, holder: &str, ports: &[u16]) -> Outcome<()> {
        self.note(&format!("took {holder} {} {}", ports.first().unwrap_or(&0), ports.len()))
    }

    /// To be called before ports are given back.
    pub(crate) fn gave(&mut self, holder: &str, ports: &[u16]) -> Outcome<()> {
        self.note(&format!("gave {holder} {} {}", ports.first().unwrap_or(&0), ports.len()))
    }
}

/// The reader's end.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    at: u64,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
        Ok(Self { file: file.context(path.display())?, at: 0 })
    }

    /// Hands over the lines that were not read yet.
    pub(crate) fn follow(&mut self, mut line: impl FnMut(&str) -> Outcome<()>) -> Outcome<()> {
        let mut buffer = vec![0; 1024 * LINE];
        loop {
            let count = self.file.read_at(&mut buffer, self.at).context("the journal")? / LINE * LINE;
            for bytes in buffer.get(..count).unwrap_or_default().chunks_exact(LINE) {
                line(std::str::from_utf8(bytes).context("the journal")?.trim_end())?;
            }
            self.at += count as u64;
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Begins anew. Only while nobody writes.
    pub(crate) fn truncate(&mut self) -> Outcome<()> {
        self.at = 0;
        self.file.set_len(0).context("the journal")
    }
}
