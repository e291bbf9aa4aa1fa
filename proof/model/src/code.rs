//! Which lines of the core each step stands for, and in which order they must be. Tests compare: whoever changes these
//! lines is sent here, to change the model with them.

use crate::process::Step;

/// A line of the core: a file, a function in it, and a part of what stands there, without regard to line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) file: &'static str,
    pub(crate) function: &'static str,
    pub(crate) text: &'static str,
}

const fn code(file: &'static str, function: &'static str, text: &'static str) -> Code {
    Code { file, function, text }
}

const LEASE: &str = "core/src/lease/mod.rs";
const TAKE: &str = "core/src/lease/take.rs";
const SEARCH: &str = "core/src/search/mod.rs";
const RECORDS: &str = "core/src/registry/records.rs";
const REGISTRY: &str = "core/src/registry/mod.rs";
const MAKE: &str = "core/src/registry/make.rs";
const FOLDER: &str = "core/src/registry/folder.rs";
const PORTS: &str = "core/src/registry/ports_file.rs";
const RETIRE: &str = "core/src/registry/retire.rs";
const NAMESPACES: &str = "core/src/registry/sweep.rs";
const SETUP: &str = "core/src/registry/setup.rs";
const STANDING: &str = "core/src/registry/standing.rs";
const REPAIR: &str = "core/src/registry/repair.rs";
const CREATE: &str = "core/src/environment/create.rs";
const CLEANUP: &str = "core/src/environment/cleanup.rs";
const TRACES: &str = "core/src/environment/traces.rs";
const STATUS: &str = "core/src/environment/status.rs";
const ATTACH: &str = "core/src/environment/attach.rs";
const ENV_FILE: &str = "core/src/environment/env_file.rs";
const TEMP_DIR: &str = "core/src/environment/temp_dir.rs";

