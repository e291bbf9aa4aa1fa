//! Where the registry is, whose it is, and whether other processes of this machine see the same one.

use std::path::{Path, PathBuf};

use super::namespaces::PROC;
use super::report::{Check, Status};
use crate::error::Result;
use crate::registry::{Namespace, Registry, chosen_root};
use crate::settings::Chosen;
use crate::sys::{self, AT_BOOT, Entry, Mount, PLAIN, SET_UP};

/// Opens the registry, as every other call does.
pub(super) fn registry(directory: &Chosen<Option<PathBuf>>, needed: [&Check; 2]) -> (Check, Option<Registry>) {
    // Otherwise most other lines would be broken, too, and would hide why.
    if let Some(why) = sys::unsupported() {
        return (Check::broken("registry", why, "use it on Linux"), None);
    }
    if let Some(broken) = needed.into_iter().find(|check| check.status == Status::Broken) {
        return (Check::skipped("registry", broken.code), None);
    }
    match open(directory) {
        Ok((registry, entry)) => {
            let message = format!(
                "{} ({}), owned by {}, mode {:o}",
                registry.root().display(),
                directory.by,
                owner(entry),
                entry.mode
            );
            let check = Check::ok("registry", message)
                .fact("directory", registry.root().display())
                .fact("named_by", directory.by)
                .fact("owner", entry.user)
                .fact("mode", format!("{:o}", entry.mode));
            (check, Some(registry))
        }
        Err(error) => (Check::failed("registry", &error), None),
    }
}

fn open(directory: &Chosen<Option<PathBuf>>) -> Result<(Registry, Entry)> {
    let registry = Registry::open_for(directory.value.clone(), Namespace::current()?)?;
    let entry = registry.root_entry()?;
    Ok((registry, entry))
}

fn owner(entry: Entry) -> String {
    sys::user_name(entry.user).map_or_else(|| format!("user {}", entry.user), |name| format!("{name} ({})", entry.user))
}

/// Whether root has set up the registry of the machine, and what that means.
pub(super) fn setup(directory: &Chosen<Option<PathBuf>>) -> Check {
    const CODE: &str = "setup";
    let set_up = Path::new(SET_UP);
    if directory.value.is_some() {
        return Check::ok(CODE, format!("does not matter: {} names the registry", directory.by));
    }
    if sys::is_roots_shared_directory(set_up) {
        return if matches!(sys::entry(Path::new(AT_BOOT)), Ok(Some(_))) {
            Check::ok(CODE, format!("done: {SET_UP} belongs to root, so no other user can remove it"))
        } else {
            Check::note(CODE, format!("done, but nothing creates {SET_UP} at the next boot: there is no {AT_BOOT}"))
                .remedy("run `sudo portalloc setup` again, or at every boot")
        };
    }
    let why = match sys::entry(set_up) {
        Ok(Some(_)) => format!("{SET_UP} is not a directory of root that all users share, so it is not used"),
        _ => "not done".to_owned(),
    };
    let owner = match sys::entry(Path::new(PLAIN)) {
        Ok(Some(entry)) => format!("{} owns {PLAIN} and can remove it", owner(entry)),
        _ => format!("the first user of portalloc will own {PLAIN}"),
    };
    Check::note(CODE, format!("{why}: {owner}, and after a reboot the first user will own it"))
        .remedy("if users of this machine do not trust each other, run `sudo portalloc setup`")
}

/// On which file system the registry is, and whether processes outside see another one.
pub(super) fn mount(directory: &Chosen<Option<PathBuf>>) -> Check {
    const CODE: &str = "registry_mount";
    let Some(root) = chosen_root(directory.value.as_deref()).ok() else { return Check::skipped(CODE, "registry") };
    let Some(there) = root.ancestors().find(|path| path.exists()) else { return Check::skipped(CODE, "registry") };
    let Some(mount) = sys::mount_of(there) else {
        return Check::skipped(CODE, PROC);
    };
    let identity = sys::entry(&root).ok().flatten().map_or_else(|| "missing".to_owned(), |entry| entry.id.to_string());
    judge(CODE, &mount, directory.value.is_some(), &sys::sandboxes().into_iter().collect::<Vec<_>>())
        .fact("mounted_on", mount.point.display())
        .fact("mounted_from", &mount.root)
        .fact("file_system", &mount.kind)
        .fact("identity", identity)
}

