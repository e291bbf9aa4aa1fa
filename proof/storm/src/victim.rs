//! A worker as its killer sees it: a process that leads a group of its own, with its children in it.

use std::process::Child;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, kill_process_group, waitid, waitpgid, waitpid,
};

use crate::failure::{Context, Outcome};
use crate::language::Language;

#[derive(Debug)]
pub(crate) struct Victim {
    pub(crate) serial: String,
    pub(crate) language: Language,
    pub(crate) pid: Pid,
    /// Of one that was started; its end is waited for here, by its process ID.
    pub(crate) _process: Option<Child>,
}

impl Victim {
    pub(crate) fn signal(&self, signal: Signal) -> Outcome<()> {
        kill_process(self.pid, signal).context(format!("{} cannot be signalled", self.serial))
    }

    /// Kills it, and leaves the children that it has.
    pub(crate) fn kill_alone(&self) -> Outcome<()> {
        self.signal(Signal::KILL)?;
        self.reap()
    }

    /// Kills it with all of its children.
    pub(crate) fn kill_group(&self) -> Outcome<()> {
        kill_process_group(self.pid, Signal::KILL).context(format!("{} cannot be killed", self.serial))?;
        self.reap()?;
        self.end_children();
        Ok(())
    }

    /// Ends the children that a worker has left, and waits until they are gone.
    pub(crate) fn end_children(&self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
        // The orphans are this process's children now.
        while !matches!(waitpgid(self.pid, WaitOptions::empty()), Err(Errno::CHILD)) {}
    }

    /// Fails if it has ended by itself.
    pub(crate) fn ended(&self) -> Outcome<()> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), look) {
            Ok(Some(status)) => Err(format!("{} ended by itself: {status:?}", self.serial).into()),
            _ => Ok(()),
        }
    }

    /// Waits for its end, which must have been the one by our hand.
    fn reap(&self) -> Outcome<()> {
        let ended = loop {
            match waitpid(Some(self.pid), WaitOptions::empty()) {
                Err(Errno::INTR) => {}
                other => break other.context(format!("{} is not our child", self.serial))?,
            }
        };
        let status = ended.map(|(_, status)| status).context("no status")?;
        if status.terminating_signal() == Some(Signal::KILL.as_raw()) {
            return Ok(());
        }
        Err(format!("{} was not killed, but ended by itself: {status:?}", self.serial).into())
    }
}