/// Every step that is a system call, with what it stands for.
pub(crate) const STEPS: [(Step, &str, Code); 99] = [
    (
        Step::ChoosePlace,
        "chooses the place of the registry",
        code(FOLDER, "root", "if sys::is_roots_shared_folder(set_up)"),
    ),
    (Step::FindFile, "looks for its file", code(MAKE, "make_ports_file", "match sys::entry(&self.ports_path)")),
    (Step::KeepPlace, "shares the folder's lock", code(MAKE, "keep_place", "Folder::lock(&self.root, true)")),
    (
        Step::LookAtPlace,
        "looks whether the place is still that of the registry",
        code(MAKE, "keep_place", "folder::root(None)? != self.root || !lock.is_at(&self.root)"),
    ),
    (
        Step::PublishFile,
        "makes the file, unless there is one by now",
        code(MAKE, "publish_ports_file", "folder.rename_new(new, OsStr::new(\"ports\"))"),
    ),
    (
        Step::OpenRegistry,
        "opens it, and keeps in mind which file it is",
        code(MAKE, "make_ports_file", "Ok((Identity::of(&metadata), header))"),
    ),
    (Step::OpenFile, "opens it for a lease", code(REGISTRY, "ports", "ports_file::open_at(&self.ports_path)")),
    (
        Step::LookIfLinked,
        "looks whether the file that it has locked is still the registry's",
        code(PORTS, "try_lock", "if !self.is_linked() {"),
    ),
    (
        Step::CheckPlace,
        "refused: looks whether the place is still that of the registry",
        code(TAKE, "take", "registry.check_place()?;"),
    ),
    (Step::Lock, "locks a run, or is refused", code(SEARCH, "try_run", "self.ports.try_lock(run)?")),
    (Step::ReadLabels, "reads its labels", code(SEARCH, "claim", "self.ports.read(run)?")),
    (Step::Probe, "binds a port", code(SEARCH, "claim", "self.bind(port, is_preferred)?")),
    (Step::CloseProbe, "closes the probe's sockets", code(SEARCH, "claim", "if self.keeps_sockets")),
    (
        Step::UnlockRefused,
        "unlocks a run that is kept or bound",
        code(SEARCH, "try_run", "Err(port) => Err(Refusal::Taken(port))"),
    ),
    (Step::WriteLabel, "writes a label", code(TAKE, "take", "ports.write(*range, Slot::Label(label))")),
    (
        Step::ScanRecords,
        "reads a record, to see whether it claims a port with a damaged label",
        code(STANDING, "kept_records", "self.records.read(id)"),
    ),
    (
        Step::RestoreLabel,
        "writes the label that a record claims",
        code(STANDING, "standing", "ports.write(PortRange::one(port), Slot::Label(label))?"),
    ),
    (
        Step::LookForClaim,
        "looks whether there is a finished record of the label's ID",
        code(STANDING, "standing", "!self.records.claims(id)"),
    ),
    (Step::Holding, "begins to give it back, or binds its own server", code(LEASE, "release", "self.let_go(")),
    (
        Step::LookIfStillIts,
        "looks whether the descriptor is still its own",
        code(LEASE, "let_go", "self.is_still(&file)"),
    ),
    (Step::CloseSockets, "closes its sockets", code(LEASE, "let_go", "*self.guard.lock()")),
    (Step::ClearLabel, "clears a label", code(LEASE, "let_go", "file.write(*range, Slot::Empty)")),
    (Step::Unlock, "unlocks", code(PORTS, "close", "self.unlock_all();")),
    (
        Step::Close,
        "closes the description; of a lease that was passed on its copy",
        code(PORTS, "close", "drop(self.file.take());"),
    ),
    (
        Step::HasCopy,
        "forked child: closes its copy, and no more",
        code(PORTS, "drop", "self.maker == sys::generation()"),
    ),
    (
        Step::LookForTempDir,
        "looks whether there is a temp dir of its ID",
        code(CREATE, "claim_id", "!temp_dir::exists(&record.temp_dir)?"),
    ),
    (
        Step::MakeRecord,
        "makes the record, under the name of one that is being made, if there is none",
        code(RECORDS, "create", "self.folder().rename_new(new, name)"),
    ),
    (
        Step::LookForFinished,
        "looks whether there is a finished one of its ID",
        code(RECORDS, "create", "if is_new && self.claims(id)? {"),
    ),
    (Step::TakeBack, "removes its own again", code(RECORDS, "create", "self.remove_name(id, &making(id))?;")),
    (
        Step::LabelAnew,
        "writes a label with the next ID",
        code(CREATE, "claim_id", "lease.relabel(Label { id: Some(id), ..*lease.label() })?;"),
    ),
    (Step::MakeTempDir, "makes the temp dir", code(CREATE, "claim_id", "temp_dir::create(&record.temp_dir, registry)")),
    (Step::MarkTempDir, "marks it as this registry's", code(TEMP_DIR, "create", "sys::mark(path, mark(registry));")),
    (Step::BeginEnvFile, "makes the env file beside its place", code(ENV_FILE, "write", ".open(&own)")),
    (
        Step::WriteEnvFile,
        "writes its text",
        code(ENV_FILE, "write", ".and_then(|mut file| file.write_all(content(record).as_bytes()));"),
    ),
    (
        Step::MoveEnvFile,
        "moves it to its place, if that is empty",
        code(ENV_FILE, "write", "sys::rename_new(&own, &wanted)"),
    ),
    (Step::LookAtEnvFile, "reads whose file is there", code(ENV_FILE, "look", "let Some(owner) = owner(&text)")),
    (Step::ReadItsRecord, "reads that one's record", code(STATUS, "lives", "registry.records().read(id)?")),
    (Step::LockOldEnvFile, "locks the old file", code(ENV_FILE, "replace", "!lock(old)?")),
    (Step::LookForOldEnvFile, "looks whether it still is there", code(ENV_FILE, "replace", "!is_in_place(old, path)?")),
    (Step::ReplaceEnvFile, "exchanges the two", code(ENV_FILE, "replace", "sys::exchange(new, path)")),
    (
        Step::RemoveReplaced,
        "removes what came out, if it is the one that it locked; else exchanges them again",
        code(ENV_FILE, "replace", "rustix::fs::unlink(new)?;"),
    ),
    (
        Step::RecordEnvFile,
        "replaces the record, which named another path",
        code(CREATE, "write_env_file", "registry.records().replace(&self.record)?;"),
    ),
    (Step::KeepLabel, "writes a kept label", code(CREATE, "finish", "lease.relabel(self.record.label())?;")),
    (
        Step::Finish,
        "gives the record the name of a finished one",
        code(CREATE, "finish", "registry.records().finish(self.id())?;"),
    ),
    (Step::ReadBack, "reads its labels back", code(CREATE, "finish", "lease.restore_labels()?;")),
    (Step::WriteBack, "writes a damaged one again", code(LEASE, "restore_labels", "held.write(*range, own)?;")),
    (Step::LeaveToLabels, "unlocks, and leaves the labels", code(CREATE, "finish", "lease.leave_to_labels();")),
    (
        Step::JudgeReadLabels,
        "judging: reads the labels of one whose locks decide",
        code(STATUS, "any_locked", "ports.read_each(&record.ports.ports)?"),
    ),
    (
        Step::JudgeLook,
        "judging: asks for the lock of a port that may be its own",
        code(STATUS, "any_locked", "ports.conflict(PortRange::one(port))?.is_some()"),
    ),
    (
        Step::JudgeReadClaims,
        "judging: reads the labels of one whose labels decide",
        code(STATUS, "judge_kept", "ports.read_each(&record.ports.ports)?"),
    ),
    (
        Step::JudgeOthersLock,
        "judging: asks for the lock of a port with another's label",
        code(STATUS, "judge_kept", "ports.conflict(PortRange::one(port)).map(|lock| lock.is_some())"),
    ),
    (
        Step::JudgeAgain,
        "judging: reads the record again before it calls it stale",
        code(STATUS, "judge", "registry.records().read(record.isolation_id)?"),
    ),
    (
        Step::CleanRead,
        "cleanup: reads and opens the record",
        code(CLEANUP, "candidate", "registry.records().read_open(id)?"),
    ),
    (
        Step::CleanReadLabels,
        "cleanup: reads which ports may be its own",
        code(CLEANUP, "lock", "ports.read_each(&candidate.ports)?"),
    ),
    (
        Step::CleanLock,
        "cleanup: locks them, waits, or gives up",
        code(CLEANUP, "lock", "try_lock_all(ports, &ranges)?"),
    ),
    (
        Step::CleanStillStands,
        "cleanup: looks whether the record that it read still stands",
        code(CLEANUP, "remove", "is_none_or(|file| registry.records().still_stands(file))"),
    ),
    (Step::CleanUnlockAgain, "cleanup: unlocks, to begin anew", code(CLEANUP, "remove", "drop(locks);")),
    (Step::CleanLeave, "cleanup: unlocks, and leaves one that is alive", code(CLEANUP, "remove", "None => Ok(None),")),
    (Step::RemoveTempDir, "removes the temp dir", code(TRACES, "remove", "temp_dir::remove(&record.temp_dir, id)")),
    (Step::OpenEnvFile, "opens what is at a path of the env file", code(ENV_FILE, "remove", "match open(path)")),
    (Step::LockEnvFile, "locks it", code(ENV_FILE, "remove", "match lock(&file)")),
    (Step::ReadEnvFile, "reads it, if it still is there", code(ENV_FILE, "remove", "match is_in_place(&file, path)")),
    (
        Step::PutAside,
        "renames it to the environment's own name",
        code(ENV_FILE, "remove_aside", "sys::rename_new(path, &aside)"),
    ),
    (
        Step::RemoveAside,
        "removes it there, if it is the one that it locked; else renames it back",
        code(ENV_FILE, "remove_aside", "rustix::fs::unlink(&aside)?;"),
    ),
    (Step::RemoveEnvFile, "removes it", code(ENV_FILE, "remove", "match rustix::fs::unlink(path)")),
    (
        Step::RemoveRecord,
        "removes the record, by the name that it has",
        code(RECORDS, "remove", "if is_unfinished { making(id) } else { name(id) }"),
    ),
    (Step::CleanReadAgain, "cleanup: reads the labels again", code(CLEANUP, "remove_locked", "ports.read(range)?")),
    (
        Step::CleanClear,
        "cleanup: clears one that bears its ID",
        code(CLEANUP, "remove_locked", "ports.write(range, Slot::Empty)?;"),
    ),
    (Step::CleanUnlock, "cleanup: unlocks", code(CLEANUP, "remove", "drop(locks);")),
    (
        Step::SweepLook,
        "sweep: looks for a temp dir with this registry's mark",
        code(TEMP_DIR, "sweep", "sys::marked(&path)"),
    ),
    (Step::SweepRecord, "sweep: looks for its record", code(TEMP_DIR, "sweep", "!registry.has_record_anywhere(id)")),
    (Step::SweepRemove, "sweep: removes it", code(TEMP_DIR, "sweep", "remove(&path, id)")),
    (Step::AttachRead, "attaching: reads the record", code(ATTACH, "attach_once", "registry.records().read(id)?")),
    (Step::ReconcileRead, "reconcile: reads all labels", code(REPAIR, "reconcile", "ports.read(range)?")),
    (
        Step::ReconcileDemand,
        "reconcile: reads a record, for the labels that it demands",
        code(STANDING, "kept_records", "self.records.read(id)"),
    ),
    (
        Step::ReconcileLock,
        "reconcile: locks a port with a label",
        code(REPAIR, "clear_if_void", "ports.try_lock(range)?"),
    ),
    (
        Step::ReconcileReadOne,
        "reconcile: reads its label again",
        code(REPAIR, "clear_if_void", "ports.read_one(port)?"),
    ),
    (
        Step::ReconcileRecord,
        "reconcile: looks for its record",
        code(REPAIR, "clear_if_void", "self.records.exists(id)?"),
    ),
    (
        Step::ReconcileWrite,
        "reconcile: clears or restores it",
        code(REPAIR, "clear_if_void", "ports.write(range, Slot::Empty)?;"),
    ),
    (Step::ReconcileUnlock, "reconcile: unlocks", code(REPAIR, "clear_if_void", "let Some(_lock) =")),
    (Step::RelabelRead, "relabelling: reads a record", code(STANDING, "kept_records", "self.records.read(id)")),
    (
        Step::RelabelLook,
        "relabelling: reads a label",
        code(REPAIR, "relabel_port", "let before = ports.read_one(port)"),
    ),
    (Step::RelabelLock, "relabelling: locks its port", code(REPAIR, "relabel_port", "ports.try_lock(range)?")),
    (
        Step::RelabelReadOne,
        "relabelling: reads it again",
        code(REPAIR, "relabel_port", "let slot = ports.read_one(port)"),
    ),
    (
        Step::RelabelClaim,
        "relabelling: looks whether the record still claims it",
        code(REPAIR, "relabel_port", "self.records.claims(id)?"),
    ),
    (
        Step::RelabelWrite,
        "relabelling: writes the label",
        code(REPAIR, "relabel_port", "ports.write(range, Slot::Label(record.label()))?;"),
    ),
    (Step::RelabelUnlock, "relabelling: unlocks", code(REPAIR, "relabel_port", "let Some(_lock) =")),
    (Step::SetupLockFolder, "setup: locks the old folder", code(SETUP, "replace", "Folder::lock(root, false)")),
    (Step::SetupLock, "setup: locks all ports", code(SETUP, "lock", "ports.try_lock(PortRange::ALL)?")),
    (
        Step::SetupLookIfLinked,
        "setup: looks whether the file that it has locked still has a name",
        code(PORTS, "try_lock", "if !self.is_linked() {"),
    ),
    (
        Step::SetupCheck,
        "setup: reads the labels, and whether they claim",
        code(RETIRE, "keepers", "envs.contains(&records::name(id))"),
    ),
    (Step::SetupSwitch, "setup: makes the new folder, or moves it away", code(SETUP, "replace", "switch()?;")),
    (Step::SetupPublish, "setup: opens the new registry", code(SETUP, "set_up", "Registry::open_for(None, namespace)")),
    (Step::SetupUnlink, "setup: removes the old file", code(SETUP, "replace", "inside.remove(OsStr::new(\"ports\"))")),
    (
        Step::RetireHasRecords,
        "sweep of a namespace: looks for records",
        code(NAMESPACES, "sweep_namespace", "!retire::has_records(&inside)"),
    ),
    (
        Step::RetireLock,
        "sweep of a namespace: locks all ports",
        code(NAMESPACES, "sweep_namespace", "ports.try_lock(PortRange::ALL)?"),
    ),
    (
        Step::RetireCheck,
        "sweep of a namespace: reads the labels, and whether they claim",
        code(NAMESPACES, "sweep_namespace", "!retire::keepers(&inside, &ports, &path)?.is_empty()"),
    ),
    (
        Step::RetireUnlink,
        "sweep of a namespace: removes its file",
        code(NAMESPACES, "sweep_namespace", "inside.remove(OsStr::new(\"ports\"))"),
    ),
    (Step::SetupUnlock, "setup: unlocks", code(SETUP, "replace", "Ok(has_records.then(|| root.to_owned()))")),
];

