//! The state machine: whose turn it may be, who may be killed, and what the world may do by itself. Knows neither what the
//! steps do nor what is promised.

use std::sync::Arc;

use stateright::{Model, Property};

use crate::coverage::Coverage;
use crate::faults::Fault;
use crate::process::{Process, Program, Step, Turn};
use crate::properties;
use crate::world::{Directory, ENVS, Env, PORTS, Phase, Place, Port, Slot, Socket, Who, World};

/// What happens between two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A process makes its next system call.
    Step {
        who: Who,
        choice: usize,
    },
    /// A process is killed.
    Kill(Who),
    /// A process is forked, into the one of this number.
    Fork {
        parent: Who,
        child: Who,
    },
    /// An environment's TTL ends, or its owner does.
    Expire(Env),
    /// Somebody spoils a label by hand.
    Damage(Port),
    /// Somebody wipes a label by hand, as truncating the file does.
    Lose(Port),
    /// A program closes the descriptors that it does not know, as daemons do: that of its lease, too.
    CloseDescriptors(Who),
    /// A program that knows nothing of portalloc binds a port, or lets go of it.
    StrangerBinds(Port),
    StrangerLeaves(Port),
}

/// One configuration to explore.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) name: &'static str,
    pub(crate) programs: Vec<Program>,
    /// Any process may be killed between any two of its system calls.
    pub(crate) kills: bool,
    pub(crate) expires: bool,
    /// How often a label may be damaged, and wiped.
    pub(crate) damages: u8,
    pub(crate) loses: u8,
    /// Only while an environment is being made.
    pub(crate) loses_early: bool,
    pub(crate) strangers: bool,
    pub(crate) servers: bool,
    /// Whether env files are made.
    pub(crate) env_files: bool,
    pub(crate) strangers_file: bool,
    /// Whether programs close descriptors behind portalloc's back.
    pub(crate) closes: bool,
    /// Where the registry is at first, if its place may change, and whether it has its file there.
    pub(crate) moves: Option<(Place, bool)>,
    pub(crate) fault: Option<Fault>,
    pub(crate) coverage: Arc<Coverage>,
}

impl Protocol {
    /// With kills, and nothing else that could go wrong.
    pub(crate) fn new(name: &'static str, programs: &[Program]) -> Self {
        Self {
            name,
            programs: programs.to_vec(),
            kills: true,
            expires: false,
            damages: 0,
            loses: 0,
            loses_early: false,
            strangers: false,
            servers: false,
            env_files: false,
            strangers_file: false,
            closes: false,
            moves: None,
            fault: None,
            coverage: Arc::default(),
        }
    }

    pub(crate) fn turn<'a>(&'a self, world: &'a mut World, who: Who, program: Program) -> Turn<'a> {
        Turn { rules: self, world, who, program }
    }

    /// A process that has not begun yet.
    pub(crate) fn fresh(&self, program: Program) -> Process {
        let fresh = Process::of(program);
        let opens = self.moves.is_some() && fresh.at == Step::Lock;
        if opens { Process { at: Step::ChoosePlace, ..fresh } } else { fresh }
    }

    /// Whether a process has nothing but, perhaps, an open registry.
    pub(crate) fn is_idle(&self, process: Process, program: Program) -> bool {
        let fresh = self.fresh(program);
        let Process { is_open, place, identity, file, .. } = process;
        let open = Process { at: Step::OpenFile, is_open, place, identity, file, ..fresh };
        process == fresh || is_open && process == open
    }

    fn program(&self, who: Who) -> Program {
        self.programs[who]
    }

    fn fork(&self, world: &World, child: Who) -> Option<Action> {
        let Program::Child { of } = self.program(child) else { return None };
        let (parent, unborn) = (world.processes[of], world.processes[child].at == Step::Unborn);
        let passes_on = matches!(self.program(of), Program::Parent { passes_on: true, .. });
        // Another thread may fork at any time; a lease is passed on by who has it.
        let may_fork = parent.description == Some(of) && (!passes_on || parent.at == Step::Holding);
        (unborn && may_fork).then_some(Action::Fork { parent: of, child })
    }

    fn apply(&self, world: &mut World, action: Action) {
        match action {
            Action::Step { who, choice } => {
                self.coverage.note(world.processes[who].at);
                self.turn(world, who, self.program(who)).step(choice);
            }
            Action::Kill(who) => world.kill(who),
            Action::Fork { parent, child } => {
                let program = self.program(parent);
                let passes_on = matches!(program, Program::Parent { passes_on: true, .. });
                self.turn(world, parent, program).fork(child, passes_on);
            }
            Action::Expire(env) => {
                world.expired[env] = true;
                if matches!(world.phases[env], Phase::Making | Phase::Live) {
                    world.end(env);
                }
            }
            Action::Damage(port) => {
                world.tampering -= 1;
                world.files[0].slots[port] = Slot::Damaged;
            }
            Action::Lose(port) => {
                world.tampering -= 1;
                world.files[0].slots[port] = Slot::Empty;
            }
            Action::CloseDescriptors(who) => {
                world.close(who);
                world.processes[who].has_lost = true;
            }
            Action::StrangerBinds(port) => {
                world.bind(port, Socket::Stranger);
            }
            Action::StrangerLeaves(port) => world.unbind(port),
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let processes = self.programs.iter().map(|program| self.fresh(*program)).collect();
        let mut world = World::new(processes, self.damages + self.loses, self.strangers_file);
        if let Some((place, has_file)) = self.moves {
            let directory = |at| Directory {
                exists: at == 0 || at == place,
                ports: (at == place && has_file).then_some(0),
                ..Directory::default()
            };
            world.directories = [directory(0), directory(1)];
            world.place = place;
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let mut scratch = world.clone();
        for who in 0..self.programs.len() {
            let process = world.processes[who];
            let choices = self.turn(&mut scratch, who, self.program(who)).choices();
            actions.extend((0..choices).map(|choice| Action::Step { who, choice }));
            let lives = !matches!(process.at, Step::Dead | Step::Done | Step::Unborn);
            // Whoever has nothing leaves nothing.
            if self.kills && lives && !self.is_idle(process, self.program(who)) {
                actions.push(Action::Kill(who));
            }
            if self.closes && process.at == Step::Holding && !process.has_lost {
                actions.push(Action::CloseDescriptors(who));
            }
            actions.extend(self.fork(world, who));
        }
        for env in (0..ENVS).filter(|env| self.expires && !world.expired[*env]) {
            if world.records[env].either().is_some_and(|record| record.kept) {
                actions.push(Action::Expire(env));
            }
        }
        for port in 0..PORTS {
            let tampering = world.tampering > 0 && world.files[0].slots[port].is_label();
            actions.extend((tampering && self.damages > 0).then_some(Action::Damage(port)));
            let early = !world.phases.contains(&Phase::Live) && world.files[0].locks[port].is_some();
            let may_lose = self.loses > 0 && (early || !self.loses_early);
            actions.extend((tampering && may_lose).then_some(Action::Lose(port)));
            if self.strangers {
                match world.sockets[port] {
                    Socket::None => actions.push(Action::StrangerBinds(port)),
                    Socket::Stranger => actions.push(Action::StrangerLeaves(port)),
                    _ => {}
                }
            }
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.apply(&mut next, action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::ALL.iter().map(|(name, holds)| Property::always(name, *holds)).collect()
    }
}
