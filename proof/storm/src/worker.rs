//! The worker in Rust, and its nursery: does everything there is to do, at random and for ever, so that a SIGKILL can
//! hit it anywhere. What a worker does, and what it notes, is in README.md; those of other languages do the same.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::{Allocator, Environment, EnvironmentRequest, ErrorCode, Lease, LeaseRequest, Result};
use portalloc_testkit::Random;
use rustix::process::{Pid, getpid, getppid, setpgid};

use crate::failure::{Context, Outcome};
use crate::instant::{pause, spin};
use crate::journal::Journal;

/// Reads whom to fork, line by line, until its standard input ends.
pub(crate) fn nursery() -> Outcome<()> {
    let path = std::env::var_os("STORM_JOURNAL").map(PathBuf::from).context("no journal")?;
    // Before any worker is there whose limit of descriptors might forbid it.
    let journal = Journal::open(&path)?;
    let mut inherited = None;
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).context("the nursery's input")? > 0 {
        let (serial, seed) = line.trim().split_once(' ').context("no seed")?;
        let (serial, seed) = (serial.to_owned(), seed.parse().context("the seed")?);
        line.clear();
        // Every other worker goes on with the allocator that its parent has opened.
        if seed % 2 == 0 && inherited.is_none() {
            inherited = Allocator::open().ok();
        }
        if let fork::Fork::Parent(child) = forked()? {
            let child = Pid::from_raw(child).context("a process ID")?;
            rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()).context("a child")?;
            continue;
        }
        let between = getpid();
        if let fork::Fork::Parent(_) = forked()? {
            return Ok(());
        }
        // From then on it is the storm's own child.
        while getppid() == Some(between) {
            std::thread::yield_now();
        }
        setpgid(None, None).context("a process group")?;
        println!("{}", getpid().as_raw_nonzero());
        let opened = if seed % 2 == 0 { inherited.take() } else { None };
        return Worker::new(serial, seed, journal, opened).work();
    }
    Ok(())
}

fn forked() -> Outcome<fork::Fork> {
    fork::fork().map_err(|error| format!("no fork: {error}").into())
}

/// Leased ports, bound for real.
struct Served {
    lease: Lease,
    _servers: Vec<TcpListener>,
}

/// So many leases, and so many environments, at most, or the pool would soon be full.
const MAX_HELD: usize = 5;

struct Worker {
    serial: String,
    random: Random,
    journal: Journal,
    allocator: Option<Allocator>,
    tolerated: Vec<String>,
    bind_errno: i32,
    served: Vec<Served>,
    held: Vec<Environment>,
    kept: Vec<Environment>,
    /// Has a child that outlives this worker; what it inherited is not given back.
    has_child: bool,
}

/// What became of an operation.
enum Done {
    /// Done: this.
    This(&'static str),
    /// There was nothing to do it with.
    Nothing,
    /// This process is a forked child, and has ended its part.
    ChildEnded,
}

impl Worker {
    fn new(serial: String, seed: u64, journal: Journal, allocator: Option<Allocator>) -> Self {
        let tolerated = std::env::var("STORM_TOLERATED").unwrap_or_default();
        Self {
            serial,
            random: Random::new(seed),
            journal,
            allocator,
            tolerated: tolerated.split_whitespace().map(str::to_owned).collect(),
            bind_errno: std::env::var("STORM_BIND_ERRNO").ok().and_then(|errno| errno.parse().ok()).unwrap_or_default(),
            served: Vec::new(),
            held: Vec::new(),
            kept: Vec::new(),
            has_child: false,
        }
    }

    fn work(mut self) -> Outcome<()> {
        let storm = std::env::var("STORM_PID").context("no storm")?.parse().ok().and_then(Pid::from_raw);
        // Whoever ends the storm ends its workers.
        while getppid() == storm {
            match self.operation() {
                Ok(Done::This(what)) => self.did(what)?,
                Ok(Done::Nothing) => {}
                Ok(Done::ChildEnded) => return Ok(()),
                Err(failure) => match failure.downcast::<portalloc::Error>() {
                    Ok(error) => self.refused(&error)?,
                    Err(failure) => return Err(failure),
                },
            }
        }
        Ok(())
    }

    fn operation(&mut self) -> Outcome<Done> {
        let count = 1 + self.random.below(5);
        match self.random.below(40) {
            0..=5 => self.lease(LeaseRequest::run(count), "lease"),
            6 | 7 => self.lease(LeaseRequest::run(count).guard(true), "guarded"),
            8..=16 => self.release(),
            17..=19 => self.environment(count, "held"),
            20..=24 => self.end_held(),
            25 | 26 => self.environment(count, "owned"),
            27 | 28 => self.environment(count, "kept"),
            29 => self.environment(count, "sticky"),
            30 => self.short_lived(count),
            31..=34 => self.end_kept(),
            35 | 36 => {
                let report = self.allocator()?.cleanup(&Cleanup::new(Selection::Stale))?;
                if !report.removed.is_empty() {
                    self.did("removed")?;
                }
                report.skipped.into_iter().next().map_or(Ok(Done::This("stale")), |skipped| Err(skipped.error.into()))
            }
            37 => {
                let allocator = self.allocator()?;
                allocator.reconcile().and_then(|_| allocator.list())?;
                Ok(Done::This("reconcile"))
            }
            38 => self.fork(count),
            _ => {
                spin(&mut self.random);
                Ok(Done::Nothing)
            }
        }
    }

    fn allocator(&mut self) -> Result<Allocator> {
        match &self.allocator {
            Some(allocator) => Ok(allocator.clone()),
            None => Ok(self.allocator.insert(Allocator::open()?).clone()),
        }
    }

