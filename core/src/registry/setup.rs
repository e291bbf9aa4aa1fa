//! Creates and removes the registry of a whole machine, for root. A process that leases ports meanwhile is blocked by
//! the locks of the old registry until the new one is in place.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::open::check_supported;
use super::{Namespace, PortsFile, Registry, retire};
use crate::backoff::Backoff;
use crate::error::{Error, ErrorCode, Result};
use crate::port_set::PortRange;
use crate::sys::{self, AT_BOOT, Directory, PLAIN, SET_UP, words};

/// How long a setup waits for a process that is probing a port, or is creating a file in the registry.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// The result of a setup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUp {
    /// The registry of this machine from now on, unless `PORTALLOC_DIR` names another one.
    pub directory: PathBuf,
    /// Why the directory will not be created again at the next boot; `None` if it will.
    pub not_at_boot: Option<String>,
    /// A registry that is no longer used, if it still contains records of environments that have ended.
    pub left: Option<PathBuf>,
}

/// Makes `/run/portalloc` the registry of this machine. It belongs to root, so no other user can remove it, and it is
/// created again at every boot. Running this twice is safe. Needs root. Blocks for up to a few seconds.
///
/// # Errors
/// `permission_denied` without root; `in_use` if ports of the current registry are held, or kept by an environment:
/// then nothing has changed; `registry_unusable`, `io`.
pub fn set_up() -> Result<SetUp> {
    check_root()?;
    let (old, new) = (Path::new(PLAIN), Path::new(SET_UP));
    let namespace = initial_namespace()?;
    // Opened first, so that no other process creates it meanwhile.
    super::directory::open(None, old)?;
    let left = replace(old, || {
        if !sys::is_roots_shared_directory(new) {
            if let Ok(Some(entry)) = sys::entry(new) {
                return Err(Error::new(
                    ErrorCode::RegistryUnusable,
                    format!("{SET_UP} is {} that is not shared by all users (mode {:o})", entry.describe(), entry.mode),
                    "remove it, or give it to root with mode 1777",
                ));
            }
            super::directory::open(None, new)?;
        }
        // step: SetupPublish
        Registry::open_for(None, namespace).map(|_| ())
    })?;
    Ok(SetUp {
        directory: new.to_owned(),
        not_at_boot: sys::make_at_boot(namespace.inode).err().map(|error| error.to_string()),
        left,
    })
}

/// Removes what [`set_up`] has created: from then on the registry is `/tmp/portalloc`, as on a machine without setup.
/// Running this twice is safe. Needs root. Blocks for up to a few seconds.
///
/// # Errors
/// As [`set_up`].
pub fn remove_set_up() -> Result<SetUp> {
    check_root()?;
    let old = Path::new(SET_UP);
    let mut away = old.as_os_str().to_owned();
    let random = sys::random_number().map_err(|error| Error::os("cannot read random bytes", error))?;
    away.push(format!("{}{random:016x}", sys::UNFINISHED));
    let away = PathBuf::from(away);
    replace(old, || {
        if matches!(sys::entry(old), Ok(None)) {
            return Ok(());
        }
        sys::rename_new(old, &away).map_err(|error| Error::os(format!("cannot move {SET_UP} away"), error))
    })?;
    remove(&away)?;
    forget_at_boot()?;
    Ok(SetUp { directory: PLAIN.into(), not_at_boot: None, left: None })
}

/// As [`remove_set_up`], but from the next boot on, and also while ports are held or kept: their holders keep them
/// until then. Removes only what creates the directory at every boot. Returns the registry of this machine until then,
/// unless `PORTALLOC_DIR` names another one. Running this twice is safe. Needs root. Does not block.
///
/// # Errors
/// `permission_denied` without root; `io`.
pub fn remove_set_up_at_next_boot() -> Result<PathBuf> {
    check_root()?;
    forget_at_boot()?;
    super::directory::root(None)
}

fn forget_at_boot() -> Result<()> {
    sys::forget_at_boot().map_err(|error| Error::os(format!("cannot remove {AT_BOOT}"), error))
}

