//! The kernel and the file system as the protocol sees them: locks, labels, sockets, records, temp dirs, env files. Each
//! method is what one system call does. Knows no process's intentions.

use crate::process::{Process, Step};

/// Ports of the pool: two are enough for a run, for its halves, and for two leases side by side.
pub(crate) const PORTS: usize = 2;
/// Environments in one exploration. Their IDs ascend with their numbers.
pub(crate) const ENVS: usize = 2;

/// A process; also the open file description of the registry that it opened, of which it has one at a time.
pub(crate) type Who = usize;
pub(crate) type Port = usize;
pub(crate) type Env = usize;

/// A set of ports, one bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ports(pub(crate) u8);

impl Ports {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn run(first: Port, count: usize) -> Self {
        (first..first + count).fold(Self::NONE, Self::with)
    }

    pub(crate) fn with(self, port: Port) -> Self {
        Self(self.0 | 1 << port)
    }

    pub(crate) fn without(self, port: Port) -> Self {
        Self(self.0 & !(1 << port))
    }

    pub(crate) fn has(self, port: Port) -> bool {
        self.0 & 1 << port != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = Port> {
        (0..PORTS).filter(move |port| self.has(*port))
    }

    pub(crate) fn from(self, first: Port) -> impl DoubleEndedIterator<Item = Port> {
        self.iter().filter(move |port| *port >= first)
    }
}

/// What a port's slot in the registry says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    #[default]
    Empty,
    Held {
        by: Who,
        env: Option<Env>,
    },
    Kept(Env),
    Damaged,
}

impl Slot {
    /// The environment that the label names.
    pub(crate) fn env(self) -> Option<Env> {
        match self {
            Self::Held { env, .. } => env,
            Self::Kept(env) => Some(env),
            Self::Empty | Self::Damaged => None,
        }
    }

    pub(crate) fn is_label(self) -> bool {
        matches!(self, Self::Held { .. } | Self::Kept(_))
    }

    /// It is not somebody else's.
    pub(crate) fn may_be_of(self, env: Env) -> bool {
        !self.is_label() || self.env() == Some(env)
    }
}

/// Who has a socket on a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Socket {
    #[default]
    None,
    /// Of a holder of the port.
    Server(Who),
    /// Of somebody who probes it.
    Probe(Who),
    /// Of a program that knows nothing of portalloc.
    Stranger,
}

/// The record of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    pub(crate) kept: bool,
    /// By the name under which it was found: that of one that is being made.
    pub(crate) unfinished: bool,
    pub(crate) ports: Ports,
    /// Whether it says that the env file is at the common path, else at the environment's own.
    pub(crate) common_file: bool,
    /// Which file it is: replacing makes another one.
    pub(crate) file: u8,
}

/// What stands under the names that the record of an ID can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Names {
    pub(crate) making: Option<Record>,
    pub(crate) finished: Option<Record>,
    /// The place in which they are.
    pub(crate) place: Place,
}

impl Names {
    /// The one that counts.
    pub(crate) fn either(self) -> Option<Record> {
        self.finished.or(self.making)
    }

    /// The one under the name that `record` had when it was read.
    pub(crate) fn of(self, record: Record) -> Option<Record> {
        if record.unfinished { self.making } else { self.finished }
    }
}

/// Where the registry may be: 0 is the usual place, 1 that of a machine that was set up for all.
pub(crate) type Place = usize;
pub(crate) const PLACES: usize = 2;

/// One `ports` file, whether it still has a name or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct File {
    /// The description that has locked each port.
    pub(crate) locks: [Option<Who>; PORTS],
    pub(crate) slots: [Slot; PORTS],
}

/// As many as there can be at once: one under each name, and those without one that somebody has open.
pub(crate) const FILES: usize = 4;

/// The directory of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Directory {
    /// Whether there is one. A directory that was moved away is still that of those who have it open.
    pub(crate) exists: bool,
    /// Its `ports` file.
    pub(crate) ports: Option<usize>,
    /// Who has the directory's lock for themselves, and who shares it.
    pub(crate) exclusive: Option<Who>,
    pub(crate) shared: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum TempDir {
    #[default]
    Absent,
    /// Made, but without the attribute that says of which registry it is.
    Unmarked,
    Marked,
}

