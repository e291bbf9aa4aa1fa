//! Lets a program take the place of this process. Knows no locks.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::descriptor::out_of_the_way;
use crate::sys::inheritable::Inheritable;

/// Executes `command` in place of this process; a copy of `inherited` stays open in it, under a number that shell
/// scripts do not use. As in a spawned program, no signal is blocked, and SIGPIPE has its default. Returns only if it
/// fails, and then nothing is inherited.
pub(crate) fn replace_process(mut command: Command, inherited: &Inheritable) -> io::Error {
    let copied = inherited.as_fd().try_clone_to_owned().and_then(out_of_the_way).and_then(|copy| {
        rustix::io::fcntl_setfd(&copy, rustix::io::FdFlags::empty())?;
        Ok(copy)
    });
    match copied {
        Ok(_copy) => CommandExt::exec(&mut command),
        Err(error) => error,
    }
}
