//! The possible places of this machine's registry, and the configuration that creates it at every boot.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::sys::unix::entries::{entry, is_absent};
use crate::sys::unix::files::{UNFINISHED, remove_file};

/// The registry of a machine that was set up for all users (`portalloc setup`).
pub(crate) const SET_UP: &str = "/run/portalloc";

/// The registry of a machine without setup.
pub(crate) const PLAIN: &str = "/tmp/portalloc";

/// The systemd-tmpfiles configuration, which creates the directory at every boot, and excludes portalloc's files in
/// /tmp from cleaning.
pub(crate) const AT_BOOT: &str = "/etc/tmpfiles.d/portalloc.conf";

/// Whether `path` is a directory in which every user may create files, and no user may remove another's, owned by root
/// or by an owner that this user namespace does not map: root outside of a container, as seen from inside.
pub(crate) fn is_roots_shared_directory(path: &Path) -> bool {
    matches!(entry(path), Ok(Some(entry)) if entry.is_sticky_for_all() && (entry.user == 0 || is_unmapped(entry.user)))
}

/// Whether `user` is the number that stands for all owners that this user namespace does not map, and for no user in
/// it.
fn is_unmapped(user: u32) -> bool {
    let overflow = std::fs::read_to_string("/proc/sys/kernel/overflowuid");
    let overflow = overflow.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(65534);
    user == overflow
        && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| {
            map.lines().all(|line| {
                let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().unwrap_or(0));
                let (first, count) = (numbers.next().unwrap_or(0), numbers.nth(1).unwrap_or(u64::MAX));
                !(first..first.saturating_add(count)).contains(&u64::from(user))
            })
        })
}

/// Makes systemd create the registry at every boot, with the directory of this network namespace.
pub(crate) fn make_at_boot(namespace: u64) -> io::Result<()> {
    let net = format!("{SET_UP}/net-{namespace}");
    let text = format!(
        "# Made by `portalloc setup`; `portalloc setup --remove` removes it.\n\
         d {SET_UP} 1777 root root -\n\
         d {net} 1777 root root -\n\
         d {net}/envs 1777 root root -\n\
         x /tmp/portalloc*\n"
    );
    let path = Path::new(AT_BOOT);
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut new = OsString::from(path);
    new.push(UNFINISHED);
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

/// Removes that configuration.
pub(crate) fn forget_at_boot() -> io::Result<()> {
    match remove_file(Path::new(AT_BOOT)) {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}
