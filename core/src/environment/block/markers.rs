//! The two lines around a managed block: what they say, and how they are recognised after people and editors had the
//! file. Pure.

use std::fmt::Write as _;

use crate::hash::sha256;
use crate::id::IsolationId;

const BEGIN: &str = "# >>> portalloc";
const MANAGED: &str = " (managed: edits between these lines are lost)";
const END: &str = "# <<< portalloc";
const CHECKSUM: &str = "checksum ";
const MADE: &str = "made this file";
const ADDED: &str = "added the newline above this block";

/// Whose a block is. The texts are as they stand in its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(super) id: IsolationId,
    pub(super) instance: String,
    pub(super) worktree: String,
}

impl Owner {
    pub(crate) fn new(id: IsolationId, instance: &str, worktree: &str) -> Self {
        let instance = escaped(instance).replace(char::is_whitespace, r"\u{20}");
        Self { id, instance, worktree: escaped(worktree) }
    }

    /// The first line of its block, without the end of the line.
    pub(super) fn begin(&self) -> String {
        let Self { id, instance, worktree } = self;
        let instance = if instance.is_empty() { String::new() } else { format!(" as {instance}") };
        format!("{BEGIN} {id}{instance} of {worktree}{MANAGED}")
    }
}

/// On one line, and told apart: a backslash is escaped, too.
fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        // Some readers of env files end a line at the last two.
        if c == '\\' || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// What the last line of a block says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ending {
    /// Of the lines between, to tell whether somebody edited them; `None` if the line itself was edited.
    pub(super) checksum: Option<[u8; 4]>,
    /// Whether there was no file before the block.
    pub(super) made_file: bool,
    /// Whether the line above the block had no end before the block.
    pub(super) added_newline: bool,
}

impl Ending {
    /// The last line of a block, without the end of the line.
    pub(super) fn line(self) -> String {
        let mut words = Vec::new();
        if let Some(checksum) = self.checksum {
            words.push(checksum.iter().fold(CHECKSUM.to_owned(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }));
        }
        words.extend(self.made_file.then(|| MADE.to_owned()));
        words.extend(self.added_newline.then(|| ADDED.to_owned()));
        if words.is_empty() { END.to_owned() } else { format!("{END} ({})", words.join("; ")) }
    }
}

/// A line that begins or ends a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// `None` if the line was edited, so that it names no environment.
    Begin(Option<Owner>),
    End(Ending),
}

impl Marker {
    /// `line` may be indented, and may have an end of any kind.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii();
        let after = |marker: &str| {
            let rest = line.strip_prefix(marker.as_bytes())?;
            (rest.is_empty() || rest.starts_with(b" ")).then(|| str::from_utf8(rest).ok())
        };
        if let Some(rest) = after(BEGIN) {
            return Some(Self::Begin(rest.and_then(owner)));
        }
        after(END).map(|rest| Self::End(rest.map(ending).unwrap_or_default()))
    }
}

fn owner(rest: &str) -> Option<Owner> {
    let (id, rest) = rest.strip_prefix(' ')?.strip_suffix(MANAGED)?.split_once(' ')?;
    let (instance, worktree) = match rest.strip_prefix("as ") {
        Some(rest) => rest.split_once(" of ")?,
        None => ("", rest.strip_prefix("of ")?),
    };
    Some(Owner { id: id.parse().ok()?, instance: instance.to_owned(), worktree: worktree.to_owned() })
}

fn ending(rest: &str) -> Ending {
    let words = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')')).unwrap_or_default();
    let words: Vec<&str> = words.split("; ").collect();
    let hex = words.iter().find_map(|word| word.strip_prefix(CHECKSUM));
    Ending {
        checksum: hex
            .filter(|hex| hex.len() == 8)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .map(u32::to_be_bytes),
        made_file: words.contains(&MADE),
        added_newline: words.contains(&ADDED),
    }
}

/// The checksum of the lines between.
pub(super) fn checksum(lines: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&[lines]);
    [a, b, c, d]
}
