//! Making the registry of a whole machine, and doing away with it: for root. Whoever leases meanwhile meets the locks of the
//! old registry until the new one is the one that everybody opens.

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
use crate::sys::{self, AT_BOOT, Folder, PLAIN, SET_UP, words};

/// How long a setup waits for somebody who is just trying a port, or is just making something in the registry.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// What a setup did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUp {
    /// The registry of this machine from now on, unless `PORTALLOC_DIR` names another one.
    pub directory: PathBuf,
    /// Why the folder will not be made again at the next boot, if it will not.
    pub not_at_boot: Option<String>,
    /// A registry that is no longer used, where there still are records of environments that are over.
    pub left: Option<PathBuf>,
}

/// Makes `/run/portalloc` the registry of this machine: root's, so that no other user can remove it, and made again at every
/// boot. Again does no harm. Needs root.
///
/// # Errors
/// `permission_denied` without root; `in_use` if ports of the registry before it are held, or kept by an environment: then
/// nothing has changed; `registry_unusable`, `io`.
pub fn set_up() -> Result<SetUp> {
    check_root()?;
    let (old, new) = (Path::new(PLAIN), Path::new(SET_UP));
    let namespace = initial_namespace()?;
    // So that nobody makes it meanwhile.
    super::folder::open(None, old)?;
    let left = replace(old, || {
        if !sys::is_roots_shared_folder(new) {
            if let Ok(Some(entry)) = sys::entry(new) {
                return Err(Error::new(
                    ErrorCode::RegistryUnusable,
                    format!("{SET_UP} is {} that is not shared by all users (mode {:o})", entry.describe(), entry.mode),
                    "remove it, or give it to root with mode 1777",
                ));
            }
            super::folder::open(None, new)?;
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

/// Does away with what [`set_up`] has made: from then on the registry is `/tmp/portalloc`, as on a machine that was never set
/// up. Again does no harm. Needs root.
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
    sys::forget_at_boot().map_err(|error| Error::os(format!("cannot remove {AT_BOOT}"), error))?;
    Ok(SetUp { directory: PLAIN.into(), not_at_boot: None, left: None })
}

/// Removes what was moved away. Somebody who has it open may be making something in it, which is of no use to them.
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

/// Takes all locks of the registry in `root`, unlinks its `ports` files under those locks, and has `switch` make another one the
/// one that everybody opens. If it is refused, nothing has changed. Returns `root` if records are left there.
fn replace(root: &Path, switch: impl FnOnce() -> Result<()>) -> Result<Option<PathBuf>> {
    let failed = |error| Error::registry(format!("cannot retire the registry {}", root.display()), error);
    let mut backoff = Backoff::steady(PROBE_PATIENCE);
    // Whoever makes a ports file shares this lock, so that none appears meanwhile.
    let folder = loop {
        // step: SetupLockFolder
        match Folder::lock(root, false) {
            Ok(Some(folder)) => break folder,
            Ok(None) if pause(&mut backoff)? => {}
            Ok(None) => return Err(failed(io::ErrorKind::WouldBlock.into())),
            Err(error) if sys::is_absent(&error) => return switch().map(|()| None),
            Err(error) => return Err(failed(error)),
        }
    };
    let mut locked = Vec::new();
    for name in folder.names().map_err(failed)? {
        let Some(inside) = retire::is_namespace(&name).then(|| folder.folder(&name).ok()).flatten() else { continue };
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
    // First, so that one that is killed in between leaves one registry, whose files are made anew, and not two.
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

/// Takes every lock of a `ports` file, until that is closed.
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
