//! Seeded bugs: each takes one rule of the protocol away. An exploration that does not notice proves nothing, or the rule
//! is not needed.

use crate::properties::{
    EXCLUSIVE, FREE_WHEN_GIVEN, MENDABLE, NOT_LOST, RECLAIMABLE, REFUSED, STRANGERS, UNDISTURBED, WHOLE,
};

/// One rule taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Giving back: the lock goes first, then the labels.
    UnlockBeforeClear,
    /// Taking: the probe comes before the lock.
    ProbeBeforeLock,
    /// Giving back: the description is closed, and left to a forked child's copy.
    CloseInsteadOfUnlock,
    /// A forked child that drops its copy lets go of the locks.
    ChildUnlocks,
    /// A forked child that drops its copy of a held environment removes its temp dir.
    ChildRemoves,
    /// Giving back a lease that was passed on lets go of the locks.
    UnlockThoughPassedOn,
    /// A label without its lock is respected as a claim, though its holder may be gone.
    HeldLabelsClaim,
    /// The labels of a kept environment are not looked at.
    IgnoreLabels,
    /// Kept labels are written before the record appears.
    KeptLabelsBeforeRecord,
    /// The lock goes before the kept labels are written.
    UnlockBeforeKeptLabels,
    /// The record gets the name of a finished one before its labels are kept ones.
    FinishBeforeLabels,
    /// A record has the name of a finished one from the start.
    FinishedAtOnce,
    /// A record that is being made claims as a finished one does: kept labels claim while there is a record of either name,
    /// and an environment with all of its labels is as good as finished.
    MakingClaims,
    /// Whoever makes a record does not look whether there is a finished one of that ID.
    IdWithoutLookForFinished,
    /// A record that is being made replaces one that somebody else is making.
    RecordsReplaceEachOther,
    /// Whoever finds neither name of a record does not look for the first one again.
    TwoLooksAtRecord,
    /// x.
    NoRestore,
    /// The temp dir is made before the record.
    TempDirBeforeRecord,
    /// Cleanup removes the record before temp dir and env file.
    RecordRemovedFirst,
    /// Cleanup clears the labels before it removes the record.
    LabelsClearedBeforeRecord,
    /// Cleanup lets go of the lock before it clears the labels.
    CleanupUnlocksBeforeClear,
    /// Cleanup takes no lock.
    CleanupWithoutLock,
    /// Cleanup does not judge again under the lock.
    CleanupWithoutSecondLook,
    /// Cleanup does not ask whether the record that it read still stands.
    CleanupOfReplacedRecord,
    /// A verdict is not checked against the record as it is by now.
    VerdictOnOldRecord,
    /// A lock on a port with another's label counts as the environment's own.
    AnyLockIsItsOwn,
    /// Cleanup trusts its first look: it neither judges again nor asks for the record, and verdicts are not checked.
    CleanupTrustsFirstLook,
    /// Cleanup clears every label of the ports it locked, without a look at whose they are.
    ClearWithoutLook,
    /// The sweep of temp dirs does not look for their records.
    SweepWithoutRecordCheck,
    /// Env files are replaced and removed without a lock on them.
    NoEnvFileLock,
    /// What stands at an environment's own path is taken for all that there is, though it may be what came out of an exchange.
    OneEnvFileIsEnough,
    /// Env files are removed without a look at whose they are.
    NoEnvFileOwner,
    /// A damaged label is restored for an environment that is over, though another one has the port by now.
    RestoreForStale,
    /// Reconcile asks the records what damaged labels there should be before it has the port's lock.
    DemandBeforeLock,
    /// A damaged label counts as none.
    DamagedIsFree,
    /// Reconcile writes without locks.
    ReconcileWithoutLock,
    /// Reconcile does not ask under the lock whether the record still stands.
    ReconcileWithoutRecordCheck,
    /// Reconcile clears a void label though an unfinished environment's record stands by it.
    ReconcileClearsUnfinished,
    /// Giving back does not look whether the descriptor is still the lease's own.
    ReleaseWithoutLookAtDescriptor,
    /// Whoever has locked ports does not look whether the file still has a name.
    NoLookAfterLock,
    /// Whoever is refused does not look whether the registry's place is still the same.
    NoCheckOfPlace,
    /// Whoever makes a `ports` file does not share the directory's lock.
    PublishWithoutDirectoryLock,
    /// He shares it, and does not look whether the place is still the one that everybody opens.
    PublishWithoutLookAtPlace,
    /// A setup takes no locks.
    SetupWithoutLocks,
    /// A setup lets go of the locks before it switches.
    SetupUnlocksBeforeSwitch,
    /// A setup does not lock the old directory.
    SetupWithoutDirectoryLock,
    /// A setup switches before it unlinks the old file, so that one that is killed in between leaves two registries.
    SetupSwitchesFirst,
    /// Whoever opens the registry makes the directory of a place anew that was moved away since he chose it.
    OpenMakesThePlace,
    /// A setup does not look for labels of kept environments, which have no locks.
    SetupWithoutLookAtLabels,
    /// Whoever removes the file of a namespace takes no locks.
    SweepWithoutLocks,
    /// He does not look for labels of kept environments.
    SweepWithoutLookAtLabels,
}