/// What must follow each other within one function, because the model has it in that order.
#[cfg(test)]
pub(crate) const ORDERS: [(&str, &str, &[&str]); 27] = [
    (RECORDS, "read_open", &["(name(id), false)", "(making(id), true)", "(name(id), false)"]),
    (RECORDS, "is_taken", &["name(id)", "making(id)", "name(id)"]),
    (RECORDS, "create", &["rename_new(new, name)", "self.claims(id)?", "self.remove_name(id, &making(id))?"]),
    (PORTS, "try_lock", &["sys::try_lock(", "self.is_linked()", "self.unlock_all();"]),
    (PORTS, "close", &["self.unlock_all();", "drop(self.file.take());"]),
    (
        MAKE,
        "publish_ports_file",
        &["self.keep_place()?", "is_at(&self.path)", "self.relabel(&ports)", "folder.rename_new("],
    ),
    (MAKE, "keep_place", &["Folder::lock(&self.root, true)", "folder::root(None)?"]),
    (
        SETUP,
        "replace",
        &["Folder::lock(root, false)", "lock(&ports", "retire::keepers(", "inside.remove(", "switch()?;"],
    ),
    (
        NAMESPACES,
        "sweep_namespace",
        &[
            "retire::has_records(",
            "ports.try_lock(PortRange::ALL)?",
            "retire::keepers(",
            "inside.remove(OsStr::new(\"ports\"))",
        ],
    ),
    (REPAIR, "mend", &["ports.try_lock(range)?", "ports.read_one(port)?", "self.claimed_by_record(port, here)?"]),
    (SEARCH, "try_run", &["try_lock(run)", "self.claim(run, is_preferred)", "Err(Refusal::Taken(port))"]),
    (SEARCH, "claim", &["self.ports.read(run)?", "self.registry.standing(", "self.bind(port, is_preferred)?"]),
    (TAKE, "take", &["attempt(&search, request", "ports.write(*range, Slot::Label(label))", "Ok(Lease {"]),
    (
        LEASE,
        "let_go",
        &[
            "self.guard.lock()",
            "self.passed_on.load(",
            "self.is_still(&file)",
            "file.write(*range, Slot::Empty)",
            "file.close();",
        ],
    ),
    (LEASE, "restore_labels", &["held.read(*range)", "held.write(*range, own)?"]),
    (
        STANDING,
        "standing",
        &["self.claimed_by_record(port, here)?", "ports.write(", "label.claim.end(", "self.records.claims(id)"],
    ),
    (CREATE, "create", &["lease::take(", "claim_id(", "write_env_file(", "environment.finish(registry)?;"]),
    (
        CREATE,
        "claim_id",
        &[
            "lease.relabel(",
            "temp_dir::exists(",
            "registry.records().create(&record)?",
            "temp_dir::create(",
            "Ok(false) => registry.records().remove(id, true)?",
        ],
    ),
    (CREATE, "finish", &[".relabel(", ".finish(", ".restore_labels()", ".leave_to_labels()"]),
    (
        ENV_FILE,
        "write",
        &[
            ".open(&own)",
            ".write_all(",
            "sys::rename_new(&own, &wanted)",
            "look(registry, &wanted",
            "replace(&own, &wanted",
        ],
    ),
    (
        ENV_FILE,
        "replace",
        &[
            "!lock(old)?",
            "!is_in_place(old, path)?",
            "sys::exchange(new, path)",
            "is_in_place(old, new)?",
            "rustix::fs::unlink(new)?",
        ],
    ),
    (
        ENV_FILE,
        "remove",
        &["open(path)", "lock(&file)", "is_in_place(&file, path)", "read(&mut file)", "rustix::fs::unlink(path)"],
    ),
    (
        CLEANUP,
        "remove",
        &[
            "candidate(registry",
            ".select(",
            "lock(registry",
            "still_stands",
            ".select(",
            "remove_locked(",
            "drop(locks)",
        ],
    ),
    (
        CLEANUP,
        "remove_locked",
        &["traces::remove(", "ports.read(range)?", "slot.is_of(id)", "ports.write(range, Slot::Empty)?"],
    ),
    (
        TRACES,
        "remove",
        &[
            "temp_dir::remove(",
            "traces.note_if_ours(&other, id)",
            "env_file::remove(&named",
            "traces.note_if_ours(&other, id)",
            "registry.records().remove(id, record.is_unfinished)",
        ],
    ),
    (
        STATUS,
        "judge_kept",
        &["any_locked(ports, record)?", "record.claim().end(", "ports.read_each(", "registry.standing("],
    ),
    (
        REPAIR,
        "relabel_port",
        &[
            "ports.read_one(port)",
            "ports.try_lock(range)?",
            "ports.read_one(port)",
            "self.standing(",
            "self.records.claims(id)?",
            "ports.write(",
        ],
    ),
];

/// What a step is, in words, and its code.
pub(crate) fn of(step: Step) -> Option<(&'static str, Code)> {
    STEPS.iter().find(|(of, ..)| *of == step).map(|(_, words, code)| (*words, *code))
}