/// Where an environment's env file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum EnvFile {
    #[default]
    Absent,
    /// At the environment's own path, and without its text yet.
    Begun,
    /// At the environment's own path.
    Own,
    /// At the path that all want.
    Common,
    /// At the own path of another environment, whose maker has just exchanged it for its own.
    Exchanged(Env),
}

/// What an environment is, by what its user was told. The protocol cannot see it: the properties are stated in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Not made, or over.
    #[default]
    None,
    /// Its maker is at it.
    Making,
    /// It has its ports.
    Live,
    /// Somebody asked for its removal, which has begun.
    Ending,
}

/// Everything that is not in some process's head.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) files: [File; FILES],
    pub(crate) directories: [Directory; PLACES],
    /// The place that everybody opens who opens the registry now.
    pub(crate) place: Place,
    pub(crate) sockets: [Socket; PORTS],
    pub(crate) records: [Names; ENVS],
    pub(crate) temp_dirs: [TempDir; ENVS],
    pub(crate) env_files: [EnvFile; ENVS],
    /// Who has locked each env file.
    pub(crate) file_locks: [Option<Who>; ENVS],
    /// Whether a file of somebody else stands at the common path.
    pub(crate) strangers_file: bool,
    pub(crate) expired: [bool; ENVS],
    /// How many labels may still be damaged or lost.
    pub(crate) tampering: u8,
    pub(crate) processes: Vec<Process>,
    pub(crate) phases: [Phase; ENVS],
    /// What each living environment has been given so far.
    pub(crate) made: [Made; ENVS],
    /// A holder's own bind failed because of somebody's probe.
    pub(crate) disturbed: bool,
}

/// What has been made of an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Made {
    pub(crate) record: bool,
    pub(crate) temp_dir: bool,
    pub(crate) env_file: bool,
}

impl World {
    pub(crate) fn new(processes: Vec<Process>, tampering: u8, strangers_file: bool) -> Self {
        let usual = Directory { exists: true, ports: Some(0), ..Directory::default() };
        Self {
            files: [File::default(); FILES],
            directories: [usual, Directory::default()],
            place: 0,
            sockets: [Socket::None; PORTS],
            records: [Names::default(); ENVS],
            temp_dirs: [TempDir::Absent; ENVS],
            env_files: [EnvFile::Absent; ENVS],
            file_locks: [None; ENVS],
            strangers_file,
            expired: [false; ENVS],
            tampering,
            processes,
            phases: [Phase::None; ENVS],
            made: [Made::default(); ENVS],
            disturbed: false,
        }
    }

    /// The file that everybody opens who opens the registry now.
    pub(crate) fn here(&self) -> File {
        self.directories[self.place].ports.map_or(File::default(), |file| self.files[file])
    }

    /// The file with the labels of an environment.
    pub(crate) fn file_of(&self, env: Env) -> File {
        self.directories[self.records[env].place].ports.map_or(File::default(), |file| self.files[file])
    }

    /// A file that nobody has, and that has no name.
    pub(crate) fn new_file(&mut self) -> usize {
        let is_known = |file: usize| {
            let has = |process: &Process| process.file == file || process.identity == file;
            self.directories.iter().any(|directory| directory.ports == Some(file)) || self.processes.iter().any(has)
        };
        let new = (0..FILES).find(|file| !is_known(*file)).unwrap_or(FILES);
        self.files[new] = File::default();
        new
    }

    /// Locks all of `ports` of a file for a description, or nothing.
    pub(crate) fn try_lock(&mut self, file: usize, description: Who, ports: Ports) -> bool {
        if ports.iter().any(|port| self.is_locked(file, Some(description), port)) {
            return false;
        }
        ports.iter().for_each(|port| self.files[file].locks[port] = Some(description));
        true
    }

    pub(crate) fn unlock(&mut self, description: Who, ports: Ports) {
        for file in &mut self.files {
            for port in ports.iter() {
                file.locks[port] = file.locks[port].filter(|by| *by != description);
            }
        }
    }

