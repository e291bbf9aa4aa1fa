//! Removing environments: environment/cleanup, traces.rs and the removals of env_file.rs and temp_dir.rs of the core.

use crate::faults::Fault;
use crate::process::{Process, Program, Step, Turn};
use crate::steps::lease::lowest;
use crate::world::{ENVS, Env, EnvFile, Phase, Ports, Slot, TempDir};

impl Turn<'_> {
    fn asked(&self) -> Option<Env> {
        if let Program::Cleaner { asked } = self.program { asked } else { None }
    }

    /// The environment that is being removed: one of all, or the maker's own.
    fn removes(&self) -> Env {
        self.my().makes.or(self.asked()).unwrap_or(self.my().env)
    }

    pub(crate) fn clean_read(&mut self) {
        let env = self.removes();
        let Some(found) = self.read_record(env) else { return };
        let Some(record) = found else { return self.clean_next() };
        self.me().record = Some(record);
        if self.asked().is_some() { self.go(Step::CleanReadLabels) } else { self.judge(env, record, Step::CleanRead) }
    }

    pub(crate) fn selected(&mut self, stale: bool) {
        if stale { self.go(Step::CleanReadLabels) } else { self.clean_next() }
    }

    pub(crate) fn clean_read_labels(&mut self) {
        let env = self.removes();
        let ports = self.my().record.map_or(Ports::NONE, |record| record.ports);
        let own = ports.iter().filter(|port| self.slot(*port).may_be_of(env)).fold(Ports::NONE, Ports::with);
        self.me().ports = own;
        self.go(Step::CleanLock);
    }

    /// A lock that is refused is waited for, or is a reason to give up.
    pub(crate) fn ways_to_meet_a_lock(&self) -> usize {
        1 + usize::from(self.my().ports.iter().any(|port| self.world.is_locked(self.my().file, Some(self.who), port)))
    }

    pub(crate) fn clean_lock(&mut self, choice: usize) {
        let own = self.my().ports;
        if self.has(Fault::CleanupWithoutLock) || self.lock(own) {
            return self.go(Step::CleanStillStands);
        }
        if choice == 0 { self.clean_next() } else { self.go(Step::CleanReadLabels) }
    }

    pub(crate) fn clean_still_stands(&mut self) {
        let (env, record) = (self.removes(), self.my().record);
        let trusts = self.has(Fault::CleanupOfReplacedRecord) || self.has(Fault::CleanupTrustsFirstLook);
        // Which file it is, under the name under which it was found.
        let now = record.and_then(|read| self.world.records[env].of(read));
        let stands = now.map(|now| now.file) == record.map(|read| read.file);
        let Some(record) = record.filter(|_| stands || trusts) else { return self.go(Step::CleanUnlockAgain) };
        if self.asked().is_some() {
            self.world.end(env);
            self.world.phases[env] = Phase::Ending;
            return self.remove_first();
        }
        if self.has(Fault::CleanupWithoutSecondLook) || self.has(Fault::CleanupTrustsFirstLook) {
            return self.remove_first();
        }
        self.judge(env, record, Step::CleanStillStands);
    }

    pub(crate) fn selected_under_lock(&mut self, stale: bool) {
        if stale { self.remove_first() } else { self.go(Step::CleanLeave) }
    }

    pub(crate) fn clean_unlock_again(&mut self) {
        let env = self.my().env;
        self.start_over();
        self.me().env = env;
    }

    fn remove_first(&mut self) {
        self.go(if self.has(Fault::RecordRemovedFirst) { Step::RemoveRecord } else { Step::RemoveTempDir });
    }

    pub(crate) fn remove_temp_dir(&mut self) {
        let env = self.removes();
        self.world.temp_dirs[env] = TempDir::Absent;
        if self.rules.env_files { self.go(Step::OpenEnvFile) } else { self.files_removed() }
    }

    /// Whose file is at the path that is being looked at: first the environment's own, then the common one.
    fn there(&self) -> Option<Env> {
        if self.my().second_path { self.world.at_common_path() } else { self.world.at_own_path(self.removes()) }
    }

    pub(crate) fn open_env_file(&mut self) {
        self.me().found = self.there();
        if self.my().second_path && self.world.strangers_file && self.has(Fault::NoEnvFileOwner) {
            return self.go(Step::RemoveEnvFile);
        }
        if self.my().found.is_none() {
            return self.next_path(false);
        }
        self.go(if self.has(Fault::NoEnvFileLock) { Step::ReadEnvFile } else { Step::LockEnvFile });
    }

    /// Done with this path. Both are looked at, whichever the record names: a crash may have left a file at each.
    fn next_path(&mut self, removed: bool) {
        self.unlock_env_file();
        let named = self.my().record.is_some_and(|record| record.common_file);
        let enough = removed && !named && self.has(Fault::OneEnvFileIsEnough);
        if self.my().second_path || enough {
            return self.files_removed();
        }
        self.me().second_path = true;
        self.go(Step::OpenEnvFile);
    }

    pub(crate) fn can_lock_env_file(&self) -> bool {
        self.my().found.is_some_and(|env| self.world.file_locks[env].is_none())
    }

    pub(crate) fn lock_env_file(&mut self) {
        if let Some(env) = self.my().found {
            self.world.file_locks[env] = Some(self.who);
        }
        self.go(Step::ReadEnvFile);
    }

    /// Whatever has its own name is its own; elsewhere the text decides.
    pub(crate) fn read_env_file(&mut self) {
        let (env, found) = (self.removes(), self.my().found);
        let in_place = self.there() == found;
        let its = !self.my().second_path || found == Some(env) || self.has(Fault::NoEnvFileOwner);
        match (in_place && its, self.my().second_path) {
            (false, _) => self.next_path(false),
            (true, false) => self.go(Step::RemoveEnvFile),
            (true, true) => self.go(Step::PutAside),
        }
    }

    /// Whatever is at the common path by now gets the environment's own name before it is removed.
    pub(crate) fn put_aside(&mut self) {
        let env = self.removes();
        let Some(there) = self.world.at_common_path() else { return self.next_path(false) };
        if self.world.at_own_path(env).is_some() {
            return self.go(Step::RemoveEnvFile);
        }
        self.world.env_files[there] = if there == env { EnvFile::Own } else { EnvFile::Exchanged(env) };
        self.go(Step::RemoveAside);
    }

    /// It goes, if it is what was locked; else it goes back.
    pub(crate) fn remove_aside(&mut self) {
        let aside = self.world.at_own_path(self.removes());
        let its = aside == self.my().found;
        if let Some(aside) = aside {
            self.world.env_files[aside] = if its { EnvFile::Absent } else { EnvFile::Common };
        }
        self.next_path(its);
    }

    /// Whatever is at the path by now.
    pub(crate) fn remove_env_file(&mut self) {
        if self.my().second_path {
            self.world.strangers_file = false;
        }
        if let Some(there) = self.there() {
            self.world.env_files[there] = EnvFile::Absent;
        }
        self.next_path(true);
    }

    fn unlock_env_file(&mut self) {
        let who = self.who;
        for lock in self.world.file_locks.iter_mut().filter(|lock| **lock == Some(who)) {
            *lock = None;
        }
        self.me().found = None;
    }

    fn files_removed(&mut self) {
        self.me().second_path = false;
        let next = if self.has(Fault::RecordRemovedFirst) {
            return self.traces_removed();
        } else if self.has(Fault::LabelsClearedBeforeRecord) && self.my().makes.is_none() {
            Step::CleanReadAgain
        } else {
            Step::RemoveRecord
        };
        self.go(next);
    }

    /// By the name that it has, as was seen with all locks.
    pub(crate) fn remove_record(&mut self) {
        let env = self.removes();
        let record = &mut self.world.records[env];
        if record.finished.is_some() {
            record.finished = None;
        } else {
            record.making = None;
        }
        // A maker that found the temp dir of its ID taken.
        if self.my().takes_back {
            return self.next_id();
        }
        if self.has(Fault::RecordRemovedFirst) {
            return self.go(Step::RemoveTempDir);
        }
        self.traces_removed();
    }

    /// A maker that ends its own environment gives the lease back now.
    fn traces_removed(&mut self) {
        if self.my().makes.is_some() {
            return self.begin_release();
        }
        if self.has(Fault::LabelsClearedBeforeRecord) || self.has(Fault::CleanupUnlocksBeforeClear) {
            return self.go(Step::CleanUnlock);
        }
        self.go(Step::CleanReadAgain);
    }

    pub(crate) fn clean_read_again(&mut self) {
        let env = self.removes();
        let all = self.has(Fault::ClearWithoutLook);
        let is_its = |slot: Slot| slot.env() == Some(env) || all;
        let own = self.my().ports.iter().filter(|port| is_its(self.slot(*port))).fold(Ports::NONE, Ports::with);
        self.me().taken = own;
        self.me().port = lowest(own);
        if own.is_empty() { self.cleared() } else { self.go(Step::CleanClear) }
    }

    pub(crate) fn clean_clear(&mut self) {
        let port = self.my().port;
        self.put_slot(port, Slot::Empty);
        match self.my().taken.from(port + 1).next() {
            Some(next) => self.me().port = next,
            None => self.cleared(),
        }
    }

    fn cleared(&mut self) {
        if self.has(Fault::CleanupUnlocksBeforeClear) {
            return self.clean_next();
        }
        self.go(if self.has(Fault::LabelsClearedBeforeRecord) { Step::RemoveRecord } else { Step::CleanUnlock });
    }

    pub(crate) fn clean_unlock(&mut self) {
        let (who, ports, env) = (self.who, self.my().ports, self.removes());
        self.world.unlock(who, ports);
        if self.world.phases[env] == Phase::Ending {
            self.world.end(env);
        }
        if self.has(Fault::CleanupUnlocksBeforeClear) {
            return self.go(Step::CleanReadAgain);
        }
        self.clean_next();
    }

    /// Done with this environment: on to the next, and to the temp dirs without a record.
    pub(crate) fn clean_next(&mut self) {
        let env = self.my().env;
        self.world.close(self.who);
        if self.asked().is_some() {
            return self.finish();
        }
        let next = if env + 1 < ENVS { (Step::CleanRead, env + 1) } else { (Step::SweepLook, 0) };
        *self.me() = self.with_registry(Process { env: next.1, ..Process::new(next.0) });
    }

    pub(crate) fn sweep_look(&mut self) {
        let env = self.my().env;
        let has_mark = self.world.temp_dirs[env] == TempDir::Marked;
        let next = if self.has(Fault::SweepWithoutRecordCheck) { Step::SweepRemove } else { Step::SweepRecord };
        if has_mark { self.go(next) } else { self.sweep_next() }
    }

    pub(crate) fn sweep_record(&mut self) {
        let env = self.my().env;
        let Some(record) = self.read_record(env) else { return };
        if record.is_none() { self.go(Step::SweepRemove) } else { self.sweep_next() }
    }

    pub(crate) fn sweep_remove(&mut self) {
        let env = self.my().env;
        self.world.temp_dirs[env] = TempDir::Absent;
        self.sweep_next();
    }

    fn sweep_next(&mut self) {
        let env = self.my().env;
        if env + 1 < ENVS {
            *self.me() = self.with_registry(Process { env: env + 1, ..Process::new(Step::SweepLook) });
        } else {
            self.finish();
        }
    }
}
