//! Where victims are killed: a world with environments and leases of others that must come to no harm, files that are
//! nobody's business, and a janitor. Knows what must hold after any kill, not what the victim was doing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of tests: a failure is a failed test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use portalloc::environment::{EnvironmentInfo, StaleReason, Status};
use portalloc_testkit::names;
use portalloc_tests::{Actor, Stage};
use serde_json::Value;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");
const POOL: usize = 11;

/// The neighbours' things, and what is nobody's.
pub(crate) struct Scene {
    pub(crate) world: Stage,
    pub(crate) janitor: Actor,
    keeper: Actor,
    /// The keeper's environments: a held and a kept one.
    environments: Vec<Value>,
    /// All of the keeper's ports.
    ports: BTreeSet<u16>,
    /// What is in the directories when nobody else left anything.
    clean: Vec<Vec<String>>,
    /// Whether the labels of held leases are lost. Those are notes, and no record demands them.
    notes_lost: bool,
}

/// What the check after a kill does first: a lease of every port that is nobody's, or the cleanup.
#[derive(Clone, Copy, Debug)]
pub(crate) enum First {
    Lease,
    Cleanup,
}

impl Scene {
    /// In the worktree there is an env file of the keeper's, if `taken`.
    pub(crate) fn new(taken: bool) -> Self {
        let world = Stage::new(ACTOR, POOL);
        let (mut keeper, mut janitor) = (world.actor(), world.actor());
        // What a sticky key was given is remembered for good, so it must be among what is there from the beginning.
        let number = janitor.ok("lease 1 sticky key")["lease"].clone();
        janitor.ok(&format!("drop {number}"));
        for count in 1..=2 {
            janitor.ok(&format!("obtain ports {count} file none"));
            janitor.ok("down");
        }
        let mut ports: BTreeSet<u16> = keeper.lease("lease 2").into_iter().collect();
        let beside = world.work().join("keeper.env");
        let file = if taken { String::new() } else { format!(" file {}", beside.display()) };
        let environments = vec![keeper.ok("held ports 1 file none"), keeper.ok(&format!("kept ports 2{file}"))];
        for environment in &environments {
            ports.extend(ports_of(environment));
            fs::write(Path::new(text(&environment["temp_dir"])).join("data"), "data").unwrap();
        }
        fs::create_dir(world.temp().join("portalloc-0123456789ab")).unwrap();
        fs::write(world.temp().join("portalloc-notes"), "notes").unwrap();
        fs::write(world.work().join("precious"), "precious").unwrap();
        let mut scene = Self { world, janitor, keeper, environments, ports, clean: Vec::new(), notes_lost: false };
        scene.clean = scene.names();
        scene
    }

    pub(crate) fn id_of_kept(&self) -> &str {
        text(&self.environments[1]["id"])
    }

    /// How many ports of the pool are not the keeper's.
    pub(crate) fn room(&self) -> usize {
        POOL - self.ports.len()
    }

    fn directories(&self) -> [PathBuf; 7] {
        let net = self.world.namespace();
        let world = &self.world;
        let (records, memory) = (net.join("envs"), net.join("sticky"));
        [world.registry(), net, records, memory, self.indices(), world.temp(), world.work()]
    }

    /// Where it is written which environment is a worktree's.
    fn indices(&self) -> PathBuf {
        self.world.namespace().join("by-worktree")
    }

    /// After a kill in an operation on the worktree's environment: there is none, or whoever asks gets what there is, and if a
    /// repair was interrupted, that is one of two, of which the next that asks removes one.
    pub(crate) fn leads_to_its_environment(&mut self, first: First, moment: &str) {
        let living = |scene: &Self| {
            let listed = scene.listed().into_iter().filter(|info| !info.status.is_stale());
            listed.map(|info| info.id.to_string()).collect::<Vec<_>>()
        };
        let (all, found) = (living(self), self.janitor.ok("find"));
        let found = found.as_str();
        assert_eq!(found.is_none(), all.is_empty(), "{moment}: {found:?} of {all:?}");
        assert!(found.is_none_or(|found| all.iter().any(|id| id == found)) && all.len() <= 2, "{moment}: {all:?}");
        if let First::Cleanup = first {
            let had = self.janitor.ok("obtain ports 2 file none");
            assert!(found.is_none_or(|found| had["id"] == found), "{moment}: {found:?}, then {had}");
            assert_eq!(living(self), [text(&had["id"])], "{moment}");
            let block = fs::read_to_string(self.world.work().join("env.local")).unwrap_or_default();
            let names_it = block.contains(&format!("ISOLATION_ID={}\n", text(&had["id"])));
            assert!(block.is_empty() || names_it, "{moment}: {block}");
        }
    }

    fn names(&self) -> Vec<Vec<String>> {
        let names = |directory: PathBuf| if directory.exists() { names(directory) } else { Vec::new() };
        self.directories().map(names).to_vec()
    }

    /// After a kill: what is nobody's can be leased and what the dead one left can be removed, in either order; what
    /// the neighbours have is theirs and whole; and then all is as if the dead one had never been.
    pub(crate) fn stands(&mut self, first: First, moment: &str) {
        if let First::Lease = first {
            self.all_others_can_be_leased(&self.listed(), moment);
        }
        self.dead_are_removed(moment);
        let living = self.listed();
        if let First::Cleanup = first {
            self.all_others_can_be_leased(&living, moment);
        }
        self.living_are_removed(&living, moment);
        self.all_others_can_be_leased(&[], moment);
        assert_eq!(self.names(), self.clean, "{moment}");
        let labelled: BTreeSet<u16> = match self.notes_lost {
            true => ports_of(&self.environments[1]).into_iter().collect(),
            false => self.ports.clone(),
        };
        assert_eq!(self.labelled(), labelled, "{moment}: labels");
    }

