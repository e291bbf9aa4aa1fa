//! Structs of options. They only ever grow at the end; all zeros is what nobody asked for.

use std::ffi::c_char;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portalloc_core::environment::EnvFile;
use portalloc_core::ffi::{Allocators, Wanted};
use portalloc_core::{Allocator, EnvironmentRequest, LeaseRequest, Result, Settings, SocketOptions, ffi};

use crate::cancel::Cancel;
use crate::pointers::{array, text};

/// What stays open between calls, for all threads and for forked children.
pub(crate) static ALLOCATORS: Allocators = Allocators::new();

/// What a lease is asked for. Make it with portalloc_lease_options_default().
#[repr(C)]
pub struct LeaseOptions {
    /// sizeof(portalloc_lease_options).
    pub size: usize,
    /// So many consecutive ports; 0 is one port, or as many as `ports` or `offsets` name.
    pub count: usize,
    /// Exactly these ports, in the pool or not; at most one of `ports`, `offsets` and `scattered`.
    pub ports: *const u16,
    /// How many those are.
    pub ports_count: usize,
    /// A base port and the ports at these distances from it; the first is 0.
    pub offsets: *const u16,
    /// How many those are.
    pub offsets_count: usize,
    /// Ports to give out, such as "20000-29999"; else PORTALLOC_POOL, else portalloc.toml, else the default.
    pub pool: *const c_char,
    /// Ports never to give out; else PORTALLOC_EXCLUDE, else portalloc.toml, else none.
    pub exclude: *const c_char,
    /// Prefers the ports that this key was given before, on this machine.
    pub sticky: *const c_char,
    /// Milliseconds to wait for ports to come free; 0 fails at once, UINT64_MAX waits as long as it takes.
    pub timeout_ms: u64,
    /// Ends the wait early.
    pub cancel: *const Cancel,
    /// Ports that need not be consecutive.
    pub scattered: bool,
    /// Holds the ports against programs that know nothing of portalloc, too: see portalloc_lease_guard.
    pub guard: bool,
}

/// What a port that is held until the process ends is asked for. Make it with portalloc_port_options_default().
#[repr(C)]
pub struct PortOptions {
    /// sizeof(portalloc_port_options).
    pub size: usize,
    /// As for a lease.
    pub pool: *const c_char,
    /// As for a lease.
    pub exclude: *const c_char,
}

/// Where an env file goes.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EnvFilePlace {
    /// `.env.isolation` in the work tree, or `.env.isolation.<id>` if that is taken; or `env_file`, if that is given.
    Usual = 0,
    /// None.
    None = 1,
}

/// What an environment is asked for. Make it with portalloc_environment_options_default(). Whatever is not given, the
/// project file portalloc.toml in the work tree or above it may say.
#[repr(C)]
pub struct EnvironmentOptions {
    /// sizeof(portalloc_environment_options).
    pub size: usize,
    /// So many consecutive ports; 0 is as many as names, `ports` or `offsets`, else five.
    pub count: usize,
    /// Names for the first ports: "postgres" becomes the variable POSTGRES_PORT.
    pub names: *const *const c_char,
    /// How many those are.
    pub names_count: usize,
    /// Exactly these ports; at most one of `ports`, `offsets` and `scattered`.
    pub ports: *const u16,
    /// How many those are.
    pub ports_count: usize,
    /// A base port and the ports at these distances from it; the first is 0.
    pub offsets: *const u16,
    /// How many those are.
    pub offsets_count: usize,
    /// As for a lease.
    pub pool: *const c_char,
    /// As for a lease.
    pub exclude: *const c_char,
    /// What tells it from others of its work tree.
    pub instance_id: *const c_char,
    /// The work tree, an existing folder; else the current one.
    pub worktree: *const c_char,
    /// This very path for the env file.
    pub env_file: *const c_char,
    /// Milliseconds after which a kept one is over; 0 is never.
    pub ttl_ms: u64,
    /// The process whose end ends a kept one; 0 is none.
    pub owner_pid: u32,
    /// A portalloc_env_file_place: whether there is an env file at all.
    pub env_file_place: u32,
    /// As for a lease.
    pub timeout_ms: u64,
    /// Ends the wait early.
    pub cancel: *const Cancel,
    /// Ports that need not be consecutive.
    pub scattered: bool,
    /// As for a lease; only for a held one.
    pub guard: bool,
    /// Prefers the ports that the same work tree, instance ID and names had before.
    pub sticky: bool,
    /// Outlives this process, until a cleanup, its TTL or the end of its owner.
    pub kept: bool,
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

/// What a socket to hand over is asked for. Make it with portalloc_socket_options_default().
#[repr(C)]
pub struct SocketOptions {
    /// sizeof(portalloc_socket_options).
    pub size: usize,
    /// An IP address, "localhost", or "" for every IPv4 address ("::" for every one); else 127.0.0.1.
    pub host: *const c_char,
    /// A portalloc_socket_type.
    pub r#type: u32,
    /// A TCP socket that is bound and does not listen yet. Until it listens, a program that names the port and sets
    /// SO_REUSEADDR can listen on it first.
    pub bound_only: bool,
}

/// A time in milliseconds, the largest being as long as it takes.
pub(crate) fn time(milliseconds: u64) -> Duration {
    if milliseconds == u64::MAX { Duration::MAX } else { Duration::from_millis(milliseconds) }
}

/// Where nothing but a number above 0 is given.
fn some(number: usize) -> Option<usize> {
    (number > 0).then_some(number)
}

/// The allocator, with waits that end once `cancel` is turned.
///
/// # Safety
/// `cancel` is NULL or a live handle.
pub(crate) unsafe fn watched(allocator: &Allocator, cancel: *const Cancel) -> Allocator {
    // SAFETY: as this function's caller promises.
    let Some(cancel) = (unsafe { cancel.as_ref() }) else { return allocator.clone() };
    let cancelled = Arc::clone(&cancel.cancelled);
    allocator.cancelled_by(move || cancelled.load(Ordering::Relaxed))
}

/// # Safety
/// The texts are NULL or end with a zero byte.
pub(crate) unsafe fn settings(pool: *const c_char, exclude: *const c_char) -> Result<Settings> {
    let mut settings = Settings::new();
    // SAFETY: as this function's caller promises.
    if let Some(pool) = unsafe { text(pool, "pool") }? {
        settings = settings.pool(pool);
    }
    // SAFETY: as this function's caller promises.
    if let Some(exclude) = unsafe { text(exclude, "exclude") }? {
        settings = settings.exclude(exclude);
    }
    Ok(settings)
}

impl LeaseOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    pub(crate) unsafe fn settings(&self) -> Result<Settings> {
        // SAFETY: as this function's caller promises.
        unsafe { settings(self.pool, self.exclude) }
    }

