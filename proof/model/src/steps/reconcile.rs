//! Making labels and records agree again: registry/repair.rs of the core. Its second half is also what restores a file
//! that was truncated.

use crate::faults::Fault;
use crate::process::{Process, Step, Turn};
use crate::steps::lease::lowest;
use crate::steps::standing::Standing;
use crate::world::{ENVS, PORTS, Port, Ports, Slot};

impl Turn<'_> {
    pub(crate) fn reconcile_read(&mut self) {
        self.me().seen = self.world.files[self.my().file].slots;
        self.reconcile_from(0);
    }

    fn reconcile_from(&mut self, first: Port) {
        match (first..PORTS).find(|port| self.my().seen[*port] != Slot::Empty) {
            Some(port) => {
                self.me().port = port;
                let damaged = self.my().seen[port] == Slot::Damaged;
                let first = damaged && self.has(Fault::DemandBeforeLock);
                self.go(if first { Step::ReconcileDemand } else { Step::ReconcileLock });
            }
            None => self.relabel_from(0),
        }
    }

    /// The labels that the records demand; of two that demand the same the later one's.
    pub(crate) fn reconcile_demand(&mut self) {
        let (env, port) = (self.my().scan, self.my().port);
        let Some(record) = self.read_record(env) else { return };
        if self.demands(env, record, port) {
            self.me().found = Some(env);
        }
        if env + 1 < ENVS {
            self.me().scan = env + 1;
            return;
        }
        self.me().scan = 0;
        let found = self.my().found.is_some();
        self.go(match (self.has(Fault::DemandBeforeLock), found) {
            (true, _) => Step::ReconcileLock,
            (false, true) => Step::ReconcileRecord,
            (false, false) => Step::ReconcileWrite,
        });
    }

    pub(crate) fn reconcile_lock(&mut self) {
        let port = self.my().port;
        if self.has(Fault::ReconcileWithoutLock) || self.lock(Ports::NONE.with(port)) {
            self.go(Step::ReconcileReadOne);
        } else {
            self.me().found = None;
            self.reconcile_from(port + 1);
        }
    }

    pub(crate) fn reconcile_read_one(&mut self) {
        let port = self.my().port;
        let slot = self.slot(port);
        if self.my().seen[port] == Slot::Damaged {
            return self.go(match (slot, self.has(Fault::DemandBeforeLock), self.my().found) {
                (Slot::Damaged, false, _) => Step::ReconcileDemand,
                (Slot::Damaged, true, Some(_)) => Step::ReconcileRecord,
                (Slot::Damaged, true, None) => Step::ReconcileWrite,
                _ => Step::ReconcileUnlock,
            });
        }
        self.me().seen[port] = slot;
        self.standing(Step::ReconcileReadOne);
    }

    pub(crate) fn void_judged(&mut self, standing: Standing) {
        let slot = self.my().seen[self.my().port];
        let next = match (slot, standing) {
            (Slot::Kept(_), Standing::Stale) => Step::ReconcileRecord,
            (Slot::Held { env: None, .. }, Standing::Free) => Step::ReconcileWrite,
            (Slot::Held { .. }, Standing::Free) if self.has(Fault::ReconcileClearsUnfinished) => Step::ReconcileWrite,
            (Slot::Held { .. }, Standing::Free) => Step::ReconcileRecord,
            _ => Step::ReconcileUnlock,
        };
        self.go(next);
    }

    pub(crate) fn reconcile_record(&mut self) {
        let port = self.my().port;
        let slot = self.my().seen[port];
        let of = if slot == Slot::Damaged { None } else { slot.env() };
        let mut exists = false;
        if let Some(env) = of {
            let Some(record) = self.read_record(env) else { return };
            exists = record.is_some();
        }
        let next = match (slot, self.my().found) {
            (Slot::Damaged, Some(env)) => {
                if !self.claims(env) && !self.has(Fault::ReconcileWithoutRecordCheck) {
                    self.me().found = None;
                }
                Step::ReconcileWrite
            }
            _ if exists => Step::ReconcileUnlock,
            _ => Step::ReconcileWrite,
        };
        self.go(next);
    }

    pub(crate) fn reconcile_write(&mut self) {
        let port = self.my().port;
        self.put_slot(port, self.my().found.map_or(Slot::Empty, Slot::Kept));
        self.go(Step::ReconcileUnlock);
    }

    pub(crate) fn reconcile_unlock(&mut self) {
        let (who, port) = (self.who, self.my().port);
        self.world.unlock(who, Ports::NONE.with(port));
        self.me().found = None;
        self.reconcile_from(port + 1);
    }

    fn relabel_from(&mut self, env: usize) {
        if env < ENVS {
            let next = Process { env, description: self.my().description, ..Process::new(Step::RelabelRead) };
            *self.me() = self.with_registry(next);
        } else {
            self.finish();
        }
    }

    pub(crate) fn relabel_read(&mut self) {
        let env = self.my().env;
        let Some(found) = self.read_record(env) else { return };
        match found.filter(|record| record.ports.iter().any(|port| self.demands(env, found, port))) {
            Some(record) => {
                self.me().record = Some(record);
                self.me().ports = record.ports;
                self.me().port = lowest(record.ports);
                self.go(Step::RelabelLook);
            }
            None => self.relabel_from(env + 1),
        }
    }

    pub(crate) fn relabel_look(&mut self) {
        if self.slot(self.my().port) == Slot::Kept(self.my().env) {
            return self.relabel_next();
        }
        self.go(Step::RelabelLock);
    }

    fn relabel_next(&mut self) {
        let env = self.my().env;
        self.me().seen = [Slot::Empty; PORTS];
        if self.next_port() { self.go(Step::RelabelLook) } else { self.relabel_from(env + 1) }
    }

    pub(crate) fn relabel_lock(&mut self) {
        let port = self.my().port;
        if self.has(Fault::ReconcileWithoutLock) || self.lock(Ports::NONE.with(port)) {
            self.go(Step::RelabelReadOne);
        } else {
            self.relabel_next();
        }
    }

    pub(crate) fn relabel_read_one(&mut self) {
        let port = self.my().port;
        let slot = self.slot(port);
        self.me().seen[port] = slot;
        if slot == Slot::Kept(self.my().env) {
            self.go(Step::RelabelUnlock);
        } else if slot.is_label() {
            self.standing(Step::RelabelReadOne);
        } else {
            self.go(Step::RelabelClaim);
        }
    }

    pub(crate) fn relabel_judged(&mut self, standing: Standing) {
        self.go(if standing == Standing::Kept { Step::RelabelUnlock } else { Step::RelabelClaim });
    }

    pub(crate) fn relabel_claim(&mut self) {
        let claims = self.claims(self.my().env) || self.has(Fault::ReconcileWithoutRecordCheck);
        self.go(if claims { Step::RelabelWrite } else { Step::RelabelUnlock });
    }

    pub(crate) fn relabel_write(&mut self) {
        let (env, port) = (self.my().env, self.my().port);
        self.put_slot(port, Slot::Kept(env));
        self.go(Step::RelabelUnlock);
    }

    pub(crate) fn relabel_unlock(&mut self) {
        let (who, port) = (self.who, self.my().port);
        self.world.unlock(who, Ports::NONE.with(port));
        self.relabel_next();
    }
}
