//! Environments.

use std::ffi::{CString, c_char};
use std::path::Path;
use std::ptr;

use portalloc_core::registry::{Lifetime, Record};
use portalloc_core::{Allocator, EnvironmentRequest, Result, Settings};

use crate::lease::Lease;
use crate::options::{ALLOCATORS, EnvironmentOptions, settings, watched};
use crate::pointers::{self, borrow, fill, free, handle, needed, sized, text};
use crate::results::{ResultNumber, c_text, call, value};

/// A lease with an isolation ID, a temp directory, variables and, if you ask for it, an env file, made and removed as one. A
/// *held* environment lives until you free it or clean it up, or its process ends; a *kept* one outlives its process.
pub struct Environment {
    environment: portalloc_core::Environment,
    texts: Texts,
}

/// What C reads of it.
struct Texts {
    id: CString,
    temp_dir: CString,
    env_file: Option<CString>,
    worktree: CString,
    instance_id: CString,
    names: Vec<CString>,
    variables: Vec<(CString, CString)>,
}

impl Texts {
    fn of(record: &Record) -> Self {
        let path = |path: &Path| c_text(&path.to_string_lossy());
        let variables = record.variables();
        Self {
            id: c_text(&record.isolation_id.to_string()),
            temp_dir: path(&record.temp_dir),
            env_file: record.env_file.as_deref().map(path),
            worktree: path(&record.worktree_path),
            instance_id: c_text(&record.instance_id),
            names: record.names.iter().map(|name| c_text(name)).collect(),
            variables: variables.iter().map(|(name, value)| (c_text(name), c_text(value))).collect(),
        }
    }
}

impl Environment {
    fn handle(environment: portalloc_core::Environment) -> *mut Self {
        let texts = Texts::of(environment.record());
        handle(Self { environment, texts })
    }
}

/// Makes an environment. Free it with portalloc_environment_free. If the call fails, it leaves nothing behind. Without options:
/// held, five ports, in the current directory, as the project file says.
///
/// Fails as portalloc_lease_new does, and with PORTALLOC_RESULT_NOT_FOUND (owner), _ENV_FILE_EXISTS or _ID_EXHAUSTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_new(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { make(options, out, Allocator::create_environment) }
}

/// Attaches to the environment that the variable ISOLATION_ID names, if it is alive; else makes a new one, as
/// portalloc_environment_new does. It sets no variables: in C that is not safe while other threads read the process's
/// variables. Free it with portalloc_environment_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_current(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { make(options, out, Allocator::current) }
}

/// # Safety
/// As for portalloc_environment_new.
pub(crate) unsafe fn make(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
    work: fn(&Allocator, &EnvironmentRequest) -> Result<portalloc_core::Environment>,
) -> ResultNumber {
    let make = || {
        // SAFETY: as this function's caller promises; zeros are NULL pointers and no wishes.
        let options = unsafe { sized(options) }?;
        // SAFETY: as this function's caller promises.
        let settings = unsafe { settings(options.pool, options.exclude) }?;
        // SAFETY: as this function's caller promises.
        let (allocator, request) = settings.open_for(unsafe { options.request() }?)?;
        // SAFETY: as this function's caller promises.
        work(&unsafe { watched(&allocator, options.cancel) }, &request).map(Environment::handle)
    };
    // SAFETY: as this function's caller promises.
    call(|| unsafe { pointers::write(out, make) })
}

/// Attaches to the live environment with this ID, or for NULL to the one that the variable ISOLATION_ID names, to read its
/// ports, names and temp directory. Free the handle with portalloc_environment_free, which leaves the environment alone.
///
/// Fails with PORTALLOC_RESULT_INVALID_ID, with _NOT_FOUND if there is no such environment or it is stale, or with
/// _PERMISSION_DENIED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_attach(id: *const c_char, out: *mut *mut Environment) -> ResultNumber {
    let attach = || {
        // SAFETY: the caller keeps to the header's conventions.
        let id = unsafe { text(id, "id") }?;
        let environment = ALLOCATORS.with(&Settings::new(), |allocator| match id {
            Some(id) => allocator.attach(id.parse()?),
            None => allocator.attach_named(),
        });
        environment.map(Environment::handle)
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { pointers::write(out, attach) })
}

/// Frees the handle. Cleans up a held environment that this process made; whatever cannot be removed now is left to
/// portalloc_cleanup_stale.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_free(environment: *mut Environment) {
    let _ = call(|| {
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { free(environment) };
        Ok(())
    });
}

