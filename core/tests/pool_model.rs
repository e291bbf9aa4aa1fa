//! The pool against a model that is a list of ports and what each is doing: random sequences of leases of every shape, kept
//! environments and strangers' sockets. What the model says is to be had is found, nothing else is given out, and every
//! error and census counts what the model counts.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure is a failed test"
)]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::pool::Census;
use portalloc::who::PortUsage;
use portalloc::{Allocator, EnvironmentRequest, Error, ErrorCode, IsolationId, Lease, LeaseRequest, Settings};
use portalloc_testkit::{Slice, until};
use proptest::prelude::*;
use tempfile::TempDir;

/// Ports that offsets and named ports may reach; the pool is the first of them.
const WINDOW: usize = 18;
const POOL: usize = 12;

/// The first of the ports that no other test has.
fn first() -> u16 {
    static SLICE: OnceLock<Slice> = OnceLock::new();
    SLICE.get_or_init(|| Slice::new(WINDOW)).base()
}

/// What is done next. Ports are counted from the first of the window.
#[derive(Clone, Debug)]
enum Step {
    Lease { shape: Shape, sticky: bool, guard: bool },
    Release(usize),
    Keep { count: usize, stale: bool },
    Clean(usize),
    CleanStale,
    Arrive { port: usize, socket: Socket },
    Leave(usize),
    Reconcile,
    Reopen,
}

#[derive(Clone, Debug)]
enum Shape {
    Run(usize),
    Scattered(usize),
    Offsets(Vec<usize>),
    These(Vec<usize>),
}

#[derive(Clone, Copy, Debug)]
enum Socket {
    Tcp4,
    Tcp6,
    Udp4,
    Udp6,
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        4 => (1..POOL + 2).prop_map(Shape::Run),
        2 => (1..POOL + 2).prop_map(Shape::Scattered),
        2 => prop::collection::btree_set(1..WINDOW - POOL + 1, 0..4)
            .prop_map(|more| Shape::Offsets([0].into_iter().chain(more).collect())),
        2 => prop::collection::btree_set(0..WINDOW, 1..5)
            .prop_map(|ports| ports.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
            .prop_map(Shape::These),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let socket = prop_oneof![Just(Socket::Tcp4), Just(Socket::Tcp6), Just(Socket::Udp4), Just(Socket::Udp6)];
    prop_oneof![
        8 => (shape(), any::<bool>(), any::<bool>()).prop_map(|(shape, sticky, guard)| Step::Lease { shape, sticky, guard }),
        4 => (0..9usize).prop_map(Step::Release),
        3 => (1..5usize, prop::bool::weighted(0.3)).prop_map(|(count, stale)| Step::Keep { count, stale }),
        2 => (0..9usize).prop_map(Step::Clean),
        1 => Just(Step::CleanStale),
        4 => (0..WINDOW, socket).prop_map(|(port, socket)| Step::Arrive { port, socket }),
        2 => (0..9usize).prop_map(Step::Leave),
        1 => Just(Step::Reconcile),
        1 => Just(Step::Reopen),
    ]
}

/// What a port is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    None,
    Held,
    Kept,
    Stale,
}

/// The ports of the window, and what the model says of them.
#[derive(Clone, Debug)]
struct Model {
    claims: [Claim; WINDOW],
    strangers: [bool; WINDOW],
    excluded: [bool; WINDOW],
}

impl Model {
    fn is_free(&self, port: usize) -> bool {
        matches!(self.claims[port], Claim::None | Claim::Stale) && !self.strangers[port]
    }

    fn in_pool(&self, port: usize) -> bool {
        port < POOL && !self.excluded[port]
    }

