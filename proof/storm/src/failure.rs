//! Why a storm failed, as a text for people. Knows nothing of what failed.

use std::fmt::Display;

/// What went wrong, with all that is needed to look for the reason.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What everything in here ends with.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// Says what was being done when an error came up.
pub(crate) trait Context<T> {
    /// The error, with this in front of it.
    fn context(self, doing: impl Display) -> Outcome<T>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl Display) -> Outcome<T> {
        self.map_err(|error| format!("{doing}: {error}").into())
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, doing: impl Display) -> Outcome<T> {
        self.ok_or_else(|| doing.to_string().into())
    }
}
