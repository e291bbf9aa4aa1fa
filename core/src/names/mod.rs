//! Rules for the names of ports, variables and environments, and the variable that a port's name becomes. Pure.

mod env;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub(crate) use env::{LARGEST_ENV, check_value, check_variable};

use crate::error::{Error, Result};

/// The variables that every environment has.
pub(crate) const FIXED: [&str; 5] = ["ISOLATION_ID", "COMPOSE_PROJECT_NAME", "TEMP_DIR", "PORT_BASE", "PORT_COUNT"];

/// The number of ports if nobody gives a number or names.
pub(crate) const DEFAULT_COUNT: usize = 5;

const LONGEST_NAME: usize = 64;

/// The variable for a port's name: `my-db` becomes `MY_DB_PORT`.
pub(crate) fn variable(name: &str) -> String {
    let letters = name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_uppercase() });
    letters.chain("_PORT".chars()).collect()
}

/// Whether text can be the name of a port.
pub(crate) fn is_name(text: &str) -> bool {
    is_fit(text, |c| c == '_' || c == '-', LONGEST_NAME)
}

/// Checks that text can be the name of a port.
pub(crate) fn check_name(text: &str) -> Result<()> {
    if is_name(text) {
        return Ok(());
    }
    let shown: String = text.chars().take(LONGEST_NAME).collect();
    Err(Error::invalid_argument(
        format!("{shown:?} is not a name for a port"),
        format!("use letters, digits, _ and -, beginning with a letter or _, at most {LONGEST_NAME} of them"),
    ))
}

/// Whether text begins with a letter or `_`, and has only letters, digits, and what else is allowed.
fn is_fit(text: &str, is_allowed: impl Fn(char) -> bool, longest: usize) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || is_allowed(c))
        && text.len() <= longest
}

/// Checks names for `count` ports: each must become a variable, and no two the same one.
pub(crate) fn check_names(names: &[String], count: usize) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut seen: BTreeMap<Cow<'_, str>, &str> = FIXED.iter().map(|fixed| (Cow::from(*fixed), *fixed)).collect();
    for name in names {
        check_name(name)?;
        let variable = variable(name);
        if let Some(other) = seen.get(&*variable) {
            return Err(Error::invalid_argument(
                format!("the names {other:?} and {name:?} would both be the variable {variable}"),
                "give each port a name of its own",
            ));
        }
        seen.insert(variable.into(), name);
    }
    if names.len() > count {
        return Err(Error::invalid_argument(
            format!("{} names for {count} port{}", names.len(), if count == 1 { "" } else { "s" }),
            "ask for at least as many ports as names, or leave the number out",
        ));
    }
    Ok(())
}

/// Checks an instance ID: short text without control characters.
pub(crate) fn check_instance_id(given: &str) -> Result<()> {
    if given.len() > 256 || given.chars().any(char::is_control) {
        let shown: String = given.chars().take(40).collect();
        return Err(Error::invalid_argument(
            format!("the instance ID {shown:?} is too long or has control characters"),
            "use at most 256 bytes of ordinary text",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_that_cannot_be_variables_or_repeat_are_refused() {
        let long = "x".repeat(65);
        for bad in [
            &["1web"][..],
            &[""],
            &["a b"],
            &["a=b"],
            &["a;b"],
            &["é"],
            &["-a"],
            &[&long],
            &["a", "a"],
            &["a-b", "A_B"],
        ] {
            assert!(check_names(&names(bad), 9).is_err(), "{bad:?}");
        }
        assert!(check_names(&names(&["a", "b"]), 1).unwrap_err().message().contains("2 names for 1 port"));
        assert!(check_names(&names(&["a", "b", "port", "_1"]), 4).is_ok());
    }
}
