//! Whether locks exclude on the registry's file system, without touching a port's lock.

use std::io;

use super::report::Check;
use crate::registry::Registry;
use crate::sys::{self, doctor_words};

/// Bytes that stand for no port: far beyond the locks of all ports.
const FIRST: u64 = 1 << 41;
const COUNT: u64 = 1 << 41;

/// What two file descriptions have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Exclude,
    /// Both got the lock.
    DoNotExclude,
    /// The lock outlived its description.
    Stay,
    /// Twice, the first description got no lock at a random place: somebody has locked everything.
    Refused,
}

pub(super) fn locks(registry: Option<&Registry>) -> Check {
    const CODE: &str = "locks";
    let Some(registry) = registry else { return Check::skipped(CODE, "registry") };
    let place = registry.root().display();
    let remedy = doctor_words::OTHER_FILE_SYSTEM;
    match tried(registry) {
        Ok(Verdict::Exclude) => Check::ok(CODE, "a lock of one file description excludes the others, and ends with it"),
        Ok(Verdict::DoNotExclude) => Check::broken(
            CODE,
            format!("two file descriptions got the same lock in {place}: leases do not exclude"),
            remedy,
        ),
        Ok(Verdict::Stay) => Check::broken(
            CODE,
            format!("a lock in {place} remained after its file description was closed: ports would never become free"),
            remedy,
        ),
        Ok(Verdict::Refused) => Check::broken(
            CODE,
            format!("another process has locked bytes in {place} that stand for no port"),
            doctor_words::FIND_LOCKER,
        ),
        Err(error) => Check::broken(CODE, format!("locks cannot be tried in {place}: {error}"), remedy),
    }
}

fn tried(registry: &Registry) -> io::Result<Verdict> {
    let (mut one, other) = (Some(registry.description()?), registry.description()?);
    verdict(
        || Ok(FIRST + sys::random_number()? % COUNT),
        |step| match step {
            Step::First(byte) => one.as_ref().map_or(Ok(false), |file| sys::try_lock_byte(file, byte)),
            Step::Other(byte) => sys::try_lock_byte(&other, byte),
            Step::CloseFirst => {
                one = None;
                Ok(true)
            }
        },
    )
}

/// One step of the trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    First(u64),
    Other(u64),
    CloseFirst,
}

/// Another process may examine the same byte at the same moment, so a refusal is tried again at another place.
fn verdict(
    mut place: impl FnMut() -> io::Result<u64>,
    mut take: impl FnMut(Step) -> io::Result<bool>,
) -> io::Result<Verdict> {
    for _ in 0..2 {
        let byte = place()?;
        if !take(Step::First(byte))? {
            continue;
        }
        if take(Step::Other(byte))? {
            return Ok(Verdict::DoNotExclude);
        }
        take(Step::CloseFirst)?;
        return Ok(if take(Step::Other(byte))? { Verdict::Exclude } else { Verdict::Stay });
    }
    Ok(Verdict::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on locks that answer in this order.
    fn on(answers: &[bool]) -> Verdict {
        let mut answers = answers.iter().copied();
        let mut places = FIRST..;
        let found = verdict(
            || Ok(places.next().unwrap()),
            |step| Ok(step == Step::CloseFirst || answers.next().expect("no further lock is tried")),
        );
        assert_eq!(answers.next(), None, "every lock was tried");
        found.unwrap()
    }

    #[test]
    fn locks_that_do_not_exclude_are_noticed() {
        assert_eq!(on(&[true, false, true]), Verdict::Exclude);
        assert_eq!(on(&[true, true]), Verdict::DoNotExclude);
        assert_eq!(on(&[true, false, false]), Verdict::Stay);
    }

    #[test]
    fn a_refusal_is_tried_once_again() {
        assert_eq!(on(&[false, true, false, true]), Verdict::Exclude);
        assert_eq!(on(&[false, false]), Verdict::Refused);
    }

    #[test]
    fn the_kernels_locks_exclude() {
        let scratch = tempfile::tempdir().unwrap();
        let registry = Registry::open(Some(scratch.path().join("registry"))).unwrap();
        assert_eq!(tried(&registry).unwrap(), Verdict::Exclude);
        assert_eq!(tried(&registry).unwrap(), Verdict::Exclude, "nothing is left locked");
    }
}
