//! Facts about the machine, for `doctor`: what this process can see, and what limits it. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use procfs::process::Process;
use rustix::process::{Resource, getrlimit};

use super::namespaces::inode;
use super::process::proc_is_ours;
use crate::sys::machine::Mount;

/// Files that a container or a sandbox shows to its processes.
const MARKS: [(&str, &str); 3] =
    [("/.dockerenv", "docker"), ("/run/.containerenv", "podman"), ("/.flatpak-info", "flatpak")];

/// Variables that a container or a sandbox sets for its processes.
const VARIABLES: [(&str, &str); 4] = [
    ("FLATPAK_ID", "flatpak"),
    ("SNAP", "snap"),
    ("KUBERNETES_SERVICE_HOST", "kubernetes"),
    ("WSL_DISTRO_NAME", "wsl"),
];

/// The file system on which `path` is, which must exist.
pub(crate) fn mount_of(path: &Path) -> Option<Mount> {
    let path = path.canonicalize().ok()?;
    let mounts = Process::myself().and_then(|process| process.mountinfo()).ok()?;
    // Of mounts on one point, the last one is on top.
    let mut found: Option<procfs::process::MountInfo> = None;
    for mount in mounts {
        let is_deeper = found.as_ref().is_none_or(|found| mount.mount_point.starts_with(&found.mount_point));
        if path.starts_with(&mount.mount_point) && is_deeper {
            found = Some(mount);
        }
    }
    found.map(|mount| Mount { point: mount.mount_point, root: mount.root, kind: mount.fs_type })
}

/// The version of the kernel, as it names it.
pub(crate) fn kernel_release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Whether every user of the machine exists in this process's user namespace.
pub(crate) fn maps_all_users() -> bool {
    std::fs::read_to_string("/proc/self/uid_map")
        .map_or(true, |map| map.split_whitespace().eq(["0", "0", "4294967295"]))
}

/// The numbers of the calling thread's namespaces, by the names that the kernel gives their kinds.
pub(crate) fn namespaces() -> BTreeMap<&'static str, u64> {
    let number = |kind| inode(&format!("/proc/thread-self/ns/{kind}")).ok();
    ["mnt", "net", "pid", "user"].into_iter().filter_map(|kind| Some((kind, number(kind)?))).collect()
}

/// How many descriptors this process may have open.
pub(crate) fn descriptor_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How large a file this process may write, in bytes.
pub(crate) fn file_size_limit() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// The command names of all processes that this one can see.
pub(crate) fn process_names() -> BTreeSet<String> {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    processes.filter_map(|process| process.stat().ok()).map(|stat| stat.comm).collect()
}

/// Whether `/proc` shows the processes of this process's own PID namespace.
pub(crate) fn sees_own_processes() -> bool {
    proc_is_ours()
}

/// What `/proc` hides from this process, if anything: a sentence for each.
pub(crate) fn hidden() -> Vec<String> {
    let mut hidden = Vec::new();
    if std::fs::read("/proc/sys/net/ipv4/ip_local_port_range").is_err() {
        hidden.push(
            "/proc hides the kernel's settings (subset=pid, or a sandbox): portalloc assumes the ephemeral range \
             32768-60999 and no reserved ports"
                .to_owned(),
        );
    }
    if std::fs::read("/proc/1/stat").is_err() {
        hidden.push(
            "/proc hides the processes of other users (hidepid): portalloc can neither name nor judge them".to_owned(),
        );
    }
    hidden
}

/// The lowest port that every user may bind.
pub(crate) fn first_unprivileged_port() -> u16 {
    let start = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    start.trim().parse().unwrap_or(1024)
}

/// The containers and sandboxes in which this process seems to run.
pub(crate) fn sandboxes() -> BTreeSet<String> {
    let marks = MARKS.iter().filter(|(file, _)| Path::new(file).exists());
    let variables = VARIABLES.iter().filter(|(name, _)| std::env::var_os(name).is_some());
    marks.chain(variables).map(|(_, name)| (*name).to_owned()).collect()
}

/// Whether this process can be told when a file is closed.
pub(crate) fn can_watch() -> bool {
    rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::CLOEXEC).is_ok()
}
