//! What a label means for somebody who has the port's lock: registry/standing.rs of the core.

use crate::faults::Fault;
use crate::process::{Step, Turn};
use crate::world::{ENVS, Env, Port, Record, Slot};

/// What a label means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Empty, or of a holder that is gone.
    Free,
    /// A kept environment's, and it lives.
    Kept,
    /// A kept environment's that is over.
    Stale,
}

impl Turn<'_> {
    /// Judges the label that was seen on the port where the process is, and goes on where `then` says.
    pub(crate) fn standing(&mut self, then: Step) {
        self.me().after_standing = then;
        match self.my().seen[self.my().port] {
            Slot::Empty => self.stands(Standing::Free),
            Slot::Held { .. } if self.has(Fault::HeldLabelsClaim) => self.stands(Standing::Kept),
            Slot::Held { .. } => self.stands(Standing::Free),
            Slot::Kept(_) => self.go(Step::LookForClaim),
            Slot::Damaged if self.has(Fault::DamagedIsFree) => self.stands(Standing::Free),
            Slot::Damaged => {
                self.me().scan = 0;
                self.go(Step::ScanRecords);
            }
        }
    }

    fn stands(&mut self, standing: Standing) {
        let then = std::mem::replace(&mut self.me().after_standing, Step::Done);
        match then {
            Step::ReadLabels => self.label_judged(standing),
            Step::JudgeOthersLock => self.other_judged(standing),
            Step::ReconcileReadOne => self.void_judged(standing),
            _ => self.relabel_judged(standing),
        }
    }

    /// A damaged label is judged by the records, one after the other.
    pub(crate) fn scan_records(&mut self) {
        let (env, port) = (self.my().scan, self.my().port);
        let Some(record) = self.read_record(env) else { return };
        if self.demands(env, record, port) {
            return self.go(Step::RestoreLabel);
        }
        if env + 1 < ENVS {
            self.me().scan = env + 1;
        } else {
            self.me().scan = 0;
            self.stands(Standing::Free);
        }
    }

    pub(crate) fn restore_label(&mut self) {
        let (env, port) = (self.my().scan, self.my().port);
        self.put_slot(port, Slot::Kept(env));
        self.me().seen[port] = Slot::Kept(env);
        self.me().scan = 0;
        self.go(Step::LookForClaim);
    }

    pub(crate) fn look_for_claim(&mut self) {
        let Slot::Kept(env) = self.my().seen[self.my().port] else { return self.stands(Standing::Free) };
        let alive = self.claims(env) && !self.world.expired[env];
        self.stands(if alive { Standing::Kept } else { Standing::Stale });
    }

    /// Whether a record, as it was read, demands a label on a port: not once its environment is over.
    pub(crate) fn demands(&self, env: Env, record: Option<Record>, port: Port) -> bool {
        let over = self.world.expired[env] && !self.has(Fault::RestoreForStale);
        !over && record.is_some_and(|it| it.kept && !it.unfinished && it.ports.has(port))
    }
}