/// File systems that several machines may have mounted.
const NETWORK: [&str; 12] =
    ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "afs", "virtiofs"];

/// systemd-logind empties it.
const EMPTIED: &str = "/dev/shm";

/// Sandboxes that share the network of the machine, but have a /tmp and a /run of their own.
const PRIVATE: [&str; 2] = ["flatpak", "snap"];

/// Directories of systemd and snapd that take the place of /tmp in a service or a snap.
const PRIVATE_TEMP: [&str; 2] = ["systemd-private-", "snap-private-tmp"];

fn judge(code: &'static str, mount: &Mount, is_named: bool, sandboxes: &[String]) -> Check {
    let place = format!("{} on {}", mount.kind, mount.point.display());
    let compare = "compare this report with one from outside: both must show the same registry, with the same device \
                   and inode, and the same network namespace; else set PORTALLOC_DIR to a directory that both see";
    if NETWORK.contains(&mount.kind.as_str()) || mount.kind.starts_with("fuse.") {
        return Check::note(
            code,
            format!("{place}: if several machines share it, they take ports from each other, and a machine that crashes may leave locks"),
        )
        .remedy("set PORTALLOC_DIR to a directory on a local file system");
    }
    if mount.point == Path::new(EMPTIED) {
        return Check::note(
            code,
            format!(
                "{place}: the end of a user's last session removes what that user has there, leases and all (RemoveIPC)"
            ),
        )
        .remedy("set PORTALLOC_DIR to a directory outside of it");
    }
    if PRIVATE_TEMP.iter().any(|part| mount.root.contains(part)) {
        return Check::note(
            code,
            format!("{place}, which only one service or snap sees: others have another registry"),
        )
        .remedy(compare);
    }
    if let Some(sandbox) = sandboxes.iter().find(|name| !is_named && PRIVATE.contains(&name.as_str())) {
        return Check::note(
            code,
            format!(
                "{place}, inside {sandbox}: it shares the network with the machine, but probably not this directory"
            ),
        )
        .remedy(compare);
    }
    Check::ok(code, place)
}

/// Whether the registry's file system takes new files: only trying tells of a full disk and a quota alike.
pub(super) fn space(registry: Option<&Registry>) -> Check {
    const CODE: &str = "registry_space";
    let Some(registry) = registry else { return Check::skipped(CODE, "registry") };
    match registry.try_a_file(&[1; 4096]) {
        Ok(()) => Check::ok(CODE, "new files can be written in the registry"),
        Err(error) => Check::broken(
            CODE,
            format!("no file can be written in {}: {error}", registry.root().display()),
            "free some space there, or set PORTALLOC_DIR to another directory",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(kind: &str, root: &str, is_named: bool, sandboxes: &[&str]) -> Status {
        let mount = Mount { point: "/tmp".into(), root: root.to_owned(), kind: kind.to_owned() };
        let sandboxes: Vec<_> = sandboxes.iter().map(ToString::to_string).collect();
        judge("registry_mount", &mount, is_named, &sandboxes).status
    }

    #[test]
    fn a_registry_that_others_may_not_see_or_that_machines_share_is_noted() {
        assert_eq!(status("tmpfs", "/", false, &["docker"]), Status::Ok);
        assert_eq!(status("nfs4", "/", true, &[]), Status::Note);
        assert_eq!(status("fuse.sshfs", "/", false, &[]), Status::Note);
        assert_eq!(status("ext4", "/var/tmp/systemd-private-1-a.service-x/tmp", false, &[]), Status::Note);
        assert_eq!(status("tmpfs", "/", false, &["flatpak"]), Status::Note);
        assert_eq!(status("tmpfs", "/", true, &["snap"]), Status::Ok, "the user has named a directory for both");
    }
}
