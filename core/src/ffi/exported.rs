//! Variables of an environment that are set in the process itself, so that the processes it starts share the
//! environment, and restored when it ends. Pure: says what to set and unset; the caller does it in its language's way.

/// Variables that were set, and their previous values.
///
/// ```
/// use portalloc::ffi::Exported;
///
/// let variables = vec![("WEB_PORT".to_owned(), "20001".to_owned())];
/// let exported = Exported::new(variables, |_| None);
/// assert_eq!(exported.to_set().next(), Some(("WEB_PORT", "20001")));
/// assert_eq!(exported.to_restore(|_| Some("20001".to_owned())).next(), Some(("WEB_PORT", None)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported(Vec<Variable>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    name: String,
    value: String,
    before: Option<String>,
}

impl Exported {
    /// Records that `variables` are about to be set; `now` returns the current value of a variable.
    #[must_use]
    pub fn new(variables: Vec<(String, String)>, now: impl Fn(&str) -> Option<String>) -> Self {
        let note = |(name, value): (String, String)| Variable { before: now(&name), name, value };
        Self(variables.into_iter().map(note).collect())
    }

    /// Names and values to set.
    pub fn to_set(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|variable| (variable.name.as_str(), variable.value.as_str()))
    }

    /// The variables to restore: a value to set again, or `None` to unset the variable. Variables whose value (`now`)
    /// was changed since stay as they are.
    pub fn to_restore(&self, now: impl Fn(&str) -> Option<String>) -> impl Iterator<Item = (&str, Option<&str>)> {
        let unchanged = move |variable: &&Variable| now(&variable.name).as_deref() == Some(variable.value.as_str());
        self.0.iter().filter(unchanged).map(|variable| (variable.name.as_str(), variable.before.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn what_was_there_before_comes_back_unless_somebody_changed_it() {
        let mut process = HashMap::from([("A".to_owned(), "old".to_owned())]);
        let variables = ["A", "B", "C"].map(|name| (name.to_owned(), "new".to_owned()));
        let exported = Exported::new(variables.to_vec(), |name| process.get(name).cloned());
        process.extend(exported.to_set().map(|(name, value)| (name.to_owned(), value.to_owned())));
        process.insert("C".to_owned(), "somebody else's".to_owned());
        let restored: Vec<_> = exported.to_restore(|name| process.get(name).cloned()).collect();
        assert_eq!(restored, [("A", Some("old")), ("B", None)]);
    }
}
