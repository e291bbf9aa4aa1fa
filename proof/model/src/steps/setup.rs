//! Another place for the registry, and the end of a namespace's file: registry/setup.rs, retire.rs and sweep.rs of the core.

use crate::faults::Fault;
use crate::process::{Program, Step, Turn};
use crate::world::{PORTS, Place, Ports, Slot};

impl Turn<'_> {
    fn old(&self) -> Place {
        usize::from(self.program == Program::Setup { remove: true })
    }

    fn new_place(&self) -> Place {
        1 - self.old()
    }

    /// Somebody who is in the way is waited for, or is a reason to give up.
    pub(crate) fn ways_to_meet_others(&self) -> usize {
        let old = self.world.directories[self.old()];
        let new = self.world.directories[self.new_place()];
        let waits = match self.my().at {
            Step::SetupLockDirectory => old.exists && (old.shared != 0 || old.exclusive.is_some()),
            Step::SetupLock => (0..PORTS).any(|port| self.world.is_locked(self.my().file, Some(self.who), port)),
            _ => return usize::from(self.world.place != self.new_place() || new.exclusive.is_none()),
        };
        // To wait changes nothing.
        if waits { 2 } else { 1 }
    }

    fn unlinks_first(&self) -> bool {
        !self.has(Fault::SetupSwitchesFirst)
    }

    fn give_up(&mut self) {
        self.world.leave_directories(self.who);
        self.finish();
    }

    pub(crate) fn setup_lock_directory(&mut self, choice: usize) {
        let (who, old) = (self.who, self.old());
        let directory = self.world.directories[old];
        if choice == 1 {
            return self.give_up();
        }
        // There is nothing to do away with.
        if !directory.exists {
            return self.give_up();
        }
        if !self.has(Fault::SetupWithoutDirectoryLock) {
            if directory.shared != 0 || directory.exclusive.is_some() {
                return;
            }
            self.world.directories[old].exclusive = Some(who);
        }
        self.me().place = old;
        let Some(file) = directory.ports else { return self.go(Step::SetupSwitch) };
        (self.me().file, self.me().identity) = (file, file);
        self.go(Step::SetupLock);
    }

    pub(crate) fn setup_lock(&mut self, choice: usize) {
        let all = Ports::run(0, PORTS);
        if choice == 1 {
            return self.give_up();
        }
        if self.has(Fault::SetupWithoutLocks) || self.lock(all) {
            self.go(Step::SetupLookIfLinked);
        }
    }

    pub(crate) fn setup_look_if_linked(&mut self) {
        let file = self.my().file;
        let is_linked = self.world.directories.iter().any(|directory| directory.ports == Some(file));
        if is_linked { self.go(Step::SetupCheck) } else { self.give_up() }
    }

    /// Whether a kept environment claims a port.
    fn is_kept_by_some(&self) -> bool {
        let claims = |slot: Slot| match slot {
            Slot::Kept(env) => !self.world.expired[env] && self.world.records[env].finished.is_some(),
            _ => false,
        };
        self.world.files[self.my().file].slots.iter().any(|slot| claims(*slot))
    }

    /// Kept environments have no locks.
    pub(crate) fn setup_check(&mut self) {
        if self.is_kept_by_some() && !self.has(Fault::SetupWithoutLookAtLabels) {
            return self.give_up();
        }
        if self.has(Fault::SetupUnlocksBeforeSwitch) {
            let who = self.who;
            self.world.unlock(who, Ports::run(0, PORTS));
        }
        self.go(if self.unlinks_first() { Step::SetupUnlink } else { Step::SetupSwitch });
    }

    /// From here on everybody opens the other one.
    pub(crate) fn setup_switch(&mut self) {
        let (old, new) = (self.old(), self.new_place());
        if new == 1 {
            self.world.directories[1].exists = true;
        } else {
            self.world.directories[old].exists = false;
        }
        self.world.place = new;
        self.go(match (new == 1, self.unlinks_first()) {
            (true, _) => Step::SetupPublish,
            (false, true) => Step::SetupUnlock,
            (false, false) => Step::SetupUnlink,
        });
    }

    /// Opens the new one, and so makes its file.
    pub(crate) fn setup_publish(&mut self) {
        let new = self.new_place();
        // Somebody does away with it at the same time, and so it opens the old one, or waits.
        let opens_new = self.world.place == new;
        if opens_new && self.world.directories[new].exclusive.is_some() {
            return;
        }
        if opens_new && self.world.directories[new].ports.is_none() {
            let file = self.world.new_file();
            self.world.directories[new].ports = Some(file);
        }
        let unlinked = self.unlinks_first() || self.world.directories[self.old()].ports.is_none();
        self.go(if unlinked { Step::SetupUnlock } else { Step::SetupUnlink });
    }

    pub(crate) fn setup_unlink(&mut self) {
        let old = self.old();
        self.world.directories[old].ports = None;
        self.go(if self.unlinks_first() { Step::SetupSwitch } else { Step::SetupUnlock });
    }

    pub(crate) fn setup_unlock(&mut self) {
        self.give_up();
    }

    pub(crate) fn retire_has_records(&mut self) {
        let place = self.world.place;
        let has_records = self.world.records.iter().any(|record| record.place == place && record.either().is_some());
        let Some(file) = self.world.directories[place].ports.filter(|_| !has_records) else { return self.finish() };
        let me = self.me();
        (me.place, me.file, me.identity) = (place, file, file);
        self.go(Step::RetireLock);
    }

    pub(crate) fn retire_lock(&mut self) {
        let file = self.my().file;
        if !self.has(Fault::SweepWithoutLocks) && !self.lock(Ports::run(0, PORTS)) {
            return self.finish();
        }
        let is_linked = self.world.directories.iter().any(|directory| directory.ports == Some(file));
        if is_linked { self.go(Step::RetireCheck) } else { self.finish() }
    }

    pub(crate) fn retire_check(&mut self) {
        let kept = self.is_kept_by_some() && !self.has(Fault::SweepWithoutLookAtLabels);
        if kept { self.finish() } else { self.go(Step::RetireUnlink) }
    }

    /// Under the locks, which go when it ends.
    pub(crate) fn retire_unlink(&mut self) {
        let place = self.my().place;
        self.world.directories[place].ports = None;
        self.finish();
    }
}
