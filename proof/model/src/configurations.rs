//! What is explored: few processes and ports, everything that they can do, in every order. Each configuration is as large
//! as it has to be for one kind of meeting.

use crate::process::Program::{Attacher, Child, Cleaner, Lessee, Maker, Parent, Reconciler, Setup, Sweeper};
use crate::protocol::Protocol;

const KEPT: bool = true;
const HELD: bool = false;
const STALE: Option<usize> = None;

fn maker(env: usize, count: usize, kept: bool) -> crate::process::Program {
    Maker { env, count, kept }
}

/// Those that a test explores on every run.
pub(crate) fn small() -> Vec<Protocol> {
    vec![
        Protocol {
            servers: true,
            ..Protocol::new("two leases, with servers", &[Lessee { count: 1 }, Lessee { count: 2 }])
        },
        Protocol {
            strangers: true,
            ..Protocol::new("two leases, with strangers", &[Lessee { count: 1 }, Lessee { count: 2 }])
        },
        Protocol::new(
            "a lease and its forked child",
            &[Parent { count: 1, passes_on: false }, Child { of: 0 }, Lessee { count: 1 }],
        ),
        Protocol::new(
            "a lease that is passed on",
            &[Parent { count: 1, passes_on: true }, Child { of: 0 }, Lessee { count: 1 }],
        ),
        Protocol::new("an environment and a lease", &[maker(0, 2, KEPT), Lessee { count: 1 }]),
        Protocol::new(
            "a held environment and its forked child",
            &[maker(0, 1, HELD), Child { of: 0 }, Lessee { count: 1 }],
        ),
        Protocol::new("an environment and its forked child", &[maker(0, 1, KEPT), Child { of: 0 }]),
        Protocol::new("an environment and a cleanup of it", &[maker(0, 2, KEPT), Cleaner { asked: Some(0) }]),
        Protocol {
            env_files: true,
            ..Protocol::new("a held environment and a cleanup", &[maker(0, 1, HELD), Cleaner { asked: STALE }])
        },
        Protocol {
            expires: true,
            ..Protocol::new("an expiring environment and a cleanup", &[maker(0, 2, KEPT), Cleaner { asked: STALE }])
        },
        Protocol {
            env_files: true,
            strangers_file: true,
            ..Protocol::new("an env file beside a stranger's", &[maker(0, 1, KEPT), Cleaner { asked: Some(0) }])
        },
        Protocol::new("two environments of one ID", &[maker(0, 1, KEPT), maker(0, 1, KEPT)]),
        Protocol {
            closes: true,
            ..Protocol::new("leases whose descriptors are closed", &[Lessee { count: 1 }, Lessee { count: 2 }])
        },
        Protocol {
            moves: Some((0, true)),
            ..Protocol::new("a setup and a lease", &[Setup { remove: false }, Lessee { count: 1 }])
        },
        Protocol {
            moves: Some((0, false)),
            ..Protocol::new("a setup before the first lease", &[Setup { remove: false }, Lessee { count: 1 }])
        },
        Protocol {
            moves: Some((1, true)),
            ..Protocol::new("a removal of a setup and a lease", &[Setup { remove: true }, Lessee { count: 1 }])
        },
        Protocol {
            moves: Some((0, true)),
            ..Protocol::new("a sweep of the namespace and a lease", &[Sweeper, Lessee { count: 1 }])
        },
        Protocol { damages: 1, ..Protocol::new("a damaged label and a reconcile", &[maker(0, 1, KEPT), Reconciler]) },
        Protocol { loses: 1, ..Protocol::new("a lost label and a reconcile", &[maker(0, 2, KEPT), Reconciler]) },
    ]
}

