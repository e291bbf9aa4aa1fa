//! What a terminal reports, on every platform.

/// What [`Terminal::next_event`](super::Terminal::next_event) waits for.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only a supported platform has events"))]
pub(crate) enum Event {
    /// The time is over.
    Timeout,
    /// The user typed this.
    Keys(Vec<u8>),
    /// The terminal has another size.
    Resized,
    /// The user asked to suspend this process (Ctrl-Z).
    Suspend,
    /// This process was suspended, and now continues.
    Continued,
    /// A signal asks this process to end, with this exit status.
    End(u8),
}
