//! Finds the line of a position in a file, and makes errors that name it. Knows no keys.

use std::ops::Range;
use std::path::Path;

use crate::error::{Error, ErrorCode};

/// A file's text with its path, for errors.
pub(super) struct Lines<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Lines<'_> {
    /// "path:3: message".
    pub(super) fn error(&self, at: Range<usize>, message: &str, remedy: impl Into<String>) -> Error {
        Error::invalid_argument(self.place(&at) + message, remedy)
    }

    /// An error about a value, with the position before its message.
    pub(super) fn blame(&self, at: Range<usize>, key: &str, error: Error) -> Error {
        error.recast(ErrorCode::InvalidArgument, &format!("{}`{key}`: ", self.place(&at)))
    }

    /// The number of the line.
    pub(super) fn number(&self, at: &Range<usize>) -> usize {
        let before = self.text.as_bytes().iter().take(at.start);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    fn place(&self, at: &Range<usize>) -> String {
        place(self.path, self.number(at))
    }
}

/// "path:3: ".
pub(crate) fn place(path: &Path, line: usize) -> String {
    format!("{}:{line}: ", path.display())
}
