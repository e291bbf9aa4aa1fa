//! What there is and who is where: sentences for people, JSON for programs. The JSON is that of the command line.

use std::ffi::c_char;
use std::ptr;

use portalloc_core::environment::ListingSummary;
use portalloc_core::who::{Failure, LEAK_GRACE, PortSummary};
use portalloc_core::{Settings, SettingsSummary, doctor, ffi};

use crate::options::{ALLOCATORS, milliseconds, settings, to_port};
use crate::pointers::{elements, needed, string, write, write_if_asked};
use crate::results::{ResultNumber, call};

/// Finds out who is on this port, without locking, probing or changing anything. Only root sees processes of other users.
///
/// `message`, if it is not NULL, becomes one sentence: the processes on the port, since when, and the lease or environment
/// that has it. `json`, if it is not NULL, becomes the report as JSON, as `portalloc who --json` prints it for one port. Free
/// both with portalloc_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_who(port: i64, message: *mut *mut c_char, json: *mut *mut c_char) -> ResultNumber {
    call(|| {
        let port = to_port(port)?;
        let reports = ALLOCATORS.with(&Settings::new(), |allocator| allocator.who([port]))?;
        let summary = PortSummary::from(reports.first().ok_or_else(|| ffi::no_port(port))?);
        let text = ffi::json(&summary)?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(message, || Ok(string(&summary.message))) }?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(json, || Ok(string(&text))) }
    })
}

/// Lists all environments, oldest first, and all live leases, by port, as `portalloc list --json` prints them. Locks and changes
/// nothing. Free `json` with portalloc_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_list(json: *mut *mut c_char) -> ResultNumber {
    let list = || {
        let listing = ALLOCATORS.with(&Settings::new(), portalloc_core::Allocator::list)?;
        Ok(string(&ffi::json(&ListingSummary::from(listing))?))
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(json, list) })
}

/// Checks record, temp directory, env file and lease of an environment of this user. `valid`, if it is not NULL, tells whether
/// every check passed; `json`, if it is not NULL, what each found, as `portalloc validate --json` prints it. Free `json` with
/// portalloc_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_validate(
    id: *const c_char,
    valid: *mut bool,
    json: *mut *mut c_char,
) -> ResultNumber {
    call(|| {
        // SAFETY: the caller keeps to the header's conventions.
        let id = unsafe { needed(id, "id") }?.parse()?;
        let found = ALLOCATORS.with(&Settings::new(), |allocator| allocator.validate(id))?;
        let text = ffi::json(&found)?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(valid, || Ok(found.is_valid())) }?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(json, || Ok(string(&text))) }
    })
}

/// Tells which registry and which pool calls from the current directory use, as a JSON object: "directory", "pool" (as it was
/// asked for), "ports" (those that can be leased: the pool without the kernel's ephemeral range, well-known services, and
/// exclusions), their number "count", and "warnings". `pool` and `exclude` are as in portalloc_lease_options. Free `json` with
/// portalloc_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_settings(
    pool: *const c_char,
    exclude: *const c_char,
    json: *mut *mut c_char,
) -> ResultNumber {
    let read = || {
        // SAFETY: the caller keeps to the header's conventions.
        let settings = unsafe { settings(pool, exclude) }?;
        let summary = ALLOCATORS.with(&settings, SettingsSummary::of)?;
        Ok(string(&ffi::json(&summary)?))
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(json, read) })
}

/// Examines whether portalloc keeps its promises on this machine. `ok`, if it is not NULL, tells whether it does; `json`, if it is
/// not NULL, what was found, as `portalloc doctor --json` prints it. Succeeds whatever was found: a registry that cannot be opened
/// is a line of the report.
///
/// If `count` is not 0, the report also says whether a lease of so many consecutive ports would be granted at this moment, and
/// why not. `pool` and `exclude` are as in portalloc_lease_options. Free `json` with portalloc_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_doctor(
    count: i64,
    pool: *const c_char,
    exclude: *const c_char,
    ok: *mut bool,
    json: *mut *mut c_char,
) -> ResultNumber {
    call(|| {
        let count = usize::try_from(count).map_err(|_| ffi::no_count(count))?;
        // SAFETY: the caller keeps to the header's conventions.
        let settings = unsafe { settings(pool, exclude) }?;
        let report = doctor::examine(settings, (count != 0).then_some(count));
        let text = ffi::json(&report)?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(ok, || Ok(report.ok)) }?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(json, || Ok(string(&text))) }
    })
}

/// Finds servers that still listen on `ports`, which you are about to give back. `message` becomes NULL if there are none, else
/// a line for each such port that names its processes. Free it with portalloc_string_free. Drop a guard first: its sockets
/// look like a server.
///
/// Returns within microseconds if there are none, and else waits up to `grace_ms` milliseconds for the servers to end. A
/// negative `grace_ms` means 250 ms, as in the test helpers of every language. `own` says whether sockets of this process count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_leaks(
    ports: *const u16,
    count: usize,
    own: bool,
    grace_ms: i64,
    message: *mut *mut c_char,
) -> ResultNumber {
    let find = || {
        // SAFETY: the caller keeps to the header's conventions.
        let ports = unsafe { elements(ports, count, "ports") }?;
        let grace = if grace_ms < 0 { LEAK_GRACE } else { milliseconds(grace_ms)? };
        let leaks = ALLOCATORS.with(&Settings::new(), |allocator| allocator.leaks(ports, own, grace))?;
        Ok(lines(leaks.into_iter().map(|leak| leak.message)))
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(message, find) })
}

/// Explains a port conflict: `text` is an error message or the output of a program. `message` becomes a line for each port that
/// the text names and that is in use or leased, with the processes on it; NULL if the text tells of no conflict, or no such port
/// is in use. Free it with portalloc_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_explain_conflict(text: *const c_char, message: *mut *mut c_char) -> ResultNumber {
    let explain = || {
        let mut failure = Failure::new();
        // SAFETY: the caller keeps to the header's conventions.
        failure.texts.push(unsafe { needed(text, "text") }?.to_owned());
        let told = ALLOCATORS.with(&Settings::new(), |allocator| allocator.explain_conflict(&failure))?;
        Ok(lines(told.unwrap_or_default().into_iter().map(|explanation| explanation.message)))
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(message, explain) })
}

/// NULL for none.
fn lines(sentences: impl Iterator<Item = String>) -> *mut c_char {
    let text = sentences.collect::<Vec<_>>().join("\n");
    if text.is_empty() { ptr::null_mut() } else { string(&text) }
}
