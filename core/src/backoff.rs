//! Trying again until a deadline, with pauses that grow: for whatever nobody announces.

use std::io;
use std::time::{Duration, Instant};

use crate::sys;

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The time that is left, by a clock that only goes forward.
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

    /// However long the limit: the sum of the two might be no point in time.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.start.elapsed())
    }

    /// The limit, or less if the wait was given up before: then to the millisecond.
    pub(crate) fn waited(&self) -> Duration {
        let waited = self.start.elapsed();
        let waited = Duration::from_millis(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX));
        waited.min(self.limit)
    }
}

/// Pauses between the tries of something, until a deadline.
pub(crate) struct Backoff {
    pub(crate) deadline: Deadline,
    pause: Duration,
    longest: Duration,
}

impl Backoff {
    /// For what takes microseconds: a try every millisecond.
    pub(crate) fn steady(limit: Duration) -> Self {
        Self::growing(Deadline::new(limit), SHORTEST_PAUSE)
    }

    /// Soon at first, then rarely: each pause is twice the one before, up to `longest`.
    pub(crate) fn growing(deadline: Deadline, longest: Duration) -> Self {
        Self { deadline, pause: SHORTEST_PAUSE, longest }
    }

    /// How long to wait before the next try; `None` once the deadline has passed.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        let pause = self.pause.min(self.deadline.left());
        self.pause = (self.pause * 2).min(self.longest);
        (!pause.is_zero()).then_some(pause)
    }

    /// Begins with short pauses again.
    pub(crate) fn hurry(&mut self) {
        self.pause = SHORTEST_PAUSE;
    }

    /// Waits before the next try. `false`: the deadline has passed.
    pub(crate) fn wait(&mut self) -> io::Result<bool> {
        let Some(pause) = self.next() else { return Ok(false) };
        sys::wait_connected(&[], pause).map(|()| true)
    }
}
