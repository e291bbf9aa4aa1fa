//! Removes what killed processes left, in the shadow of a command that makes an environment anyway.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use portalloc::Allocator;
use portalloc::cleanup::{Cleanup, Selection};

/// How many environments one command removes: a few more than one command leaves, so that none pile up.
const COUNT: usize = 4;

/// How long a command waits for it at most.
const WAIT: Duration = Duration::from_millis(50);

/// A sweep in a thread of its own. Its end with the process is as good as any: what it was removing is still named by a
/// record, and the next command goes on.
pub(crate) struct Sweep {
    start: Instant,
    done: Receiver<()>,
}

impl Sweep {
    /// Starts to remove what killed processes of this user left.
    pub(crate) fn start(allocator: &Allocator) -> Self {
        let (finished, done) = channel();
        let allocator = allocator.clone();
        // If there can be no thread, or if something cannot be removed, `portalloc cleanup --stale` tells.
        let _ = thread::Builder::new().spawn(move || {
            let _ = allocator.cleanup(&Cleanup::new(Selection::Abandoned).limit(COUNT, WAIT));
            let _ = finished.send(());
        });
        Self { start: Instant::now(), done }
    }

    /// Waits for its end, until 50 ms after its start.
    pub(crate) fn finish(self) {
        let _ = self.done.recv_timeout(WAIT.saturating_sub(self.start.elapsed()));
    }
}