/// Those that show what the small ones cannot, in a second or so each.
pub(crate) fn middle() -> Vec<Protocol> {
    vec![
        Protocol {
            moves: Some((0, true)),
            ..Protocol::new(
                "a setup and two leases",
                &[Setup { remove: false }, Lessee { count: 1 }, Lessee { count: 1 }],
            )
        },
        Protocol {
            moves: Some((0, false)),
            ..Protocol::new(
                "a setup before the first two leases",
                &[Setup { remove: false }, Lessee { count: 1 }, Lessee { count: 1 }],
            )
        },
        Protocol {
            moves: Some((1, true)),
            ..Protocol::new(
                "a removal of a setup and two leases",
                &[Setup { remove: true }, Lessee { count: 1 }, Lessee { count: 1 }],
            )
        },
        Protocol {
            moves: Some((0, true)),
            ..Protocol::new(
                "a sweep of the namespace and two leases",
                &[Sweeper, Lessee { count: 1 }, Lessee { count: 1 }],
            )
        },
        Protocol::new("three leases", &[Lessee { count: 1 }, Lessee { count: 1 }, Lessee { count: 2 }]),
        Protocol {
            moves: Some((0, true)),
            ..Protocol::new(
                "a setup, an environment and a lease",
                &[Setup { remove: false }, maker(0, 1, KEPT), Lessee { count: 1 }],
            )
        },
        Protocol {
            moves: Some((0, true)),
            ..Protocol::new(
                "a sweep of the namespace, an environment and a lease",
                &[Sweeper, maker(0, 1, KEPT), Lessee { count: 1 }],
            )
        },
        Protocol {
            moves: Some((0, true)),
            ..Protocol::new(
                "a setup, its removal and two leases",
                &[Setup { remove: false }, Setup { remove: true }, Lessee { count: 1 }, Lessee { count: 2 }],
            )
        },
        Protocol {
            servers: true,
            strangers: true,
            ..Protocol::new("leases, servers and strangers", &[Lessee { count: 1 }, Lessee { count: 2 }])
        },
        Protocol {
            expires: true,
            ..Protocol::new(
                "two expiring environments and a lease",
                &[maker(0, 1, KEPT), maker(1, 2, KEPT), Lessee { count: 1 }],
            )
        },
        Protocol {
            expires: true,
            ..Protocol::new(
                "two environments and a cleanup",
                &[maker(0, 1, KEPT), maker(1, 1, KEPT), Cleaner { asked: STALE }],
            )
        },
        Protocol::new(
            "an environment, a lease and a cleanup of it",
            &[maker(0, 2, KEPT), Lessee { count: 1 }, Cleaner { asked: Some(0) }],
        ),
        Protocol::new(
            "two cleanups of one environment",
            &[maker(0, 2, KEPT), Cleaner { asked: STALE }, Cleaner { asked: Some(0) }],
        ),
        Protocol { env_files: true, ..Protocol::new("two env files", &[maker(0, 1, KEPT), maker(1, 1, HELD)]) },
        Protocol {
            env_files: true,
            ..Protocol::new(
                "two env files and a cleanup",
                &[maker(0, 1, KEPT), maker(1, 1, KEPT), Cleaner { asked: Some(0) }],
            )
        },
        Protocol {
            damages: 1,
            ..Protocol::new(
                "a damaged label, a lease and an attachment",
                &[maker(0, 1, KEPT), Attacher { env: 0 }, Lessee { count: 1 }],
            )
        },
        Protocol {
            damages: 1,
            ..Protocol::new(
                "a damaged label, a lease and a reconcile",
                &[maker(0, 1, KEPT), Lessee { count: 1 }, Reconciler],
            )
        },
        Protocol {
            damages: 1,
            expires: true,
            ..Protocol::new("a damaged label of one of two environments", &[maker(0, 1, KEPT), maker(1, 1, KEPT)])
        },
        Protocol {
            loses: 1,
            ..Protocol::new(
                "a lost label, a cleanup and a reconcile",
                &[maker(0, 1, KEPT), Cleaner { asked: Some(0) }, Reconciler],
            )
        },
        Protocol {
            loses: 1,
            loses_early: true,
            ..Protocol::new("a label lost while it is made", &[maker(0, 2, KEPT), Reconciler])
        },
        Protocol {
            loses: 1,
            ..Protocol::new(
                "a lost label, a lease and a cleanup",
                &[maker(0, 1, KEPT), Lessee { count: 1 }, Cleaner { asked: STALE }],
            )
        },
        Protocol {
            damages: 1,
            ..Protocol::new(
                "a damaged label after a cleanup",
                &[maker(0, 1, KEPT), maker(1, 1, KEPT), Cleaner { asked: Some(0) }],
            )
        },
    ]
}

/// Those in which the most can meet.
fn large() -> Vec<Protocol> {
    vec![
        Protocol {
            expires: true,
            ..Protocol::new(
                "two environments, a lease and a cleanup",
                &[maker(0, 1, KEPT), maker(1, 1, HELD), Lessee { count: 2 }, Cleaner { asked: STALE }],
            )
        },
        Protocol {
            env_files: true,
            expires: true,
            ..Protocol::new(
                "two env files, one that expires, and a cleanup of all",
                &[maker(0, 1, KEPT), maker(1, 1, HELD), Cleaner { asked: STALE }],
            )
        },
        Protocol::new(
            "two cleanups, a reconcile and an environment",
            &[maker(0, 2, KEPT), Cleaner { asked: STALE }, Cleaner { asked: Some(0) }, Reconciler],
        ),
    ]
}

/// All of them: for `make model`.
pub(crate) fn all() -> Vec<Protocol> {
    [small(), middle(), large()].concat()
}

/// The configuration of that name.
pub(crate) fn named(name: &str) -> Option<Protocol> {
    all().into_iter().find(|protocol| protocol.name == name)
}
