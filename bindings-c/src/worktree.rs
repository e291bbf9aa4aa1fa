//! The environment of a worktree: got or made, moved, held; and its servers, waited for and ended.

use std::ffi::c_char;

use portalloc_core::environment::Hold as CoreHold;
use portalloc_core::ffi::{self, EndOptions};
use portalloc_core::worktree::{StopOptions as CoreStopOptions, StopReport};
use portalloc_core::{Allocator, EnvironmentRequest, Result};

use crate::cancel::Cancel;
use crate::environment::{Environment, make, with};
use crate::options::{EnvironmentOptions, given, milliseconds, used};
use crate::pointers::{array, borrow, elements, free, handle, needed, sized, string, write};
use crate::results::{ResultNumber, call};
use crate::waits::{ReadyOptions, asked};

/// How portalloc_environment_stop and portalloc_environment_down end servers. Make it with portalloc_stop_options_default().
#[repr(C)]
pub struct StopOptions {
    /// sizeof(portalloc_stop_options).
    pub size: usize,
    /// Only servers on these ports of the environment; all of them if NULL. portalloc_environment_down ends all.
    pub ports: *const u16,
    /// Number of elements of `ports`.
    pub ports_count: usize,
    /// Milliseconds that a process may take to end (SIGTERM) before it is killed (SIGKILL). 0 means ten seconds.
    pub timeout_ms: i64,
    /// Ends the wait early. What has not ended by then is not killed.
    pub cancel: *const Cancel,
    /// Send no signal, and report what would be ended.
    pub dry_run: bool,
}

/// A share in a kept environment: while a process has it, no cleanup removes the environment.
pub struct Hold(CoreHold);

/// Returns the environment of the worktree: makes it if there is none, and returns the same one ever after, in every process.
/// It is kept: portalloc_environment_free leaves it alone, portalloc_environment_down or portalloc_environment_cleanup end it.
/// It prefers the ports that it had before. What `options` say about ports and names applies when it is made; if an existing
/// one has others, a warning says so. Free the handle with portalloc_environment_free.
///
/// Waits while another process makes, repairs or removes the same one, for at most 30 seconds. Fails as
/// portalloc_environment_new does, and with PORTALLOC_RESULT_IN_USE if that process does not finish.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_worktree_environment(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { make(options, out, Allocator::worktree_environment) }
}

/// As portalloc_worktree_environment, but never makes one: fails with PORTALLOC_RESULT_NOT_FOUND if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_worktree_environment_find(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
) -> ResultNumber {
    let find = |allocator: &Allocator, request: &EnvironmentRequest| {
        allocator.find_worktree_environment(request)?.ok_or_else(ffi::no_worktree_environment)
    };
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { make(options, out, find) }
}

/// As portalloc_worktree_environment, but moves the environment to other ports if a foreign process is on one of them, or if it
/// has other names or another number of ports than `options` and portalloc.toml say.
///
/// Fails with PORTALLOC_RESULT_IN_USE while a server of its own, or a command that holds it, still runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_worktree_environment_repair(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { make(options, out, Allocator::repair_worktree_environment) }
}

/// Ends what is this environment's on its ports, and nothing else: processes with a socket there that hold the environment,
/// carry its ISOLATION_ID, descend from such a process, or run as this user in its worktree or temp directory without another
/// ISOLATION_ID. Never this process or one that it descends from, and never one that leads the session of a terminal. Blocks
/// until they have ended.
///
/// `json`, if it is not NULL, becomes the report, as `portalloc stop --json` prints it; free it with portalloc_string_free.
/// What is left on the ports is in the report, and no error. `options` may be NULL. Fails with PORTALLOC_RESULT_TIMEOUT once
/// `cancel` is used, with _UNSUPPORTED before Linux 5.3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_stop(
    environment: *const Environment,
    options: *const StopOptions,
    json: *mut *mut c_char,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { end(environment, options, json, ffi::stop) }
}

/// Stops the environment's servers as portalloc_environment_stop does, and then removes the environment. Leaves it if anything
/// is left on its ports: the report says what, and `"removed"` is false.
///
/// Fails with PORTALLOC_RESULT_IN_USE, before it has ended anything, while a command that is no server holds the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_down(
    environment: *const Environment,
    options: *const StopOptions,
    json: *mut *mut c_char,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { end(environment, options, json, ffi::down) }
}

