//! Writing the env file beside its place and moving it there: environment/env_file.rs of the core, `write` and `replace`.

use crate::faults::Fault;
use crate::process::{Step, Turn};
use crate::world::EnvFile;

impl Turn<'_> {
    pub(crate) fn begin_env_file(&mut self) {
        let env = self.mine();
        self.world.env_files[env] = EnvFile::Begun;
        self.world.make(env, |made| made.env_file = true);
        self.go(Step::WriteEnvFile);
    }

    pub(crate) fn write_env_file(&mut self) {
        let env = self.mine();
        if self.world.env_files[env] == EnvFile::Begun {
            self.world.env_files[env] = EnvFile::Own;
        }
        self.go(Step::MoveEnvFile);
    }

    pub(crate) fn move_env_file(&mut self) {
        let env = self.mine();
        if self.world.strangers_file || self.world.at_common_path().is_some() {
            return self.go(Step::LookAtEnvFile);
        }
        if self.world.env_files[env] == EnvFile::Own {
            self.world.env_files[env] = EnvFile::Common;
        }
        self.written(true);
    }

    pub(crate) fn look_at_env_file(&mut self) {
        let owner = self.world.at_common_path();
        self.me().found = owner;
        match owner {
            Some(_) => self.go(Step::ReadItsRecord),
            None => self.written(false),
        }
    }

    pub(crate) fn read_its_record(&mut self) {
        let Some(owner) = self.my().found else { return self.written(false) };
        let Some(record) = self.read_record(owner) else { return };
        match record {
            None => self.go(Step::LockOldEnvFile),
            Some(record) => self.judge(owner, record, Step::ReadItsRecord),
        }
    }

    pub(crate) fn owner_judged(&mut self, stale: bool) {
        if stale { self.go(Step::LockOldEnvFile) } else { self.written(false) }
    }

    pub(crate) fn lock_old_env_file(&mut self) {
        let Some(owner) = self.my().found else { return self.written(false) };
        if self.has(Fault::NoEnvFileLock) {
            return self.go(Step::LookForOldEnvFile);
        }
        if self.world.file_locks[owner].is_some() {
            return self.written(false);
        }
        self.world.file_locks[owner] = Some(self.who);
        self.go(Step::LookForOldEnvFile);
    }

    pub(crate) fn look_for_old_env_file(&mut self) {
        let in_place = self.my().found.is_some_and(|owner| self.world.env_files[owner] == EnvFile::Common);
        if in_place { self.go(Step::ReplaceEnvFile) } else { self.written(false) }
    }

    /// By an exchange with whatever is there by now.
    pub(crate) fn replace_env_file(&mut self) {
        let env = self.mine();
        let Some(old) = self.world.at_common_path() else { return self.written(false) };
        self.world.env_files[old] = EnvFile::Exchanged(env);
        self.world.env_files[env] = EnvFile::Common;
        self.go(Step::RemoveReplaced);
    }

    /// What came out of the exchange goes, if it is what was locked; else it goes back.
    pub(crate) fn remove_replaced(&mut self) {
        let env = self.mine();
        let Some(there) = self.world.at_own_path(env) else { return self.written(true) };
        if self.my().found == Some(there) {
            self.world.env_files[there] = EnvFile::Absent;
            return self.written(true);
        }
        self.world.env_files[there] = EnvFile::Common;
        self.world.env_files[env] = EnvFile::Own;
        self.written(false);
    }

    /// It is where it stays; the lock on the one that was there goes with its description.
    fn written(&mut self, at_common_path: bool) {
        let who = self.who;
        for lock in self.world.file_locks.iter_mut().filter(|lock| **lock == Some(who)) {
            *lock = None;
        }
        if self.my().record.is_some_and(|record| record.common_file != at_common_path) {
            self.me().found = None;
            return self.go(Step::RecordEnvFile);
        }
        self.env_file_made();
    }
}