    /// # Safety
    /// As for `settings`.
    pub(crate) unsafe fn request(&self) -> Result<LeaseRequest> {
        // SAFETY: as this function's caller promises.
        let ports = unsafe { array(self.ports, self.ports_count) };
        // SAFETY: as this function's caller promises.
        let offsets = unsafe { array(self.offsets, self.offsets_count) };
        let mut request = Wanted {
            count: some(self.count),
            ports: ports.map(<[u16]>::to_vec),
            offsets: offsets.map(<[u16]>::to_vec),
            scattered: self.scattered,
        }
        .request()?
        .guard(self.guard);
        // SAFETY: as this function's caller promises.
        if let Some(key) = unsafe { text(self.sticky, "sticky") }? {
            request = request.sticky(key);
        }
        if self.timeout_ms > 0 {
            request = request.wait(time(self.timeout_ms));
        }
        Ok(request)
    }
}

impl PortOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    pub(crate) unsafe fn settings(&self) -> Result<Settings> {
        // SAFETY: as this function's caller promises.
        unsafe { settings(self.pool, self.exclude) }
    }
}

impl EnvironmentOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    pub(crate) unsafe fn settings(&self) -> Result<Settings> {
        // SAFETY: as this function's caller promises.
        unsafe { settings(self.pool, self.exclude) }
    }

    /// # Safety
    /// As for `settings`.
    pub(crate) unsafe fn request(&self) -> Result<EnvironmentRequest> {
        let mut request = EnvironmentRequest::new();
        // SAFETY: as this function's caller promises.
        let names = unsafe { array(self.names, self.names_count) }.unwrap_or_default();
        let mut given_names = Vec::with_capacity(names.len());
        for name in names {
            // SAFETY: as this function's caller promises.
            given_names.push(unsafe { text(*name, "names") }?.unwrap_or_default());
        }
        if !given_names.is_empty() {
            request = request.names(given_names);
        }
        // SAFETY: as this function's caller promises.
        if let Some(instance_id) = unsafe { text(self.instance_id, "instance_id") }? {
            request = request.instance_id(instance_id);
        }
        // SAFETY: as this function's caller promises.
        if let Some(worktree) = unsafe { text(self.worktree, "worktree") }? {
            request = request.worktree(worktree);
        }
        // SAFETY: as this function's caller promises.
        let env_file = unsafe { text(self.env_file, "env_file") }?;
        request = request.env_file(match (env_file, self.env_file_place) {
            (_, place) if place == EnvFilePlace::None as u32 => EnvFile::None,
            (Some(path), _) => EnvFile::At(path.into()),
            (None, _) => EnvFile::Worktree,
        });
        if self.kept {
            request = request.kept();
        }
        if self.ttl_ms > 0 {
            request = request.ttl(time(self.ttl_ms));
        }
        if self.owner_pid > 0 {
            request = request.owner_pid(self.owner_pid);
        }
        if self.guard {
            request = request.guard(true);
        }
        if self.sticky {
            request = request.sticky(true);
        }
        if self.timeout_ms > 0 {
            request = request.wait(time(self.timeout_ms));
        }
        // SAFETY: as this function's caller promises.
        let ports = unsafe { array(self.ports, self.ports_count) };
        // SAFETY: as this function's caller promises.
        let offsets = unsafe { array(self.offsets, self.offsets_count) };
        Wanted {
            count: some(self.count),
            ports: ports.map(<[u16]>::to_vec),
            offsets: offsets.map(<[u16]>::to_vec),
            scattered: self.scattered,
        }
        .of_environment(request)
    }
}

impl SocketOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    pub(crate) unsafe fn hand_off(&self) -> Result<SocketOptions> {
        let hand_off = match self.r#type {
            kind if kind == SocketType::Tcp as u32 => SocketOptions::tcp(),
            kind if kind == SocketType::Udp as u32 => SocketOptions::udp(),
            other => return Err(ffi::no_socket_type(other)),
        };
        // SAFETY: as this function's caller promises.
        let host = unsafe { text(self.host, "host") }?;
        let address = host.map(ffi::address).transpose()?;
        let hand_off = address.map_or(hand_off, |address| hand_off.address(address));
        Ok(if self.bound_only { hand_off.listen(false) } else { hand_off })
    }
}
