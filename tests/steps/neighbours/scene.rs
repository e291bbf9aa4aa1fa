//! Where victims are met by a neighbour: a world with a canary, which is nobody's business, and a keeper that holds ports.
//! The neighbour is another process of the victim's user, or another user to whom the directories belong. Knows what must
//! hold after whatever the neighbour did, not what that was.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use portalloc_testkit::{names, skip};
use portalloc_tests::{Actor, Answer, Stage};

use crate::attacks::Attack;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");
const VICTIM: u32 = 12345;
const NEIGHBOUR: u32 = 54321;
const POOL: usize = 10;
const SECRET: &str = "canary-of-nobody";

/// Whose neighbour it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    /// Another process of the same user, who is not root, with every right that the victim has.
    Same,
    /// Another user, who made the registry, the temp directory and the worktree, and shares them.
    Other,
}

impl Neighbour {
    fn user(self) -> u32 {
        if self == Self::Same { VICTIM } else { NEIGHBOUR }
    }
}

/// Everything that one case is about.
pub(crate) struct Scene {
    pub(crate) world: Stage,
    neighbour: Neighbour,
    keeper: Actor,
    held: Vec<u16>,
    canary: BTreeMap<PathBuf, Seen>,
}

/// What there is to know about a file.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    content: Vec<u8>,
    mode: u32,
    user: u32,
    modified: i64,
}

/// Whether this process can act as other users.
pub(crate) fn can_be_others() -> bool {
    let world = Stage::new(ACTOR, 1);
    fs::set_permissions(world.path(), Permissions::from_mode(0o755)).unwrap();
    let tried = as_user(&world, VICTIM, ACTOR).stdin(Stdio::null()).status();
    if tried.is_ok_and(|status| status.success()) {
        return true;
    }
    skip("`setpriv` cannot run the tests' programs as other users here");
    false
}

fn as_user(world: &Stage, user: u32, program: &str) -> Command {
    let mut command = world.program("setpriv");
    command.args(["--reuid", &user.to_string(), "--regid", &user.to_string(), "--clear-groups", program]);
    command
}

impl Scene {
    pub(crate) fn new(neighbour: Neighbour) -> Self {
        let world = Stage::new(ACTOR, POOL);
        let owner = Some(neighbour.user());
        fs::set_permissions(world.path(), Permissions::from_mode(0o777)).unwrap();
        for (directory, mode) in [(world.temp(), 0o1777), (world.work(), 0o777)] {
            chown(&directory, owner, owner).unwrap();
            fs::set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
        }
        let canary = world.path().join("canary");
        plant(&canary);
        // The neighbour was there first, so that the directories are theirs.
        Actor::spawn(as_user(&world, neighbour.user(), ACTOR)).ok("open");
        let mut keeper = Actor::spawn(as_user(&world, VICTIM, ACTOR));
        let held = keeper.lease("lease 2");
        let canary = look(&canary);
        Self { world, neighbour, keeper, held, canary }
    }

    /// A process of the victim's user.
    pub(crate) fn actor(&self) -> Actor {
        Actor::spawn(as_user(&self.world, VICTIM, ACTOR))
    }

    /// Has the neighbour do it. That some of it is not allowed is the kernel's business.
    pub(crate) fn suffer(&self, attack: &Attack) {
        let world = &self.world;
        let done = as_user(world, self.neighbour.user(), "sh")
            .args(["-c", attack.script])
            .envs([
                ("REG", world.registry()),
                ("NET", world.namespace()),
                ("TEMP", world.temp()),
                ("WORK", world.work()),
            ])
            .env("CANARY", world.path().join("canary"))
            .env("BASE", world.base().to_string())
            .env("COUNT", POOL.to_string())
            .current_dir("/")
            .stderr(Stdio::null())
            .status();
        assert!(done.is_ok(), "{done:?}");
    }

    /// The operation during which the neighbour did something has ended well or with an error that says why, and so does
    /// everything after it; nothing foreign was touched or told.
    pub(crate) fn stands(&mut self, answer: &Answer, attack: &Attack, moment: &str) {
        self.is_clear(answer, attack, moment);
        let mut after = self.actor();
        for command in ["list", "lease 1", "kept ports 1", "reconcile", "cleanup stale", "cleanup all"] {
            let answer = after.ask(command);
            self.is_clear(&answer, attack, &format!("{moment}; then {command}"));
        }
        self.keeper.ok("release 0");
        self.is_untouched(attack, &format!("{moment}; then the keeper's release"));
    }

