//! The only room that knows the operating system, and what it must know. Knows no pool, no lease, no environment.
//!
//! **The contract**: every item below that comes from `platform` is one that a platform provides. To add a platform,
//! write a folder beside `linux` with these items, over `unix` where that serves, and choose it here. The compiler
//! compares names here and signatures where they are used; `unsupported` has them all and does nothing, so that whatever
//! depends on portalloc can be built everywhere.
//!
//! The promise rests on five of them; what the others cannot do costs comfort, not ports:
//!
//! 1. **Claims exclude** every other description of the same file, in this process and in any other, whoever owns it.
//! 2. They are **all or nothing**, at once and without waiting.
//! 3. They **end with the last process** that has a copy of the description, however that ends, and at no other time
//!    unless somebody lets go of them.
//! 4. A **probe** fails if anything is bound to the port, on any address, by any user, listening or not.
//! 5. **Renames** that are to replace nothing replace nothing, and files appear complete or not at all.

mod entry;
mod inheritable;
#[expect(unsafe_code, reason = "a value that threads and forks share without a lock is a pointer")]
mod per_process;
mod port_socket;
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
pub(crate) use per_process::PerProcess;
pub(crate) use port_socket::{PortSocket, PortSockets, SocketHolder};
pub(crate) use process_stamp::Judgement;
pub use process_stamp::ProcessStamp;
pub(crate) use random::random_number;
pub use server_socket::ServerSocket;

/// Why portalloc cannot hold ports here, where it cannot: asked before a registry is opened.
///
/// `unsupported() -> Option<String>`
pub(crate) use platform::unsupported;

/// Claims on ports, of a description of the `ports` file.
///
/// - `try_lock(&File, PortRange) -> io::Result<bool>`: all of the range or nothing; `false` if another description has a part.
/// - `unlock(&File, PortRange) -> io::Result<()>`: lets go, for every process that shares the description.
/// - `conflict(&File, PortRange) -> io::Result<Option<PortRange>>`: some claim of another description that overlaps.
/// - `share(&File) -> io::Result<Inheritable>`: a copy with the same claims, which started programs do not inherit;
///   `let_inherit(&Inheritable) -> io::Result<()>`: which they do.
pub(crate) use platform::{conflict, let_inherit, share, try_lock, unlock};

/// What stays open between calls, in a process whose program may close what it does not know: looked at before it is used or
/// closed. `Marked<File>::by_position(File, u64)`, `Folder::kept`; `is_ours`, `open`, `take`.
pub(crate) use platform::Marked;

/// An open folder; all in it is looked up in this very one, wherever its path leads by now, and no link is followed.
///
/// `open`, `place` (may not be listed), `lock`, `folder`, `kept`, `entry`, `entry_in`, `is_at`, `contains`, `names`;
/// `create_shared_folder`, `create_shared` (for every user), `create` (for this one), `read`, `write`, `replace`,
/// `rename_new`, `remove`, `remove_folder`, `opened_up`.
pub(crate) use platform::Folder;

/// Files by path: what stands there (symbolic links not followed), whose it is, and which one. An [`Entry`] is judged by
/// `is_writable_for_all` and `distrust_as_folder`, since modes mean something on some platforms only.
///
/// - `entry(&Path) -> io::Result<Option<Entry>>`, `entry_of(&File) -> io::Result<Entry>`
/// - `open_without_waiting(&Path)`, `open_without_following(&Path)`, `open_to_change(&Path)`, `create_new(&Path)`, all `-> io::Result<File>`
/// - `read_exact_at(&File, &mut [u8], u64)`, `write_all_at(&File, &[u8], u64)`, both `-> io::Result<()>`
/// - `try_lock_file(&File) -> io::Result<bool>`: against others of portalloc; let go when it is closed.
pub(crate) use platform::{
    create_new, entry, entry_of, open_to_change, open_without_following, open_without_waiting, read_exact_at,
    try_lock_file, write_all_at,
};

/// Changing what paths stand for, `-> io::Result<()>` all.
///
/// - `rename_new(&Path, &Path)`: `AlreadyExists` if something is there.
/// - `exchange(&Path, &Path)`: both at once; `InvalidInput` or `Unsupported` where the file system cannot.
/// - `create_private_folder(&Path)`, `remove_file(&Path)`, `remove_all(&Path)`: a tree, no link followed.
pub(crate) use platform::{create_private_folder, exchange, remove_all, remove_file, rename_new};

/// Names of files that mean something to those who clean up: `KEEP` keeps a folder, `UNFINISHED` marks what was never
/// finished.
pub(crate) use platform::{KEEP, UNFINISHED};

