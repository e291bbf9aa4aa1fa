//! Making an environment, and attaching to one: environment/create.rs and attach.rs of the core.

use crate::faults::Fault;
use crate::process::{Program, Step, Turn};
use crate::steps::lease::lowest;
use crate::world::{ENVS, Phase, Record, Slot, TempDir};

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
            Step::LookForTempDir
        };
        self.go(first);
    }

    pub(crate) fn look_for_temp_dir(&mut self) {
        let free = self.world.temp_dirs[self.mine()] == TempDir::Absent;
        if free { self.go(Step::MakeRecord) } else { self.next_id() }
    }

    /// Under the name of one that is being made, which nobody else may have. The path that the record names for the env
    /// file is a guess, which may be wrong by the time the file is there.
    pub(crate) fn make_record(&mut self, choice: usize) {
        let (env, ports) = (self.mine(), self.my().ports);
        if self.world.records[env].making.is_some() && !self.has(Fault::RecordsReplaceEachOther) {
            return self.next_id();
        }
        // Another maker's file is another one.
        let file = 4 * u8::try_from(self.who).unwrap_or(0);
        let record = Record { kept: self.is_kept(), unfinished: true, ports, common_file: choice == 1, file };
        self.world.records[env].place = self.my().place;
        self.me().record = Some(record);
        if self.has(Fault::FinishedAtOnce) {
            self.world.records[env].finished = Some(Record { unfinished: false, ..record });
            return self.id_claimed();
        }
        self.world.records[env].making = Some(record);
        if self.has(Fault::IdWithoutLookForFinished) { self.id_claimed() } else { self.go(Step::LookForFinished) }
    }

    /// Of two that find neither name one gets the first; so the other name is looked at only now.
    pub(crate) fn look_for_finished(&mut self) {
        let taken = self.world.records[self.mine()].finished.is_some();
        if taken { self.go(Step::TakeBack) } else { self.id_claimed() }
    }

    pub(crate) fn take_back(&mut self) {
        let env = self.mine();
        self.world.records[env].making = None;
        self.next_id();
    }

    /// The ID is taken: there are others, and the labels name it.
    pub(crate) fn next_id(&mut self) {
        let next = (self.mine() + 1) % ENVS;
        let ports = self.my().ports;
        let me = self.me();
        (me.makes, me.record, me.has_id, me.takes_back) = (Some(next), None, false, false);
        me.port = lowest(ports);
        self.go(Step::LabelAnew);
    }

    pub(crate) fn label_anew(&mut self) {
        let (by, port, env) = (self.who, self.my().port, self.my().makes);
        self.put_slot(port, Slot::Held { by, env });
        if !self.next_port() {
            self.ports_taken();
        }
    }

    fn id_claimed(&mut self) {
        let env = self.mine();
        self.me().has_id = true;
        self.world.make(env, |made| made.record = true);
        if self.has(Fault::TempDirBeforeRecord) { self.temp_dir_made() } else { self.go(Step::MakeTempDir) }
    }

    pub(crate) fn make_temp_dir(&mut self) {
        let env = self.mine();
        // Somebody's: then the record that names it goes.
        if self.world.temp_dirs[env] != TempDir::Absent && !self.has(Fault::TempDirBeforeRecord) {
            self.me().takes_back = true;
            return self.go(Step::RemoveRecord);
        }
        self.world.temp_dirs[env] = TempDir::Unmarked;
        self.world.make(env, |made| made.temp_dir = true);
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
        self.me().port = lowest(self.my().ports);
        let next = if !self.is_kept() || self.has(Fault::FinishBeforeLabels) {
            Step::Finish
        } else if self.has(Fault::UnlockBeforeKeptLabels) {
            Step::LeaveToLabels
        } else if self.has(Fault::KeptLabelsBeforeRecord) {
            return self.labels_kept();
        } else {
            Step::KeepLabel
        };
        self.go(next);
    }

    pub(crate) fn record_env_file(&mut self) {
        if let Some(record) = self.my().record {
            let env = self.mine();
            let record = Record { common_file: !record.common_file, file: record.file + 1, ..record };
            self.me().record = Some(record);
            if self.has(Fault::FinishedAtOnce) {
                self.world.records[env].finished = Some(Record { unfinished: false, ..record });
            } else {
                self.world.records[env].making = Some(record);
            }
        }
        self.env_file_made();
    }

    pub(crate) fn keep_label(&mut self) {
        let (env, port) = (self.mine(), self.my().port);
        self.put_slot(port, Slot::Kept(env));
        if self.next_port() {
            return;
        }
        self.me().port = lowest(self.my().ports);
        if self.has(Fault::KeptLabelsBeforeRecord) {
            return self.go(Step::LookForTempDir);
        }
        self.labels_kept();
    }

    fn labels_kept(&mut self) {
        if self.has(Fault::FinishBeforeLabels) {
            return self.go(Step::LeaveToLabels);
        }
        if self.has(Fault::FinishedAtOnce) {
            self.counts();
            return self.go(Step::ReadBack);
        }
        self.go(Step::Finish);
    }

    /// Whatever stands under the one name gets the other, unless there is something. If there is nothing to rename, somebody
    /// has removed it, and making the environment fails.
    pub(crate) fn finish_record(&mut self) {
        let env = self.mine();
        let record = self.world.records[env];
        if self.has(Fault::FinishedAtOnce) {
            self.counts();
            return self.go(Step::Holding);
        }
        let (Some(making), None) = (record.making, record.finished) else {
            self.world.end(env);
            return self.go(Step::RemoveTempDir);
        };
        let finished = Some(Record { unfinished: false, ..making });
        (self.world.records[env].making, self.world.records[env].finished) = (None, finished);
        self.me().record = finished;
        self.counts();
        let next = if !self.is_kept() {
            Step::Holding
        } else if self.has(Fault::FinishBeforeLabels) {
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

    /// From here on it lives; a kept one without its maker, as long as its TTL is not over.
    fn counts(&mut self) {
        let env = self.mine();
        if self.is_kept() && self.world.expired[env] {
            self.world.end(env);
        } else {
            self.world.phases[env] = Phase::Live;
        }
    }

    pub(crate) fn read_back(&mut self) {
        let env = self.mine();
        let whole = self.my().ports.iter().all(|port| self.slot(port) == Slot::Kept(env));
        self.me().port = lowest(self.my().ports);
        self.go(if whole { Step::LeaveToLabels } else { Step::WriteBack });
    }

    pub(crate) fn write_back(&mut self) {
        let (env, port) = (self.mine(), self.my().port);
        self.put_slot(port, Slot::Kept(env));
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
        let Some(found) = self.read_record(env) else { return };
        match found {
            None => self.finish(),
            Some(record) => self.judge(env, record, Step::AttachRead),
        }
    }

    /// Who was told that an environment lives relies on it, if its record and labels say so without anybody's lock.
    pub(crate) fn attached(&mut self, stale: bool) {
        let Program::Attacher { env } = self.program else { return };
        let by_either_name = self.has(Fault::MakingClaims);
        let names = self.world.records[env];
        let record = if by_either_name { names.either() } else { names.finished };
        let whole = record.is_some_and(|it| it.kept && it.ports.iter().all(|port| self.slot(port) == Slot::Kept(env)));
        if !stale && whole && !self.world.expired[env] && self.world.phases[env] == Phase::None {
            self.world.phases[env] = Phase::Live;
        }
        self.finish();
    }
}
