//! One of many processes that lease and release at the same moment: this very program, started by processes.rs. Reports
//! the time of each lease that ended in time, in nanoseconds.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use portalloc::{LeaseRequest, Settings};
use rustix::time::{ClockId, clock_gettime};

use crate::floor;
use crate::measure::time;

/// What it does again and again.
#[derive(Clone, Copy)]
pub(super) enum Work {
    One,
    Waiting,
    Bare,
}

impl Work {
    const ALL: [Self; 3] = [Self::One, Self::Waiting, Self::Bare];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Waiting => "waiting",
            Self::Bare => "bare",
        }
    }
}

/// Longer than any wait that is not a fault.
const DEADLINE: Duration = Duration::from_secs(30);
/// Of the bare calls, outside of all pools: each process has its own.
const FIRST_BARE_PORT: u16 = 28_000;

/// What all processes agree upon.
pub(super) fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}

/// Arguments: what to do, the number of this process, the `ports` file.
pub(super) fn contend(arguments: &[String]) {
    let [work, number, ports] = arguments else { unreachable!("processes.rs gives three") };
    let work = *Work::ALL.iter().find(|known| known.name() == work).unwrap();
    let bare_port = FIRST_BARE_PORT + number.parse::<u16>().unwrap();
    let allocator = Settings::new().open().unwrap();
    let one = || match work {
        Work::One => drop(allocator.lease(1).unwrap()),
        Work::Waiting => drop(allocator.lease(LeaseRequest::run(5).wait(DEADLINE)).unwrap()),
        Work::Bare => drop(floor::lease(Path::new(ports), bare_port, 1)),
    };
    one();
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let end = Duration::from_nanos(line.trim().parse().unwrap());
    let mut times = Vec::new();
    while now() < end {
        let taken = time(one);
        if now() < end {
            times.push(taken);
        }
    }
    // Only now, so that nobody is held up by the printing of another.
    let mut output = BufWriter::new(std::io::stdout().lock());
    for taken in times {
        writeln!(output, "{}", taken.as_nanos()).unwrap();
    }
}
