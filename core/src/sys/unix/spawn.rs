//! Starts a program with two things that the standard library does not support: an empty signal mask, and sockets by
//! systemd's protocol, whose `LISTEN_PID` is known only once the program's process exists.
//!
//! Between fork and exec only system calls are allowed, so all memory is prepared before.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::ptr;

use crate::sys::inheritable::Inheritable;
use crate::sys::platform;
use crate::sys::server_socket::ServerSocket;

/// The first descriptor of systemd's protocol.
const FIRST: i32 = 3;

/// The sockets to pass, each with a name.
pub(crate) struct Activation {
    pub(crate) sockets: Vec<ServerSocket>,
    pub(crate) names: Vec<String>,
}

/// Starts `command`; `inherited` stays open in it, under any number. Takes the command by value, because the closure
/// for its child can run only once: it names descriptors that are closed afterwards.
pub(crate) fn spawn(
    mut command: Command,
    inherited: &Inheritable,
    activation: Option<Activation>,
) -> io::Result<Child> {
    let count = activation.as_ref().map_or(0, |activation| activation.sockets.len());
    let first_free = FIRST + i32::try_from(count).map_err(io::Error::other)?;
    // Above the numbers that the sockets get.
    let inherited = rustix::io::fcntl_dupfd_cloexec(inherited, first_free)?;
    let kept = inherited.as_raw_fd();
    let mut moves = Vec::with_capacity(count);
    let mut exec = None;
    let mut open = Vec::with_capacity(count);
    if let Some(Activation { sockets, names }) = activation {
        for (socket, to) in sockets.iter().zip(FIRST..) {
            let high = rustix::io::fcntl_dupfd_cloexec(socket.as_fd(), first_free)?;
            moves.push((high.as_raw_fd(), to));
            open.push(high);
        }
        exec = Some(Exec::prepare(&command, count, &names)?);
    }
    // The standard library opens a pipe for the child, which must not get one of the sockets' numbers.
    let _placeholders = occupy(first_free)?;
    let prepared = move || {
        empty_signal_mask()?;
        // Only in the child: otherwise a program that another thread starts at this moment would inherit it, too.
        // SAFETY: a system call on a number, which is open.
        if unsafe { libc::fcntl(kept, libc::F_SETFD, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
        for (from, to) in &moves {
            // SAFETY: a system call on two numbers; `from` is open, and what `to` was is of no use to the child.
            if unsafe { libc::dup2(*from, *to) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        match &mut exec {
            Some(exec) => Err(exec.run()),
            None => Ok(()),
        }
    };
    // SAFETY: the closure makes nothing but system calls on memory that was prepared before the fork.
    unsafe { command.pre_exec(prepared) };
    command.spawn()
}

fn empty_signal_mask() -> io::Result<()> {
    let mut none = std::mem::MaybeUninit::uninit();
    // SAFETY: it writes a signal set to the memory given, which is large enough for one.
    unsafe { libc::sigemptyset(none.as_mut_ptr()) };
    // SAFETY: the set was initialised above; a null pointer means that the old mask is not wanted.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Opens descriptors until every number below `limit` is in use.
fn occupy(limit: i32) -> io::Result<Vec<OwnedFd>> {
    let mut taken = Vec::new();
    loop {
        let fd = OwnedFd::from(std::fs::File::open("/dev/null")?);
        if fd.as_raw_fd() >= limit {
            return Ok(taken);
        }
        taken.push(fd);
    }
}

/// A call of `execvpe` that writes the number of the calling process into the environment at the last moment.
struct Exec {
    program: CString,
    /// Owns the memory that `argv` points to.
    _args: Vec<CString>,
    argv: Vec<*const libc::c_char>,
    _variables: Vec<CString>,
    envp: Vec<*const libc::c_char>,
    /// `LISTEN_PID=` with room for the digits; `envp` points to it.
    pid_variable: Box<[u8]>,
}

// SAFETY: the pointers point into memory that the very same value owns and that does not move with it.
unsafe impl Send for Exec {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl Sync for Exec {}

const PID_VARIABLE: &[u8] = b"LISTEN_PID=";
/// The digits of the largest process ID, and the terminating NUL.
const PID_ROOM: usize = 11;

impl Exec {
    fn prepare(command: &Command, count: usize, names: &[String]) -> io::Result<Self> {
        let program = c_string(&found_by(command))?;
        let args: Vec<CString> =
            std::iter::once(command.get_program()).chain(command.get_args()).map(c_string).collect::<Result<_, _>>()?;
        let mut variables: Vec<CString> =
            environment(command).into_iter().map(|(name, value)| variable(name, &value)).collect::<Result<_, _>>()?;
        variables.push(variable("LISTEN_FDS".into(), OsStr::new(&count.to_string()))?);
        variables.push(variable("LISTEN_FDNAMES".into(), OsStr::new(&names.join(":")))?);
        let pid_variable = [PID_VARIABLE, &[0; PID_ROOM]].concat().into_boxed_slice();
        let pointers = |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).collect::<Vec<_>>();
        let mut argv = pointers(&args);
        argv.push(ptr::null());
        let mut envp = pointers(&variables);
        envp.extend([pid_variable.as_ptr().cast(), ptr::null()]);
        Ok(Self { program, _args: args, argv, _variables: variables, envp, pid_variable })
    }

    /// Executes the program; returns only on failure.
    fn run(&mut self) -> io::Error {
        let mut pid = std::process::id();
        let mut digits = [0; PID_ROOM - 1];
        let mut used = 0;
        for digit in &mut digits {
            *digit = b'0' + (pid % 10) as u8;
            pid /= 10;
            used += 1;
            if pid == 0 {
                break;
            }
        }
        let room = self.pid_variable.iter_mut().skip(PID_VARIABLE.len());
        for (to, digit) in room.zip(digits.iter().take(used).rev()) {
            *to = *digit;
        }
        // The pointer is taken again, since the text has changed.
        if let Some(pointer) = self.envp.iter_mut().nth_back(1) {
            *pointer = self.pid_variable.as_ptr().cast();
        }
        // SAFETY: program, arguments and environment are C strings in arrays that end with a null pointer.
        unsafe { platform::execvpe(self.program.as_ptr(), self.argv.as_ptr(), self.envp.as_ptr()) };
        io::Error::last_os_error()
    }
}

/// The path of the command's program if the command sets PATH; otherwise the system searches our PATH.
fn found_by(command: &Command) -> OsString {
    let program = command.get_program();
    let own_path = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path);
    let candidates =
        own_path.into_iter().filter(|_| !program.as_bytes().contains(&b'/')).flat_map(std::env::split_paths);
    let mut found = candidates
        .map(|directory| directory.join(program))
        .filter(|path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file());
    found.next().map_or_else(|| program.to_owned(), Into::into)
}

/// The environment that the command would get, without the variables of systemd's protocol.
fn environment(command: &Command) -> Vec<(OsString, OsString)> {
    let changed: Vec<(&OsStr, Option<&OsStr>)> = command.get_envs().collect();
    let is_listen = |name: &OsStr| ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"].iter().any(|listen| name == *listen);
    let kept = std::env::vars_os().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    let set = changed.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
    kept.chain(set).filter(|(name, _)| !is_listen(name)).collect()
}

fn variable(name: OsString, value: &OsStr) -> io::Result<CString> {
    let mut text = name.into_vec();
    text.push(b'=');
    text.extend_from_slice(value.as_bytes());
    CString::new(text).map_err(io::Error::other)
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a NUL byte in the command"))
}
