//! Retries with growing pauses until a deadline, for events that nothing announces.

use std::io;
use std::time::{Duration, Instant};

use crate::sys;

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The time that is left, by the monotonic clock.
pub(crate) struct Deadline {
    start: Instant,
    limit: Duration,
}

impl Deadline {
    pub(crate) fn new(limit: Duration) -> Self {
        Self::since(Instant::now(), limit)
    }

    pub(crate) fn since(start: Instant, limit: Duration) -> Self {
        Self { start, limit }
    }

    /// The time that is left. Subtracts, because adding a very long limit to the start could overflow.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.start.elapsed())
    }

    /// The limit, or the elapsed time in milliseconds if the wait was cancelled before.
    pub(crate) fn waited(&self) -> Duration {
        let waited = self.start.elapsed();
        let waited = Duration::from_millis(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX));
        waited.min(self.limit)
    }
}

/// Pauses between attempts, until a deadline.
pub(crate) struct Backoff {
    pub(crate) deadline: Deadline,
    pause: Duration,
    longest: Duration,
}

impl Backoff {
    /// Tries every millisecond, for conditions that last microseconds.
    pub(crate) fn steady(limit: Duration) -> Self {
        Self::growing(Deadline::new(limit), SHORTEST_PAUSE)
    }

    /// Starts with short pauses and doubles each one, up to `longest`.
    pub(crate) fn growing(deadline: Deadline, longest: Duration) -> Self {
        Self { deadline, pause: SHORTEST_PAUSE, longest }
    }

    /// How long to wait before the next attempt; `None` once the deadline has passed.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        let pause = self.pause.min(self.deadline.left());
        self.pause = (self.pause * 2).min(self.longest);
        (!pause.is_zero()).then_some(pause)
    }

    /// Returns to short pauses.
    pub(crate) fn hurry(&mut self) {
        self.pause = SHORTEST_PAUSE;
    }

    /// Waits before the next attempt. `false` if the deadline has passed.
    pub(crate) fn wait(&mut self) -> io::Result<bool> {
        let Some(pause) = self.next() else { return Ok(false) };
        sys::wait_connected(&[], pause).map(|()| true)
    }
}