/// The mark on a temp dir: `mark(&Path, &[u8]) -> bool`, `marked(&Path) -> Option<Vec<u8>>`. Without it only the sweep of
/// temp dirs is lost whose registry is gone.
pub(crate) use platform::{mark, marked};

/// What errors mean, `(&io::Error) -> bool` all: that nothing is there, links lead in a circle, the limit on descriptors is
/// reached, a connection was begun, there is no such kind of address, a port is taken, or not for this user.
pub(crate) use platform::{
    is_absent, is_connecting, is_no_such_family, is_port_forbidden, is_port_taken, leads_in_a_circle, limit_reached,
};

/// Where registries are that nobody named: `SET_UP` if `is_roots_shared_folder(&Path) -> bool`, else `PLAIN`. Two processes
/// of one machine must choose the same one.
///
/// `make_at_boot(u64) -> io::Result<()>` and `forget_at_boot() -> io::Result<()>`: of that which was set up, by the file
/// `AT_BOOT`.
pub(crate) use platform::{AT_BOOT, PLAIN, SET_UP, forget_at_boot, is_roots_shared_folder, make_at_boot};

/// Users: `user_id() -> u32`, `user_name(u32) -> Option<String>`, and the name of the machine, `host_name() -> String`.
pub(crate) use platform::{host_name, user_id, user_name};

/// Namespaces of the calling thread, 0 where there are none: `network_namespace()`, `network_namespace_of_init()` and
/// `mount_namespace()`, `-> io::Result<u64>`.
///
/// A number for a network namespace that is never used again, if there is one, `-> Option<u64>`: `cookie()` of this
/// thread's, `cookie_of(&BoundPort)` of a socket's.
pub(crate) use platform::{cookie, cookie_of, mount_namespace, network_namespace, network_namespace_of_init};

/// Processes: `ProcessStamp::current() -> io::Result<ProcessStamp>`, `ProcessStamp::running(u32) ->
/// io::Result<Option<ProcessStamp>>`, `ProcessStamp::judge(&self, &ProcessStamp) -> Judgement` (what cannot be judged is
/// `Unknown`), and `process_name(u32) -> Option<String>`.
pub(crate) use platform::process_name;

/// `generation() -> u64`: a number that a process shares with none that it was forked from or that is forked from it. Costs
/// next to nothing; [`PerProcess`] is made of it.
pub(crate) use platform::generation;

/// What the system tells of ports without a probe.
///
/// - `kernel_ports() -> KernelPorts`: which it gives out itself, or keeps.
/// - `port_sockets(&BTreeSet<u16>) -> io::Result<PortSockets>`: the sockets on these ports, in every state.
/// - `socket_holders(&HashSet<u64>) -> BTreeMap<u64, Vec<SocketHolder>>`: who has sockets open, by their inodes.
pub(crate) use platform::{kernel_ports, port_sockets, socket_holders};

/// Sockets.
///
/// - `socket(Domain, Type, Option<Protocol>) -> io::Result<Socket>`: not inherited.
/// - `BoundPort::new(port, Type, over_resting) -> io::Result<BoundPort>`: the probe. It binds whatever it takes to meet every
///   holder, and keeps others off as long as it is open; over connections that only rest, if asked, until it is `shut`.
/// - `GuardSocket::new(BoundPort) -> io::Result<GuardSocket>`: the same for long, not kept by forked children;
///   `open(bool)` lets servers in that set `SO_REUSEADDR`, or nobody.
pub(crate) use platform::{BoundPort, GuardSocket, socket};

/// Waiting, without anybody's help.
///
/// - `CloseWatch::new(&Path)`, `wait(Duration) -> io::Result<bool>`: until somebody closes the file, if that can be told; else
///   for a short while.
/// - `wait_connected(&[&Socket], Duration) -> io::Result<()>`: until one has an answer; without sockets a pause.
pub(crate) use platform::{CloseWatch, wait_connected};

/// A clock: `file_time() -> Duration` since 1970, by which files
/// are dated.
pub(crate) use platform::file_time;

/// Starting programs: `spawn(Command, &Inheritable, Option<Activation>) -> io::Result<Child>`, with the claims, and with
/// sockets by the platform's protocol; `keep_exit_statuses() -> io::Result<()>` of children until they are asked for.
pub(crate) use platform::{Activation, keep_exit_statuses, spawn};

/// Texts that name a platform's files, tools and settings.
pub(crate) use platform::words;

#[cfg(test)]
pub(crate) use platform::make_link;
