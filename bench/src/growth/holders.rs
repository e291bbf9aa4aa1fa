//! Processes that have leases, or foreign sockets, for as long as the one that measures wants them: this very program,
//! told over its standard input what to take, and ended by its end.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use portalloc::{LeaseRequest, Settings};

use super::{HOLD, this_program};

/// What one process takes, so that all fits into the usual limit of 1024 descriptors a process.
const A_PROCESS: usize = 800;

const LEASE: &str = "lease";
const SOCKET: &str = "socket";
const DONE: &str = "done";

/// What is to be taken, each with its ports: a lease of exactly these, or a socket on each of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    Lease,
    Sockets,
}

/// Processes that have something. Dropping it ends them.
#[derive(Default)]
pub(super) struct Holders(Vec<Child>);

impl Holders {
    /// Returns once all is taken. A port that a foreign process has is as good as taken.
    pub(super) fn take(&mut self, directory: &Path, what: Take, runs: &[Vec<u16>]) {
        let descriptors = if what == Take::Sockets { runs.first().map_or(1, Vec::len) } else { 1 };
        for runs in runs.chunks((A_PROCESS / descriptors).max(1)) {
            let mut child = this_program(HOLD, &std::env::temp_dir())
                .env("PORTALLOC_DIR", directory)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut input = child.stdin.take().unwrap();
            for ports in runs {
                tell(&mut input, if what == Take::Lease { LEASE } else { SOCKET }, ports);
            }
            tell(&mut input, DONE, &[]);
            child.stdin = Some(input);
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line.trim(), DONE, "a process that should hold ports ended");
            self.0.push(child);
        }
    }
}

fn tell(input: &mut ChildStdin, word: &str, ports: &[u16]) {
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    writeln!(input, "{word} {}", ports.join(" ")).unwrap();
}

impl Drop for Holders {
    fn drop(&mut self) {
        // All of them first: they end side by side.
        self.0.iter_mut().for_each(|child| drop(child.stdin.take()));
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// What such a process does.
pub(super) fn hold() {
    let allocator = Settings::new().open().unwrap();
    let (mut leases, mut sockets) = (Vec::new(), Vec::new());
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (word, ports) = line.split_once(' ').unwrap_or((&line, ""));
        let ports = ports.split_whitespace().map(|port| port.parse::<u16>().unwrap());
        match word {
            LEASE => leases.extend(allocator.lease(LeaseRequest::exact(ports)).ok()),
            SOCKET => sockets.extend(ports.filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok())),
            _ => println!("{DONE}"),
        }
    }
}
