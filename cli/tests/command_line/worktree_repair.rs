//! `env --repair`, with real servers of others, and of its own, on the environment's ports.

#![expect(clippy::indexing_slicing, reason = "in helpers of tests, too, a failure is a failed test")]

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

use portalloc_testkit::{CommandLine, Running, id, ports, run};
use serde_json::Value;

use crate::PORTALLOC;

/// Whose ID a foreign server carries.
const OTHER: &str = "ba9876543210";

struct Place {
    world: CommandLine,
    made: Value,
}

impl Place {
    fn new() -> Self {
        let world = CommandLine::with_pool_of(PORTALLOC, 8);
        let made = world.run(["env", "--json", "--names", "web,db"]).json();
        Self { world, made }
    }

    fn id(&self) -> String {
        id(&self.made)
    }

    fn web(&self) -> u16 {
        ports(&self.made)[0]
    }

    fn db(&self) -> u16 {
        ports(&self.made)[1]
    }

    fn repair(&self, options: &[&str]) -> portalloc_testkit::Run {
        let options = ["env", "--json", "--repair", "--names", "web,db"].iter().chain(options);
        run(self.world.command(options).env_remove("ISOLATION_ID"))
    }

    /// Repairs an environment that nothing moves.
    fn stays(&self) {
        let ran = self.repair(&[]);
        assert!(ran.stderr.contains("nothing to repair"), "{ran:?}");
        assert_eq!(id(&ran.json()), self.id());
    }

    /// Repairs an environment that moves to other ports, all of them; returns what is told, and its description.
    fn moves(&self) -> (String, Value) {
        let ran = self.repair(&[]);
        let told = ran.stderr.clone();
        let new = ran.json();
        assert_ne!(id(&new), self.id(), "{told}");
        assert!(ports(&new).iter().all(|port| !ports(&self.made).contains(port)), "{new}");
        assert!(told.contains(&format!("has replaced {}", self.id())), "{told}");
        assert_eq!(id(&self.world.run(["env", "--json"]).json()), id(&new));
        assert_eq!(self.world.environments().len(), 1);
        (told, new)
    }
}

/// A web server on `port` in a directory; returns when it listens.
fn server(port: u16, directory: &Path, isolation_id: Option<&str>) -> Running {
    let mut command = Command::new("python3");
    command.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]).current_dir(directory);
    let mut server =
        Running::start(command.env_remove("ISOLATION_ID").envs(isolation_id.map(|id| ("ISOLATION_ID", id))));
    assert!(server.line().starts_with("Serving HTTP"));
    server
}

#[test]
fn it_moves_away_from_the_server_of_another_checkout() {
    let place = Place::new();
    place.stays();
    let elsewhere = place.world.elsewhere().canonicalize().unwrap();
    let foreign = server(place.web(), &elsewhere, Some(OTHER));
    place.world.run(["env", "--write", ".env.local"]).succeeded();
    let (told, new) = place.moves();
    for part in [&foreign.pid().to_string(), &elsewhere.display().to_string(), &place.web().to_string(), OTHER] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    // What is written in files moves with it.
    let block = std::fs::read_to_string(place.world.work().join(".env.local")).unwrap();
    assert!(block.contains(&format!("WEB_PORT={}\n", ports(&new)[0])), "{block}");
    // The foreign server is nobody's business, and a second repair has nothing to do.
    let again = place.repair(&[]);
    assert!(again.stderr.contains("nothing to repair"), "{again:?}");
    assert_eq!(id(&again.json()), id(&new));
}

#[test]
fn a_port_that_is_only_bound_is_taken_too() {
    let place = Place::new();
    // This process is no server of the environment: it runs elsewhere.
    let bound = UdpSocket::bind(("127.0.0.1", place.db())).unwrap();
    place.moves();
    drop(bound);
}

#[test]
fn it_does_not_leave_its_own_servers_behind() {
    let place = Place::new();
    let work = place.world.work();
    let own = server(place.db(), &work, None);
    place.stays();
    let foreign = server(place.web(), &place.world.elsewhere(), Some(OTHER));
    let said = place.repair(&[]).failed_with(5, "in_use");
    for part in [&*own.pid().to_string(), &place.db().to_string(), "portalloc stop"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(!said.contains(&foreign.pid().to_string()), "{said}");
    // Nor for other names.
    drop(foreign);
    place.repair(&["--names", "cache"]).failed_with(5, "in_use");
    assert_eq!(id(&place.world.run(["env", "--json"]).json()), place.id());
    let foreign = server(place.web(), &place.world.elsewhere(), Some(OTHER));
    // It leaves the foreign one, hence the status.
    assert_eq!(run(place.world.command(["stop"]).env_remove("ISOLATION_ID")).status, 5);
    drop(own);
    place.moves();
    drop(foreign);
}

#[test]
fn a_server_that_cannot_be_inspected_counts_as_foreign() {
    let place = Place::new();
    let Some(mut command) = place.world.as_nobody(["env", "--json", "--repair"]) else { return };
    // As another user, who sees nothing of this process: its own environment, and the socket of a user above it.
    let made = run(place.world.as_nobody(["env", "--json", "--names", "web"]).unwrap().current_dir("/")).json();
    let bound = UdpSocket::bind(("127.0.0.1", ports(&made)[0])).unwrap();
    let ran = run(command.args(["--names", "web"]).current_dir("/"));
    assert!(ran.stderr.contains("cannot be inspected"), "{ran:?}");
    assert_ne!(ports(&ran.json()), ports(&made));
    drop(bound);
}

#[test]
fn whoever_asks_for_nothing_else_gets_names_and_shape_as_they_were() {
    for shape in [&["--names", "web,db"][..], &["--names", "web,db", "--offsets", "0,3"], &["--ports", "3"]] {
        let world = CommandLine::with_pool_of(PORTALLOC, 20);
        let made = world.run([&["env", "--json"], shape].concat()).json();
        let foreign = server(ports(&made)[1], &world.elsewhere(), Some(OTHER));
        let new = run(world.command(["env", "--json", "--repair"]).env_remove("ISOLATION_ID")).json();
        drop(foreign);
        assert_ne!(id(&new), id(&made));
        assert_eq!(new["names"], made["names"]);
        let distances = |of: &Value| ports(of).iter().map(|port| port - ports(of)[0]).collect::<Vec<_>>();
        assert_eq!(distances(&new), distances(&made));
    }
}
