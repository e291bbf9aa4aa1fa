//! The notation of ports and what becomes of it, against one flag a port.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::ErrorCode;
use portalloc::pool::{KernelPorts, Pool, PortRange, PortSet};
use portalloc_fuzz::refused;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    pool: &'a str,
    exclude: &'a str,
    reserved: &'a str,
    ephemeral: (u16, u16),
}

/// One flag a port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flags(Vec<u64>);

impl Flags {
    fn none() -> Self {
        Self(vec![0; 1024])
    }

    fn set(&mut self, port: usize) {
        self.0[port / 64] |= 1 << (port % 64);
    }

    fn set_all(&mut self, first: usize, last: usize) {
        let mut port = first;
        while port <= last {
            if port.is_multiple_of(64) && port + 63 <= last {
                self.0[port / 64] = u64::MAX;
                port += 64;
            } else {
                self.set(port);
                port += 1;
            }
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// The notation by its grammar: numbers from 1 to 65535 and ranges of them, separated by commas, white space around each.
fn read(text: &str) -> Option<Flags> {
    let mut flags = Flags::none();
    if text.chars().all(char::is_whitespace) {
        return Some(flags);
    }
    for item in text.split(',') {
        let mut ends = item.splitn(2, '-').map(number);
        let first = ends.next()??;
        let last = ends.next().unwrap_or(Some(first))?;
        if first > last {
            return None;
        }
        flags.set_all(first, last);
    }
    Some(flags)
}

fn number(text: &str) -> Option<usize> {
    let mut value = None;
    for c in text.trim().chars() {
        let digit = usize::try_from(c.to_digit(10)?).ok()?;
        value = Some((value.unwrap_or(0) * 10 + digit).min(65536));
    }
    value.filter(|value| (1..65536).contains(value))
}

fn flags(set: &PortSet) -> Flags {
    let mut flags = Flags::none();
    for range in set.ranges() {
        flags.set_all(range.first().into(), range.last().into());
    }
    flags
}

fn check(text: &str) -> Option<(PortSet, Flags)> {
    match (PortSet::parse(text), read(text)) {
        (Ok(set), Some(expected)) => {
            assert_eq!(flags(&set), expected, "{text:?}");
            assert_eq!(set.count(), expected.count());
            let apart = set.ranges().windows(2).all(|pair| pair[0].last() + 1 < pair[1].first());
            assert!(apart, "{:?}", set.ranges());
            assert_eq!(PortSet::parse(&set.to_string()).unwrap(), set);
            Some((set, expected))
        }
        (Err(error), None) => {
            refused(&error, ErrorCode::InvalidArgument);
            None
        }
        (set, expected) => panic!("{text:?} was read as {set:?}, and should be {:?}", expected.is_some()),
    }
}

fuzz_target!(|input: Input<'_>| {
    let Some((asked, whole)) = check(input.pool) else { return };
    let Some((excluded, not)) = check(input.exclude) else { return };
    let Some((reserved, kernels)) = check(input.reserved) else { return };
    assert_eq!(flags(&asked.without(&excluded)), whole.without(&not));
    assert_eq!(flags(&asked.intersection(&excluded)), whole.and(&not));

    let ephemeral = PortRange::new(input.ephemeral.0, input.ephemeral.1);
    let outgoing = flags(&ephemeral.into_iter().collect());
    let outside = whole.without(&outgoing);
    let offered = if outside.count() == 0 { &whole } else { &outside };
    let expected = offered.without(&kernels).without(&not);
    match Pool::new(Some(input.pool), Some(input.exclude), &KernelPorts { ephemeral, reserved }) {
        Ok(pool) => {
            let found = flags(pool.ports());
            // What known services use and what browsers refuse is left out as well; those tables are not the fuzzer's.
            assert_eq!(found.without(&expected).count(), 0, "ports that are not in it");
            assert!(expected.without(&found).count() <= KNOWN, "ports were lost");
            assert!(!pool.ports().is_empty());
            let overlaps = whole.and(&outgoing).count() > 0;
            assert_eq!(pool.warnings().len(), usize::from(overlaps), "{:?}", pool.warnings());
        }
        Err(error) => {
            refused(&error, ErrorCode::InvalidArgument);
            assert!(expected.count() <= KNOWN, "{error}");
        }
    }
});

/// More than there are known services and ports that browsers refuse.
const KNOWN: usize = 520;
