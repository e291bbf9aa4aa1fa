//! The log of a program that is not written in Rust: lines on standard error, if `PORTALLOC_LOG` asks for them. A program in
//! Rust installs a logger of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use log::{LevelFilter, Log, Metadata, Record};

use crate::process::warn_once;
use crate::sys;

const VARIABLE: &str = "PORTALLOC_LOG";

/// Every target of this library begins with this.
const TARGET: &str = "portalloc";

struct StandardError;

/// Writes the log to standard error from now on, if `PORTALLOC_LOG` names a level (`error`, `warn`, `info`, `debug` or
/// `trace`) and the program has no logger yet. The first call in a process decides. Another value is a warning.
pub fn start_log() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    // Reads first, because every call of a binding asks, and a write would make other threads wait.
    if STARTED.load(Ordering::Relaxed) || STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    let Some(asked) = std::env::var_os(VARIABLE).filter(|asked| !asked.is_empty()) else { return };
    match asked.to_str().and_then(|asked| asked.parse::<LevelFilter>().ok()) {
        Some(level) => {
            if log::set_logger(&StandardError).is_ok() {
                log::set_max_level(level);
            }
        }
        None => warn_once(
            "log_level",
            VARIABLE,
            format!(
                "{VARIABLE}={asked:?} is not a level, so there is no log; set it to error, warn, info, debug or trace"
            ),
        ),
    }
}

impl Log for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(TARGET) && metadata.level() <= log::max_level()
    }

    /// In one write and without a lock: processes share standard error, and a forked child could inherit a locked lock.
    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            sys::write_to_standard_error(line(record).as_bytes());
        }
    }

    fn flush(&self) {}
}

fn line(record: &Record<'_>) -> String {
    let level = record.level().as_str().to_ascii_lowercase();
    let said = crate::text::printable(&record.args().to_string());
    format!("{TARGET}[{}] {level}: {said}\n", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_is_in_it() {
        let said = line(&Record::builder().level(log::Level::Debug).args(format_args!("a\nb\u{1b}[2J")).build());
        assert_eq!(said, format!("portalloc[{}] debug: a\\nb\\u{{1b}}[2J\n", std::process::id()));
    }

    #[test]
    fn other_libraries_are_not_logged() {
        log::set_max_level(LevelFilter::Debug);
        let enabled = |target, level| StandardError.enabled(&Metadata::builder().target(target).level(level).build());
        assert!(enabled("portalloc::search", log::Level::Debug));
        assert!(!enabled("portalloc::search", log::Level::Trace) && !enabled("netlink", log::Level::Error));
        log::set_max_level(LevelFilter::Off);
    }
}
