//! A process: where it is in its program, and what it remembers of what it read. One step is one system call with the
//! thoughts that follow it. What the steps do is in `steps/`.

use crate::faults::Fault;
use crate::protocol::Protocol;
use crate::world::{Env, Place, Port, Ports, Record, Slot, Who, World};

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// Takes leases of `count` consecutive ports and gives them back, again and again.
    Lessee { count: usize },
    /// Takes one lease, is forked while it has it, and gives it back.
    Parent { count: usize, passes_on: bool },
    /// The child that the process of this number is forked into.
    Child { of: Who },
    /// Makes one environment; a held one it ends again.
    Maker { env: Env, count: usize, kept: bool },
    /// Cleans up one environment, or those that are stale.
    Cleaner { asked: Option<Env> },
    /// Attaches to an environment.
    Attacher { env: Env },
    /// Reconciles labels and records.
    Reconciler,
    /// Makes the other place the registry of this machine, or does away with it.
    Setup { remove: bool },
    /// Removes the file of a network namespace that nobody has used for long.
    Sweeper,
}

impl Program {
    /// Where it begins.
    pub(crate) fn start(self) -> Step {
        match self {
            Self::Lessee { .. } | Self::Parent { .. } | Self::Maker { .. } => Step::Lock,
            Self::Child { .. } => Step::Unborn,
            Self::Cleaner { .. } => Step::CleanRead,
            Self::Attacher { .. } => Step::AttachRead,
            Self::Reconciler => Step::ReconcileRead,
            Self::Setup { .. } => Step::SetupLockDirectory,
            Self::Sweeper => Step::RetireHasRecords,
        }
    }
}

/// The system call that a process will make next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    // Nothing, for ever or for now.
    Done,
    Dead,
    Unborn,
    /// It has a lease or a held environment, and may give it back whenever it likes.
    Holding,
    /// A forked child with a copy of its parent's description.
    HasCopy,
    // Opening the registry, where its place may change.
    ChoosePlace,
    FindFile,
    KeepPlace,
    LookAtPlace,
    PublishFile,
    OpenRegistry,
    OpenFile,
    LookIfLinked,
    CheckPlace,
    // Taking a lease.
    Lock,
    ReadLabels,
    Probe,
    CloseProbe,
    UnlockRefused,
    WriteLabel,
    // What a label means.
    ScanRecords,
    RestoreLabel,
    LookForClaim,
    // Giving it back.
    LookIfStillIts,
    CloseSockets,
    ClearLabel,
    Unlock,
    Close,
    // Making an environment.
    LookForTempDir,
    MakeRecord,
    LookForFinished,
    TakeBack,
    LabelAnew,
    MakeTempDir,
    MarkTempDir,
    BeginEnvFile,
    WriteEnvFile,
    MoveEnvFile,
    LookAtEnvFile,
    ReadItsRecord,
    LockOldEnvFile,
    LookForOldEnvFile,
    ReplaceEnvFile,
    RemoveReplaced,
    RecordEnvFile,
    KeepLabel,
    Finish,
    ReadBack,
    WriteBack,
    LeaveToLabels,
    // Is it alive?
    JudgeReadLabels,
    JudgeLook,
    JudgeReadClaims,
    JudgeOthersLock,
    JudgeAgain,
    // Removing one.
    CleanRead,
    CleanReadLabels,
    CleanLock,
    CleanStillStands,
    CleanUnlockAgain,
    CleanLeave,
    RemoveTempDir,
    OpenEnvFile,
    LockEnvFile,
    ReadEnvFile,
    PutAside,
    RemoveAside,
    RemoveEnvFile,
    RemoveRecord,
    CleanReadAgain,
    CleanClear,
    CleanUnlock,
    SweepLook,
    SweepRecord,
    SweepRemove,
    // Attaching.
    AttachRead,
    // Labels and records made to agree.
    ReconcileRead,
    ReconcileDemand,
    ReconcileLock,
    ReconcileReadOne,
    ReconcileRecord,
    ReconcileWrite,
    ReconcileUnlock,
    RelabelRead,
    RelabelLook,
    RelabelLock,
    RelabelReadOne,
    RelabelClaim,
    RelabelWrite,
    RelabelUnlock,
    // Another place for the registry.
    SetupLockDirectory,
    SetupLock,
    SetupLookIfLinked,
    SetupCheck,
    SetupSwitch,
    SetupPublish,
    SetupUnlink,
    SetupUnlock,
    // The file of a namespace that nobody uses any more.
    RetireHasRecords,
    RetireLock,
    RetireCheck,
    RetireUnlink,
}

