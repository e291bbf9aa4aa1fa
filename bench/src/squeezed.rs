//! 32 processes, 5 ports each, in a pool of 200: nobody gives up while a run is free, and with a deadline everybody
//! is served.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portalloc::{LeaseRequest, Settings};

use crate::Scratch;
use crate::measure::{Times, time};

const CONTENDER: &str = "PORTALLOC_BENCH_CONTENDER";
const LEASES: usize = 50;

pub(crate) fn is_contender() -> bool {
    std::env::var_os(CONTENDER).is_some()
}

/// Waits for the start, then leases and releases, and reports each time in nanoseconds, or "none".
pub(crate) fn contend() {
    let allocator = Settings::new().open().unwrap();
    let mut start = String::new();
    println!("ready");
    std::io::stdin().read_line(&mut start).unwrap();
    let wait = start.trim().parse::<u64>().unwrap();
    for _ in 0..LEASES {
        let mut got = false;
        let taken = time(|| {
            let lease = allocator.lease(LeaseRequest::run(5).wait(Duration::from_millis(wait)));
            got = lease.is_ok();
            lease
        });
        if got { println!("{}", taken.as_nanos()) } else { println!("none") }
    }
}

pub(crate) fn run() {
    for (processes, wait_ms) in [(32, 0), (64, 10_000)] {
        let scratch = Scratch::new();
        scratch.settings().open().unwrap();
        let children: Vec<Child> = (0..processes).map(|_| start(&scratch)).collect();
        let mut readers = Vec::new();
        let mut children: Vec<_> = children
            .into_iter()
            .map(|mut child| {
                let mut reader = BufReader::new(child.stdout.take().unwrap());
                reader.read_line(&mut String::new()).unwrap();
                readers.push(reader);
                child
            })
            .collect();
        children.iter_mut().for_each(|child| writeln!(child.stdin.as_mut().unwrap(), "{wait_ms}").unwrap());
        let (mut times, mut gave_up) = (Vec::new(), 0);
        for line in readers.into_iter().flat_map(BufRead::lines) {
            match line.unwrap().parse() {
                Ok(nanoseconds) => times.push(Duration::from_nanos(nanoseconds)),
                Err(_) => gave_up += 1,
            }
        }
        children.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
        let times = Times::new(times);
        println!(
            "{:44} {:9.1} ({:9.1})   of {} leases {gave_up} gave up",
            format!("{processes} processes x 5 in 200, wait {wait_ms} ms"),
            times.median(),
            times.p99(),
            processes * LEASES,
        );
    }
}

fn start(scratch: &Scratch) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .env(CONTENDER, "1")
        .env("PORTALLOC_DIR", scratch.directory())
        .env("PORTALLOC_POOL", "10000-10199")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