    fn is_clear(&self, answer: &Answer, attack: &Attack, moment: &str) {
        let said = match answer {
            Ok(value) => {
                let ports = value.get("ports").and_then(|ports| ports.as_array()).map_or(&[][..], Vec::as_slice);
                let clash = ports.iter().find(|port| self.held.iter().any(|held| **port == *held));
                assert!(clash.is_none() || !attack.leaves_locks, "{moment}: {clash:?} was given out twice");
                value.to_string()
            }
            Err(failure) => {
                assert!(CLEAR.contains(&failure.code.as_str()), "{moment}: {failure:?}");
                failure.message.clone()
            }
        };
        assert!(!said.contains(SECRET), "{moment}: what is nobody's business was told: {said}");
        self.is_untouched(attack, moment);
    }

    /// Nothing that is nobody's business was written, removed or changed, and what a guest brought is there.
    fn is_untouched(&self, attack: &Attack, moment: &str) {
        let now = look(&self.world.path().join("canary"));
        assert!(now == self.canary, "{moment}: {}", difference(&self.canary, &now));
        if attack.leaves_guest {
            let work = self.world.work();
            let guests = names(&work).into_iter().map(|name| work.join(name));
            assert!(
                guests.into_iter().any(|path| fs::read(path).is_ok_and(|text| text == b"guest\n")),
                "{moment}: the guest's file is gone"
            );
        }
    }
}

/// What an error may be. Never `internal`, which is a panic.
const CLEAR: &[&str] = &[
    "registry_unusable",
    "permission_denied",
    "io",
    "pool_exhausted",
    "port_in_use",
    "not_found",
    "in_use",
    "env_file_exists",
];

/// Files of the victim that look like everything that an attack makes them stand for.
fn plant(canary: &Path) {
    let id = "0123456789ab";
    for directory in ["", "envs", "sticky", "open", "open/envs", "portalloc-0123456789ab"] {
        fs::create_dir_all(canary.join(directory)).unwrap();
    }
    let env = format!("# Written by portalloc for environment {id}; {SECRET}\n# Record: /nowhere\nISOLATION_ID={id}\n");
    let files = [
        ("precious", SECRET.to_owned()),
        ("ports", SECRET.repeat(1000)),
        (".env.isolation", env),
        ("envs/0123456789ab.json", format!("{{\"isolation_id\": \"{SECRET}\"}}")),
        ("envs/0123456789ac.making", format!("{{\"isolation_id\": \"{SECRET}\"}}")),
        ("envs/ports.new-0123456789abcdef", SECRET.to_owned()),
        ("ports.new-0123456789abcdef", SECRET.to_owned()),
        ("portalloc-0123456789ab/data", SECRET.to_owned()),
        ("open/ports.new-0123456789abcdef", SECRET.to_owned()),
    ];
    for (name, content) in files {
        fs::write(canary.join(name), content).unwrap();
    }
    fs::File::create(canary.join("large")).and_then(|file| file.set_len(4 << 20)).unwrap();
    symlink("precious", canary.join("link")).unwrap();
    let old = SystemTime::now() - Duration::from_secs(3600);
    each(canary, &mut |path| {
        std::os::unix::fs::lchown(path, Some(VICTIM), Some(VICTIM)).unwrap();
        if !path.is_symlink() {
            let shared =
                path.ends_with("open") || path.parent().is_some_and(|parent| parent.ends_with("open") && path.is_dir());
            let mode = if shared {
                0o1777
            } else if path.is_dir() {
                0o750
            } else {
                0o640
            };
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            fs::File::open(path).unwrap().set_modified(old).unwrap();
        }
    });
}

fn each(path: &Path, see: &mut dyn FnMut(&Path)) {
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).unwrap() {
            each(&entry.unwrap().path(), see);
        }
    }
    see(path);
}

fn look(canary: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    each(canary, &mut |path| {
        let metadata = fs::symlink_metadata(path).unwrap();
        let content = if metadata.is_file() && metadata.len() < 1 << 20 {
            fs::read(path).unwrap()
        } else {
            // Its time of change says enough of a large one.
            format!("{} blocks", metadata.blocks()).into_bytes()
        };
        let seen_of = Seen { content, mode: metadata.mode(), user: metadata.uid(), modified: metadata.mtime_nsec() };
        seen.insert(path.to_owned(), seen_of);
    });
    seen
}

fn difference(before: &BTreeMap<PathBuf, Seen>, now: &BTreeMap<PathBuf, Seen>) -> String {
    let paths: std::collections::BTreeSet<&PathBuf> = before.keys().chain(now.keys()).collect();
    let changed = paths.into_iter().filter(|path| before.get(*path) != now.get(*path));
    let told = changed.map(|path| {
        let of = |seen: &BTreeMap<PathBuf, Seen>| {
            seen.get(path).map(|seen| (seen.content.len(), format!("{:o}", seen.mode), seen.user, seen.modified))
        };
        format!("{}: {:?} became {:?}", path.display(), of(before), of(now))
    });
    told.collect::<Vec<_>>().join("; ")
}
