//! Environments.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use portalloc_core::cleanup::{Cleanup, Selection};
use portalloc_core::ffi::Maker;
use portalloc_core::registry::Record;
use portalloc_core::{Result, Settings, ffi};

use crate::lease::Lease;
use crate::options::{ALLOCATORS, EnvironmentOptions, watched};
use crate::pointers::{self, borrow, fill, free, give, sized, text};
use crate::results::{ResultNumber, c_text, call, value};

/// An isolation ID with a lease, a temp dir, an env file and variables around it, made and removed as one. A *held* one
/// lives until it is freed or cleaned up, or until its process is gone; a *kept* one outlives its process.
pub struct Environment {
    shared: Arc<Mutex<portalloc_core::Environment>>,
    record: Record,
    texts: Texts,
    /// This and the next are kept beside it: a forked child's copy of the lock may be locked for ever.
    maker: Maker,
    is_attached: bool,
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
        let path = |path: &std::path::Path| c_text(&path.to_string_lossy());
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
    fn new(environment: portalloc_core::Environment) -> Self {
        let record = environment.record().clone();
        let texts = Texts::of(&record);
        let is_attached = environment.is_attached();
        Self { shared: Arc::new(Mutex::new(environment)), record, texts, maker: Maker::this_process(), is_attached }
    }

    fn cleanup(&self) -> Result<()> {
        if self.maker.is_this_process() {
            return self.shared.lock().unwrap_or_else(PoisonError::into_inner).cleanup();
        }
        // A forked child: its copy may have been locked when it was made. Whoever holds it, in the registry's own words.
        let cleanup = Cleanup::new(Selection::Id(self.record.isolation_id));
        ALLOCATORS.with(&Settings::new(), |allocator| allocator.cleanup(&cleanup).map(|_| ()))
    }
}

/// Makes an environment, to be freed by `portalloc_environment_free`. If it fails, nothing of it is left. Without options:
/// held, five ports, in the current folder, as the project file says.
///
/// Fails as portalloc_lease_new, and with PORTALLOC_RESULT_NOT_FOUND (owner), _ENV_FILE_EXISTS or _ID_EXHAUSTED.
///
/// # Safety
/// `options` must be NULL or as its members' comments say, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_new(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
) -> ResultNumber {
    // SAFETY: as this function's caller promises.
    unsafe { make(options, out, |allocator, request| allocator.create_environment(request)) }
}

/// The environment of this run: attached to the one that the variable ISOLATION_ID names, if that lives; else a new one, as
/// by portalloc_environment_new. Setting its variables for other processes is yours to do: in C it is not safe while other
/// threads read the environment. To be freed by `portalloc_environment_free`.
///
/// # Safety
/// As for portalloc_environment_new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_current(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
) -> ResultNumber {
    // SAFETY: as this function's caller promises.
    unsafe { make(options, out, |allocator, request| allocator.current(request)) }
}

/// # Safety
/// As for portalloc_environment_new.
unsafe fn make(
    options: *const EnvironmentOptions,
    out: *mut *mut Environment,
    work: impl FnOnce(
        &portalloc_core::Allocator,
        &portalloc_core::EnvironmentRequest,
    ) -> Result<portalloc_core::Environment>,
) -> ResultNumber {
    call(|| {
        if out.is_null() {
            return Err(pointers::null("out"));
        }
        // SAFETY: as this function's caller promises; zeros are NULL pointers and no wishes.
        let options = unsafe { sized(options) }?;
        let (settings, request, cancel) = match options {
            None => (Settings::new(), portalloc_core::EnvironmentRequest::new(), ptr::null()),
            Some(options) => {
                // SAFETY: as this function's caller promises.
                let settings = unsafe { options.settings() }?;
                // SAFETY: as this function's caller promises.
                (settings, unsafe { options.request() }?, options.cancel)
            }
        };
        let (allocator, request) = settings.open_for(request)?;
        // SAFETY: as this function's caller promises.
        let environment = work(&unsafe { watched(&allocator, cancel) }, &request)?;
        // SAFETY: as this function's caller promises.
        unsafe { give(out, Environment::new(environment)) }
    })
}

/// The live environment with this ID, or for NULL with that in the variable ISOLATION_ID, to read its ports, names and temp
/// dir. Freeing it, by `portalloc_environment_free`, ends nothing.
///
/// Fails with PORTALLOC_RESULT_INVALID_ID, _NOT_FOUND if there is none or it is over, or _PERMISSION_DENIED.
///
/// # Safety
/// `id` must be NULL or a text, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_attach(id: *const c_char, out: *mut *mut Environment) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let id = unsafe { text(id, "id") }?;
        let environment = ALLOCATORS.with(&Settings::new(), |allocator| match id {
            Some(id) => allocator.attach(id.parse()?),
            None => allocator.attach_named(),
        })?;
        // SAFETY: as this function's caller promises.
        unsafe { give(out, Environment::new(environment)) }
    })
}

/// Frees the handle. A held environment that was made by this process is cleaned up; what cannot be removed now keeps its
/// record, for a cleanup of what is stale. NULL does nothing.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_free(environment: *mut Environment) {
    let _ = call(|| {
        // SAFETY: as this function's caller promises.
        if let Ok(environment) = unsafe { borrow(environment, "environment") }
            && environment.maker.is_this_process()
        {
            let shared = environment.shared.lock().unwrap_or_else(PoisonError::into_inner);
            let ends = !environment.is_attached && shared.lease().is_some();
            drop(shared);
            if ends {
                // Now, although a handle of its lease may still be there.
                let _ = environment.cleanup();
            }
        }
        // SAFETY: as this function's caller promises.
        unsafe { free(environment) };
        Ok(())
    });
}