/// A process. What it does not need any more it forgets, so that states that differ in nothing that matters are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) at: Step,
    /// The description that it has a copy of, by its opener.
    pub(crate) description: Option<Who>,
    /// The ports that it has or is trying to get.
    pub(crate) ports: Ports,
    /// The port that it is at.
    pub(crate) port: Port,
    /// The labels as it read them.
    pub(crate) seen: [Slot; crate::world::PORTS],
    /// The environment that it makes, and whether the ID is its own by now.
    pub(crate) makes: Option<Env>,
    pub(crate) has_id: bool,
    /// The place of the registry that it has open, the file which that has, and the file that it has opened since.
    pub(crate) is_open: bool,
    pub(crate) place: Place,
    pub(crate) identity: usize,
    pub(crate) file: usize,
    /// How many of the names of a record it has looked at in vain.
    pub(crate) looks: u8,
    /// Whether it removes its record because the temp dir of its ID is taken.
    pub(crate) takes_back: bool,
    /// Whether the program has closed the descriptor of its lease.
    pub(crate) has_lost: bool,
    /// The environment that it is at, of all.
    pub(crate) env: Env,
    /// The record as it read or wrote it.
    pub(crate) record: Option<Record>,
    /// The environment being judged, and its record as it was read last.
    pub(crate) judged: Env,
    pub(crate) verdict_on: Option<Record>,
    /// Where to go on after a verdict, and after a look at what a label means.
    pub(crate) after_verdict: Step,
    pub(crate) after_standing: Step,
    pub(crate) scan: Env,
    /// An environment that was found: whose record claims a port, or whose env file is open.
    pub(crate) found: Option<Env>,
    /// Of the two paths where an env file may be, its own and the common one, whether it is at the second.
    pub(crate) second_path: bool,
    pub(crate) taken: Ports,
    /// Ports on which there has been a socket ever since they were locked.
    pub(crate) bound: Ports,
    pub(crate) passed_on: bool,
    /// The ports that a child has by its parent's lease.
    pub(crate) entitled: Ports,
}

impl Process {
    pub(crate) fn new(at: Step) -> Self {
        Self {
            at,
            description: None,
            ports: Ports::NONE,
            port: 0,
            seen: [Slot::Empty; crate::world::PORTS],
            makes: None,
            has_id: false,
            is_open: false,
            place: 0,
            identity: 0,
            file: 0,
            looks: 0,
            takes_back: false,
            has_lost: false,
            env: 0,
            record: None,
            judged: 0,
            verdict_on: None,
            after_verdict: Step::Done,
            after_standing: Step::Done,
            scan: 0,
            found: None,
            second_path: false,
            taken: Ports::NONE,
            bound: Ports::NONE,
            passed_on: false,
            entitled: Ports::NONE,
        }
    }

    pub(crate) fn of(program: Program) -> Self {
        let makes = if let Program::Maker { env, .. } = program { Some(env) } else { None };
        Self { makes, ..Self::new(program.start()) }
    }
}

/// One process's turn.
pub(crate) struct Turn<'a> {
    pub(crate) rules: &'a Protocol,
    pub(crate) world: &'a mut World,
    pub(crate) who: Who,
    pub(crate) program: Program,
}

