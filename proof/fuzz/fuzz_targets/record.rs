//! Records of environments, which are untrusted: whatever stands in one, nothing is touched that is not its own, and it
//! can be listed, validated and removed. What counts as a record is one in every part.

#![no_main]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::fuzzing::this_process;
use portalloc::{Allocator, ErrorCode, IsolationId, LeaseRequest};
use portalloc_fuzz::{FUTURE, PAST, POOL, Place, allocator, fair, id, record, scratch};
use serde_json::{Value, json};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    text: Text<'a>,
    mode: Mode,
    steps: [Step; 4],
}

#[derive(Arbitrary, Debug)]
enum Text<'a> {
    /// Any text, in which `@` stands for the directory of the canary.
    Any(&'a str),
    Bytes(&'a [u8]),
    /// A good record with some changes.
    Changed(Vec<Change<'a>>),
}

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Format(i64),
    Id(u8),
    Project(&'a str),
    TempDir(PathTo),
    TempDirText(&'a str),
    EnvFile(Option<PathTo>),
    EnvFileText(&'a str),
    Worktree(PathTo),
    Base(i32),
    Count(u64),
    Ports(Vec<u16>),
    InPool(u16),
    Names(Vec<&'a str>),
    Held,
    Expires(Option<bool>),
    ExpiresText(&'a str),
    Created(&'a str),
    Owner(u32, u64, u32, u32),
    OwnerHere,
    Lease(u64),
    Instance(&'a str),
    Without(u8),
    Twice(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum PathTo {
    Canary,
    Precious,
    OtherTempDir,
    LinkOfItsName,
    FileOfItsName,
    OthersEnvFile,
    Nothing,
    Root,
    Up,
    Own,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Mode {
    Finished,
    Unfinished,
    Link,
    Directory,
    /// Both names, of which the finished one counts.
    Both,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    List,
    Validate,
    Ports,
    Attach,
    Reconcile,
    Census,
    Lease(u8),
    CleanupStale,
    CleanupOld,
    CleanupAll,
    CleanupId,
}

struct World {
    allocator: Allocator,
    place: Place,
    canary: PathBuf,
}

const MINE: u8 = 1;
const OTHER: u8 = 2;

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let canary = scratch().join("canary");
        let other = format!("portalloc-{}", id(OTHER));
        fs::create_dir_all(canary.join(&other)).unwrap();
        fs::create_dir(canary.join("linked")).unwrap();
        fs::create_dir(canary.join("file")).unwrap();
        fs::write(canary.join(&other).join("precious"), "1").unwrap();
        fs::write(canary.join("precious"), "2").unwrap();
        symlink(canary.join(&other), canary.join("linked").join(format!("portalloc-{}", id(MINE)))).unwrap();
        fs::write(canary.join("file").join(format!("portalloc-{}", id(MINE))), "3").unwrap();
        let text = format!("# Written by portalloc for environment {0}; x\nISOLATION_ID={0}\n", id(OTHER));
        fs::write(canary.join(".env.isolation"), text).unwrap();
        World { allocator: allocator(), place: Place::new(), canary }
    })
}

impl PathTo {
    fn path(self, canary: &Path) -> PathBuf {
        let mine = format!("portalloc-{}", id(MINE));
        match self {
            Self::Canary => canary.to_owned(),
            Self::Precious => canary.join("precious"),
            Self::OtherTempDir => canary.join(format!("portalloc-{}", id(OTHER))),
            Self::LinkOfItsName => canary.join("linked").join(mine),
            Self::FileOfItsName => canary.join("file").join(mine),
            Self::OthersEnvFile => canary.join(".env.isolation"),
            Self::Nothing => canary.join("nothing").join(mine),
            Self::Root => "/".into(),
            Self::Up => canary.join("..").join(mine).join(".."),
            Self::Own => scratch().join(mine),
        }
    }
}

const KEYS: [&str; 17] = [
    "format",
    "isolation_id",
    "compose_project_name",
    "worktree_path",
    "instance_id",
    "temp_dir",
    "lock_file",
    "env_file",
    "ports",
    "names",
    "lifetime",
    "created_at",
    "expires_at",
    "holder",
    "owner",
    "mount_namespace",
    "lease",
];

fn changed(changes: &[Change<'_>], canary: &Path) -> Vec<u8> {
    let here = this_process().unwrap();
    let mut value = record(&id(MINE), &[*POOL.start()], scratch(), here);
    let mut twice = String::new();
    for change in changes {
        let ports = |ports: &[u16]| json!({ "base_port": ports.first(), "count": ports.len(), "ports": ports });
        let (key, new): (&str, Value) = match change {
            Change::Format(format) => ("format", json!(format)),
            Change::Id(number) => ("isolation_id", json!(id(*number))),
            Change::Project(name) => ("compose_project_name", json!(name)),
            Change::TempDir(path) => ("temp_dir", json!(path.path(canary))),
            Change::TempDirText(path) => ("temp_dir", json!(path)),
            Change::EnvFile(path) => ("env_file", json!(path.map(|path| path.path(canary)))),
            Change::EnvFileText(path) => ("env_file", json!(path)),
            Change::Worktree(path) => ("worktree_path", json!(path.path(canary))),
            Change::Base(base) => {
                value["ports"]["base_port"] = json!(base);
                continue;
            }
            Change::Count(count) => {
                value["ports"]["count"] = json!(count);
                continue;
            }
            Change::Ports(these) => ("ports", ports(these)),
            Change::InPool(bits) => {
                let these: Vec<u16> = POOL.filter(|port| bits & (1 << (port - POOL.start())) != 0).collect();
                ("ports", ports(&these))
            }
            Change::Names(names) => ("names", json!(names)),
            Change::Held => ("lifetime", json!("held")),
            Change::Expires(when) => ("expires_at", json!(when.map(|past| if past { PAST } else { FUTURE }))),
            Change::ExpiresText(text) => ("expires_at", json!(text)),
            Change::Created(text) => ("created_at", json!(text)),
            Change::Owner(pid, start, pids, times) => {
                ("owner", json!({ "pid": pid, "start_time": start, "pid_namespace": pids, "time_namespace": times }))
            }
            Change::OwnerHere => ("owner", json!(here)),
            Change::Lease(number) => ("lease", json!(number)),
            Change::Instance(text) => ("instance_id", json!(text)),
            Change::Without(key) => {
                value.as_object_mut().unwrap().remove(KEYS[usize::from(*key) % KEYS.len()]);
                continue;
            }
            Change::Twice(key) => {
                let key = KEYS[usize::from(*key) % KEYS.len()];
                twice = format!("\"{key}\":{},", value[key]);
                continue;
            }
        };
        value[key] = new;
    }
    value.to_string().replacen('{', &format!("{{{twice}"), 1).into_bytes()
}

/// What is in a directory, to the bytes.
fn contents(directory: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            into.push((path.clone(), Vec::new()));
            contents(&path, into);
        } else if kind.is_symlink() {
            into.push((path.clone(), fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()));
        } else {
            into.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
}

fn step(step: Step, mine: IsolationId) {
    let World { allocator, .. } = world();
    let expected = |error: &portalloc::Error, codes: &[ErrorCode]| {
        fair(error);
        assert!(codes.contains(&error.code()), "{step:?}: {error:?}");
    };
    let cleanup = |selection| allocator.cleanup(&Cleanup::new(selection)).unwrap();
    match step {
        Step::List => {
            let listing = allocator.list().unwrap();
            assert!(listing.environments.iter().all(|info| info.id == mine) && listing.leases.is_empty());
        }
        Step::Validate => match allocator.validate(mine) {
            Ok(validation) => {
                for check in &validation.checks {
                    assert!(check.failure.as_ref().is_none_or(|why| !why.is_empty()));
                }
                if let Some(record) = validation.record {
                    let text = serde_json::to_vec(&record).unwrap();
                    let again: portalloc::registry::Record = serde_json::from_slice(&text).unwrap();
                    assert_eq!(serde_json::to_vec(&again).unwrap(), text);
                    assert_eq!(record.isolation_id, mine);
                    assert_eq!(record.ports.ports.len(), record.ports.count);
                    let variables = record.variables();
                    let has_main = variables.iter().any(|(name, _)| name == "PORT");
                    assert_eq!(variables.len(), 5 + record.ports.count + usize::from(has_main));
                    assert_eq!(allocator.environment_ports(mine).unwrap(), record.ports.ports);
                    let name = record.temp_dir.file_name().unwrap().to_str().unwrap();
                    assert_eq!(name, format!("portalloc-{mine}"));
                } else {
                    assert!(!validation.is_valid());
                }
            }
            Err(error) => expected(&error, &[ErrorCode::NotFound]),
        },
        Step::Ports => match allocator.environment_ports(mine) {
            Ok(ports) => assert!(!ports.is_empty() && !ports.contains(&0)),
            Err(error) => expected(&error, &[ErrorCode::NotFound, ErrorCode::RegistryUnusable]),
        },
        Step::Attach => match allocator.attach(mine) {
            Ok(environment) => assert!(environment.is_attached()),
            Err(error) => expected(&error, &[ErrorCode::NotFound]),
        },
        Step::Reconcile => drop(allocator.reconcile().unwrap()),
        Step::Census => {
            let (census, map) = (allocator.census().unwrap(), allocator.pool_map().unwrap());
            assert_eq!((census, census.pool), (map.census(), POOL.len()));
        }
        Step::Lease(count) => {
            let count = usize::from(count) % POOL.len() + 1;
            match allocator.lease(LeaseRequest::scattered(count)) {
                Ok(lease) => assert!(lease.ports().iter().all(|port| POOL.contains(port))),
                Err(error) => expected(&error, &[ErrorCode::PoolExhausted]),
            }
        }
        Step::CleanupStale => drop(cleanup(Selection::Stale)),
        Step::CleanupOld => drop(cleanup(Selection::OlderThan(std::time::Duration::from_secs(3600)))),
        Step::CleanupAll => drop(cleanup(Selection::All)),
        Step::CleanupId => match allocator.cleanup(&Cleanup::new(Selection::Id(mine))) {
            Ok(report) => assert!(report.removed.len() <= 1),
            Err(error) => fair(&error),
        },
    }
}

fuzz_target!(|input: Input<'_>| {
    let World { allocator, place, canary } = world();
    place.clear_records();
    let mut before = Vec::new();
    contents(canary, &mut before);
    let text = match &input.text {
        Text::Any(text) => text.replace('@', canary.to_str().unwrap()).into_bytes(),
        Text::Bytes(bytes) => bytes.to_vec(),
        Text::Changed(changes) => changed(changes, canary),
    };
    let (finished, making) = (place.record(&id(MINE)), place.making(&id(MINE)));
    let paths = [&finished, &making];
    match input.mode {
        Mode::Finished => fs::write(&finished, &text).unwrap(),
        Mode::Unfinished => fs::write(&making, &text).unwrap(),
        Mode::Link => symlink(canary.join("precious"), &finished).unwrap(),
        Mode::Directory => fs::create_dir(&finished).unwrap(),
        Mode::Both => paths.iter().for_each(|path| fs::write(path, &text).unwrap()),
    }
    let mine: IsolationId = id(MINE).parse().unwrap();
    for next in input.steps {
        step(next, mine);
    }
    // A directory in the place of a record is not removed: it cannot be portalloc's.
    let report = allocator.cleanup(&Cleanup::new(Selection::All)).unwrap();
    if !matches!(input.mode, Mode::Directory) {
        let is_there = || paths.iter().any(|path| fs::symlink_metadata(path).is_ok());
        assert!(report.skipped.iter().all(|skipped| is_there() && skipped.id == mine));
        for skipped in &report.skipped {
            fair(&skipped.error);
        }
        if report.skipped.is_empty() {
            assert!(!is_there(), "the record is still there");
            assert_eq!(allocator.lease(POOL.len()).unwrap().ports().len(), POOL.len());
        }
    }
    let mut after = Vec::new();
    contents(canary, &mut after);
    assert_eq!(before, after, "a stranger's file was touched");
    place.clear_records();
    allocator.reconcile().unwrap();
});