/// Removes its temp dir, env file and record, gives the ports back, and keeps the handle. Again does nothing. An attached
/// one is removed too, if it is a kept one.
///
/// Fails with PORTALLOC_RESULT_IN_USE if another process holds it, such as the parent of a forked child; with
/// _PERMISSION_DENIED, _IO or _REGISTRY_UNUSABLE: then it can be repeated.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_cleanup(environment: *const Environment) -> ResultNumber {
    // SAFETY: as this function's caller promises.
    call(|| unsafe { borrow(environment, "environment") }?.cleanup())
}

/// A handle for the lease of a held environment, in the process that made it: for guards, hand-off, and passing it on. To
/// be freed by `portalloc_lease_free`, before or after the environment. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT for any
/// other environment.
///
/// # Safety
/// `environment` must be NULL or a live handle, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_lease(
    environment: *const Environment,
    out: *mut *mut Lease,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let environment = unsafe { borrow(environment, "environment") }?;
        if !environment.maker.is_this_process() {
            return Err(ffi::no_lease_now());
        }
        // SAFETY: as this function's caller promises.
        unsafe { give(out, Lease::of(&environment.shared)?) }
    })
}

/// Its isolation ID; NULL for NULL, as for all texts of an environment. They live until it is freed.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_id(environment: *const Environment) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| Some(&texts.id)) }
}

/// Its temp dir.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_temp_dir(environment: *const Environment) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| Some(&texts.temp_dir)) }
}

/// Its env file; NULL if it has none.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_env_file(environment: *const Environment) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| texts.env_file.as_ref()) }
}

/// The work tree it was made for.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_worktree(environment: *const Environment) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| Some(&texts.worktree)) }
}

/// What tells it from others of its work tree; may be empty.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_instance_id(environment: *const Environment) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| Some(&texts.instance_id)) }
}

/// The name of its port at `index`; NULL if that has none.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_name(environment: *const Environment, index: usize) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| texts.names.get(index)) }
}

/// How many variables it has.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_variable_count(environment: *const Environment) -> usize {
    // SAFETY: as this function's caller promises.
    value(0, || Ok(unsafe { borrow(environment, "environment") }?.texts.variables.len()))
}

/// The name of the variable at `index`, such as "POSTGRES_PORT"; NULL if there is none.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_variable_name(
    environment: *const Environment,
    index: usize,
) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| texts.variables.get(index).map(|(name, _)| name)) }
}

/// The value of the variable at `index`; NULL if there is none.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_variable_value(
    environment: *const Environment,
    index: usize,
) -> *const c_char {
    // SAFETY: as this function's caller promises.
    unsafe { read(environment, |texts| texts.variables.get(index).map(|(_, value)| value)) }
}

/// # Safety
/// `environment` must be NULL or a live handle.
unsafe fn read(environment: *const Environment, choose: impl FnOnce(&Texts) -> Option<&CString>) -> *const c_char {
    value(ptr::null(), || {
        // SAFETY: as this function's caller promises.
        let environment = unsafe { borrow(environment, "environment") }?;
        Ok(choose(&environment.texts).map_or(ptr::null(), |text| text.as_ptr()))
    })
}

/// Fills `out` with its ports in the order of the names, as many as there is room for, and returns how many it has.
///
/// # Safety
/// `environment` must be NULL or a live handle, and `out` NULL or have room for `capacity` ports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_ports(
    environment: *const Environment,
    out: *mut u16,
    capacity: usize,
) -> usize {
    value(0, || {
        // SAFETY: as this function's caller promises.
        let ports = &unsafe { borrow(environment, "environment") }?.record.ports.ports;
        // SAFETY: as this function's caller promises.
        unsafe { fill(out, capacity, ports) };
        Ok(ports.len())
    })
}

/// Its port of this name, or at this index written in digits; 0 if there is none.
///
/// # Safety
/// `environment` must be NULL or a live handle, `name` NULL or a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_port(environment: *const Environment, name: *const c_char) -> u16 {
    value(0, || {
        // SAFETY: as this function's caller promises.
        let record = &unsafe { borrow(environment, "environment") }?.record;
        // SAFETY: as this function's caller promises.
        let name = unsafe { text(name, "name") }?.ok_or_else(|| pointers::null("name"))?;
        let index = record.index(name)?;
        Ok(record.ports.ports.get(index).copied().unwrap_or_default())
    })
}

/// Whether it is a kept one.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_is_kept(environment: *const Environment) -> bool {
    value(false, || {
        // SAFETY: as this function's caller promises.
        let record = &unsafe { borrow(environment, "environment") }?.record;
        Ok(record.lifetime == portalloc_core::registry::Lifetime::Kept)
    })
}

/// Whether it was found, rather than made by this handle.
///
/// # Safety
/// `environment` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_environment_is_attached(environment: *const Environment) -> bool {
    // SAFETY: as this function's caller promises.
    value(false, || Ok(unsafe { borrow(environment, "environment") }?.is_attached))
}