    /// Whether another description than `seen_from` has the lock.
    pub(crate) fn is_locked(&self, file: usize, seen_from: Option<Who>, port: Port) -> bool {
        self.files[file].locks[port].is_some_and(|by| Some(by) != seen_from)
    }

    /// Lets go of the locks of directories that a process has.
    pub(crate) fn leave_directories(&mut self, who: Who) {
        for directory in &mut self.directories {
            directory.shared &= !(1 << who);
            directory.exclusive = directory.exclusive.filter(|by| *by != who);
        }
    }

    /// Closes a process's copy of its description; the locks go with the last copy.
    pub(crate) fn close(&mut self, who: Who) {
        let Some(description) = self.processes[who].description.take() else { return };
        if self.processes.iter().all(|process| process.description != Some(description)) {
            self.unlock(description, Ports::run(0, PORTS));
        }
    }

    pub(crate) fn bind(&mut self, port: Port, socket: Socket) -> bool {
        let free = self.sockets[port] == Socket::None;
        if free {
            self.sockets[port] = socket;
        }
        free
    }

    pub(crate) fn unbind(&mut self, port: Port) {
        self.sockets[port] = Socket::None;
        self.processes.iter_mut().for_each(|process| process.bound = process.bound.without(port));
    }

    pub(crate) fn bound(&self, ports: Ports) -> Ports {
        ports.iter().filter(|port| self.sockets[*port] != Socket::None).fold(Ports::NONE, Ports::with)
    }

    /// Whose env file stands at the common path.
    pub(crate) fn at_common_path(&self) -> Option<Env> {
        self.env_files.iter().position(|file| *file == EnvFile::Common)
    }

    /// Whose env file stands at the path that is one environment's alone.
    pub(crate) fn at_own_path(&self, env: Env) -> Option<Env> {
        self.env_files.iter().enumerate().position(|(of, file)| match file {
            EnvFile::Begun | EnvFile::Own => of == env,
            EnvFile::Exchanged(by) => *by == env,
            EnvFile::Absent | EnvFile::Common => false,
        })
    }

    /// Ends a process at whatever instruction it is: the kernel closes what it had.
    pub(crate) fn kill(&mut self, who: Who) {
        let process = self.processes[who];
        let holds = process.at == Step::Holding;
        for port in 0..PORTS {
            if matches!(self.sockets[port], Socket::Server(by) | Socket::Probe(by) if by == who) {
                self.unbind(port);
            }
        }
        for lock in self.file_locks.iter_mut().filter(|lock| **lock == Some(who)) {
            *lock = None;
        }
        self.close(who);
        self.leave_directories(who);
        for env in 0..ENVS {
            let was_its = self.makes(who, env);
            let record = self.records[env].either();
            let goes_on = self.phases[env] == Phase::Live && record.is_some_and(|record| record.kept);
            if was_its && !goes_on && self.phases[env] != Phase::Ending {
                self.end(env);
            }
        }
        // A lease that the process had passed on by forking is its child's now.
        for child in self.processes.iter_mut().filter(|child| holds && child.description == Some(who)) {
            child.entitled = process.ports;
        }
        self.processes[who] = Process { at: Step::Dead, ..Process::new(Step::Dead) };
    }

    fn makes(&self, who: Who, env: Env) -> bool {
        let process = self.processes[who];
        process.makes == Some(env) && process.has_id && self.phases[env] != Phase::None
    }

    /// An environment is being made, and has something. One whose TTL is over meanwhile is nobody's already.
    pub(crate) fn make(&mut self, env: Env, has: impl FnOnce(&mut Made)) {
        if self.expired[env] {
            return;
        }
        if self.phases[env] == Phase::None {
            self.phases[env] = Phase::Making;
        }
        has(&mut self.made[env]);
    }

    /// Nothing of it is anybody's any more.
    pub(crate) fn end(&mut self, env: Env) {
        self.phases[env] = Phase::None;
        self.made[env] = Made::default();
    }
}
