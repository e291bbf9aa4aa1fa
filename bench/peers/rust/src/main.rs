//! The worker of `make bench-peers` in Rust: `portalloc-peers CONTESTANT PORTS JOURNAL`. What it does is told in
//! ../../README.md, and is the same in every language. It knows no contestant; those are in `contestants`.

mod contestants;

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::contestants::Contestant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The workload's own pauses, in microseconds: a user's server binds some time after its port was chosen, and runs.
const BEFORE_BIND: std::ops::Range<u64> = 10_000..30_000;
const SERVING: u64 = 5_000;

/// How long a worker pauses each time; that it differs from the others' is enough.
struct Dice(u64);

impl Dice {
    fn before_bind(&mut self) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let width = BEFORE_BIND.end - BEFORE_BIND.start;
        Duration::from_micros(BEFORE_BIND.start + (self.0 >> 33) % width)
    }
}

struct Worker {
    contestant: Box<dyn Contestant>,
    count: usize,
    journal: File,
    dice: Dice,
}

fn written(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
}

#[expect(clippy::disallowed_methods, reason = "this pause is the workload, not a wait for something")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

impl Worker {
    fn note(&mut self, line: &str) -> Result<()> {
        Ok(self.journal.write_all(format!("{line}\n").as_bytes())?)
    }

    /// As users have it: a port is chosen, some time passes, the server binds it, serves and ends.
    fn round(&mut self) -> Result<()> {
        let pid = std::process::id();
        let start = Instant::now();
        let allocated = self.contestant.allocate(self.count);
        let took = start.elapsed().as_nanos();
        let gap = self.dice.before_bind();
        let Ok(ports) = allocated else {
            self.note(&format!("none {pid} {took}"))?;
            pause(gap);
            return Ok(());
        };
        self.note(&format!("took {pid} {took} {}", written(&ports)))?;
        pause(gap);
        let servers: Vec<_> = ports.iter().map(|port| TcpListener::bind(("127.0.0.1", *port))).collect();
        self.note(&format!("bound {pid} {}", servers.iter().filter(|server| server.is_err()).count()))?;
        pause(Duration::from_micros(SERVING));
        drop(servers);
        self.note(&format!("gave {pid} {}", written(&ports)))?;
        self.contestant.release(&ports);
        Ok(())
    }

    fn paced(&mut self, time: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.round()?;
        }
        println!("paced");
        Ok(())
    }

    fn flat(&mut self, time: Duration) {
        let start = Instant::now();
        let (mut allocated, mut gave_up) = (0, 0);
        while start.elapsed() < time {
            match self.contestant.allocate(self.count) {
                Ok(ports) => {
                    allocated += 1;
                    self.contestant.release(&ports);
                }
                Err(_) => gave_up += 1,
            }
        }
        println!("flat {allocated} {gave_up} {}", start.elapsed().as_nanos());
    }
}

/// The most memory that this process and the largest of its children ever had, in KiB.
fn memory() -> Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let own = line.trim().trim_end_matches("kB").trim();
    let children = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)?.max_rss();
    Ok(format!("memory {own} {children}"))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [contestant, count, journal] = arguments.as_slice() else {
        return Err("portalloc-peers CONTESTANT PORTS JOURNAL".into());
    };
    let mut worker = Worker {
        contestant: contestants::named(contestant)?,
        count: count.parse()?,
        journal: OpenOptions::new().append(true).create(true).open(journal)?,
        dice: Dice(u64::from(std::process::id())),
    };
    println!("ready");
    for command in std::io::stdin().lock().lines() {
        let command = command?;
        match command.split_once(' ') {
            Some(("paced", seconds)) => worker.paced(Duration::from_secs_f64(seconds.parse()?))?,
            Some(("flat", seconds)) => worker.flat(Duration::from_secs_f64(seconds.parse()?)),
            _ => println!("{}", memory()?),
        }
    }
    Ok(())
}
