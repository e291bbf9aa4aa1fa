//! The variables of an environment: their names and values, and how each shell or file wants them written. Pure.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::registry::Record;

/// The names of the first five ports where none are given.
const DEFAULT_NAMES: [&str; 5] = ["FIRESTORE_PORT", "AUTH_PORT", "API_PORT", "METRICS_PORT", "DEBUG_PORT"];

/// The variables that every environment has.
const FIXED: [&str; 5] = ["ISOLATION_ID", "COMPOSE_PROJECT_NAME", "TEMP_DIR", "PORT_BASE", "PORT_COUNT"];

const LONGEST_NAME: usize = 64;

impl Record {
    /// Names and values, in the order in which they are written.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let values = [
            self.isolation_id.to_string(),
            self.compose_project_name.clone(),
            self.temp_dir.display().to_string(),
            self.ports.base_port.to_string(),
            self.ports.count.to_string(),
        ];
        let fixed = FIXED.iter().map(ToString::to_string).zip(values);
        let names = port_variables(&self.names, self.ports.ports.len());
        fixed.chain(names.into_iter().zip(self.ports.ports.iter().map(ToString::to_string))).collect()
    }
}

/// The variable of a port's name: `my-db` becomes `MY_DB_PORT`.
fn variable(name: &str) -> String {
    format!("{}_PORT", name.to_ascii_uppercase().replace('-', "_"))
}

/// The variables of `count` ports: by the names given, then by default, then by number.
fn port_variables(names: &[String], count: usize) -> Vec<String> {
    (0..count)
        .map(|index| match (names.get(index), DEFAULT_NAMES.get(index)) {
            (Some(name), _) => variable(name),
            (None, Some(default)) if names.is_empty() => (*default).to_owned(),
            (None, _) => format!("PORT_{index}"),
        })
        .collect()
}

/// Names for `count` ports must be words that become variables, each a different one.
pub(crate) fn check_names(names: &[String], count: usize) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut seen: HashMap<String, &str> = FIXED.iter().map(|fixed| ((*fixed).to_owned(), *fixed)).collect();
    for name in names {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            || !name.chars().all(allowed)
            || name.len() > LONGEST_NAME
        {
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            return Err(Error::invalid_argument(
                format!("{shown:?} is not a name for a port"),
                format!("use letters, digits, _ and -, beginning with a letter or _, at most {LONGEST_NAME} of them"),
            ));
        }
        let variable = variable(name);
        if let Some(other) = seen.insert(variable.clone(), name) {
            return Err(Error::invalid_argument(
                format!("the names {other:?} and {name:?} would both be the variable {variable}"),
                "give each port a name of its own",
            ));
        }
    }
    if names.len() > count {
        return Err(Error::invalid_argument(
            format!("{} names for {count} ports", names.len()),
            "ask for at least as many ports as names, or leave the number out",
        ));
    }
    Ok(())
}

/// How variables are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `export NAME='value'` for sh, bash, zsh, dash: safe to `eval`.
    Shell,
    /// `set -gx NAME 'value'` for fish.
    Fish,
    /// `$env:NAME = 'value'` for PowerShell.
    PowerShell,
    /// `NAME=value` for docker compose's and other tools' env files.
    Dotenv,
    /// For the files behind `$GITHUB_ENV` and `$GITHUB_OUTPUT`.
    Github,
}

/// Writes variables in a syntax, a line each, whatever their values contain.
#[must_use]
pub fn render(variables: &[(String, String)], syntax: Syntax) -> String {
    variables.iter().map(|(name, value)| line(name, value, syntax)).collect()
}

fn line(name: &str, value: &str, syntax: Syntax) -> String {
    match syntax {
        Syntax::Shell => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
        Syntax::Fish => format!("set -gx {name} '{}'\n", value.replace('\\', r"\\").replace('\'', r"\'")),
        Syntax::PowerShell => format!("$env:{name} = '{}'\n", powershell(value)),
        Syntax::Dotenv => format!("{name}={}\n", dotenv(value)),
        Syntax::Github if value.contains(['\n', '\r']) => {
            // No line of the value may end it early.
            let mut end = "PORTALLOC_END".to_owned();
            while value.lines().any(|line| line == end) {
                end.push('_');
            }
            format!("{name}<<{end}\n{value}\n{end}\n")
        }
        Syntax::Github => format!("{name}={value}\n"),
    }
}

/// PowerShell takes typographic quotes for quotes, too.
fn powershell(value: &str) -> String {
    let mut doubled = String::new();
    for c in value.chars() {
        doubled.extend(std::iter::repeat_n(c, if "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c) { 2 } else { 1 }));
    }
    doubled
}

/// Bare where that means the same to every reader, else in single quotes, which take everything literally, else in
/// double quotes.
fn dotenv(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if value.chars().all(plain) {
        value.to_owned()
    } else if !value.contains(['\'', '\n', '\r']) {
        format!("'{value}'")
    } else {
        let mut quoted = String::from("\"");
        for c in value.chars() {
            match c {
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '"' | '\\' | '$' | '`' => quoted.extend(['\\', c]),
                _ => quoted.push(c),
            }
        }
        quoted + "\""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ports_are_named_by_what_is_given() {
        assert_eq!(
            port_variables(&names(&["postgres", "my-db", "_x9"]), 3),
            ["POSTGRES_PORT", "MY_DB_PORT", "_X9_PORT"]
        );
        assert_eq!(port_variables(&names(&["web"]), 3), ["WEB_PORT", "PORT_1", "PORT_2"]);
        assert_eq!(
            port_variables(&[], 6),
            ["FIRESTORE_PORT", "AUTH_PORT", "API_PORT", "METRICS_PORT", "DEBUG_PORT", "PORT_5"]
        );
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
        assert!(check_names(&names(&["a", "b"]), 1).unwrap_err().message().contains("2 names for 1 ports"));
        assert!(check_names(&names(&["a", "b", "port", "_1"]), 4).is_ok());
    }

    #[test]
    fn hostile_values_stay_values() {
        let value = "a'b $(touch x) `y` \"z\" \\ end";
        assert_eq!(line("V", value, Syntax::Shell), "export V='a'\\''b $(touch x) `y` \"z\" \\ end'\n");
        assert_eq!(line("V", value, Syntax::Fish), "set -gx V 'a\\'b $(touch x) `y` \"z\" \\\\ end'\n");
        assert_eq!(line("V", value, Syntax::PowerShell), "$env:V = 'a''b $(touch x) `y` \"z\" \\ end'\n");
        assert_eq!(line("V", value, Syntax::Dotenv), "V=\"a'b \\$(touch x) \\`y\\` \\\"z\\\" \\\\ end\"\n");
        assert_eq!(line("V", "/a b/$c", Syntax::Dotenv), "V='/a b/$c'\n");
        assert_eq!(line("V", "/a/b-1.c", Syntax::Dotenv), "V=/a/b-1.c\n");
        assert_eq!(
            line("V", "1\nPORTALLOC_END\n2", Syntax::Github),
            "V<<PORTALLOC_END_\n1\nPORTALLOC_END\n2\nPORTALLOC_END_\n"
        );
    }
}
