//! Placeholders for ports in text: `{web}`, `{port}`, `{port:1}`. Pure.

use crate::names::is_name;

/// Replaces each placeholder by the port that `port_of` returns for it. Everything else stays as it is: text in braces
/// for which it returns none, and any braces with a `$` or another brace in front, or another brace behind.
pub(crate) fn fill(text: &str, mut port_of: impl FnMut(&str) -> Option<u16>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let is_theirs = filled.ends_with(['$', '{']);
        let placeholder = after.split_once('}').filter(|(_, tail)| !is_theirs && !tail.starts_with('}'));
        match placeholder.and_then(|(name, tail)| Some((port_of(name)?, tail))) {
            Some((port, tail)) => {
                filled.push_str(&port.to_string());
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled + rest
}

/// Whether text in braces has the form of a placeholder, whatever the names of the ports are.
pub(crate) fn is_placeholder(text: &str) -> bool {
    is_name(text) || text.strip_prefix("port:").is_some_and(|index| index_in(index).is_some())
}

/// The index of the port that a placeholder stands for: that of the name; else the first for `port`, and N for `port:N`.
pub(crate) fn index(placeholder: &str, names: &[String]) -> Option<usize> {
    match (names.iter().position(|name| name == placeholder), placeholder.strip_prefix("port")) {
        (Some(index), _) => Some(index),
        (None, Some("")) => Some(0),
        (None, Some(rest)) => index_in(rest.strip_prefix(':')?),
        (None, None) => None,
    }
}

/// A number of digits only.
pub(crate) fn index_in(text: &str) -> Option<usize> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_of_others_stay() {
        let filled = |text: &str| fill(text, |name| (name == "web").then_some(7));
        assert_eq!(filled("{web}{web}:{a{web}"), "77:{a7");
        for theirs in ["${web}", "{{web}}", "{web}}", "{\"port\":{web}}", "{api}", "{}", "{ web }", "{web"] {
            assert_eq!(filled(theirs), theirs);
        }
    }

    #[test]
    fn what_looks_like_a_placeholder() {
        assert!(["web", "my-db", "_1", "port", "port:0"].into_iter().all(is_placeholder));
        assert!(!["", "1", "a b", "\"a\"", "port:", "port:-1", "port:x", "a:1"].into_iter().any(is_placeholder));
    }
}
