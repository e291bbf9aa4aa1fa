//! A world with actors in it.

use std::ops::Deref;

use portalloc_testkit::World;

use crate::Actor;

/// Where a test's actors meet, and nobody else's.
#[derive(Debug)]
pub struct Stage {
    world: World,
    program: &'static str,
}

impl Stage {
    /// As [`World::new`], for a test that leaves leases to its actors. `program` is `env!("CARGO_BIN_EXE_actor")`, which
    /// only tests know.
    #[must_use]
    pub fn new(program: &'static str, count: usize) -> Self {
        Self { world: World::new(count), program }
    }

    /// As [`World::alone`], for a test that leases in its own process.
    #[must_use]
    pub fn alone(program: &'static str, count: usize) -> Self {
        Self { world: World::alone(count), program }
    }

    /// A process in this world.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::spawn(self.program(self.program))
    }

    /// Several.
    #[must_use]
    pub fn actors(&self, count: usize) -> Vec<Actor> {
        (0..count).map(|_| self.actor()).collect()
    }

    /// An actor in new namespaces, in which `prepare` (a shell script, `$1` is the scratch directory and `$2` the actor's
    /// program) ran first.
    #[must_use]
    pub fn unshared(&self, flags: &[&str], prepare: &str) -> Actor {
        let mut command = self.program("unshare");
        command.args(flags).args(["sh", "-ec", &format!("{prepare}\nexec \"$2\""), "sh"]);
        command.arg(self.path()).arg(self.program);
        Actor::spawn(command)
    }
}

impl Deref for Stage {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}
