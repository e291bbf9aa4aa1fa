//! An actor that goes from one system call to the next: what is promised of a kill at any moment, and of a neighbour who
//! meddles at any moment, is only shown where every moment is tried. Between two system calls a process changes nothing
//! that others can see, so the moments before each of them are all there are. Knows nothing of what the actor does.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests: a failure is a failed test")]

use std::fmt;
use std::fs;
use std::process::{Command, Stdio};

use nix::libc::{
    F_GETFD, F_GETFL, O_CREAT, O_DIRECTORY, O_TMPFILE, O_TRUNC, SYS_brk, SYS_clock_gettime, SYS_close, SYS_fcntl,
    SYS_fstat, SYS_futex, SYS_getdents64, SYS_geteuid, SYS_getpid, SYS_getrandom, SYS_lseek, SYS_madvise, SYS_mmap,
    SYS_mprotect, SYS_mremap, SYS_munmap, SYS_newfstatat, SYS_openat, SYS_pread64, SYS_read, SYS_readlink,
    SYS_readlinkat, SYS_recvfrom, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_sigaltstack, SYS_statx, SYS_uname,
    SYS_write, c_long,
};
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use portalloc_testkit::{Process, skip, until};

use crate::Actor;

/// Whether a process may be traced here; [`skip`]s if not.
#[must_use]
pub fn can_step() -> bool {
    let probe = Process::start(Command::new("sleep").arg("60").stdout(Stdio::null())).expect("a program starts");
    let seized = ptrace::seize(pid(probe.id()), Options::empty());
    if let Err(error) = seized {
        skip(&format!("processes cannot be traced here ({error})"));
    }
    seized.is_ok()
}

/// A system call that is about to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    number: c_long,
    arguments: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "system call {} ({})", self.number, self.arguments)
    }
}

impl Call {
    /// What the process is in, as `/proc` says it: the number, six arguments, and two registers that say nothing here.
    fn of(pid: Pid) -> Option<Self> {
        let line = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
        let mut words = line.split_whitespace();
        let number = words.next()?.parse().ok()?;
        Some(Self { number, arguments: words.take(4).collect::<Vec<_>>().join(", ") })
    }

    /// Whether it only looks. One that opens a file does, too, unless it may make or cut it.
    fn looks(&self) -> bool {
        let changes = O_CREAT | O_TRUNC | (O_TMPFILE & !O_DIRECTORY);
        let opens = self.number == SYS_openat && self.argument(2).is_some_and(|flags| flags & changes == 0);
        let asks = self.number == SYS_fcntl && self.argument(1).is_some_and(|what| [F_GETFD, F_GETFL].contains(&what));
        opens || asks || LOOKS.contains(&self.number)
    }

    fn argument(&self, index: usize) -> Option<i32> {
        i32::from_str_radix(self.arguments.split(", ").nth(index)?.strip_prefix("0x")?, 16).ok()
    }

    fn is(&self, number: c_long, descriptor: &str) -> bool {
        self.number == number && self.arguments.split(", ").next() == Some(descriptor)
    }
}

/// Calls about memory, signals and time.
const INWARD: &[c_long] = &[
    SYS_brk,
    SYS_clock_gettime,
    SYS_close,
    SYS_futex,
    SYS_getrandom,
    SYS_madvise,
    SYS_mmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_munmap,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_sigaltstack,
];

/// Calls that only look.
const LOOKS: &[c_long] = &[
    SYS_fstat,
    SYS_getdents64,
    SYS_geteuid,
    SYS_getpid,
    SYS_lseek,
    SYS_newfstatat,
    SYS_pread64,
    SYS_read,
    SYS_readlink,
    SYS_readlinkat,
    SYS_recvfrom,
    SYS_statx,
    SYS_uname,
];

/// An actor that does one command, step by step. Tracing is the thread's that began it.
#[derive(Debug)]
pub struct Steps {
    pid: Pid,
    at_call: bool,
}

impl Steps {
    /// Sends a command to an actor that has answered all others, and stops it before it does anything about it.
    #[must_use]
    pub fn begin(actor: &mut Actor, command: &str) -> Self {
        let pid = pid(actor.pid());
        until("the actor waits for a command", || Call::of(pid).is_some_and(|call| call.is(SYS_read, "0x0")));
        ptrace::seize(pid, Options::PTRACE_O_TRACESYSGOOD).expect("the actor can be traced");
        ptrace::interrupt(pid).expect("the actor can be stopped");
        assert!(matches!(waitpid(pid, None), Ok(WaitStatus::PtraceEvent(..))), "the actor stops");
        actor.send(command);
        let mut steps = Self { pid, at_call: false };
        let reading = steps.step();
        assert!(reading.as_ref().is_some_and(|call| call.is(SYS_read, "0x0")), "not the command: {reading:?}");
        steps
    }

    /// Lets it do the system call that it was stopped before, and go on to the next. `None`: it is about to answer.
    pub fn step(&mut self) -> Option<Call> {
        if self.at_call {
            self.go();
        }
        self.go();
        self.at_call = true;
        let call = Call::of(self.pid).expect("a system call");
        (!call.is(SYS_write, "0x1")).then_some(call)
    }

    /// As [`step`](Self::step), but not stopping at calls that neither see nor change what is outside of the process.
    pub fn outward_step(&mut self) -> Option<Call> {
        loop {
            let call = self.step()?;
            if !INWARD.contains(&call.number) {
                return Some(call);
            }
        }
    }

    /// As [`step`](Self::step), but not stopping at calls that leave nothing behind if it is killed: a kill before one of
    /// them leaves what a kill before the next one leaves.
    pub fn changing_step(&mut self) -> Option<Call> {
        loop {
            let call = self.outward_step()?;
            if !call.looks() {
                return Some(call);
            }
        }
    }

    /// On to the next beginning or end of a system call; signals get through.
    fn go(&self) {
        let mut signal = None;
        loop {
            ptrace::syscall(self.pid, signal).expect("the actor goes on");
            match waitpid(self.pid, None) {
                Ok(WaitStatus::PtraceSyscall(_)) => return,
                Ok(WaitStatus::Stopped(_, other)) => signal = Some(other),
                other => panic!("the actor did not get to its next system call: {other:?}"),
            }
        }
    }

    /// Lets it run freely from here on.
    pub fn finish(self) {
        ptrace::detach(self.pid, None).expect("the actor goes on");
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).expect("a process ID"))
}
