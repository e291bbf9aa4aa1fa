//! The only module that knows the operating system, and what every platform must provide. Knows no pool, no lease, no
//! environment.
//!
//! **The contract**: a platform provides every item below that is imported from `platform`. To add a platform, write a
//! directory beside `linux` with these items, based on `unix` where that helps, and select it here. The compiler checks
//! the names here, and the signatures where they are used. `unsupported` has all of them and does nothing, so that
//! everything that depends on portalloc compiles on every platform.
//!
//! The guarantees rest on five of them; if a platform lacks others, that costs convenience, not ports:
//!
//! 1. **Claims exclude** every other description of the same file, in this process and in any other, of any user.
//! 2. They are **all or nothing**, and are taken without waiting.
//! 3. They **end with the last process** that has a copy of the description, however that process ends, and never
//!    before that unless they are released.
//! 4. A **probe** fails if anything is bound to the port, on any address, by any user, listening or not.
//! 5. **Renames** that must not replace a file do not, and files appear complete or not at all.

mod entry;
mod inheritable;
mod machine;
#[expect(unsafe_code, reason = "a value that threads and forks share without a lock is a pointer")]
mod per_process;
mod port_socket;
mod process_facts;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no process is looked at"))]
mod process_name;
mod process_stamp;
mod random;
mod server_socket;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod unix;
#[cfg(not(target_os = "linux"))]
mod unsupported;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(not(target_os = "linux"))]
use unsupported as platform;

// The same on every platform.
pub(crate) use entry::{Entry, FileId};
pub use inheritable::Inheritable;
pub(crate) use machine::Mount;
pub(crate) use per_process::PerProcess;
pub(crate) use port_socket::{PortSocket, PortSockets, SocketHolder};
pub(crate) use process_facts::{Lock, Marks, ProcessFacts};
pub(crate) use process_stamp::Liveness;
pub use process_stamp::ProcessStamp;
pub(crate) use random::random_number;
pub use server_socket::ServerSocket;

/// Why portalloc cannot hold ports here, if it cannot: checked before a registry is opened.
///
/// `unsupported() -> Option<String>`
pub(crate) use platform::unsupported;

/// Claims on ports, which belong to a description of the `ports` file.
///
/// - `try_lock(&File, PortRange) -> io::Result<bool>`: all of the range or nothing; `false` if another description has
///   a part.
/// - `unlock(&File, PortRange) -> io::Result<()>`: releases the claims, for every process that shares the description.
/// - `conflict(&File, PortRange) -> io::Result<Option<PortRange>>`: some claim of another description that overlaps.
/// - `share(&File) -> io::Result<Inheritable>`: a copy with the same claims, which spawned programs do not inherit;
///   `let_inherit(&Inheritable) -> io::Result<()>` makes them inherit it.
/// - `try_lock_byte(&File, u64) -> io::Result<bool>`: the same for a byte that stands for no port.
///   `try_share_byte(&File, u64) -> io::Result<bool>` shares it with other descriptions that share it, and excludes those
///   that have it alone. `unlock_byte(&File, u64) -> io::Result<()>` releases either, as closing the description does.
pub(crate) use platform::{conflict, let_inherit, share, try_lock, try_lock_byte, try_share_byte, unlock, unlock_byte};

/// Values that stay open between calls, in a process whose program may close descriptors that it does not know; so the
/// descriptor is checked before it is used or closed. `Marked<File>::by_position(File, u64)`, `Directory::kept`;
/// `is_ours`, `open`, `take`; `was(FileId)` of a directory.
pub(crate) use platform::Marked;

/// An open directory. Names are looked up in this directory, wherever its path leads by now, and no link is followed.
///
/// `open`, `place` (may not be listable), `lock`, `directory`, `kept`, `entry`, `entry_in`, `is_at`, `contains`, `names`,
/// `each_name`; `create_shared_directory`, `create_shared` (for every user), `create` (for this one), `read`, `write`,
/// `replace`, `rename_new`, `remove`, `remove_directory`, `opened_up`.
pub(crate) use platform::Directory;

