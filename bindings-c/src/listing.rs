//! What is in the registry.

use std::ffi::{CString, c_char};
use std::path::PathBuf;
use std::ptr;

use portalloc_core::environment::{EnvironmentSummary, LeaseSummary};
use portalloc_core::{Settings, ffi};

use crate::options::ALLOCATORS;
use crate::pointers::{borrow, free, give, write};
use crate::results::{ResultNumber, c_text, call, value};

/// All environments and leases of this network namespace, as they were when it was made.
pub struct Listing {
    environments: Vec<(EnvironmentSummary, [Option<CString>; 6])>,
    leases: Vec<(LeaseSummary, Option<CString>)>,
}

/// An environment. Its texts and ports live as long as the listing.
#[repr(C)]
pub struct EnvironmentInfo {
    /// Its isolation ID.
    pub id: *const c_char,
    /// "active", "stale" (its holder, TTL or owner is gone) or "damaged".
    pub status: *const c_char,
    /// Why it is not active; NULL if it is.
    pub reason: *const c_char,
    /// Its ports, in the order of the names.
    pub ports: *const u16,
    /// How many those are.
    pub ports_count: usize,
    /// The process that made a held one, or the owner of a kept one; 0 if there is none.
    pub holder_pid: u32,
    /// The user it belongs to.
    pub user_id: u32,
    /// When it was made, in milliseconds since 1970 (UTC); 0 if that is not known.
    pub created_at_unix_ms: u64,
    /// When its TTL is over, in milliseconds since 1970 (UTC); 0 for never.
    pub expires_at_unix_ms: u64,
    /// Its work tree; NULL for another user's, as are the following.
    pub worktree: *const c_char,
    /// Its temp dir.
    pub temp_dir: *const c_char,
    /// Its env file; NULL also if it has none.
    pub env_file: *const c_char,
    /// Whether it is a kept one.
    pub is_kept: bool,
}

/// A live lease that belongs to no environment. Its texts and ports live as long as the listing.
#[repr(C)]
pub struct LeaseInfo {
    /// Its ports, ascending.
    pub ports: *const u16,
    /// How many those are.
    pub ports_count: usize,
    /// The process that took it; 0 if that is not known.
    pub holder_pid: u32,
    /// The user it belongs to.
    pub user_id: u32,
    /// That process's command name, while it runs; else NULL.
    pub holder_name: *const c_char,
    /// When it was taken, in milliseconds since 1970 (UTC).
    pub since_unix_ms: u64,
}

/// Reads all environments, oldest first, and all live leases, by port; to be freed by `portalloc_listing_free`. Nothing is
/// locked or changed.
///
/// # Safety
/// `out` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_listing_new(out: *mut *mut Listing) -> ResultNumber {
    call(|| {
        let listing = ALLOCATORS.with(&Settings::new(), portalloc_core::Allocator::list)?;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| c_text(&path.to_string_lossy()));
        let environments = listing.environments.into_iter().map(EnvironmentSummary::from).map(|info| {
            let texts = [
                Some(c_text(&info.id)),
                Some(c_text(info.status)),
                info.reason.as_deref().map(c_text),
                path(&info.worktree_path),
                path(&info.temp_dir),
                path(&info.env_file),
            ];
            (info, texts)
        });
        let leases = listing.leases.into_iter().map(LeaseSummary::from).map(|lease| {
            let name = lease.holder_name.as_deref().map(c_text);
            (lease, name)
        });
        let made = Listing { environments: environments.collect(), leases: leases.collect() };
        // SAFETY: as this function's caller promises.
        unsafe { give(out, made) }
    })
}

/// How many environments there are.
///
/// # Safety
/// `listing` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_listing_environment_count(listing: *const Listing) -> usize {
    // SAFETY: as this function's caller promises.
    value(0, || Ok(unsafe { borrow(listing, "listing") }?.environments.len()))
}

/// How many leases there are.
///
/// # Safety
/// `listing` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_listing_lease_count(listing: *const Listing) -> usize {
    // SAFETY: as this function's caller promises.
    value(0, || Ok(unsafe { borrow(listing, "listing") }?.leases.len()))
}

/// The environment at `index`. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT if there is none.
///
/// # Safety
/// `listing` must be NULL or a live handle, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_listing_environment(
    listing: *const Listing,
    index: usize,
    out: *mut EnvironmentInfo,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let all = &unsafe { borrow(listing, "listing") }?.environments;
        let (info, texts) = all.get(index).ok_or_else(|| ffi::no_item(index, all.len(), "environments"))?;
        let [id, status, reason, worktree, temp_dir, env_file] = texts.each_ref().map(pointer);
        let seen = EnvironmentInfo {
            id,
            status,
            reason,
            ports: info.ports.as_ptr(),
            ports_count: info.ports.len(),
            holder_pid: info.holder_pid.unwrap_or(0),
            user_id: info.user_id,
            created_at_unix_ms: info.created_at.map_or(0, |at| at.unix_ms()),
            expires_at_unix_ms: info.expires_at.map_or(0, |at| at.unix_ms()),
            worktree,
            temp_dir,
            env_file,
            is_kept: info.lifetime == Some(portalloc_core::registry::Lifetime::Kept.as_str()),
        };
        // SAFETY: as this function's caller promises.
        unsafe { write(out, seen) }
    })
}

/// The lease at `index`. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT if there is none.
///
/// # Safety
/// `listing` must be NULL or a live handle, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_listing_lease(
    listing: *const Listing,
    index: usize,
    out: *mut LeaseInfo,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let all = &unsafe { borrow(listing, "listing") }?.leases;
        let (lease, name) = all.get(index).ok_or_else(|| ffi::no_item(index, all.len(), "leases"))?;
        let seen = LeaseInfo {
            ports: lease.ports.as_ptr(),
            ports_count: lease.ports.len(),
            holder_pid: lease.holder_pid.unwrap_or(0),
            user_id: lease.user_id,
            holder_name: pointer(name),
            since_unix_ms: lease.since.unix_ms(),
        };
        // SAFETY: as this function's caller promises.
        unsafe { write(out, seen) }
    })
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

/// Frees it. NULL does nothing.
///
/// # Safety
/// `listing` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_listing_free(listing: *mut Listing) {
    // SAFETY: as this function's caller promises.
    unsafe { free(listing) };
}