/// Removes the directory that was moved away. A process that has it open may still create a file in it, which has no
/// effect.
fn remove(away: &Path) -> Result<()> {
    let mut backoff = Backoff::steady(PROBE_PATIENCE);
    loop {
        match sys::remove_all(away) {
            Err(error) if sys::is_absent(&error) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && pause(&mut backoff)? => {}
            done => return done.map_err(|error| Error::os(format!("cannot remove {}", away.display()), error)),
        }
    }
}

fn check_root() -> Result<()> {
    check_supported()?;
    if sys::user_id() == 0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::PermissionDenied,
        "only root can make or remove the registry of a whole machine",
        words::BE_ROOT,
    ))
}

/// The network namespace in which the machine's services run.
fn initial_namespace() -> Result<Namespace> {
    let own = Namespace::current()?;
    let inode = sys::network_namespace_of_init().unwrap_or(own.inode);
    Ok(if inode == own.inode { own } else { Namespace { inode, cookie: None } })
}

/// Takes all locks of the registry in `root`, unlinks its `ports` files under those locks, and calls `switch` to put
/// another registry in place. If a lock is refused, nothing has changed. Returns `root` if it still contains records.
fn replace(root: &Path, switch: impl FnOnce() -> Result<()>) -> Result<Option<PathBuf>> {
    let failed = |error| Error::registry(format!("cannot retire the registry {}", root.display()), error);
    let mut backoff = Backoff::steady(PROBE_PATIENCE);
    // A process that creates a ports file shares this lock, so none appears meanwhile.
    let directory = loop {
        // step: SetupLockDirectory
        match Directory::lock(root, false) {
            Ok(Some(directory)) => break directory,
            Ok(None) if pause(&mut backoff)? => {}
            Ok(None) => return Err(failed(io::ErrorKind::WouldBlock.into())),
            Err(error) if sys::is_absent(&error) => return switch().map(|()| None),
            Err(error) => return Err(failed(error)),
        }
    };
    let mut locked = Vec::new();
    for name in directory.names().map_err(failed)? {
        let Some(inside) = retire::is_namespace(&name).then(|| directory.directory(&name).ok()).flatten() else {
            continue;
        };
        let path = root.join(&name);
        if let Some(ports) = retire::open(&inside, &path)? {
            // step: SetupLockPorts
            lock(&ports, &path, &mut backoff)?;
            // step: SetupKeepers
            let keepers = retire::keepers(&inside, &ports, &path)?;
            if !keepers.is_empty() {
                return Err(in_use(&path, "kept by", keepers));
            }
            locked.push((inside, ports));
        }
    }
    // Before the switch, so that a setup that is killed in between leaves one registry, whose files are created again,
    // and not two.
    let mut has_records = false;
    for (inside, _ports) in &locked {
        // step: SetupUnlink
        inside.remove(OsStr::new("ports")).map_err(failed)?;
        has_records |= retire::has_records(inside);
    }
    // step: SetupSwitch
    switch()?;
    // step: SetupUnlock
    Ok(has_records.then(|| root.to_owned()))
}

/// Takes every lock of a `ports` file. The locks last until the file is closed.
fn lock(ports: &PortsFile, path: &Path, backoff: &mut Backoff) -> Result<()> {
    loop {
        // step: SetupLock
        if let Some(lock) = ports.try_lock(PortRange::ALL)? {
            lock.keep();
            return Ok(());
        }
        if !pause(backoff)? {
            return Err(in_use(path, "held by", retire::holders(ports)?));
        }
    }
}

fn pause(backoff: &mut Backoff) -> Result<bool> {
    backoff.wait().map_err(|error| Error::os("cannot wait for a lock", error))
}

fn in_use(path: &Path, how: &str, by: BTreeSet<String>) -> Error {
    let by = by.into_iter().collect::<Vec<_>>().join(", ");
    Error::new(
        ErrorCode::InUse,
        format!("ports of the registry {} are {how} {by}", path.display()),
        "end those processes, or clean those environments up, and try again",
    )
}
