//! The memory of sticky requests, which anyone may have written: a preference at best, never a reason to fail or to give
//! out a port of another pool.

#![no_main]
#![expect(clippy::disallowed_methods, reason = "files of the fuzzer's own, in its scratch directory")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::{Allocator, LeaseRequest};
use portalloc_fuzz::{POOL, Place, allocator, scratch};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    count: u8,
    stands: Stands<'a>,
    scattered: bool,
    busy: u8,
}

#[derive(Arbitrary, Debug)]
enum Stands<'a> {
    Bytes(&'a [u8]),
    Port(u16),
    InPool(u8),
    Link,
    Directory,
    Nothing,
}

const KEY: &str = "fuzz";

fn open() -> &'static (Allocator, PathBuf, PathBuf) {
    static OPEN: OnceLock<(Allocator, PathBuf, PathBuf)> = OnceLock::new();
    OPEN.get_or_init(|| {
        let allocator = allocator();
        drop(allocator.lease(LeaseRequest::run(1).sticky(KEY)).unwrap());
        let memory = Place::new().net.join("sticky");
        let file = fs::read_dir(&memory).unwrap().flatten().next().expect("it keeps in mind where it was").path();
        let canary = scratch().join("canary");
        fs::write(&canary, "21390").unwrap();
        (allocator, file, canary)
    })
}

fuzz_target!(|input: Input<'_>| {
    let (allocator, file, canary) = open();
    let size = POOL.len();
    let count = usize::from(input.count) % size + 1;
    if fs::remove_file(file).is_err() {
        let _ = fs::remove_dir(file);
    }
    match input.stands {
        Stands::Bytes(bytes) => fs::write(file, bytes).unwrap(),
        Stands::Port(port) => fs::write(file, port.to_string()).unwrap(),
        Stands::InPool(at) => fs::write(file, (POOL.start() + u16::from(at) % 16).to_string()).unwrap(),
        Stands::Link => symlink(canary, file).unwrap(),
        Stands::Directory => fs::create_dir(file).unwrap(),
        Stands::Nothing => {}
    }
    let said: Option<u16> = match fs::symlink_metadata(file) {
        Ok(metadata) if metadata.is_file() => {
            fs::read_to_string(file).ok().filter(|text| text.len() <= 8).and_then(|text| text.parse().ok())
        }
        _ => None,
    };
    let busy: Vec<_> = (0..8u16)
        .filter(|bit| input.busy & (1 << bit) != 0)
        .map(|bit| allocator.lease(LeaseRequest::exact([POOL.start() + bit * 2])).unwrap())
        .collect();
    let is_free = |port: u16| POOL.contains(&port) && !busy.iter().any(|lease| lease.base_port() == port);
    let run_at = |base: u16| (base..=POOL.end() + 1).take(count).filter(|port| is_free(*port)).count() == count;
    let request = if input.scattered { LeaseRequest::scattered(count) } else { LeaseRequest::run(count) };
    let found = allocator.lease(request.sticky(KEY));
    let exists = if input.scattered { size - busy.len() >= count } else { POOL.clone().any(run_at) };
    match found {
        Ok(lease) => {
            assert!(exists && lease.ports().iter().all(|port| is_free(*port)), "{:?}", lease.ports());
            if let Some(said) = said.filter(|said| if input.scattered { is_free(*said) } else { run_at(*said) }) {
                assert_eq!(lease.base_port(), said, "where it was is free");
            }
        }
        Err(error) => assert!(!exists, "{error}"),
    }
    assert_eq!(fs::read_to_string(canary).unwrap(), "21390");
});
