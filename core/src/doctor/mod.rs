//! Whether portalloc keeps its promises on this machine, and what a bug report should contain: one line for each thing
//! that could be otherwise. Knows no language, no terminal.
//!
//! Examining changes nothing, except that it opens the registry as every other call does: a missing one is created. It
//! also writes and removes a small file in the registry and one in the temp directory, because only that tells whether
//! a disk is full or a quota is used up, and it binds a port of the kernel's choice for a moment.

mod explanation;
mod files;
mod limits;
mod locks;
mod namespaces;
mod neighbours;
mod ports;
mod report;
mod sockets;
mod the_registry;

pub use explanation::{Explanation, HolderCount};
pub use report::{Check, Machine, Report, Status, Variable};

use crate::project::Project;
use crate::settings::{InForce, Settings};
use crate::sys;

/// Examines this machine as a call with these settings would find it, in the network namespace of the calling thread
/// and the current directory. With `count`, also says whether a lease of so many consecutive ports would be granted at
/// this moment.
///
/// It never fails: what is wrong is a line of the report, and the other lines are there all the same.
///
/// ```
/// use portalloc::{Settings, doctor};
///
/// # let scratch = tempfile::tempdir().unwrap();
/// let settings = Settings::new().directory(scratch.path().join("registry")).pool("21000-21999");
/// let report = doctor::examine(settings, Some(5));
/// for check in &report.checks {
///     println!("{}: {}: {}", check.status, check.code, check.message);
/// }
/// assert!(report.explanation.is_some());
/// ```
#[must_use]
pub fn examine(settings: Settings, count: Option<usize>) -> Report {
    let project = Project::current();
    let settings = match &project {
        Ok(Some(project)) => settings.project(project),
        _ => settings,
    };
    let InForce { directory, pool, exclude } = settings.in_force();
    let kernel = sys::kernel_ports();
    let (pool_check, pool) = ports::pool(pool, exclude, &kernel);
    let (processes, file_size) = (namespaces::process_list(), limits::file_size());
    let (registry_check, registry) = the_registry::registry(&directory, [&processes, &file_size]);
    let pool = pool.as_ref();
    let registry = registry.as_ref();
    let loopback = sockets::loopback();
    let ipv6 = sockets::ipv6(&loopback);

    let checks = vec![
        registry_check,
        the_registry::setup(&directory),
        the_registry::mount(&directory),
        the_registry::space(registry),
        locks::locks(registry),
        files::temp_dir(),
        files::project(project.as_ref().map(Option::as_ref)),
        pool_check,
        ports::ephemeral_range(pool, &kernel),
        ports::reserved_ports(pool, &kernel),
        ports::low_ports(pool, registry),
        neighbours::other_allocators(pool),
        sockets::probe(),
        loopback,
        ipv6,
        namespaces::network_namespace(),
        namespaces::pid_namespace(),
        namespaces::user_namespace(),
        processes,
        limits::descriptors(),
        file_size,
        limits::watch(),
    ];
    Report {
        ok: checks.iter().all(|check| check.status != Status::Broken),
        checks,
        explanation: count.map(|count| Explanation::of(count, registry, pool)),
        machine: Machine::this(),
    }
}