/// Calls the core with an environment.
///
/// # Safety
/// `environment` is NULL or a live handle.
pub(crate) unsafe fn with<T>(
    environment: *const Environment,
    work: impl FnOnce(&portalloc_core::Environment) -> Result<T>,
) -> Result<T> {
    // SAFETY: as this function's caller promises.
    work(&unsafe { borrow(environment, "environment") }?.environment)
}

/// Removes the temp directory, the env file and the record, gives the ports back, and keeps the handle. Safe to call twice. It
/// also removes an attached environment, if that is a kept one.
///
/// Fails with PORTALLOC_RESULT_IN_USE if another process holds the environment, such as the parent of a forked child; with
/// _PERMISSION_DENIED, _IO or _REGISTRY_UNUSABLE, after which you can repeat it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_cleanup(environment: *const Environment) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { with(environment, portalloc_core::Environment::cleanup) })
}

/// Returns a handle for the lease of a held environment, in the process that made it: for guards, sockets and inheritance.
/// Free it with portalloc_lease_free, before or after the environment. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT for any
/// other environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_lease(
    environment: *const Environment,
    out: *mut *mut Lease,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    let lease = || unsafe { with(environment, |environment| Ok(handle(Lease(environment.held_lease()?)))) };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { pointers::write(out, lease) })
}

/// Returns the isolation ID. Texts of an environment live until it is freed; all are NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_id(environment: *const Environment) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| Some(&texts.id)) }
}

/// Returns the path of the temp directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_temp_dir(environment: *const Environment) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| Some(&texts.temp_dir)) }
}

/// Returns the path of the env file; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_env_file(environment: *const Environment) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| texts.env_file.as_ref()) }
}

/// Returns the worktree that the environment belongs to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_worktree(environment: *const Environment) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| Some(&texts.worktree)) }
}

/// Returns the instance ID, which tells the environment from others of its worktree; may be empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_instance_id(environment: *const Environment) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| Some(&texts.instance_id)) }
}

/// Returns the name of the port at `index`; NULL if it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_name(environment: *const Environment, index: usize) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| texts.names.get(index)) }
}

/// Returns how many variables there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_variable_count(environment: *const Environment) -> usize {
    // SAFETY: the caller keeps to the header's conventions.
    value(0, || Ok(unsafe { borrow(environment, "environment") }?.texts.variables.len()))
}

/// Returns the name of the variable at `index`, such as "POSTGRES_PORT"; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_variable_name(
    environment: *const Environment,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| texts.variables.get(index).map(|(name, _)| name)) }
}

/// Returns the value of the variable at `index`; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_variable_value(
    environment: *const Environment,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { read(environment, |texts| texts.variables.get(index).map(|(_, value)| value)) }
}

/// # Safety
/// `environment` is NULL or a live handle.
unsafe fn read(environment: *const Environment, choose: impl FnOnce(&Texts) -> Option<&CString>) -> *const c_char {
    value(ptr::null(), || {
        // SAFETY: as this function's caller promises.
        let environment = unsafe { borrow(environment, "environment") }?;
        Ok(choose(&environment.texts).map_or(ptr::null(), |text| text.as_ptr()))
    })
}

/// Fills `out` with up to `capacity` of the ports, in the order of the names, and returns how many there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_ports(
    environment: *const Environment,
    out: *mut u16,
    capacity: usize,
) -> usize {
    let ports = |environment: &portalloc_core::Environment| {
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { fill(out, capacity, environment.ports()) };
        Ok(environment.ports().len())
    };
    // SAFETY: the caller keeps to the header's conventions.
    value(0, || unsafe { with(environment, ports) })
}

/// Returns the port of this name, or at this index written in digits. If there is none, returns 0, and
/// portalloc_last_error_message() says which there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_port(environment: *const Environment, name: *const c_char) -> u16 {
    let port = |environment: &portalloc_core::Environment| {
        // SAFETY: the caller keeps to the header's conventions.
        let index = environment.record().index(unsafe { needed(name, "name") }?)?;
        Ok(environment.ports().get(index).copied().unwrap_or_default())
    };
    // SAFETY: the caller keeps to the header's conventions.
    value(0, || unsafe { with(environment, port) })
}

/// Returns whether the environment is a kept one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_is_kept(environment: *const Environment) -> bool {
    let is_kept = |environment: &portalloc_core::Environment| Ok(environment.record().lifetime == Lifetime::Kept);
    // SAFETY: the caller keeps to the header's conventions.
    value(false, || unsafe { with(environment, is_kept) })
}

/// Returns whether the handle is attached to an environment that another call made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_is_attached(environment: *const Environment) -> bool {
    // SAFETY: the caller keeps to the header's conventions.
    value(false, || unsafe { with(environment, |environment| Ok(environment.is_attached())) })
}