    /// The longest run of ports in the pool that pass.
    fn longest(&self, passes: impl Fn(usize) -> bool) -> usize {
        let (mut longest, mut run) = (0, 0);
        for port in 0..POOL {
            run = if self.in_pool(port) && passes(port) { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        longest
    }

    fn census(&self) -> Census {
        let mut census = Census { longest_run: self.longest(|port| self.is_free(port)), ..Census::default() };
        for port in (0..POOL).filter(|port| self.in_pool(*port)) {
            census.pool += 1;
            *match (self.claims[port], self.strangers[port]) {
                (Claim::Held, _) => &mut census.held,
                (Claim::Kept, _) => &mut census.kept,
                (_, true) => &mut census.foreign,
                (Claim::Stale, false) => &mut census.stale,
                (Claim::None, false) => &mut census.free,
            } += 1;
        }
        census
    }

    /// What a request must come to.
    fn verdict(&self, shape: &Shape) -> Verdict {
        let pool = (0..POOL).filter(|port| self.in_pool(*port));
        let found = match shape {
            Shape::Run(count) if self.longest(|_| true) < *count => return Verdict::Invalid,
            Shape::Scattered(count) if pool.clone().count() < *count => return Verdict::Invalid,
            Shape::Run(count) => self.longest(|port| self.is_free(port)) >= *count,
            Shape::Scattered(count) => pool.filter(|port| self.is_free(*port)).count() >= *count,
            Shape::Offsets(offsets) => pool
                .into_iter()
                .any(|base| offsets.iter().all(|offset| self.is_free(base + offset) && !self.excluded[base + offset])),
            Shape::These(ports) => {
                let busy: Vec<usize> = ports.iter().copied().filter(|port| !self.is_free(*port)).collect();
                return if busy.is_empty() { Verdict::Found } else { Verdict::InUse(busy.into_iter().collect()) };
            }
        };
        if found { Verdict::Found } else { Verdict::Exhausted }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Found,
    Invalid,
    Exhausted,
    InUse(BTreeSet<usize>),
}

/// The real thing beside the model.
struct Room {
    directory: TempDir,
    allocator: Allocator,
    model: Model,
    leases: Vec<Lease>,
    environments: Vec<IsolationId>,
    sockets: Vec<(usize, Bound)>,
}

#[expect(dead_code, reason = "a socket is there to be open")]
enum Bound {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

fn port(at: usize) -> u16 {
    first() + u16::try_from(at).unwrap()
}

fn at(port: u16) -> usize {
    usize::from(port - first())
}

fn open(directory: &Path, model: &Model) -> Allocator {
    let excluded: Vec<String> =
        (0..WINDOW).filter(|at| model.excluded[*at]).map(|excluded| port(excluded).to_string()).collect();
    let settings =
        Settings::new().directory(directory.join("registry")).pool(format!("{}-{}", port(0), port(POOL - 1)));
    settings.exclude(excluded.join(",")).open().unwrap()
}

impl Room {
    fn new(excluded: &BTreeSet<usize>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let model = Model {
            claims: [Claim::None; WINDOW],
            strangers: [false; WINDOW],
            excluded: std::array::from_fn(|port| excluded.contains(&port)),
        };
        let allocator = open(directory.path(), &model);
        let (leases, environments, sockets) = (Vec::new(), Vec::new(), Vec::new());
        Self { directory, allocator, model, leases, environments, sockets }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Lease { shape, sticky, guard } => self.lease(shape, *sticky, *guard),
            Step::Release(which) if !self.leases.is_empty() => {
                let lease = self.leases.swap_remove(which % self.leases.len());
                self.claim(lease.ports(), Claim::None);
            }
            Step::Keep { count, stale } => self.keep(*count, *stale),
            Step::Clean(which) if !self.environments.is_empty() => {
                let id = self.environments.swap_remove(which % self.environments.len());
                let report = self.allocator.cleanup(&Cleanup::new(Selection::Id(id))).unwrap();
                for removed in report.removed {
                    let kept = removed
                        .ports
                        .iter()
                        .all(|port| matches!(self.model.claims[at(*port)], Claim::Kept | Claim::Stale));
                    assert!(kept, "{:?} were freed, which were somebody else's by now", removed.ports);
                    self.claim(&removed.ports, Claim::None);
                }
            }
            Step::CleanStale => {
                self.allocator.cleanup(&Cleanup::new(Selection::Stale)).unwrap();
                for claim in self.model.claims.iter_mut().filter(|claim| **claim == Claim::Stale) {
                    *claim = Claim::None;
                }
            }
            Step::Arrive { port: at, socket } => {
                let number = port(*at);
                let bound = match socket {
                    Socket::Tcp4 => TcpListener::bind((Ipv4Addr::LOCALHOST, number)).map(Bound::Tcp),
                    Socket::Tcp6 => TcpListener::bind((Ipv6Addr::LOCALHOST, number)).map(Bound::Tcp),
                    Socket::Udp4 => UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).map(Bound::Udp),
                    Socket::Udp6 => UdpSocket::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, number))).map(Bound::Udp),
                };
                // Refused by a guard, or by another stranger.
                if let Ok(bound) = bound {
                    self.sockets.push((*at, bound));
                    self.model.strangers[*at] = true;
                }
            }
            Step::Leave(which) if !self.sockets.is_empty() => {
                let (at, bound) = self.sockets.swap_remove(which % self.sockets.len());
                drop(bound);
                self.model.strangers[at] = self.sockets.iter().any(|(other, _)| *other == at);
            }
            Step::Reconcile => {
                let repairs = self.allocator.reconcile().unwrap();
                assert!(repairs.iter().all(|repair| !repair.kind.is_repaired()), "nothing was broken: {repairs:?}");
            }
            Step::Reopen => self.allocator = open(self.directory.path(), &self.model),
            Step::Release(_) | Step::Clean(_) | Step::Leave(_) => {}
        }
        assert_eq!(self.allocator.census().unwrap(), self.model.census(), "after {step:?}");
        let map = self.allocator.pool_map().unwrap();
        if map.is_complete() {
            assert_eq!(map.census(), self.model.census(), "after {step:?}");
        }
    }

    fn claim(&mut self, ports: &[u16], claim: Claim) {
        for port in ports {
            self.model.claims[at(*port)] = claim;
        }
    }

    fn lease(&mut self, shape: &Shape, sticky: bool, guard: bool) {
        let numbers = |ports: &[usize]| ports.iter().map(|at| port(*at)).collect::<Vec<_>>();
        let request = match shape {
            Shape::Run(count) => LeaseRequest::run(*count),
            Shape::Scattered(count) => LeaseRequest::scattered(*count),
            Shape::Offsets(offsets) => {
                LeaseRequest::offsets(offsets.iter().map(|offset| u16::try_from(*offset).unwrap()))
            }
            Shape::These(ports) => LeaseRequest::exact(numbers(ports)),
        };
        let request = if sticky { request.sticky("key") } else { request };
        let verdict = self.model.verdict(shape);
        match self.allocator.lease(request.guard(guard)) {
            Ok(lease) => {
                assert_eq!(verdict, Verdict::Found, "{shape:?} was given {:?}", lease.ports());
                self.check_given(shape, lease.ports());
                self.claim(lease.ports(), Claim::Held);
                self.leases.push(lease);
            }
            Err(error) => self.check_refused(&verdict, shape, &error),
        }
    }

    /// What was given out is what was asked for, and was free.
    fn check_given(&self, shape: &Shape, ports: &[u16]) {
        let given: Vec<usize> = ports.iter().map(|port| at(*port)).collect();
        assert!(given.iter().all(|port| self.model.is_free(*port)), "{given:?} were not free");
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "one port twice");
        match shape {
            Shape::Run(count) => {
                assert_eq!(given, (given[0]..given[0] + count).collect::<Vec<_>>());
                assert!(given.iter().all(|port| self.model.in_pool(*port)));
            }
            Shape::Scattered(count) => {
                assert_eq!(given.len(), *count);
                assert!(given.iter().all(|port| self.model.in_pool(*port)));
            }
            Shape::Offsets(offsets) => {
                assert_eq!(given, offsets.iter().map(|offset| given[0] + offset).collect::<Vec<_>>());
                assert!(self.model.in_pool(given[0]) && !given.iter().any(|port| self.model.excluded[*port]));
            }
            Shape::These(these) => assert_eq!(given, *these),
        }
    }

    fn check_refused(&self, verdict: &Verdict, shape: &Shape, error: &Error) {
        match verdict {
            Verdict::Found => panic!("{shape:?} is to be had, but: {error}"),
            Verdict::Invalid => assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}"),
            Verdict::Exhausted => {
                assert_eq!(error.code(), ErrorCode::PoolExhausted, "{error}");
                assert_eq!(error.census(), Some(&self.model.census()), "{error}");
            }
            Verdict::InUse(busy) => {
                assert_eq!(error.code(), ErrorCode::PortInUse, "{error}");
                assert_eq!(error.ports().iter().map(|state| at(state.port)).collect::<BTreeSet<_>>(), *busy);
                for state in error.ports() {
                    let is_right = matches!(
                        (self.model.claims[at(state.port)], &state.usage),
                        (Claim::Held, PortUsage::Held { .. })
                            | (Claim::Kept, PortUsage::Kept { .. })
                            | (Claim::None | Claim::Stale, PortUsage::Bound { .. })
                    );
                    assert!(is_right, "{state}");
                }
            }
        }
    }

    fn keep(&mut self, count: usize, stale: bool) {
        let mut request =
            EnvironmentRequest::new().worktree(self.directory.path()).env_file(EnvFile::None).ports(count);
        request = request.kept();
        if stale {
            request = request.ttl(Duration::from_millis(1));
        }
        let shape = Shape::Run(count);
        let verdict = self.model.verdict(&shape);
        match self.allocator.create_environment(&request) {
            Ok(environment) => {
                assert_eq!(verdict, Verdict::Found);
                self.check_given(&shape, environment.ports());
                self.claim(environment.ports(), if stale { Claim::Stale } else { Claim::Kept });
                self.environments.push(environment.id());
                until("its TTL is over", || !stale || self.allocator.attach(environment.id()).is_err());
            }
            Err(error) => self.check_refused(&verdict, &shape, &error),
        }
    }
}

impl Drop for Room {
    /// Temp dirs are outside of the directory.
    fn drop(&mut self) {
        self.leases.clear();
        let _ = self.allocator.cleanup(&Cleanup::new(Selection::All));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_pool_is_what_the_model_says(
        excluded in prop::collection::btree_set(0..WINDOW, 0..4),
        steps in prop::collection::vec(step(), 1..30),
    ) {
        let mut room = Room::new(&excluded);
        for step in &steps {
            room.step(step);
        }
    }
}
