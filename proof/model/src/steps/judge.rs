//! Whether an environment lives: environment/status.rs of the core. Nothing is locked for it.

use crate::faults::Fault;
use crate::process::{Step, Turn};
use crate::steps::standing::Standing;
use crate::world::{Env, PORTS, Port, Ports, Record, Slot, Who};

impl Turn<'_> {
    /// Judges `env` by its record as it was read, and goes on where `then` says.
    pub(crate) fn judge(&mut self, env: Env, record: Record, then: Step) {
        let me = self.me();
        (me.judged, me.verdict_on, me.after_verdict, me.taken) = (env, Some(record), then, Ports::NONE);
        self.judge_record();
    }

    fn judge_record(&mut self) {
        let Some(record) = self.my().verdict_on else { return self.verdict(true) };
        if !record.kept || record.unfinished {
            self.go(Step::JudgeReadLabels);
        } else if self.world.expired[self.my().judged] {
            self.verdict(true);
        } else {
            self.go(Step::JudgeReadClaims);
        }
    }

    fn claims_seen(&mut self) -> Ports {
        let ports = self.my().verdict_on.map_or(Ports::NONE, |record| record.ports);
        for port in ports.iter() {
            self.me().seen[port] = self.slot(port);
        }
        ports
    }

    /// Through which description it looks: a cleanup's own locks are no sign of life, but who writes an env file looks
    /// through another one than that of its lease.
    fn looks_through(&self) -> Option<Who> {
        if self.my().after_verdict == Step::ReadItsRecord { None } else { self.my().description }
    }

    pub(crate) fn judge_read_labels(&mut self) {
        let ports = self.claims_seen();
        self.judge_locks_from(ports, 0);
    }

    fn judge_locks_from(&mut self, ports: Ports, first: Port) {
        let env = self.my().judged;
        let any = self.has(Fault::AnyLockIsItsOwn);
        let next = ports.from(first).find(|port| any || self.my().seen[*port].may_be_of(env));
        if let Some(port) = next {
            self.me().port = port;
            return self.go(Step::JudgeLook);
        }
        // Nobody has a lock on what may be its ports.
        let is_kept = self.my().verdict_on.is_some_and(|record| record.kept);
        let all_labels = ports.iter().all(|port| self.my().seen[port] == Slot::Kept(env));
        if is_kept && all_labels && self.has(Fault::MakingClaims) {
            return self.go(Step::JudgeReadClaims);
        }
        self.verdict(true);
    }

    pub(crate) fn judge_look(&mut self) {
        let port = self.my().port;
        let ports = self.my().verdict_on.map_or(Ports::NONE, |record| record.ports);
        if self.world.is_locked(self.my().file, self.looks_through(), port) {
            self.verdict(false);
        } else {
            self.judge_locks_from(ports, port + 1);
        }
    }

    pub(crate) fn judge_read_claims(&mut self) {
        let ports = self.claims_seen();
        self.judge_others_from(ports, 0);
    }

    fn judge_others_from(&mut self, ports: Ports, first: Port) {
        let env = self.my().judged;
        let is_others = |slot: Slot| slot.is_label() && slot.env() != Some(env);
        match ports.from(first).find(|port| is_others(self.my().seen[*port])) {
            Some(port) => {
                self.me().port = port;
                self.go(Step::JudgeOthersLock);
            }
            None => {
                let taken = !self.my().taken.is_empty();
                self.verdict(taken);
            }
        }
    }

    pub(crate) fn judge_others_lock(&mut self) {
        let port = self.my().port;
        if self.world.is_locked(self.my().file, self.looks_through(), port) {
            return self.other_judged(Standing::Kept);
        }
        self.standing(Step::JudgeOthersLock);
    }

    pub(crate) fn other_judged(&mut self, standing: Standing) {
        let port = self.my().port;
        if standing == Standing::Kept {
            self.me().taken = self.my().taken.with(port);
        }
        let ports = self.my().verdict_on.map_or(Ports::NONE, |record| record.ports);
        self.judge_others_from(ports, port + 1);
    }

    fn verdict(&mut self, stale: bool) {
        let unchecked = self.has(Fault::VerdictOnOldRecord) || self.has(Fault::CleanupTrustsFirstLook);
        if stale && !unchecked { self.go(Step::JudgeAgain) } else { self.judged(stale) }
    }

    /// That it is over counts only if its record is still the same.
    pub(crate) fn judge_again(&mut self) {
        let Some(now) = self.read_record(self.my().judged) else { return };
        let read = self.my().verdict_on.map(|record| (record.kept, record.unfinished));
        if now.is_some_and(|now| Some((now.kept, now.unfinished)) != read) {
            self.me().verdict_on = now;
            self.me().taken = Ports::NONE;
            return self.judge_record();
        }
        self.judged(true);
    }

    fn judged(&mut self, stale: bool) {
        let then = self.my().after_verdict;
        let me = self.me();
        (me.judged, me.verdict_on, me.after_verdict, me.taken) = (0, None, Step::Done, Ports::NONE);
        (me.seen, me.port) = ([Slot::Empty; PORTS], 0);
        match then {
            Step::ReadItsRecord => self.owner_judged(stale),
            Step::AttachRead => self.attached(stale),
            Step::CleanRead => self.selected(stale),
            _ => self.selected_under_lock(stale),
        }
    }
}