/// Rules without which nothing promised breaks in what is explored, since another one stands behind them.
pub(crate) const SPARE: [Fault; 5] = [
    Fault::NoCheckOfPlace,
    Fault::CleanupWithoutSecondLook,
    Fault::CleanupOfReplacedRecord,
    Fault::ReconcileWithoutRecordCheck,
    Fault::ReconcileClearsUnfinished,
];

/// A seeded bug, where it shows, and what it breaks there.
pub(crate) struct Seeded {
    pub(crate) fault: Fault,
    pub(crate) configuration: &'static str,
    pub(crate) breaks: &'static str,
}

const fn seeded(fault: Fault, breaks: &'static str, configuration: &'static str) -> Seeded {
    Seeded { fault, configuration, breaks }
}

/// All that must be noticed.
pub(crate) const SEEDED: [Seeded; 55] = [
    seeded(Fault::UnlockBeforeClear, EXCLUSIVE, "an environment and a lease"),
    seeded(Fault::ProbeBeforeLock, FREE_WHEN_GIVEN, "two leases, with strangers"),
    seeded(Fault::ProbeBeforeLock, UNDISTURBED, "two leases, with servers"),
    seeded(Fault::CloseInsteadOfUnlock, NOT_LOST, "a lease and its forked child"),
    seeded(Fault::ChildUnlocks, EXCLUSIVE, "a lease and its forked child"),
    seeded(Fault::ChildRemoves, WHOLE, "a held environment and its forked child"),
    seeded(Fault::UnlockThoughPassedOn, EXCLUSIVE, "a lease that is passed on"),
    seeded(Fault::HeldLabelsClaim, NOT_LOST, "two leases, with servers"),
    seeded(Fault::IgnoreLabels, EXCLUSIVE, "an environment and a lease"),
    seeded(Fault::KeptLabelsBeforeRecord, RECLAIMABLE, "two environments of one ID"),
    seeded(Fault::UnlockBeforeKeptLabels, EXCLUSIVE, "an environment and a lease"),
    seeded(Fault::FinishBeforeLabels, EXCLUSIVE, "an environment and a lease"),
    seeded(Fault::FinishedAtOnce, RECLAIMABLE, "an environment and a lease"),
    seeded(Fault::MakingClaims, NOT_LOST, "an environment and a lease"),
    seeded(Fault::MakingClaims, EXCLUSIVE, "a damaged label, a lease and an attachment"),
    seeded(Fault::IdWithoutLookForFinished, WHOLE, "two environments of one ID"),
    seeded(Fault::RecordsReplaceEachOther, WHOLE, "two environments of one ID"),
    seeded(Fault::TwoLooksAtRecord, WHOLE, "an expiring environment and a cleanup"),
    seeded(Fault::NoRestore, WHOLE, "a label lost while it is made"),
    seeded(Fault::TempDirBeforeRecord, RECLAIMABLE, "an environment and a lease"),
    seeded(Fault::RecordRemovedFirst, RECLAIMABLE, "a held environment and a cleanup"),
    seeded(Fault::LabelsClearedBeforeRecord, REFUSED, "a damaged label after a cleanup"),
    seeded(Fault::CleanupUnlocksBeforeClear, WHOLE, "an environment, a lease and a cleanup of it"),
    seeded(Fault::CleanupWithoutLock, WHOLE, "an environment and a cleanup of it"),
    seeded(Fault::VerdictOnOldRecord, WHOLE, "two env files"),
    seeded(Fault::CleanupTrustsFirstLook, WHOLE, "an expiring environment and a cleanup"),
    seeded(Fault::AnyLockIsItsOwn, RECLAIMABLE, "an environment and a lease"),
    seeded(Fault::ClearWithoutLook, WHOLE, "two environments and a cleanup"),
    seeded(Fault::SweepWithoutRecordCheck, WHOLE, "an expiring environment and a cleanup"),
    seeded(Fault::NoEnvFileLock, RECLAIMABLE, "two env files and a cleanup"),
    seeded(Fault::OneEnvFileIsEnough, RECLAIMABLE, "two env files"),
    seeded(Fault::NoEnvFileOwner, STRANGERS, "an env file beside a stranger's"),
    seeded(Fault::RestoreForStale, REFUSED, "a damaged label of one of two environments"),
    seeded(Fault::DemandBeforeLock, EXCLUSIVE, "a damaged label, a lease and a reconcile"),
    seeded(Fault::DamagedIsFree, REFUSED, "a damaged label and a reconcile"),
    seeded(Fault::ReconcileWithoutLock, MENDABLE, "two leases, with servers"),
    seeded(Fault::ReleaseWithoutLookAtDescriptor, WHOLE, "leases whose descriptors are closed"),
    seeded(Fault::NoLookAfterLock, REFUSED, "a setup and a lease"),
    seeded(Fault::NoLookAfterLock, EXCLUSIVE, "a setup and two leases"),
    seeded(Fault::PublishWithoutDirectoryLock, REFUSED, "a setup before the first lease"),
    seeded(Fault::PublishWithoutLookAtPlace, REFUSED, "a setup before the first lease"),
    seeded(Fault::SetupWithoutLocks, REFUSED, "a setup and a lease"),
    seeded(Fault::SetupWithoutLocks, EXCLUSIVE, "a setup and two leases"),
    seeded(Fault::SetupUnlocksBeforeSwitch, REFUSED, "a setup and a lease"),
    seeded(Fault::SetupUnlocksBeforeSwitch, EXCLUSIVE, "a setup and two leases"),
    seeded(Fault::SetupWithoutDirectoryLock, REFUSED, "a setup before the first lease"),
    seeded(Fault::SetupWithoutDirectoryLock, REFUSED, "a setup and a lease"),
    seeded(Fault::SetupSwitchesFirst, REFUSED, "a setup and a lease"),
    seeded(Fault::SetupSwitchesFirst, EXCLUSIVE, "a setup and two leases"),
    seeded(Fault::OpenMakesThePlace, EXCLUSIVE, "a removal of a setup and two leases"),
    seeded(Fault::SetupWithoutLookAtLabels, EXCLUSIVE, "a setup, an environment and a lease"),
    seeded(Fault::SweepWithoutLocks, REFUSED, "a sweep of the namespace and a lease"),
    seeded(Fault::SweepWithoutLocks, EXCLUSIVE, "a sweep of the namespace and two leases"),
    seeded(Fault::NoLookAfterLock, REFUSED, "a sweep of the namespace and a lease"),
    seeded(Fault::SweepWithoutLookAtLabels, REFUSED, "a sweep of the namespace, an environment and a lease"),
];

