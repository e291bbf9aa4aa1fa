//! Which line of a file something stands on, and an error that says so. Knows no keys.

use std::ops::Range;
use std::path::Path;

use crate::error::{Error, ErrorCode};

/// A file's text under its path, to blame.
pub(super) struct Lines<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Lines<'_> {
    /// "path:3: message".
    pub(super) fn error(&self, at: Range<usize>, message: &str, remedy: impl Into<String>) -> Error {
        Error::invalid_argument(self.place(at) + message, remedy)
    }

    /// The error of whoever judged the value, with the place in front.
    pub(super) fn blame(&self, at: Range<usize>, key: &str, error: Error) -> Error {
        error.recast(ErrorCode::InvalidArgument, &format!("{}`{key}`: ", self.place(at)))
    }

    fn place(&self, at: Range<usize>) -> String {
        let before = self.text.as_bytes().iter().take(at.start);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}: ", self.path.display())
    }
}
