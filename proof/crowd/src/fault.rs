//! What goes wrong: here only a person reads it, so a sentence is enough.

pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Fallible<T> = Result<T, Fault>;

/// Says what was being done when something went wrong.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Fallible<T>;
}

impl<T, E: std::fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Fallible<T> {
        self.map_err(|error| format!("{}: {error}", what()).into())
    }
}
