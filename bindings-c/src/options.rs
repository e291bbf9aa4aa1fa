//! Structs of options and numbers, as C writes them down and as the core wants them. The structs only ever grow at the end;
//! all zeros asks for nothing.

use std::ffi::c_char;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portalloc_core::environment::EnvFile;
use portalloc_core::ffi::{self, Allocators, PortChoice};
use portalloc_core::{
    Allocator, EnvironmentRequest, LeaseRequest, Result, Settings, SocketOptions as CoreSocketOptions,
};

use crate::cancel::Cancel;
use crate::pointers::{array, owned, text, texts};

/// What stays open between calls, for all threads and for forked children.
pub(crate) static ALLOCATORS: Allocators = Allocators::new();

/// PORTALLOC_ZERO of the header.
const ZERO: i64 = i64::MIN;

/// What to lease. Make it with portalloc_lease_options_default().
#[repr(C)]
pub struct LeaseOptions {
    /// sizeof(portalloc_lease_options).
    pub size: usize,
    /// Number of consecutive ports. 0 means one, or as many as `exact` or `offsets` has.
    pub count: i64,
    /// Lease exactly these ports, whether or not they are in the pool. Use at most one of `exact`, `offsets` and `scattered`.
    pub exact: *const u16,
    /// Number of elements of `exact`.
    pub exact_count: usize,
    /// Lease a base port and the ports at these distances from it. The first offset is 0.
    pub offsets: *const i64,
    /// Number of elements of `offsets`.
    pub offsets_count: usize,
    /// The pool, such as "20000-29999". Overrides PORTALLOC_POOL, which overrides portalloc.toml and the default.
    pub pool: *const c_char,
    /// Ports never to lease. Overrides PORTALLOC_EXCLUDE, which overrides portalloc.toml.
    pub exclude: *const c_char,
    /// Prefer the ports that this key got before on this machine.
    pub sticky_key: *const c_char,
    /// Where in the program the lease is taken, such as "server.c:14": for the message of a port conflict within this process.
    pub place: *const c_char,
    /// Milliseconds to wait until ports are free. 0 fails at once; PORTALLOC_FOREVER waits without limit.
    pub wait_ms: i64,
    /// Ends the wait early.
    pub cancel: *const Cancel,
    /// The ports need not be consecutive.
    pub scattered: bool,
    /// Guard the ports against foreign processes: see portalloc_lease_guard.
    pub guard: bool,
    /// Base ports to try before all others, in this order. At most 100.
    pub prefer: *const u16,
    /// Number of elements of `prefer`.
    pub prefer_count: usize,
}

/// Where portalloc_port takes its port from. Make it with portalloc_port_options_default().
#[repr(C)]
pub struct PortOptions {
    /// sizeof(portalloc_port_options).
    pub size: usize,
    /// As in portalloc_lease_options.
    pub pool: *const c_char,
    /// As in portalloc_lease_options.
    pub exclude: *const c_char,
}

/// Whether an environment gets an env file if `env_file` names none.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EnvFilePlace {
    /// It gets none.
    None = 0,
    /// `.env.isolation` in the worktree, or `.env.isolation.<id>` if that is another environment's.
    Worktree = 1,
}

/// A setting that portalloc.toml may have, too.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// As portalloc.toml says, else off.
    Unset = 0,
    /// On.
    On = 1,
    /// Off, whatever portalloc.toml says.
    Off = 2,
}

