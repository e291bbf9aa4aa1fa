//! The words of a command after its name: positional ones, then `name value` pairs. Paths in them have no spaces.

#![expect(clippy::panic, reason = "a helper of tests: a failure is a failed test")]

use std::str::FromStr;
use std::time::Duration;

/// The rest of a command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options<'a>(&'a str);

impl<'a> Options<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self(text)
    }

    pub(crate) fn words(self) -> impl Iterator<Item = &'a str> {
        self.0.split_whitespace()
    }

    /// The first word.
    pub(crate) fn first<T: FromStr>(self) -> T {
        self.words().next().map_or_else(|| panic!("a word is missing"), |word| parse(word))
    }

    /// The words up to the first that is not of that kind.
    pub(crate) fn leading<T: FromStr>(self) -> Vec<T> {
        self.words().map_while(|word| word.parse().ok()).collect()
    }

    /// The word after `name`.
    pub(crate) fn get<T: FromStr>(self, name: &str) -> Option<T> {
        self.words().skip_while(|word| *word != name).nth(1).map(parse)
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.words().any(|word| word == name)
    }

    /// Milliseconds after `name`.
    pub(crate) fn time(self, name: &str) -> Option<Duration> {
        self.get(name).map(Duration::from_millis)
    }
}

fn parse<T: FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word:?} is not understood"))
}