    fn did(&mut self, what: &str) -> Outcome<()> {
        self.journal.note(&format!("did {} {what}", self.serial))
    }

    /// An operation failed: if it may, makes room for others.
    fn refused(&mut self, error: &portalloc::Error) -> Outcome<()> {
        let code = error.code().as_str();
        if error.code() != ErrorCode::PoolExhausted && !self.tolerated.iter().any(|tolerated| tolerated == code) {
            return Err(format!("{}: {error:?}", self.serial).into());
        }
        self.did(code)?;
        if error.code() == ErrorCode::RegistryUnusable {
            // As its remedy says: start anew.
            self.allocator = None;
        }
        if !self.has_child {
            while !self.served.is_empty() {
                self.release()?;
            }
        }
        while !self.kept.is_empty() {
            match self.end_kept() {
                Err(failure) if failure.is::<portalloc::Error>() && !self.tolerated.is_empty() => {}
                other => {
                    other?;
                }
            }
        }
        Ok(())
    }

    fn lease(&mut self, request: LeaseRequest, what: &'static str) -> Outcome<Done> {
        if self.served.len() >= MAX_HELD {
            return self.release();
        }
        let lease = self.allocator()?.lease(request)?;
        lease.share_guard()?;
        let mut servers = Vec::new();
        for port in lease.ports() {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, *port)) {
                Ok(server) => servers.push(server),
                Err(error) if error.raw_os_error() == Some(self.bind_errno) => {}
                Err(error) => return Err(format!("{}: cannot bind {port}: {error}", self.serial).into()),
            }
        }
        self.journal.took(&self.serial, lease.ports())?;
        self.served.push(Served { lease, _servers: servers });
        Ok(Done::This(what))
    }

    fn release(&mut self) -> Outcome<Done> {
        if self.served.is_empty() || self.has_child {
            return Ok(Done::Nothing);
        }
        let served = self.served.swap_remove(self.random.below(self.served.len()));
        self.journal.gave(&self.serial, served.lease.ports())?;
        Ok(Done::This("release"))
    }

    fn environment(&mut self, count: usize, how: &'static str) -> Outcome<Done> {
        if self.held.len() + self.kept.len() >= MAX_HELD {
            self.end_held()?;
            return self.end_kept();
        }
        let request = self.request(count);
        let request = match how {
            "owned" => request.kept().owner_pid(std::process::id()),
            "kept" => request.kept(),
            "sticky" => request.kept().sticky(true).ttl(Duration::from_secs(24 * 3600)),
            _ => request,
        };
        let environment = self.allocator()?.create_environment(&request)?;
        if how == "held" || how == "owned" {
            self.journal.took(&self.holder_with_us(&environment), environment.ports())?;
            self.held.push(environment);
        } else {
            self.journal.took(&format!("{}+{}", self.serial, environment.id()), environment.ports())?;
            self.kept.push(environment);
        }
        Ok(Done::This(how))
    }

    /// With an env file, so that the workers get into each other's way there, too.
    fn request(&self, count: usize) -> EnvironmentRequest {
        EnvironmentRequest::new().ports(count).instance_id(self.serial.as_str()).env_file(EnvFile::Worktree)
    }

    /// Who holds an environment that ends with this worker.
    fn holder_with_us(&self, environment: &Environment) -> String {
        if environment.lease().is_some() {
            return self.serial.clone();
        }
        format!("{}={}", self.serial, environment.id())
    }

    /// One whose time is over before anybody could say that he surely has its ports.
    fn short_lived(&mut self, count: usize) -> Outcome<Done> {
        let request = self.request(count).kept();
        let ttl = 1 + self.random.below(20) as u64;
        drop(self.allocator()?.create_environment(&request.ttl(Duration::from_millis(ttl)))?);
        Ok(Done::This("ttl"))
    }

    fn end_held(&mut self) -> Outcome<Done> {
        if self.held.is_empty() || self.has_child {
            return Ok(Done::Nothing);
        }
        let environment = self.held.swap_remove(self.random.below(self.held.len()));
        self.journal.gave(&self.holder_with_us(&environment), environment.ports())?;
        environment.cleanup()?;
        Ok(Done::This("cleanup"))
    }

    fn end_kept(&mut self) -> Outcome<Done> {
        if self.kept.is_empty() {
            return Ok(Done::Nothing);
        }
        let environment = self.kept.swap_remove(self.random.below(self.kept.len()));
        self.journal.gave(&format!("{}+{}", self.serial, environment.id()), environment.ports())?;
        environment.cleanup()?;
        Ok(Done::This("cleanup"))
    }

    /// Leaves a child that holds a lease for a while after its parent is gone.
    fn fork(&mut self, count: usize) -> Outcome<Done> {
        if self.has_child {
            return Ok(Done::Nothing);
        }
        let lease = self.allocator()?.lease(count)?;
        self.journal.took(&self.serial, lease.ports())?;
        let parent = getpid();
        self.has_child = true;
        match forked()? {
            fork::Fork::Parent(_) => {
                self.served.push(Served { lease, _servers: Vec::new() });
                Ok(Done::This("fork"))
            }
            fork::Fork::Child => {
                while getppid() == Some(parent) {
                    pause(500);
                }
                let holder = format!("{}-child", self.serial);
                self.journal.took(&holder, lease.ports())?;
                pause(self.random.below(20_000));
                self.journal.gave(&holder, lease.ports())?;
                self.journal.note(&format!("did {} orphan", self.serial))?;
                Ok(Done::ChildEnded)
            }
        }
    }
}