impl Turn<'_> {
    pub(crate) fn me(&mut self) -> &mut Process {
        &mut self.world.processes[self.who]
    }

    pub(crate) fn my(&self) -> &Process {
        &self.world.processes[self.who]
    }

    pub(crate) fn go(&mut self, step: Step) {
        self.me().at = step;
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.rules.fault == Some(fault)
    }

    /// Back to the start, with nothing in mind but the registry.
    pub(crate) fn start_over(&mut self) {
        self.world.close(self.who);
        let fresh = self.rules.fresh(self.program);
        let fresh = if self.my().is_open { Process { at: Step::OpenFile, ..fresh } } else { fresh };
        *self.me() = self.with_registry(fresh);
        self.me().file = self.my().identity;
    }

    /// With the registry that this process has.
    pub(crate) fn with_registry(&self, process: Process) -> Process {
        let Process { is_open, place, identity, file, .. } = *self.my();
        Process { is_open, place, identity, file, ..process }
    }

    /// The registry is not what it was: it is opened anew.
    pub(crate) fn reopen(&mut self) {
        self.world.close(self.who);
        self.world.leave_directories(self.who);
        *self.me() = self.rules.fresh(self.program);
    }

    pub(crate) fn slot(&self, port: Port) -> Slot {
        self.world.files[self.my().file].slots[port]
    }

    pub(crate) fn put_slot(&mut self, port: Port, slot: Slot) {
        let file = self.my().file;
        self.world.files[file].slots[port] = slot;
    }

    pub(crate) fn finish(&mut self) {
        self.world.close(self.who);
        *self.me() = Process::new(Step::Done);
    }

    /// Opens the registry's file anew and locks `ports` through it.
    pub(crate) fn lock(&mut self, ports: Ports) -> bool {
        let got = self.world.try_lock(self.my().file, self.who, ports);
        if got {
            let who = self.who;
            self.me().description = Some(who);
        }
        got
    }

    /// How many ways the next step can go; none while it has to wait.
    pub(crate) fn choices(&self) -> usize {
        match self.my().at {
            Step::Done | Step::Dead | Step::Unborn => 0,
            Step::Lock => self.windows(),
            Step::Holding => self.ways_to_go_on(),
            Step::CleanLock => self.ways_to_meet_a_lock(),
            Step::MakeRecord => 1 + usize::from(self.rules.env_files),
            Step::KeepPlace => self.can_keep_place(),
            Step::SetupLockDirectory | Step::SetupLock | Step::SetupPublish => self.ways_to_meet_others(),
            Step::LockEnvFile => usize::from(self.can_lock_env_file()),
            _ => 1,
        }
    }

    /// Makes the next system call.
    pub(crate) fn step(&mut self, choice: usize) {
        match self.my().at {
            Step::Done | Step::Dead | Step::Unborn => {}
            Step::Holding => self.holding(choice),
            Step::HasCopy => self.child_drops(),
            Step::ChoosePlace => self.choose_place(),
            Step::FindFile => self.find_file(),
            Step::KeepPlace => self.keep_place(),
            Step::LookAtPlace => self.look_at_place(),
            Step::PublishFile => self.publish_file(),
            Step::OpenRegistry => self.open_registry(),
            Step::OpenFile => self.open_file(),
            Step::LookIfLinked => self.look_if_linked(),
            Step::CheckPlace => self.check_place(),
            Step::LookIfStillIts => self.look_if_still_its(),
            Step::Lock => self.lock_ports(choice),
            Step::ReadLabels => self.read_labels(),
            Step::Probe => self.probe(),
            Step::CloseProbe => self.close_probe(),
            Step::UnlockRefused => self.unlock_refused(),
            Step::WriteLabel => self.write_label(),
            Step::ScanRecords => self.scan_records(),
            Step::RestoreLabel => self.restore_label(),
            Step::LookForClaim => self.look_for_claim(),
            Step::CloseSockets => self.close_sockets(),
            Step::ClearLabel => self.clear_label(),
            Step::Unlock => self.unlock(),
            Step::Close => self.close(),
            Step::LookForTempDir => self.look_for_temp_dir(),
            Step::MakeRecord => self.make_record(choice),
            Step::LookForFinished => self.look_for_finished(),
            Step::TakeBack => self.take_back(),
            Step::LabelAnew => self.label_anew(),
            Step::MakeTempDir => self.make_temp_dir(),
            Step::MarkTempDir => self.mark_temp_dir(),
            Step::BeginEnvFile => self.begin_env_file(),
            Step::WriteEnvFile => self.write_env_file(),
            Step::MoveEnvFile => self.move_env_file(),
            Step::LookAtEnvFile => self.look_at_env_file(),
            Step::ReadItsRecord => self.read_its_record(),
            Step::LockOldEnvFile => self.lock_old_env_file(),
            Step::LookForOldEnvFile => self.look_for_old_env_file(),
            Step::ReplaceEnvFile => self.replace_env_file(),
            Step::RemoveReplaced => self.remove_replaced(),
            Step::RecordEnvFile => self.record_env_file(),
            Step::KeepLabel => self.keep_label(),
            Step::Finish => self.finish_record(),
            Step::ReadBack => self.read_back(),
            Step::WriteBack => self.write_back(),
            Step::LeaveToLabels => self.leave_to_labels(),
            Step::JudgeReadLabels => self.judge_read_labels(),
            Step::JudgeLook => self.judge_look(),
            Step::JudgeReadClaims => self.judge_read_claims(),
            Step::JudgeOthersLock => self.judge_others_lock(),
            Step::JudgeAgain => self.judge_again(),
            Step::CleanRead => self.clean_read(),
            Step::CleanReadLabels => self.clean_read_labels(),
            Step::CleanLock => self.clean_lock(choice),
            Step::CleanStillStands => self.clean_still_stands(),
            Step::CleanUnlockAgain => self.clean_unlock_again(),
            Step::CleanLeave => self.clean_next(),
            Step::RemoveTempDir => self.remove_temp_dir(),
            Step::OpenEnvFile => self.open_env_file(),
            Step::LockEnvFile => self.lock_env_file(),
            Step::ReadEnvFile => self.read_env_file(),
            Step::PutAside => self.put_aside(),
            Step::RemoveAside => self.remove_aside(),
            Step::RemoveEnvFile => self.remove_env_file(),
            Step::RemoveRecord => self.remove_record(),
            Step::CleanReadAgain => self.clean_read_again(),
            Step::CleanClear => self.clean_clear(),
            Step::CleanUnlock => self.clean_unlock(),
            Step::SweepLook => self.sweep_look(),
            Step::SweepRecord => self.sweep_record(),
            Step::SweepRemove => self.sweep_remove(),
            Step::AttachRead => self.attach_read(),
            Step::ReconcileRead => self.reconcile_read(),
            Step::ReconcileDemand => self.reconcile_demand(),
            Step::ReconcileLock => self.reconcile_lock(),
            Step::ReconcileReadOne => self.reconcile_read_one(),
            Step::ReconcileRecord => self.reconcile_record(),
            Step::ReconcileWrite => self.reconcile_write(),
            Step::ReconcileUnlock => self.reconcile_unlock(),
            Step::RelabelRead => self.relabel_read(),
            Step::RelabelLook => self.relabel_look(),
            Step::RelabelLock => self.relabel_lock(),
            Step::RelabelReadOne => self.relabel_read_one(),
            Step::RelabelClaim => self.relabel_claim(),
            Step::RelabelWrite => self.relabel_write(),
            Step::RelabelUnlock => self.relabel_unlock(),
            Step::SetupLockDirectory => self.setup_lock_directory(choice),
            Step::SetupLock => self.setup_lock(choice),
            Step::SetupLookIfLinked => self.setup_look_if_linked(),
            Step::SetupCheck => self.setup_check(),
            Step::SetupSwitch => self.setup_switch(),
            Step::SetupPublish => self.setup_publish(),
            Step::SetupUnlink => self.setup_unlink(),
            Step::SetupUnlock => self.setup_unlock(),
            Step::RetireHasRecords => self.retire_has_records(),
            Step::RetireLock => self.retire_lock(),
            Step::RetireCheck => self.retire_check(),
            Step::RetireUnlink => self.retire_unlink(),
        }
    }
}