/// Files by path: their type (symbolic links are not followed), owner and identity. An [`Entry`] is judged by
/// `is_writable_for_all` and `distrust_as_directory`, since modes have a meaning on some platforms only.
///
/// - `entry(&Path) -> io::Result<Option<Entry>>`, `entry_of(&File) -> io::Result<Entry>`
/// - `open_without_waiting(&Path)`, `open_without_following(&Path)`, `open_to_change(&Path)`, `create_new(&Path)`, all `-> io::Result<File>`
/// - `read_exact_at(&File, &mut [u8], u64)`, `write_all_at(&File, &[u8], u64)`, both `-> io::Result<()>`
/// - `try_lock_file(&File) -> io::Result<bool>`: excludes other processes that use portalloc; released when the file is
///   closed.
pub(crate) use platform::{
    create_new, entry, entry_of, open_to_change, open_without_following, open_without_waiting, read_exact_at,
    try_lock_file, write_all_at,
};

/// A file that is to take another's place: `create_private(&Path) -> io::Result<File>` for this user only, then
/// `make_alike(&File, &File) -> io::Result<()>`, with the mode, group and attributes of the second, as far as possible.
pub(crate) use platform::{create_private, make_alike};

/// Changing paths; all return `io::Result<()>`.
///
/// - `rename_new(&Path, &Path)`: `AlreadyExists` if the target exists.
/// - `exchange(&Path, &Path)`: swaps both atomically; `InvalidInput` or `Unsupported` if the file system cannot.
/// - `create_private_directory(&Path)`: for its owner only, and usable for the owner whatever the umask.
/// - `remove_file(&Path)`, `remove_all(&Path)`: a tree; no link is followed.
pub(crate) use platform::{create_private_directory, exchange, remove_all, remove_file, rename_new};

/// `plain_temp_directory() -> PathBuf`: for temp directories, unless the user names another one.
/// `write_to_standard_error(&[u8])`: without a lock; failures are ignored.
pub(crate) use platform::{plain_temp_directory, write_to_standard_error};

/// File names with a meaning for cleaners: `KEEP` keeps a directory, and `UNFINISHED` marks a file that was never
/// finished.
pub(crate) use platform::{KEEP, UNFINISHED};

/// The mark on a temp directory: `mark(&Path, &[u8]) -> bool`, `marked(&Path) -> Option<Vec<u8>>`. Without it, temp
/// directories of a lost registry are not swept.
pub(crate) use platform::{mark, marked};

/// The meaning of errors, all `(&io::Error) -> bool`: the path does not exist, links form a loop, the limit on
/// descriptors is reached, a connection was started, the address family is not supported, a port is in use, or this
/// user may not bind it.
pub(crate) use platform::{
    is_absent, is_connecting, is_no_such_family, is_port_forbidden, is_port_taken, leads_in_a_circle, limit_reached,
};

/// The default registries: `SET_UP` if `is_roots_shared_directory(&Path) -> bool`, else `PLAIN`. Two processes of one
/// machine must choose the same one.
///
/// `make_at_boot(u64) -> io::Result<()>` and `forget_at_boot() -> io::Result<()>` of the registry that was set up, with
/// the file `AT_BOOT`.
pub(crate) use platform::{AT_BOOT, PLAIN, SET_UP, forget_at_boot, is_roots_shared_directory, make_at_boot};

/// Users: `user_id() -> u32`, `user_name(u32) -> Option<String>`, and the name of the machine, `host_name() -> String`.
pub(crate) use platform::{host_name, user_id, user_name};

/// Namespaces of the calling thread, 0 where there are none: `network_namespace()`, `network_namespace_of_init()` and
/// `mount_namespace()`, all `-> io::Result<u64>`.
///
/// A number for a network namespace that is never reused, if the platform has one, `-> Option<u64>`: `cookie()` of this
/// thread's, `cookie_of(&BoundPort)` of a socket's.
pub(crate) use platform::{cookie, cookie_of, mount_namespace, network_namespace, network_namespace_of_init};

/// Processes: `ProcessStamp::current() -> io::Result<ProcessStamp>`, `ProcessStamp::running(u32) ->
/// io::Result<Option<ProcessStamp>>`, `ProcessStamp::judge(&self, &ProcessStamp) -> Liveness` (`Unknown` if it cannot
/// be told), and `process_name(u32) -> Option<String>`.
pub(crate) use platform::process_name;

