//! Explores a configuration: all of it, or until one property breaks, by the shortest way.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::protocol::Protocol;
use crate::trace;

/// What an exploration of everything came to.
pub(crate) struct Explored {
    pub(crate) states: usize,
    pub(crate) unique: usize,
    pub(crate) depth: usize,
    pub(crate) time: Duration,
    /// The properties that do not hold.
    pub(crate) broken: BTreeSet<&'static str>,
}

/// Explores every state there is, with all processors.
pub(crate) fn everything(protocol: Protocol) -> Explored {
    let start = Instant::now();
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    let checker = protocol.checker().threads(threads).spawn_bfs().join();
    Explored {
        states: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth(),
        time: start.elapsed(),
        broken: checker.discoveries().into_keys().collect(),
    }
}

/// The shortest way to a state in which `property` does not hold.
pub(crate) fn shortest(protocol: Protocol, property: &'static str) -> Option<String> {
    let until = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = protocol.checker().finish_when(until).spawn_bfs().join();
    checker.discovery(property).map(|path| trace::tell(checker.model(), path))
}
