//! Making an environment, and attaching to one: environment/create.rs and attach.rs of the core.

use crate::faults::Fault;
use crate::process::{Program, Step, Turn};
use crate::steps::lease::lowest;
use crate::world::{Phase, Record, Slot, TempDir};

impl Turn<'_> {
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.program, Program::Maker { kept: true, .. })
    }

    pub(crate) fn mine(&self) -> usize {
        self.my().makes.unwrap_or(0)
    }

    pub(crate) fn ports_taken(&mut self) {
        self.me().port = lowest(self.my().ports);
        let first = if self.has(Fault::KeptLabelsBeforeRecord) && self.is_kept() {
            Step::KeepLabel
        } else if self.has(Fault::TempDirBeforeRecord) {
            Step::MakeTempDir
        } else {
            Step::MakeRecord
        };
        self.go(first);
    }

    /// The path that the record names for the env file is a guess, which may be wrong by the time the file is there.
    pub(crate) fn make_record(&mut self, choice: usize) {
        let (env, ports) = (self.mine(), self.my().ports);
        let record = Record { kept: false, unfinished: false, ports, common_file: choice == 1, file: 0 };
        self.put_record(record);
        if self.world.phases[env] == Phase::None {
            self.world.phases[env] = Phase::Making;
        }
        self.world.made[env].record = true;
        if self.has(Fault::TempDirBeforeRecord) { self.temp_dir_made() } else { self.go(Step::MakeTempDir) }
    }

    fn put_record(&mut self, record: Record) {
        let env = self.mine();
        self.world.records[env] = Some(record);
        self.me().record = Some(record);
    }

    pub(crate) fn make_temp_dir(&mut self) {
        let env = self.mine();
        self.world.temp_dirs[env] = TempDir::Unmarked;
        self.world.phases[env] = Phase::Making;
        self.world.made[env].temp_dir = true;
        self.go(Step::MarkTempDir);
    }

    pub(crate) fn mark_temp_dir(&mut self) {
        let env = self.mine();
        // Nothing is marked if somebody has removed it.
        if self.world.temp_dirs[env] == TempDir::Unmarked {
            self.world.temp_dirs[env] = TempDir::Marked;
        }
        if self.has(Fault::TempDirBeforeRecord) { self.go(Step::MakeRecord) } else { self.temp_dir_made() }
    }

    fn temp_dir_made(&mut self) {
        if self.rules.env_files { self.go(Step::BeginEnvFile) } else { self.env_file_made() }
    }

    pub(crate) fn env_file_made(&mut self) {
        self.me().found = None;
        if self.is_kept() {
            return self.go(Step::KeepRecord);
        }
        let env = self.mine();
        self.world.phases[env] = Phase::Live;
        self.go(Step::Holding);
    }

    pub(crate) fn record_env_file(&mut self) {
        if let Some(record) = self.my().record {
            self.put_record(Record { common_file: !record.common_file, file: record.file + 1, ..record });
        }
        self.env_file_made();
    }

    pub(crate) fn keep_record(&mut self) {
        if let Some(record) = self.my().record {
            let unfinished = !self.has(Fault::NoMark);
            self.put_record(Record { kept: true, unfinished, file: record.file + 1, ..record });
        }
        self.me().port = lowest(self.my().ports);
        let next = if self.has(Fault::UnlockBeforeKeptLabels) {
            Step::LeaveToLabels
        } else if self.has(Fault::MarkBeforeLabels) {
            Step::Mark
        } else if self.has(Fault::KeptLabelsBeforeRecord) {
            return self.labels_kept();
        } else {
            Step::KeepLabel
        };
        self.go(next);
    }

    pub(crate) fn keep_label(&mut self) {
        let (env, port) = (self.mine(), self.my().port);
        self.world.slots[port] = Slot::Kept(env);
        if self.next_port() {
            return;
        }
        self.me().port = lowest(self.my().ports);
        if self.has(Fault::KeptLabelsBeforeRecord) {
            return self.go(Step::MakeRecord);
        }
        self.labels_kept();
    }

    fn labels_kept(&mut self) {
        if self.has(Fault::MarkBeforeLabels) {
            return self.go(Step::LeaveToLabels);
        }
        if self.has(Fault::NoMark) {
            self.counts();
            return self.go(Step::ReadBack);
        }
        self.go(Step::Mark);
    }

    /// By the open file: if another one is under the name by now, that one is not marked.
    pub(crate) fn mark(&mut self) {
        let env = self.mine();
        let file = self.my().record.map(|record| record.file);
        if let Some(record) = self.world.records[env].as_mut().filter(|record| Some(record.file) == file) {
            record.unfinished = false;
        }
        self.counts();
        let next = if self.has(Fault::MarkBeforeLabels) {
            Step::KeepLabel
        } else if self.has(Fault::UnlockBeforeKeptLabels) {
            Step::Close
        } else if self.has(Fault::NoRestore) {
            Step::LeaveToLabels
        } else {
            Step::ReadBack
        };
        self.go(next);
    }

    /// From here on it lives without its maker, as long as its TTL is not over.
    fn counts(&mut self) {
        let env = self.mine();
        if self.world.expired[env] {
            self.world.end(env);
        } else {
            self.world.phases[env] = Phase::Live;
        }
    }

    pub(crate) fn read_back(&mut self) {
        let env = self.mine();
        let whole = self.my().ports.iter().all(|port| self.world.slots[port] == Slot::Kept(env));
        self.me().port = lowest(self.my().ports);
        self.go(if whole { Step::LeaveToLabels } else { Step::WriteBack });
    }

    pub(crate) fn write_back(&mut self) {
        let (env, port) = (self.mine(), self.my().port);
        self.world.slots[port] = Slot::Kept(env);
        if !self.next_port() {
            self.go(Step::LeaveToLabels);
        }
    }

    pub(crate) fn leave_to_labels(&mut self) {
        let (who, ports) = (self.who, self.my().ports);
        self.world.unlock(who, ports);
        if self.has(Fault::UnlockBeforeKeptLabels) {
            return self.go(Step::KeepLabel);
        }
        self.go(Step::Close);
    }

    pub(crate) fn attach_read(&mut self) {
        let Program::Attacher { env } = self.program else { return };
        match self.world.records[env] {
            None => self.finish(),
            Some(record) => self.judge(env, record, Step::AttachRead),
        }
    }

    /// Who was told that an environment lives relies on it, if its record and labels say so without anybody's lock.
    pub(crate) fn attached(&mut self, stale: bool) {
        let Program::Attacher { env } = self.program else { return };
        let finished = self.has(Fault::LabelsAsGoodAsMark);
        let whole = self.world.records[env].is_some_and(|record| {
            record.kept
                && (finished || !record.unfinished)
                && record.ports.iter().all(|port| self.world.slots[port] == Slot::Kept(env))
        });
        if !stale && whole && !self.world.expired[env] && self.world.phases[env] == Phase::None {
            self.world.phases[env] = Phase::Live;
        }
        self.finish();
    }
}
