//! Who is compared in Rust, and on command lines: how each is asked for ports, and how they are given back. Knows nothing
//! of the workload.

use std::net::TcpListener;
use std::process::Command;

use crate::Result;

/// One way to come by ports.
pub(crate) trait Contestant {
    fn allocate(&mut self, count: usize) -> Result<Vec<u16>>;

    /// Most have no such thing.
    fn release(&mut self, _ports: &[u16]) {}
}

pub(crate) fn named(name: &str) -> Result<Box<dyn Contestant>> {
    Ok(match name {
        "portalloc-rust" => Box::new(Portalloc { allocator: None, lease: None }),
        "portalloc-cli" => Box::new(CommandLine::of("PEERS_PORTALLOC_CLI")?),
        "go-portalloc-cli" => Box::new(CommandLine::of("PEERS_GO_PORTALLOC_CLI")?),
        "bind0-rust" => Box::new(Bind0),
        "portpicker-rust" => Box::new(Single(portpicker::pick_unused_port)),
        "openport-random" => Box::new(Single(openport::pick_random_unused_port)),
        "openport-range" => Box::new(Ranged::given()?),
        unknown => return Err(format!("no contestant {unknown}").into()),
    })
}

/// Opened by the first lease, whose time has that in it, as in the other languages.
struct Portalloc {
    allocator: Option<portalloc::Allocator>,
    lease: Option<portalloc::Lease>,
}

impl Contestant for Portalloc {
    fn allocate(&mut self, count: usize) -> Result<Vec<u16>> {
        let allocator = match &self.allocator {
            Some(opened) => opened,
            None => self.allocator.insert(portalloc::Allocator::open()?),
        };
        let lease = allocator.lease(count)?;
        let ports = lease.ports().to_vec();
        self.lease = Some(lease);
        Ok(ports)
    }

    fn release(&mut self, _ports: &[u16]) {
        self.lease = None;
    }
}

/// The commands `create` and `cleanup`, which portalloc and go-portalloc have alike.
struct CommandLine {
    program: String,
    environment: Option<String>,
}

impl CommandLine {
    fn of(variable: &str) -> Result<Self> {
        Ok(Self { program: std::env::var(variable)?, environment: None })
    }
}

impl Contestant for CommandLine {
    fn allocate(&mut self, count: usize) -> Result<Vec<u16>> {
        let printed = Command::new(&self.program).args(["create", "--json", "--ports", &count.to_string()]).output()?;
        if !printed.status.success() {
            return Err(String::from_utf8_lossy(&printed.stderr).into());
        }
        let told: serde_json::Value = serde_json::from_slice(&printed.stdout)?;
        self.environment = told.get("isolation_id").and_then(|id| id.as_str()).map(str::to_owned);
        let ports = told.pointer("/ports/ports").ok_or("no ports in what it printed")?;
        Ok(serde_json::from_value(ports.clone())?)
    }

    fn release(&mut self, _ports: &[u16]) {
        if let Some(id) = self.environment.take() {
            let ended = Command::new(&self.program).args(["cleanup", "--id", &id]).output();
            if !ended.is_ok_and(|ended| ended.status.success()) {
                eprintln!("{} did not clean up {id}", self.program);
            }
        }
    }
}

/// All at once, so that they differ.
struct Bind0;

impl Contestant for Bind0 {
    fn allocate(&mut self, count: usize) -> Result<Vec<u16>> {
        let probes: Vec<_> = (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<std::io::Result<_>>()?;
        Ok(probes.iter().map(|probe| Ok(probe.local_addr()?.port())).collect::<std::io::Result<_>>()?)
    }
}

/// What gives one port at a call.
struct Single(fn() -> Option<u16>);

impl Contestant for Single {
    fn allocate(&mut self, count: usize) -> Result<Vec<u16>> {
        (0..count).map(|_| (self.0)().ok_or_else(|| "no port".into())).collect()
    }
}

/// The first free port of a range; for more than one, the search goes on behind the last.
struct Ranged {
    low: u16,
    high: u16,
}

impl Ranged {
    fn given() -> Result<Self> {
        let range = std::env::var("PEERS_RANGE").unwrap_or_else(|_| "15000-24999".into());
        let (low, high) = range.split_once('-').ok_or("PEERS_RANGE is LOW-HIGH")?;
        Ok(Self { low: low.parse()?, high: high.parse()? })
    }
}

impl Contestant for Ranged {
    fn allocate(&mut self, count: usize) -> Result<Vec<u16>> {
        let mut from = self.low;
        (0..count)
            .map(|_| {
                let port = openport::pick_unused_port(from..=self.high).ok_or("no port")?;
                from = port + 1;
                Ok(port)
            })
            .collect()
    }
}
