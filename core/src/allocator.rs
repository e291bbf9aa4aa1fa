//! The door to everything: an open registry with a pool.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::census;
use crate::check::{self, PortState};
use crate::error::{Again, Result};
use crate::given;
use crate::lease::{self, Lease};
use crate::pool::{Census, Cursor, Pool, PoolMap};
use crate::registry::{Handle, Registry, Repair};
use crate::request::Request;
use crate::settings::Settings;
use crate::sys;

/// An open registry with a pool, from which leases and environments are taken.
///
/// Open it once and keep it: opening reads the kernel's port ranges and checks the registry's folder. It may be
/// shared by threads and used after a fork. It stands for the network namespace of the thread that opened it; after
/// entering another one, open another (a lease is refused with `invalid_argument`, from Linux 5.14 on). Clones share one
/// registry.
#[derive(Clone)]
pub struct Allocator {
    /// The registry for the work of one call: see [`in_registry`](Self::in_registry).
    pub(crate) registry: Arc<Registry>,
    pub(crate) handle: Arc<Handle>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) cursor: Arc<Cursor>,
    pub(crate) cancelled: Cancelled,
    /// What to open anew where the calling thread has entered another network namespace; else that is an error.
    pub(crate) follows: Option<Arc<Settings>>,
}

/// Says whether a wait is no longer wanted.
pub(crate) type Cancelled = Option<Arc<dyn Fn() -> bool + Send + Sync>>;

impl Allocator {
    /// Opens with the settings of the environment: `PORTALLOC_DIR`, `PORTALLOC_POOL`, `PORTALLOC_EXCLUDE`.
    ///
    /// # Errors
    /// As [`Settings::open`].
    pub fn open() -> Result<Self> {
        Settings::new().open()
    }

    pub(crate) fn with(directory: Option<PathBuf>, pool: Option<&str>, exclude: Option<&str>) -> Result<Self> {
        let pool = Pool::new(pool, exclude, &sys::kernel_ports())?;
        let handle = Handle::open(directory)?;
        Ok(Self {
            registry: handle.current(),
            handle: Arc::new(handle),
            pool: Arc::new(pool),
            cursor: Arc::default(),
            cancelled: None,
            follows: None,
        })
    }

    /// The same, whose waits end early with `timeout` once `hook` says so: for signals, contexts and other ways to change
    /// one's mind. It is asked by the thread that waits, at least four times a second.
    #[must_use]
    pub fn cancelled_by(&self, hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { cancelled: Some(Arc::new(hook)), ..self.clone() }
    }

    /// The same, which opens itself anew for a thread that has entered another network namespace.
    pub(crate) fn following(self, settings: Settings) -> Self {
        Self { follows: Some(Arc::new(settings)), ..self }
    }

    /// Does `work`, in the registry that is open by now, and again in another one where that is no longer the one that
    /// others open, or where the calling thread has entered another network namespace.
    pub(crate) fn in_registry<T>(&self, work: impl Fn(&Self) -> Result<T>) -> Result<T> {
        let done = self.handle.with(|registry| {
            if Arc::ptr_eq(registry, &self.registry) {
                work(self)
            } else {
                work(&Self { registry: registry.clone(), ..self.clone() })
            }
        });
        match (done, &self.follows) {
            (Err(error), Some(settings)) if error.again() == Some(Again::InNamespace) => {
                let there = settings.as_ref().clone().open()?;
                work(&Self { cancelled: self.cancelled.clone(), ..there })
            }
            (done, _) => done,
        }
    }

    /// As [`in_registry`](Self::in_registry), for work that does not begin with a look at the registry's files.
    pub(crate) fn in_checked_registry<T>(&self, work: impl Fn(&Self) -> Result<T>) -> Result<T> {
        self.in_registry(|allocator| {
            allocator.registry.check_place()?;
            work(allocator)
        })
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|hook| hook())
    }

    /// Leases ports: a number asks for so many consecutive ones, a [`Request`] for more.
    ///
    /// Does not block, unless the request waits: then until ports come free or the deadline passes.
    ///
    /// # Errors
    /// `invalid_argument`, `pool_exhausted` (with a [`Census`]), `port_in_use` (with the ports), `timeout`,
    /// `registry_unusable`, `io`.
    pub fn lease(&self, request: impl Into<Request>) -> Result<Lease> {
        let request = request.into();
        let start = Instant::now();
        self.in_registry(|allocator| lease::take(allocator, &request, start, None))
    }

    /// Whether a lease of `port` could be had at this moment: not leased, and nothing bound to it, TCP or UDP, on any
    /// address. The port need not be in the pool.
    ///
    /// # Errors
    /// `invalid_argument` for port 0, `registry_unusable`, `io`.
    pub fn is_free(&self, port: u16) -> Result<bool> {
        Ok(self.check([port])?.iter().all(|state| state.usage.is_free()))
    }

    /// What each of `ports` is doing, in the order given.
    ///
    /// # Errors
    /// `invalid_argument` for port 0, `registry_unusable`, `io`.
    pub fn check(&self, ports: impl IntoIterator<Item = u16>) -> Result<Vec<PortState>> {
        let ports: Vec<u16> = ports.into_iter().collect();
        if ports.contains(&0) {
            return Err(given::no_port(0));
        }
        self.in_checked_registry(|Self { registry, .. }| {
            let (file, here) = (registry.ports()?, registry.process()?);
            ports.iter().map(|port| check::state(registry, &file, *port, &here)).collect()
        })
    }

    /// Counts what every port of the pool is doing. Probes each port that nobody claims: some 5 us a port.
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn census(&self) -> Result<Census> {
        self.in_checked_registry(|Self { registry, pool, .. }| {
            census::take(registry, &registry.ports()?, pool, &registry.process()?)
        })
    }

    /// What every port of the pool is doing, as far as can be seen without getting in anybody's way: nothing is locked,
    /// probed or changed, so that it may be drawn again and again. Locks and labels tell whose a port is, the kernel's
    /// tables which of the others have a socket.
    ///
    /// It is no picture of one instant: a port that another process is just trying is shown as held. It does not see
    /// that this user may not bind a port (never [`PortClass::Denied`](crate::PortClass::Denied), which only a probe
    /// finds out), nor, before Linux 6.8, TCP sockets that are bound and neither listen nor are connected
    /// ([`PoolMap::is_complete`]).
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn pool_map(&self) -> Result<PoolMap> {
        self.in_checked_registry(|Self { registry, pool, .. }| {
            census::map(registry, &registry.ports()?, pool, &registry.process()?)
        })
    }

    /// Makes labels and records agree again, after a crash or a hand edit, and says what was repaired.
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn reconcile(&self) -> Result<Vec<Repair>> {
        self.in_checked_registry(|allocator| allocator.registry.reconcile())
    }

    /// The pool in use.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The registry's folder, as it was when this allocator was opened.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.registry.root()
    }
}

impl std::fmt::Debug for Allocator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Allocator").field("directory", &self.directory()).field("pool", &self.pool.asked()).finish()
    }
}
