//! A contender in Rust: `tests/languages/README.md` says what contenders do. Beside leases it knows the ways of others
//! to find ports, so that the witness can be seen to notice when ports are not held.

use std::time::Duration;

use portalloc::{Allocator, ErrorCode, Lease, LeaseRequest};
use portalloc_testkit::Random;
use socket2::{Socket, Type};

use super::command_line;
use super::journal::Notes;
use crate::args::{Contend, Way};
use crate::fault::{Doing, Fallible};
use crate::{print, sockets, user};

pub(super) const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const MIXED_PATIENCE: Duration = Duration::from_millis(250);
pub(super) const OFFSETS: [u16; 8] = [0, 2, 3, 5, 9, 10, 14, 20];

pub(crate) fn contend(options: &Contend) -> Fallible<()> {
    let holder = std::process::id();
    let notes = Notes::open(&options.journal, holder)?;
    if let Some(user) = options.user {
        user::become_user(user).doing(|| format!("cannot become user {user}"))?;
    }
    let mut random = Random::new(u64::from(holder));
    if options.way == Way::Run {
        return each_line(|| command_line::contend(options, holder, &mut random));
    }
    let allocator = Allocator::open()?;
    let mut contender = Contender { allocator, notes, random, held: Vec::new(), options };
    each_line(|| contender.contend())
}

/// For each line on standard input: contends, and says how often it was served and refused.
fn each_line(mut contend: impl FnMut() -> Fallible<(u64, u64)>) -> Fallible<()> {
    for line in std::io::stdin().lines() {
        line?;
        let (served, refused) = contend()?;
        print(&format!("{served} {refused}"))?;
    }
    Ok(())
}

/// How many ports, and in which shape.
pub(super) enum Shape {
    Run(usize),
    Scattered(usize),
    Offsets(usize),
}

impl Shape {
    pub(super) fn choose(count: usize, random: &mut Random) -> Self {
        if count > 0 {
            return Self::Run(count);
        }
        let some = 1 + random.below(8);
        match random.below(16) {
            0 => Self::Scattered(some),
            1..=4 => Self::Offsets(some),
            _ => Self::Run(some),
        }
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Run(count) | Self::Scattered(count) | Self::Offsets(count) => *count,
        }
    }

    fn request(&self) -> LeaseRequest {
        match self {
            Self::Run(count) => LeaseRequest::run(*count),
            Self::Scattered(count) => LeaseRequest::scattered(*count),
            Self::Offsets(count) => LeaseRequest::offsets(OFFSETS.into_iter().take(*count)),
        }
    }
}

/// Ports, and what is there to hold them, if anything.
struct Held {
    ports: Vec<u16>,
    lease: Option<Lease>,
    servers: Vec<[Socket; 2]>,
}

struct Contender<'a> {
    allocator: Allocator,
    notes: Notes,
    random: Random,
    held: Vec<Held>,
    options: &'a Contend,
}

impl Contender<'_> {
    fn contend(&mut self) -> Fallible<(u64, u64)> {
        let (mut served, mut refused) = (0, 0);
        while served < self.options.times {
            if self.held.len() == self.options.most {
                self.give_one()?;
            }
            let Some(mut taken) = self.take()? else {
                refused += 1;
                self.give_one()?;
                continue;
            };
            if self.options.every > 0 && served % self.options.every == 0 {
                for port in taken.ports.iter().copied() {
                    taken.servers.push(sockets::serve(port).doing(|| format!("cannot bind leased port {port}"))?);
                }
            }
            self.notes.took(&taken.ports)?;
            self.held.push(taken);
            served += 1;
        }
        while !self.held.is_empty() {
            self.give_one()?;
        }
        Ok((served, refused))
    }

    /// Any of them, if there is one. Sockets first: from the release on, others may be given the ports.
    fn give_one(&mut self) -> Fallible<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let Held { ports, lease, servers } = self.held.swap_remove(self.random.below(self.held.len()));
        drop(servers);
        self.notes.gave(&ports)?;
        if let Some(lease) = lease.filter(|_| self.random.below(2) == 0) {
            lease.release();
        }
        Ok(())
    }

    fn take(&mut self) -> Fallible<Option<Held>> {
        let shape = Shape::choose(self.options.count, &mut self.random);
        let count = shape.count();
        let ports = match self.options.way {
            Way::Lease | Way::Run => return self.lease(&shape),
            Way::BindZero => bind_zero(count)?,
            Way::Probe => match self.probe(count) {
                Some(ports) => ports,
                None => return Ok(None),
            },
        };
        Ok(Some(Held { ports, lease: None, servers: Vec::new() }))
    }

    fn lease(&mut self, shape: &Shape) -> Fallible<Option<Held>> {
        let (mixed, waits) = (self.options.count == 0, self.held.is_empty());
        let mut request = shape.request();
        if waits {
            request = request.wait(if mixed { MIXED_PATIENCE } else { PATIENCE });
        }
        match self.allocator.lease(request) {
            Ok(lease) => Ok(Some(Held { ports: lease.ports().to_vec(), lease: Some(lease), servers: Vec::new() })),
            Err(error) if error.code() == ErrorCode::PoolExhausted && !waits => Ok(None),
            Err(error) if error.code() == ErrorCode::Timeout && mixed => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A run at random, of ports that can be bound at this moment.
    fn probe(&mut self, count: usize) -> Option<Vec<u16>> {
        let pool: Vec<u16> = self.allocator.pool().ports().ports().collect();
        let first = self.random.below(pool.len().saturating_sub(count) + 1);
        let ports: Vec<u16> = pool.into_iter().skip(first).take(count).collect();
        let bound = ports.iter().all(|port| sockets::serve(*port).is_ok());
        bound.then_some(ports)
    }
}

/// Ports that the kernel chooses, which may be anybody's as soon as the sockets are closed.
fn bind_zero(count: usize) -> Fallible<Vec<u16>> {
    let open: Vec<Socket> =
        (0..count).map(|_| sockets::bound(Type::STREAM, sockets::LOOPBACK, 0, false)).collect::<Result<_, _>>()?;
    Ok(open.iter().map(sockets::port).collect())
}
