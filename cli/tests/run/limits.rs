//! The limit on open descriptors.

use portalloc_testkit::{CommandLine, run};

use crate::PORTALLOC;

/// Wherever it is met: it says so, the command does not run, and nothing is left.
#[test]
fn it_works_or_fails_cleanly_at_every_limit() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    for option in ["", "--guard", "--listen", "--listen --guard"] {
        let mut enough = None;
        for limit in 4..40 {
            let script = format!("ulimit -n {limit}; exec portalloc run {option} --ports 2 -- echo ran");
            let ran = run(&mut scratch.sh(&script));
            match ran.status {
                0 => {
                    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("ran\n", ""));
                    enough = enough.or(Some(limit));
                }
                status => {
                    assert_eq!((status, ran.stdout.as_str()), (1, ""), "{ran:?}");
                    assert!(ran.stderr.contains("ulimit -n"), "what to do is missing in {ran:?}");
                    assert!(!ran.stderr.contains("write the result"), "{ran:?}");
                    assert_eq!(enough, None, "less was enough: {ran:?}");
                }
            }
            // With the fewest it does not come as far as to make a registry.
            if limit > 5 {
                scratch.assert_no_environment_left();
            }
        }
        assert!(enough.is_some_and(|limit| limit > 4), "{option}: {enough:?}");
    }
}
