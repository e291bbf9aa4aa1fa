//! Processes that lease and release at the same moment, as fast as they can: how many leases all of them get together, and
//! how long one takes; in a pool with room for everybody, and in one where they have to wait for each other. The floor is
//! as many processes that do the bare system calls of a lease.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::contend::{self, Work};
use super::report::{Figure, Report};
use super::{CONTEND, this_program};
use crate::Scratch;

pub(super) const PART: &str = "processes";
/// 10,000 ports; and room for 40 runs of five.
const WIDE: &str = "10000-19999";
const NARROW: &str = "10000-10199";

pub(super) fn run(report: &mut Report) {
    let all = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    let sizes = report.sizes(&[1, 4, 16], &all);
    let cases = [
        ("lease of 1, wide pool", WIDE, Work::One),
        ("bare system calls of a lease of 1", WIDE, Work::Bare),
        ("lease of 5, room for 40 such, waiting", NARROW, Work::Waiting),
    ];
    for (name, pool, work) in cases {
        for processes in sizes.iter().copied() {
            let (figure, per_second) = together(processes, pool, work, report.budget());
            report.add_with_rate(PART, name, processes as f64, figure, per_second);
        }
    }
}

/// All begin once all are ready, and end at the same moment.
fn together(processes: usize, pool: &str, work: Work, window: Duration) -> (Figure, f64) {
    let scratch = Scratch::new();
    scratch.settings().pool(pool).open().unwrap();
    let mut children: Vec<Child> = (0..processes).map(|number| start(&scratch, pool, work, number)).collect();
    let mut outputs: Vec<_> = children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap())).collect();
    for output in &mut outputs {
        output.read_line(&mut String::new()).unwrap();
    }
    let end = contend::now() + window;
    for child in &mut children {
        writeln!(child.stdin.as_mut().unwrap(), "{}", end.as_nanos()).unwrap();
    }
    let mut times = Vec::new();
    for output in &mut outputs {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        times.extend(text.lines().map(|line| Duration::from_nanos(line.parse().unwrap())));
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success(), "a contender failed");
    }
    let per_second = times.len() as f64 / window.as_secs_f64();
    (Figure::of(times), per_second)
}

fn start(scratch: &Scratch, pool: &str, work: Work, number: usize) -> Child {
    this_program(CONTEND, &std::env::temp_dir())
        .args([work.name(), &number.to_string()])
        .arg(scratch.ports_path())
        .env("PORTALLOC_DIR", scratch.directory())
        .env("PORTALLOC_POOL", pool)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
