//! Requests against a pool: refused if and only if no such lease could ever be had, by the rules of the documentation.

#![no_main]

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::fuzzing::check_request;
use portalloc::pool::{KernelPorts, Pool};
use portalloc::{ErrorCode, LeaseRequest};
use portalloc_fuzz::refused;

#[derive(Arbitrary, Debug)]
struct Input {
    first: u16,
    length: u8,
    hole: u8,
    shape: Shape,
}

#[derive(Arbitrary, Debug)]
enum Shape {
    Run(usize),
    Scattered(usize),
    Offsets(Vec<u16>),
    These(Vec<u16>),
}

fn distinct(numbers: &[u16]) -> bool {
    numbers.iter().collect::<BTreeSet<_>>().len() == numbers.len()
}

fuzz_target!(|input: Input| {
    let first = input.first.max(1);
    let (last, hole) = (first.saturating_add(input.length.into()), first.saturating_add(input.hole.into()));
    let (asked, excluded) = (format!("{first}-{last}"), hole.to_string());
    let Ok(pool) = Pool::new(Some(&asked), Some(&excluded), &KernelPorts::default()) else { return };
    let ports: Vec<u16> = pool.ports().ports().collect();
    let longest = ports.chunk_by(|a, b| a + 1 == *b).map(<[u16]>::len).max().unwrap_or(0);
    let (request, is_fine, count) = match input.shape {
        Shape::Run(count) => (LeaseRequest::run(count), (1..=longest).contains(&count), count),
        Shape::Scattered(count) => (LeaseRequest::scattered(count), (1..=ports.len()).contains(&count), count),
        Shape::Offsets(offsets) => {
            let is_fine = offsets.first() == Some(&0) && distinct(&offsets) && !offsets.contains(&u16::MAX);
            (LeaseRequest::offsets(offsets.clone()), is_fine, offsets.len())
        }
        Shape::These(these) => {
            let is_fine = !these.is_empty() && distinct(&these) && !these.contains(&0);
            (LeaseRequest::exact(these.clone()), is_fine, these.len())
        }
    };
    assert_eq!(request.count(), count);
    match check_request(&request, &pool) {
        Ok(()) => assert!(is_fine, "{request:?} was not refused"),
        Err(error) => {
            assert!(!is_fine, "{request:?} was refused: {error}");
            refused(&error, ErrorCode::InvalidArgument);
        }
    }
});
