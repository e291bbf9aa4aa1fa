//! Writing for people: messages on standard error, in colour only on a terminal and never with `NO_COLOR`.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Why the command failed. That it cannot be written either is nothing to fail about.
pub(crate) fn error(message: &str) {
    let _ = writeln!(anstream::stderr(), "{ERROR}portalloc:{ERROR:#} {}", plain(message));
}

/// Something the user should know.
pub(crate) fn warning(message: &str) {
    let _ = writeln!(anstream::stderr(), "{WARNING}portalloc: warning:{WARNING:#} {}", plain(message));
}

/// What was done, where the result itself is something else.
pub(crate) fn note(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "portalloc: {}", plain(message));
}

/// Writes a result to standard output, whole or with an error: it is flushed.
pub(crate) fn result(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Text with styles as standard output may have it: in colour only on a terminal and never with `NO_COLOR`.
pub(crate) fn styled(text: String) -> String {
    match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(&text).to_string(),
        _ => text,
    }
}

/// Without control characters: paths and names of processes are anyone's, and must neither act on a terminal nor look
/// like lines of their own.
pub(crate) fn plain(text: impl Display) -> String {
    let mut plain = String::new();
    for c in text.to_string().chars() {
        if c.is_control() { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    plain
}

/// A value as JSON, for people and programs.
pub(crate) fn json(value: &impl serde::Serialize) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// "1 port", "3 ports".
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Ports as runs: `20010-20014,20031`.
pub(crate) fn ports(ports: &[u16]) -> String {
    ports
        .iter()
        .filter_map(|port| portalloc::pool::PortRange::new(*port, *port))
        .collect::<portalloc::pool::PortSet>()
        .to_string()
}

/// An age with its one or two largest units: `42s`, `3m`, `2h 5m`, `12d 3h`.
pub(crate) fn age(age: Duration) -> String {
    let (minutes, hours, days) = (age.as_secs() / 60, age.as_secs() / 3600, age.as_secs() / 86400);
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m"),
        3600..86400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_show_their_largest_units() {
        let shown = |seconds| age(Duration::from_secs(seconds));
        assert_eq!([shown(0), shown(59), shown(61), shown(7500), shown(90_061)], ["0s", "59s", "1m", "2h 5m", "1d 1h"]);
    }

    #[test]
    fn ports_are_shown_as_runs() {
        assert_eq!(ports(&[20014, 20010, 20011, 20031]), "20010-20011,20014,20031");
    }
}