/// What a process is and comes from, to judge whose it is, and how to end it.
///
/// - `process_facts(u32, Marks) -> Option<ProcessFacts>`: `None` if there is no such process, or it is hidden.
/// - `lock_holders(Lock) -> Vec<u32>`: the processes that have a lock on a byte of a file, inherited or not, as far as
///   this one may inspect them.
/// - `ProcessHandle::open(u32) -> io::Result<Option<ProcessHandle>>`: stands for that process even when its PID is
///   reused; `terminate` and `kill` return whether it was there, `has_ended`.
/// - `wait_ended(&[&ProcessHandle], Duration) -> io::Result<()>`: until one of them has ended.
pub(crate) use platform::{ProcessHandle, lock_holders, process_facts, wait_ended};

/// `generation() -> u64`: a number that differs between a process and its forked children. Costs almost nothing;
/// [`PerProcess`] is based on it.
pub(crate) use platform::generation;

/// The system's view of ports, without a probe.
///
/// - `kernel_ports() -> KernelPorts`: the ports that the kernel assigns itself, or reserves.
/// - `port_sockets(&BTreeSet<u16>) -> io::Result<PortSockets>`: the sockets on these ports, in every state.
/// - `socket_holders(&HashSet<u64>) -> BTreeMap<u64, Vec<SocketHolder>>`: the processes that have sockets open, by
///   inode.
pub(crate) use platform::{kernel_ports, port_sockets, socket_holders};

/// Sockets.
///
/// - `socket(Domain, Type, Option<Protocol>) -> io::Result<Socket>`: not inherited by spawned programs.
/// - `BoundPort::new(port, Type, over_resting) -> io::Result<BoundPort>`: the probe. It binds whatever is needed to
///   detect every holder, and blocks other binds while it is open. With `over_resting`, it ignores connections in
///   TIME_WAIT, until `shut` is called.
/// - `GuardSocket::new(BoundPort) -> io::Result<GuardSocket>`: the same for a long time, and not kept by forked
///   children; `open(bool)` allows or blocks binds of servers that set `SO_REUSEADDR`.
pub(crate) use platform::{BoundPort, GuardSocket, socket};

/// Waiting.
///
/// - `CloseWatch::new(&Path)`, `wait(Duration) -> io::Result<bool>`: until a process closes the file, if the platform
///   reports that; else for a short time.
/// - `wait_connected(&[&Socket], Duration) -> io::Result<()>`: until one socket has an answer; without sockets, a
///   pause.
pub(crate) use platform::{CloseWatch, wait_connected};

/// The clock of file timestamps: `file_time() -> Duration` since 1970.
pub(crate) use platform::file_time;

/// What `doctor` reports about the machine. Nothing here fails: what cannot be found out is left out.
///
/// - `kernel_release() -> String`, `sandboxes() -> BTreeSet<String>`: the containers and sandboxes around this process.
/// - `namespaces() -> BTreeMap<&'static str, u64>`: the thread's, by kind; `maps_all_users() -> bool`: whether its user
///   namespace has every user of the machine.
/// - `mount_of(&Path) -> Option<Mount>`: the file system of an existing path.
/// - `process_names() -> BTreeSet<String>`, as far as this process sees others; `sees_own_processes() -> bool`: whether
///   process IDs mean the same to the system's lists and to this process; `hidden() -> Vec<String>`: what the system
///   hides from it, a sentence each.
/// - `descriptor_limit() -> Option<u64>`, `file_size_limit() -> Option<u64>` in bytes, `first_unprivileged_port() -> u16`, `can_watch() -> bool`: whether a
///   [`CloseWatch`] is told of closed files.
pub(crate) use platform::{
    can_watch, descriptor_limit, file_size_limit, first_unprivileged_port, hidden, kernel_release, maps_all_users,
    mount_of, namespaces, process_names, sandboxes, sees_own_processes,
};

/// Starting programs: `spawn(Command, &Inheritable, Option<Activation>) -> io::Result<Child>`, with the claims, and
/// with sockets by the platform's protocol; `keep_exit_statuses() -> io::Result<()>`, so that exit statuses of children
/// can be read. `replace_process(Command, &Inheritable) -> io::Error`: the program takes the place of this process, and
/// inherits the claims; returns only if it fails.
pub(crate) use platform::{Activation, keep_exit_statuses, replace_process, spawn};

/// Texts that name a platform's files, tools and settings.
pub(crate) use platform::{doctor_words, words};

#[cfg(test)]
pub(crate) use platform::make_link;
