//! A whole machine, as far as portalloc sees one: where its registry is, how root sets it up, and what cleans old files away.
//! Each test has mount and network namespaces of its own, with an empty /tmp, /run and /etc.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

mod ageing;
mod place;
mod setup;

use std::process::Command;

use portalloc_testkit::can_unshare;
use portalloc_tests::{Actor, Stage};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// Actors of one machine, which are given no registry by name.
struct Machine {
    world: Stage,
    first: Actor,
}

impl Machine {
    /// `None` where the tests may make no namespaces, which has been said then.
    fn new(ports: usize) -> Option<Self> {
        if !can_unshare(&["-mn"]) {
            return None;
        }
        let world = Stage::new(ACTOR, ports);
        // What the tests need of the real /tmp is taken along; the actor's program may lie there, too.
        let prepare = "mount -t tmpfs -o mode=755 tmpfs /mnt; mkdir /mnt/scratch; mount --bind \"$1\" /mnt/scratch; cp \"$2\" /mnt/actor
            chmod 755 \"$1\"; chmod 1777 \"$1/temp\" \"$1/work\"
            mount -t tmpfs -o mode=755 tmpfs /etc; mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /tmp
            mkdir -p \"$1\"; mount --bind /mnt/scratch \"$1\"; cd \"$1/work\"
            ip link set lo up; unset PORTALLOC_DIR; exec /mnt/actor";
        let first = world.unshared(&["-mn"], prepare);
        let mut machine = Self { world, first };
        assert_eq!(machine.first.ok("place"), "/tmp/portalloc");
        Some(machine)
    }

    /// A command on this machine.
    fn command(&self, program: &[&str]) -> Command {
        let mut command = self.world.program("nsenter");
        command.env_remove("PORTALLOC_DIR").args(["-t", &self.first.pid().to_string(), "-m", "-n", "--"]).args(program);
        command
    }

    /// Another actor, of root.
    fn actor(&self) -> Actor {
        Actor::spawn(self.command(&["/mnt/actor"]))
    }

    /// Another actor, of an ordinary user.
    fn user(&self, id: u32) -> Actor {
        Actor::spawn(self.command(&["setpriv", "--reuid", &id.to_string(), "--clear-groups", "/mnt/actor"]))
    }

    /// What a shell script says.
    fn sh(&self, script: &str) -> String {
        let output = self.command(&["sh", "-ec", script]).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}