/// What environment to make. Make it with portalloc_environment_options_default(). The project file portalloc.toml, in the
/// worktree or the current directory or above, fills in what you leave out.
#[repr(C)]
pub struct EnvironmentOptions {
    /// sizeof(portalloc_environment_options).
    pub size: usize,
    /// Number of consecutive ports. 0 means as many as `names`, `exact` or `offsets` has, else five.
    pub count: i64,
    /// Names for the first ports: "postgres" becomes the variable POSTGRES_PORT.
    pub names: *const *const c_char,
    /// Number of elements of `names`.
    pub names_count: usize,
    /// Lease exactly these ports. Use at most one of `exact`, `offsets` and `scattered`.
    pub exact: *const u16,
    /// Number of elements of `exact`.
    pub exact_count: usize,
    /// Lease a base port and the ports at these distances from it. The first offset is 0.
    pub offsets: *const i64,
    /// Number of elements of `offsets`.
    pub offsets_count: usize,
    /// As in portalloc_lease_options.
    pub pool: *const c_char,
    /// As in portalloc_lease_options.
    pub exclude: *const c_char,
    /// Tells this environment from others of the same worktree.
    pub instance_id: *const c_char,
    /// The worktree, an existing directory. If NULL, the nearest directory upwards with a `.git`, else that of portalloc.toml,
    /// else the current one.
    pub worktree: *const c_char,
    /// Write the env file to this path.
    pub env_file: *const c_char,
    /// As in portalloc_lease_options.
    pub place: *const c_char,
    /// Milliseconds until a kept environment is stale. 0 means never.
    pub ttl_ms: i64,
    /// A kept environment is stale once this process has ended. 0 means none.
    pub owner_pid: i64,
    /// As in portalloc_lease_options.
    pub wait_ms: i64,
    /// Ends the wait early.
    pub cancel: *const Cancel,
    /// A portalloc_env_file: whether to write an env file if `env_file` is NULL.
    pub env_file_place: u32,
    /// A portalloc_switch; only for a held environment. `true` switches it on.
    pub guard: u32,
    /// A portalloc_switch: prefer the ports that the same worktree, instance ID and names had before. `true` switches it on.
    pub sticky: u32,
    /// The ports need not be consecutive.
    pub scattered: bool,
    /// Outlive this process, until a cleanup, the TTL or the end of the owner.
    pub kept: bool,
    /// Base ports to try before all others, in this order. At most 100.
    pub prefer: *const u16,
    /// Number of elements of `prefer`.
    pub prefer_count: usize,
}

/// The kind of a socket.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SocketType {
    /// TCP.
    Tcp = 0,
    /// UDP.
    Udp = 1,
}

/// What portalloc_lease_socket makes. Make it with portalloc_socket_options_default().
#[repr(C)]
pub struct SocketOptions {
    /// sizeof(portalloc_socket_options).
    pub size: usize,
    /// An IP address, "localhost", or "" for every IPv4 address ("::" for every address). 127.0.0.1 if NULL.
    pub host: *const c_char,
    /// A portalloc_socket_type.
    pub r#type: u32,
    /// Bind a TCP socket without listening on it. Until you call listen(), another program that sets SO_REUSEADDR can
    /// listen on the port first.
    pub bound_only: bool,
}

/// A number where 0 means "not given".
pub(crate) fn given(number: i64) -> Option<i64> {
    match number {
        0 => None,
        ZERO => Some(0),
        other => Some(other),
    }
}

/// A time to wait.
pub(crate) fn milliseconds(number: i64) -> Result<Duration> {
    ffi::milliseconds(number as f64)
}

/// A port.
pub(crate) fn to_port(number: i64) -> Result<u16> {
    u16::try_from(number).map_err(|_| ffi::no_port(number))
}

impl Switch {
    fn given(number: u32) -> Option<bool> {
        match number {
            0 => None,
            number => Some(number != Self::Off as u32),
        }
    }
}

/// The allocator, whose waits end once `cancel` is used.
///
/// # Safety
/// `cancel` is NULL or a live handle.
pub(crate) unsafe fn watched(allocator: &Allocator, cancel: *const Cancel) -> Allocator {
    if cancel.is_null() {
        return allocator.clone();
    }
    // SAFETY: as this function's caller promises.
    allocator.cancelled_by(unsafe { used(cancel) })
}

/// Whether `cancel` has been used; never without one.
///
/// # Safety
/// `cancel` is NULL or a live handle.
pub(crate) unsafe fn used(cancel: *const Cancel) -> impl Fn() -> bool + Send + Sync + 'static {
    // SAFETY: as this function's caller promises.
    let cancelled = unsafe { cancel.as_ref() }.map(|cancel| Arc::clone(&cancel.cancelled));
    move || cancelled.as_ref().is_some_and(|cancelled| cancelled.load(Ordering::Relaxed))
}

/// # Safety
/// The texts are NULL or end with a zero byte.
pub(crate) unsafe fn settings(pool: *const c_char, exclude: *const c_char) -> Result<Settings> {
    // SAFETY: as this function's caller promises.
    let pool = unsafe { owned(pool, "pool") }?;
    // SAFETY: as this function's caller promises.
    let exclude = unsafe { owned(exclude, "exclude") }?;
    Ok(Settings::given(None, pool, exclude))
}

