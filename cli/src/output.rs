//! Results on standard output and messages on standard error, with colors only on a terminal and never with `NO_COLOR`.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::error::{ContextKind, ContextValue};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Reports why the command failed. An error in writing this is ignored: nobody is there to read it.
pub(crate) fn error(message: &str) {
    let _ = writeln!(anstream::stderr(), "{ERROR}portalloc:{ERROR:#} {}", plain(message));
}

/// Reports arguments that clap refuses, some of which have control characters if `has_controls`. They must not control the
/// terminal either: a script may have them from anybody.
pub(crate) fn refusal(mut error: clap::Error, has_controls: bool) {
    if !has_controls {
        let _ = error.print();
        return;
    }
    let said: Vec<(ContextKind, ContextValue)> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in said {
        match value {
            ContextValue::String(text) => error.insert(kind, ContextValue::String(plain(text))),
            ContextValue::Strings(texts) => {
                error.insert(kind, ContextValue::Strings(texts.into_iter().map(plain).collect()))
            }
            _ => None,
        };
    }
    // Parsers of values repeat them, too, so the text goes without clap's styles and without whatever looks like one.
    let lines: String = error.render().to_string().lines().map(|line| plain(line) + "\n").collect();
    let _ = write!(anstream::stderr(), "{lines}");
}

/// Reports a problem that does not make the command fail.
pub(crate) fn warning(message: &str) {
    let _ = writeln!(anstream::stderr(), "{WARNING}portalloc: warning:{WARNING:#} {}", plain(message));
}

/// Reports the core's warnings: problems that did not make a call fail.
pub(crate) fn warnings() {
    portalloc::process::take_warnings().iter().for_each(|found| warning(&found.message));
}

/// Reports what was done, if that is not the result itself.
pub(crate) fn note(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "portalloc: {}", plain(message));
}

/// Writes a result to standard output and flushes it, so that every error shows here.
pub(crate) fn result(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Removes styles from text for standard output unless it is a terminal and `NO_COLOR` is not set.
pub(crate) fn styled(text: String) -> String {
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(&text).to_string(),
        _ => text,
    }
}

/// Escapes control characters: anybody can choose paths and names of processes, which must neither control the terminal
/// nor start a new line.
pub(crate) fn plain(text: impl Display) -> String {
    let mut plain = String::new();
    for c in text.to_string().chars() {
        if c.is_control() { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    plain
}

/// A value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// `1 port`, `3 ports`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Ports as ranges: `20010-20014,20031`.
pub(crate) fn ports(ports: &[u16]) -> String {
    ports
        .iter()
        .filter_map(|port| portalloc::pool::PortRange::new(*port, *port))
        .collect::<portalloc::pool::PortSet>()
        .to_string()
}

/// An age in its two largest units: `42s`, `3m 5s`, `2h 5m`, `12days 3h`.
pub(crate) fn age(age: Duration) -> String {
    let whole = humantime::format_duration(Duration::from_secs(age.as_secs())).to_string();
    whole.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_show_their_largest_units() {
        let shown = |seconds| age(Duration::from_secs(seconds));
        assert_eq!([shown(0), shown(59), shown(61), shown(7501)], ["0s", "59s", "1m 1s", "2h 5m"]);
        assert_eq!([shown(90_061), shown(31 * 86_400)], ["1day 1h", "1month 13h"]);
    }

    #[test]
    fn ports_are_shown_as_ranges() {
        assert_eq!(ports(&[20014, 20010, 20011, 20031]), "20010-20011,20014,20031");
    }
}
