//! Taking, holding, forking and giving back a lease: search/mod.rs and lease.rs of the core. Which run is tried next is
//! left open, so every order of the search is covered.

use crate::faults::Fault;
use crate::process::{Program, Step, Turn};
use crate::steps::standing::Standing;
use crate::world::{ENVS, PORTS, Phase, Port, Ports, Slot, Socket, TempDir};

impl Turn<'_> {
    fn count(&self) -> usize {
        match self.program {
            Program::Lessee { count } | Program::Parent { count, .. } | Program::Maker { count, .. } => count,
            _ => 0,
        }
    }

    /// The runs that may be tried; one that was chosen already, to probe it first, is the only one.
    pub(crate) fn windows(&self) -> usize {
        if self.my().ports.is_empty() { PORTS + 1 - self.count() } else { 1 }
    }

    pub(crate) fn lock_ports(&mut self, choice: usize) {
        if self.my().ports.is_empty() {
            self.me().ports = Ports::run(choice, self.count());
            if self.has(Fault::ProbeBeforeLock) {
                self.me().port = highest(self.my().ports);
                return self.probe();
            }
        }
        let run = self.my().ports;
        if !self.lock(run) {
            return self.refused();
        }
        let looks = self.rules.moves.is_some() && !self.has(Fault::NoLookAfterLock);
        if looks { self.go(Step::LookIfLinked) } else { self.locked() }
    }

    /// The locks are there, and count.
    pub(crate) fn locked(&mut self) {
        self.me().bound = self.world.bound(self.my().ports);
        self.go(Step::ReadLabels);
    }

    pub(crate) fn read_labels(&mut self) {
        let run = self.my().ports;
        for port in run.iter() {
            self.me().seen[port] = self.slot(port);
        }
        self.judge_label(highest(run));
    }

    pub(crate) fn unlock_refused(&mut self) {
        self.world.close(self.who);
        self.refused();
    }

    /// There is no lease to be had of what it tried.
    pub(crate) fn refused(&mut self) {
        if self.rules.moves.is_some() { self.go(Step::CheckPlace) } else { self.start_over() }
    }

    /// What the labels mean, from the highest port downwards.
    fn judge_label(&mut self, port: Port) {
        self.me().port = port;
        if self.has(Fault::IgnoreLabels) {
            return self.all_labels_void();
        }
        self.standing(Step::ReadLabels);
    }

    pub(crate) fn label_judged(&mut self, standing: Standing) {
        let below = self.my().ports.iter().rev().find(|port| *port < self.my().port);
        match (standing, below) {
            (Standing::Kept, _) => self.go(Step::UnlockRefused),
            (_, Some(port)) => self.judge_label(port),
            (_, None) => self.all_labels_void(),
        }
    }

    fn all_labels_void(&mut self) {
        self.me().seen = [Slot::Empty; PORTS];
        if self.has(Fault::ProbeBeforeLock) {
            return self.all_free();
        }
        self.me().port = highest(self.my().ports);
        self.go(Step::Probe);
    }

    pub(crate) fn probe(&mut self) {
        let (who, port) = (self.who, self.my().port);
        if self.world.bind(port, Socket::Probe(who)) {
            self.go(Step::CloseProbe);
        } else if self.my().description.is_some() {
            self.go(Step::UnlockRefused);
        } else {
            self.refused();
        }
    }

    pub(crate) fn close_probe(&mut self) {
        let port = self.my().port;
        self.world.unbind(port);
        match self.my().ports.iter().rev().find(|below| *below < port) {
            Some(below) => {
                self.me().port = below;
                self.go(Step::Probe);
            }
            None if self.my().description.is_none() => self.go(Step::Lock),
            None => self.all_free(),
        }
    }

    fn all_free(&mut self) {
        self.me().port = lowest(self.my().ports);
        self.go(Step::WriteLabel);
    }

    pub(crate) fn write_label(&mut self) {
        let (by, port, env) = (self.who, self.my().port, self.my().makes);
        self.put_slot(port, Slot::Held { by, env });
        if self.next_port() {
            return;
        }
        if self.rules.loses > 0 {
            self.give_away();
        }
        match self.program {
            Program::Maker { .. } => self.ports_taken(),
            _ => self.go(Step::Holding),
        }
    }

    /// An environment whose label was wiped by hand, so that its port was given to another, is its user's to remove.
    fn give_away(&mut self) {
        let ports = self.my().ports;
        for env in 0..ENVS {
            let given =
                self.world.records[env].either().is_some_and(|record| record.ports.iter().any(|port| ports.has(port)));
            if given && self.world.phases[env] == Phase::Live {
                self.world.end(env);
                self.world.phases[env] = Phase::Ending;
            }
        }
    }

    /// Goes on to the next of its ports, if there is one.
    pub(crate) fn next_port(&mut self) -> bool {
        let next = self.my().ports.from(self.my().port + 1).next();
        self.me().port = next.unwrap_or(0);
        next.is_some()
    }

    /// To give it back, or to bind a server's socket.
    pub(crate) fn ways_to_go_on(&self) -> usize {
        if self.rules.servers { 1 + PORTS } else { 1 }
    }

    pub(crate) fn holding(&mut self, choice: usize) {
        if let Some(port) = choice.checked_sub(1) {
            let who = self.who;
            if self.my().ports.has(port) && !self.world.bind(port, Socket::Server(who)) {
                self.world.disturbed |= matches!(self.world.sockets[port], Socket::Probe(_));
            }
            return;
        }
        self.me().port = lowest(self.my().ports);
        if let Some(env) = self.my().makes {
            self.world.end(env);
            return self.go(Step::RemoveTempDir);
        }
        self.begin_release();
    }

    pub(crate) fn begin_release(&mut self) {
        self.me().port = lowest(self.my().ports);
        if self.rules.closes && !self.has(Fault::ReleaseWithoutLookAtDescriptor) {
            return self.go(Step::LookIfStillIts);
        }
        let has_sockets = self.world.sockets.contains(&Socket::Server(self.who));
        self.go(if has_sockets { Step::CloseSockets } else { self.after_sockets() });
    }

    /// What is under the descriptor's number by now may be another's, and the ports as well.
    pub(crate) fn look_if_still_its(&mut self) {
        if self.my().has_lost {
            return self.go(Step::Close);
        }
        let next = self.after_sockets();
        self.go(next);
    }

    fn after_sockets(&self) -> Step {
        if self.my().passed_on && !self.has(Fault::UnlockThoughPassedOn) {
            Step::Close
        } else if self.has(Fault::UnlockBeforeClear) {
            Step::Unlock
        } else {
            Step::ClearLabel
        }
    }

    pub(crate) fn close_sockets(&mut self) {
        for port in 0..PORTS {
            if self.world.sockets[port] == Socket::Server(self.who) {
                self.world.unbind(port);
            }
        }
        let next = self.after_sockets();
        self.go(next);
    }

    pub(crate) fn clear_label(&mut self) {
        let port = self.my().port;
        self.put_slot(port, Slot::Empty);
        if self.next_port() {
            return;
        }
        let last = self.has(Fault::UnlockBeforeClear) || self.has(Fault::CloseInsteadOfUnlock);
        self.go(if last { Step::Close } else { Step::Unlock });
    }

    pub(crate) fn unlock(&mut self) {
        let (who, ports) = (self.who, self.my().ports);
        self.world.unlock(who, ports);
        if self.has(Fault::UnlockBeforeClear) {
            self.me().port = lowest(ports);
            return self.go(Step::ClearLabel);
        }
        self.go(Step::Close);
    }

    pub(crate) fn close(&mut self) {
        match self.program {
            Program::Lessee { .. } => self.start_over(),
            _ => self.finish(),
        }
    }

    /// The process is forked; a child that is to have a part in the lease is told so.
    pub(crate) fn fork(&mut self, child: usize, passes_on: bool) {
        let (parent, ports) = (self.who, self.my().ports);
        let copy = &mut self.world.processes[child];
        copy.at = Step::HasCopy;
        copy.description = Some(parent);
        copy.ports = ports;
        if passes_on {
            copy.entitled = ports;
            self.me().passed_on = true;
        }
    }

    /// A forked child lets go of its copy, or ends.
    pub(crate) fn child_drops(&mut self) {
        let ports = self.my().ports;
        if let (true, Some(parent)) = (self.has(Fault::ChildUnlocks), self.my().description) {
            self.world.unlock(parent, ports);
        }
        let parent = self.my().description.and_then(|parent| self.world.processes.get(parent));
        if let (true, Some(env)) = (self.has(Fault::ChildRemoves), parent.and_then(|parent| parent.makes)) {
            self.world.temp_dirs[env] = TempDir::Absent;
        }
        self.finish();
    }
}

pub(crate) fn lowest(ports: Ports) -> Port {
    ports.iter().next().unwrap_or(0)
}

fn highest(ports: Ports) -> Port {
    ports.iter().next_back().unwrap_or(0)
}
