//! The variables of an environment: their names and values, and the syntax in which each shell or file needs them.
//! Pure.

use std::borrow::Cow;

use crate::names::variable;

/// The names that go-portalloc gives to the first ports of an environment without names.
pub(crate) const GO_PORTALLOC: [&str; 5] = ["FIRESTORE_PORT", "AUTH_PORT", "API_PORT", "METRICS_PORT", "DEBUG_PORT"];

/// Names of the port that a program takes from `PORT`, the most telling first.
const MAIN: [&str; 4] = ["web", "app", "http", "server"];

/// The variables of `count` ports: the given names, then numbered ones.
pub(crate) fn port_variables(names: &[String], count: usize) -> Vec<String> {
    (0..count).map(|index| names.get(index).map_or_else(|| format!("PORT_{index}"), |name| variable(name))).collect()
}

/// Which port is `PORT`, if any: the one named web, app, http or server, else the only one, else the first without a name.
pub(crate) fn main_port(names: &[String], count: usize) -> Option<usize> {
    let named = MAIN.iter().find_map(|main| names.iter().position(|name| name == main));
    named.or(if count == 1 { Some(0) } else { (names.len() < count).then_some(names.len()) })
}

/// The syntax in which variables are written.
///
/// ```
/// use portalloc::environment::{Syntax, render};
///
/// let variables = [("WEB_PORT".to_owned(), "20001".to_owned())];
/// assert_eq!(render(&variables, Syntax::Shell), "export WEB_PORT='20001'\n");
/// ```
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

/// Writes variables in a syntax, one per line, with any value quoted safely.
#[must_use]
pub fn render(variables: &[(String, String)], syntax: Syntax) -> String {
    let mut text = String::new();
    for (name, value) in variables {
        write(&mut text, name, value, syntax);
    }
    text
}

fn write(text: &mut String, name: &str, value: &str, syntax: Syntax) {
    match syntax {
        Syntax::Shell => text.extend(["export ", name, "='", &value.replace('\'', r"'\''"), "'\n"]),
        Syntax::Fish => {
            text.extend(["set -gx ", name, " '", &value.replace('\\', r"\\").replace('\'', r"\'"), "'\n"]);
        }
        Syntax::PowerShell => text.extend(["$env:", name, " = '", &powershell(value), "'\n"]),
        Syntax::Dotenv => text.extend([name, "=", &dotenv(value), "\n"]),
        Syntax::Github if value.contains(['\n', '\r']) => {
            // No line of the value may equal the delimiter.
            let mut end = "PORTALLOC_END".to_owned();
            while value.lines().any(|line| line == end) {
                end.push('_');
            }
            text.extend([name, "<<", &end, "\n", value, "\n", &end, "\n"]);
        }
        Syntax::Github => text.extend([name, "=", value, "\n"]),
    }
}

/// PowerShell accepts typographic quotes as quotes, so they are doubled, too.
fn powershell(value: &str) -> String {
    let mut doubled = String::new();
    for c in value.chars() {
        doubled.extend(std::iter::repeat_n(c, if "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c) { 2 } else { 1 }));
    }
    doubled
}

/// Unquoted where every reader agrees on the meaning, else in single quotes, which take everything literally, else in
/// double quotes.
fn dotenv(value: &str) -> Cow<'_, str> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"_-./:@%+,".contains(&c);
    if value.bytes().all(plain) {
        value.into()
    } else if !value.contains(['\'', '\n', '\r']) {
        format!("'{value}'").into()
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
        (quoted + "\"").into()
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
        assert_eq!(port_variables(&[], 2), ["PORT_0", "PORT_1"]);
    }

    #[test]
    fn one_port_at_most_is_the_main_one() {
        let main = |given: &[&str], count| main_port(&names(given), count);
        assert_eq!(main(&["db", "server", "app"], 3), Some(2), "app goes before server");
        assert_eq!(main(&["db"], 1), Some(0), "the only one");
        assert_eq!(main(&["db", "cache"], 4), Some(2), "the first without a name");
        assert_eq!(main(&[], 5), Some(0));
        assert_eq!(main(&["db", "cache"], 2), None);
        assert_eq!(main(&["WEB", "cache"], 2), None, "names are told apart by case");
    }

    #[test]
    fn hostile_values_stay_values() {
        let line = |name: &str, value: &str, syntax| render(&[(name.to_owned(), value.to_owned())], syntax);
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
