//! A process: where it is in its program, and what it remembers of what it read. One step is one system call with the
//! thoughts that follow it. What the steps do is in `steps/`.

use crate::faults::Fault;
use crate::protocol::Protocol;
use crate::world::{Env, Port, Ports, Record, Slot, Who, World};

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
    CloseSockets,
    ClearLabel,
    Unlock,
    Close,
    // Making an environment.
    MakeRecord,
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
    KeepRecord,
    KeepLabel,
    Mark,
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
    /// The environment that it makes.
    pub(crate) makes: Option<Env>,
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

    /// Back to the start, with nothing in mind.
    pub(crate) fn start_over(&mut self) {
        self.world.close(self.who);
        *self.me() = Process::of(self.program);
    }

    pub(crate) fn finish(&mut self) {
        self.world.close(self.who);
        *self.me() = Process::new(Step::Done);
    }

    /// Opens the registry's file anew and locks `ports` through it.
    pub(crate) fn lock(&mut self, ports: Ports) -> bool {
        let got = self.world.try_lock(self.who, ports);
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
            Step::Lock => self.lock_ports(choice),
            Step::ReadLabels => self.read_labels(),
            Step::Probe => self.probe(),
            Step::CloseProbe => self.close_probe(),
            Step::UnlockRefused => self.start_over(),
            Step::WriteLabel => self.write_label(),
            Step::ScanRecords => self.scan_records(),
            Step::RestoreLabel => self.restore_label(),
            Step::LookForClaim => self.look_for_claim(),
            Step::CloseSockets => self.close_sockets(),
            Step::ClearLabel => self.clear_label(),
            Step::Unlock => self.unlock(),
            Step::Close => self.close(),
            Step::MakeRecord => self.make_record(choice),
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
            Step::KeepRecord => self.keep_record(),
            Step::KeepLabel => self.keep_label(),
            Step::Mark => self.mark(),
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
        }
    }
}