/// Every fault, for the test that each is in one of the lists above.
#[cfg(test)]
pub(crate) const ALL: [Fault; 51] = [
    Fault::UnlockBeforeClear,
    Fault::ProbeBeforeLock,
    Fault::CloseInsteadOfUnlock,
    Fault::ChildUnlocks,
    Fault::ChildRemoves,
    Fault::UnlockThoughPassedOn,
    Fault::HeldLabelsClaim,
    Fault::IgnoreLabels,
    Fault::KeptLabelsBeforeRecord,
    Fault::UnlockBeforeKeptLabels,
    Fault::FinishBeforeLabels,
    Fault::FinishedAtOnce,
    Fault::MakingClaims,
    Fault::IdWithoutLookForFinished,
    Fault::RecordsReplaceEachOther,
    Fault::TwoLooksAtRecord,
    Fault::NoRestore,
    Fault::TempDirBeforeRecord,
    Fault::RecordRemovedFirst,
    Fault::LabelsClearedBeforeRecord,
    Fault::CleanupUnlocksBeforeClear,
    Fault::CleanupWithoutLock,
    Fault::CleanupWithoutSecondLook,
    Fault::CleanupOfReplacedRecord,
    Fault::VerdictOnOldRecord,
    Fault::AnyLockIsItsOwn,
    Fault::CleanupTrustsFirstLook,
    Fault::ClearWithoutLook,
    Fault::SweepWithoutRecordCheck,
    Fault::NoEnvFileLock,
    Fault::OneEnvFileIsEnough,
    Fault::NoEnvFileOwner,
    Fault::RestoreForStale,
    Fault::DemandBeforeLock,
    Fault::DamagedIsFree,
    Fault::ReconcileWithoutLock,
    Fault::ReconcileWithoutRecordCheck,
    Fault::ReconcileClearsUnfinished,
    Fault::ReleaseWithoutLookAtDescriptor,
    Fault::NoLookAfterLock,
    Fault::NoCheckOfPlace,
    Fault::PublishWithoutDirectoryLock,
    Fault::PublishWithoutLookAtPlace,
    Fault::SetupWithoutLocks,
    Fault::SetupUnlocksBeforeSwitch,
    Fault::SetupWithoutDirectoryLock,
    Fault::SetupSwitchesFirst,
    Fault::OpenMakesThePlace,
    Fault::SetupWithoutLookAtLabels,
    Fault::SweepWithoutLocks,
    Fault::SweepWithoutLookAtLabels,
];