/// # Safety
/// The arrays are NULL or have as many elements.
unsafe fn choice(
    count: i64,
    (exact, exact_count): (*const u16, usize),
    (offsets, offsets_count): (*const i64, usize),
    scattered: bool,
) -> Result<PortChoice> {
    // SAFETY: as this function's caller promises.
    let exact = unsafe { array(exact, exact_count) };
    // SAFETY: as this function's caller promises.
    let offsets = unsafe { array(offsets, offsets_count) };
    let offset = |offset: &i64| u16::try_from(*offset).map_err(|_| ffi::no_offset(offset));
    Ok(PortChoice {
        count: given(count).map(|count| usize::try_from(count).map_err(|_| ffi::no_count(count))).transpose()?,
        exact: exact.map(<[u16]>::to_vec),
        offsets: offsets.map(|offsets| offsets.iter().map(offset).collect()).transpose()?,
        scattered,
    })
}

impl LeaseOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    pub(crate) unsafe fn request(&self) -> Result<LeaseRequest> {
        let (exact, offsets) = ((self.exact, self.exact_count), (self.offsets, self.offsets_count));
        ffi::LeaseOptions {
            // SAFETY: as this function's caller promises.
            ports: unsafe { choice(self.count, exact, offsets, self.scattered) }?,
            wait: given(self.wait_ms).map(milliseconds).transpose()?,
            guard: self.guard,
            // SAFETY: as this function's caller promises.
            sticky_key: unsafe { owned(self.sticky_key, "sticky_key") }?,
            // SAFETY: as this function's caller promises.
            place: unsafe { owned(self.place, "place") }?,
            // SAFETY: as this function's caller promises.
            prefer: unsafe { array(self.prefer, self.prefer_count) }.map(<[u16]>::to_vec).unwrap_or_default(),
        }
        .request()
    }
}

impl EnvironmentOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    pub(crate) unsafe fn request(&self) -> Result<EnvironmentRequest> {
        let (exact, offsets) = ((self.exact, self.exact_count), (self.offsets, self.offsets_count));
        // SAFETY: as this function's caller promises.
        let names = unsafe { texts(self.names, self.names_count, "names") }?;
        // SAFETY: as this function's caller promises.
        let env_file = unsafe { text(self.env_file, "env_file") }?.map(|path| EnvFile::At(path.into()));
        let in_worktree = (self.env_file_place == EnvFilePlace::Worktree as u32).then_some(EnvFile::Worktree);
        let owner = |pid| u32::try_from(pid).map_err(|_| ffi::no_process(pid));
        ffi::EnvironmentOptions {
            // SAFETY: as this function's caller promises.
            ports: unsafe { choice(self.count, exact, offsets, self.scattered) }?,
            names: (!names.is_empty()).then_some(names),
            // SAFETY: as this function's caller promises.
            instance_id: unsafe { owned(self.instance_id, "instance_id") }?,
            // SAFETY: as this function's caller promises.
            worktree: unsafe { text(self.worktree, "worktree") }?.map(Into::into),
            env_file: env_file.or(in_worktree),
            kept: self.kept,
            // The core refuses no time at all, and so a negative one.
            ttl: given(self.ttl_ms).map(|ttl| Duration::from_millis(ttl.max(0).unsigned_abs())),
            owner_pid: given(self.owner_pid).map(owner).transpose()?,
            guard: Switch::given(self.guard),
            sticky: Switch::given(self.sticky),
            wait: given(self.wait_ms).map(milliseconds).transpose()?,
            // SAFETY: as this function's caller promises.
            place: unsafe { owned(self.place, "place") }?,
            // SAFETY: as this function's caller promises.
            prefer: unsafe { array(self.prefer, self.prefer_count) }.map(<[u16]>::to_vec),
        }
        .request()
    }
}

impl SocketOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    pub(crate) unsafe fn request(&self) -> Result<CoreSocketOptions> {
        let socket = match self.r#type {
            kind if kind == SocketType::Tcp as u32 => CoreSocketOptions::tcp(),
            kind if kind == SocketType::Udp as u32 => CoreSocketOptions::udp(),
            other => return Err(ffi::no_socket_type(other)),
        };
        // SAFETY: as this function's caller promises.
        let host = unsafe { text(self.host, "host") }?;
        let address = host.map(ffi::address).transpose()?;
        let socket = address.map_or(socket, |address| socket.address(address));
        Ok(if self.bound_only { socket.listen(false) } else { socket })
    }
}