/// # Safety
/// As for portalloc_environment_stop.
unsafe fn end(
    environment: *const Environment,
    options: *const StopOptions,
    json: *mut *mut c_char,
    work: fn(&portalloc_core::Environment, &CoreStopOptions, &dyn Fn() -> bool) -> Result<StopReport>,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises; zeros are NULL pointers and no wishes.
        let options = unsafe { sized(options) }?;
        // SAFETY: as this function's caller promises.
        let asked = unsafe { options.asked() }?;
        // SAFETY: as this function's caller promises.
        let is_cancelled = unsafe { used(options.cancel) };
        // SAFETY: as this function's caller promises.
        let report = unsafe { with(environment, |environment| work(environment, &asked, &is_cancelled)) }?;
        if json.is_null() {
            return Ok(());
        }
        let text = ffi::json(&report)?;
        // SAFETY: as this function's caller promises.
        unsafe { write(json, || Ok(string(&text))) }
    })
}

/// Blocks until a server that is the environment's own is ready on each of the ports, for at most `wait_ms` milliseconds (0
/// checks once, PORTALLOC_FOREVER waits without limit), or until `cancel`, if it is not NULL, is used. No ports (NULL and 0)
/// mean all of the environment's; no `options` (NULL) mean once it accepts a connection. See portalloc_environment_stop for
/// what is its own.
///
/// Fails at once with PORTALLOC_RESULT_PORT_IN_USE on somebody else's server, and says whose and where; with _TIMEOUT, whose
/// message says for each port what the last check found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_wait_until_ours(
    environment: *const Environment,
    ports: *const u16,
    count: usize,
    options: *const ReadyOptions,
    wait_ms: i64,
    cancel: *const Cancel,
) -> ResultNumber {
    call(|| {
        // SAFETY: the caller keeps to the header's conventions.
        let ports = unsafe { elements(ports, count, "ports") }?;
        // SAFETY: the caller keeps to the header's conventions.
        let readiness = unsafe { asked(options) }?;
        let limit = milliseconds(wait_ms)?;
        // SAFETY: the caller keeps to the header's conventions.
        let is_cancelled = unsafe { used(cancel) };
        let wait = |environment: &portalloc_core::Environment| {
            ffi::wait_until_ours(environment, ports, &readiness, limit, &is_cancelled)
        };
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { with(environment, wait) }
    })
}

/// Keeps the variables of a kept environment in a block between two marker lines of this file, and leaves everything else in it
/// as it is. The block goes with the environment. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT, with file and line, if somebody
/// has cut a marker line off, and with _IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_write_block(
    environment: *const Environment,
    path: *const c_char,
) -> ResultNumber {
    call(|| {
        // SAFETY: the caller keeps to the header's conventions.
        let path = unsafe { needed(path, "path") }?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { with(environment, |environment| environment.write_block(path)) }
    })
}

/// Takes a hold on a kept environment, which keeps it from being removed. Free it with portalloc_hold_free. Fails with
/// PORTALLOC_RESULT_NOT_FOUND if the environment has been removed or is stale, with _INVALID_ARGUMENT for a held one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_hold(
    environment: *const Environment,
    out: *mut *mut Hold,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    let hold = || Ok(handle(Hold(unsafe { with(environment, portalloc_core::Environment::hold) }?)));
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, hold) })
}

/// Duplicates the descriptor of the hold without close-on-exec, so that processes started while it is open inherit the hold, and
/// count as the environment's own. Close the copy once the child runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_hold_inheritable(hold: *const Hold, out: *mut i32) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    let copy = || Ok(unsafe { borrow(hold, "hold") }?.0.inheritable()?.into_number() as i32);
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, copy) })
}

/// Gives up this process's share. Processes that have inherited it keep theirs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_hold_free(hold: *mut Hold) {
    let _ = call(|| {
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { free(hold) };
        Ok(())
    });
}

impl StopOptions {
    /// # Safety
    /// Its pointers are as its members' comments say.
    unsafe fn asked(&self) -> Result<CoreStopOptions> {
        // SAFETY: as this function's caller promises.
        let ports = unsafe { array(self.ports, self.ports_count) };
        let timeout = given(self.timeout_ms).map(milliseconds).transpose()?;
        Ok(EndOptions { ports: ports.map(<[u16]>::to_vec), dry_run: self.dry_run, timeout }.stop_options())
    }
}