    /// What a sticky key was given last is no port of the pool, so its next lease writes anew.
    pub(crate) fn mislead_the_memory(&self) {
        let memory = self.world.namespace().join("sticky");
        for name in names(&memory) {
            fs::write(memory.join(name), "1").unwrap();
        }
    }

    /// Cuts all labels off.
    pub(crate) fn truncate(&mut self) {
        fs::File::options().write(true).open(self.world.ports_file()).unwrap().set_len(0).unwrap();
        self.notes_lost = true;
    }

    /// The environments that are not the keeper's.
    fn listed(&self) -> Vec<EnvironmentInfo> {
        let mut environments = self.world.allocator().list().unwrap().environments;
        environments
            .retain(|info| !self.environments.iter().any(|environment| environment["id"] == *info.id.to_string()));
        environments
    }

    fn all_others_can_be_leased(&mut self, environments: &[EnvironmentInfo], moment: &str) {
        // What a broken record claims cannot be told, and is nobody's before an explicit cleanup.
        if environments.iter().any(|info| matches!(info.status, Status::Stale(StaleReason::RecordBroken(_)))) {
            return;
        }
        let alive = environments.iter().filter(|info| !info.status.is_stale());
        let claimed: BTreeSet<u16> =
            alive.flat_map(|info| info.ports.iter().copied()).chain(self.ports.clone()).collect();
        let free: BTreeSet<u16> = self.world.ports().iter().copied().filter(|port| !claimed.contains(port)).collect();
        self.janitor.ok("open");
        let had = self.janitor.ask(&format!("scattered {}", free.len()));
        let had = had.unwrap_or_else(|failure| panic!("{moment}: {failure:?}; {environments:?}"));
        assert_eq!(ports_of(&had).into_iter().collect::<BTreeSet<_>>(), free, "{moment}: {environments:?}");
        let refused = self.janitor.ask("lease 1").map_err(|failure| failure.code);
        assert_eq!(refused, Err("pool_exhausted".to_owned()), "{moment}");
        self.janitor.ok(&format!("drop {}", had["lease"]));
    }

    /// Unfinished files are swept once they are surely not being written any more; instead of waiting, they are made old.
    fn dead_are_removed(&mut self, moment: &str) {
        for directory in self.directories().iter().filter(|directory| directory.exists()) {
            let is_index = *directory == self.indices();
            for name in names(directory).iter().filter(|name| is_index || name.contains(".new-")) {
                let file = fs::File::open(directory.join(name)).unwrap();
                file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
            }
        }
        let report = self.janitor.ok("cleanup stale");
        assert_eq!(report["skipped"], Value::Array(Vec::new()), "{moment}: {report}");
        self.janitor.ok("reconcile");
        // What was to be a file with a block goes with the environment, or when the block is written again.
        let is_left = |name: &String| name.contains(".new-") && !name.starts_with("env.local.");
        let names: Vec<String> = self.names().into_iter().flatten().collect();
        assert!(!names.iter().any(is_left), "{moment}: {names:?}");
        for environment in &self.environments {
            let validation = self.janitor.ok(&format!("validate {}", text(&environment["id"])));
            assert_eq!(validation["valid"], true, "{moment}: {validation}");
            assert!(Path::new(text(&environment["temp_dir"])).join("data").exists(), "{moment}");
        }
    }

    /// What the dead one kept, or was about to clean up, lives on and is removed by whoever asks for that.
    fn living_are_removed(&mut self, living: &[EnvironmentInfo], moment: &str) {
        for info in living {
            assert_eq!(info.status, Status::Active, "{moment}: {info:?}");
            let report = self.janitor.ok(&format!("cleanup {}", info.id));
            assert_eq!(report["removed"][0]["left"], Value::Array(Vec::new()), "{moment}: {report}");
        }
    }

    /// The ports of the pool whose labels say anything.
    fn labelled(&self) -> BTreeSet<u16> {
        let file = fs::File::open(self.world.ports_file()).unwrap();
        let mut labels = vec![0; POOL * 64];
        file.read_exact_at(&mut labels, u64::from(self.world.base()) * 64).unwrap();
        let said = labels.chunks(64).zip(self.world.ports()).filter(|(label, _)| **label != [0; 64]);
        said.map(|(_, port)| *port).collect()
    }

    /// The end of a scene: the keeper can give back all that it has.
    pub(crate) fn ends(mut self) {
        self.keeper.ok("release 0");
        self.keeper.ok("clean 0");
        self.keeper.ok("clean 1");
        let file = fs::read(self.world.ports_file()).unwrap();
        let (header, labels) = file.split_at(64);
        assert!(header.starts_with(b"portalloc\n") && header[60..] != [0; 4], "{header:?}");
        assert!(labels.iter().all(|byte| *byte == 0), "labels outside of the pool");
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn ports_of(environment: &Value) -> Vec<u16> {
    serde_json::from_value(environment["ports"].clone()).unwrap()
}
