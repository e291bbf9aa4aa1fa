//! What the file declares of an environment: its variables, preferred ports and offsets.

use std::collections::BTreeMap;
use std::net::TcpListener;

use portalloc::project::Project;
use portalloc::{Allocator, Environment, EnvironmentRequest, ErrorCode, LeaseRequest, Settings};
use portalloc_testkit::Slice;
use tempfile::TempDir;

use crate::with_file;

/// A pool of the first ports of a slice; the others lie outside of it.
struct World {
    directory: TempDir,
    slice: Slice,
    allocator: Allocator,
}

impl World {
    fn new(in_pool: usize, exclude: &str) -> Self {
        let (directory, slice) = (tempfile::tempdir().unwrap(), Slice::new(20));
        let (first, last) = (slice.ports()[0], slice.ports()[in_pool - 1]);
        let settings = Settings::new().directory(directory.path().join("registry")).exclude(exclude);
        let allocator = settings.pool(format!("{first}-{last}")).open().unwrap();
        Self { directory, slice, allocator }
    }

    fn port(&self, index: usize) -> u16 {
        self.slice.ports()[index]
    }

    fn declared(&self, text: &str) -> EnvironmentRequest {
        let (_file, path) = with_file(text);
        EnvironmentRequest::new().worktree(self.directory.path()).project(&Project::read(path).unwrap())
    }

    fn create(&self, request: &EnvironmentRequest) -> Environment {
        self.allocator.create_environment(request).unwrap()
    }

    fn lease(&self, request: LeaseRequest) -> Vec<u16> {
        self.allocator.lease(request).unwrap().ports().to_vec()
    }
}

fn variables(environment: &Environment) -> BTreeMap<String, String> {
    environment.variables().into_iter().collect()
}

const ENV: &str = "names = ['postgres']\n[env]\nPGPORT = '{postgres}'\nURL = 'postgres://localhost:{postgres}/{{x}}'\nNODE_ENV = 'test'\nAPI_PORT = '{port}'\n";

#[test]
fn variables_are_rendered_behind_portallocs_own_and_kept_in_the_record() {
    let world = World::new(5, "");
    let environment = world.create(&world.declared(ENV).kept().go_portalloc_names());
    let port = environment.ports()[0];
    let names: Vec<String> = environment.variables().into_iter().map(|(name, _)| name).collect();
    let last = ["API_PORT", "NODE_ENV", "PGPORT", "URL"];
    assert!(names.ends_with(&last.map(str::to_owned)), "{names:?}");
    assert_eq!(variables(&environment)["URL"], format!("postgres://localhost:{port}/{{{{x}}}}"));
    let attached = world.allocator.attach(environment.id()).unwrap();
    assert_eq!(attached.variables(), environment.variables());
    let json = serde_json::to_value(attached.record()).unwrap();
    assert_eq!(json["env"]["PGPORT"], port.to_string());
    environment.cleanup().unwrap();
}

#[test]
fn variables_for_ports_of_other_names_are_left_out() {
    let world = World::new(5, "");
    let variables = variables(&world.create(&world.declared(ENV).names(["web"])));
    assert!(variables.contains_key("NODE_ENV") && variables.contains_key("API_PORT"));
    assert!(!variables.contains_key("PGPORT") && !variables.contains_key("URL"));
    let error = world.allocator.create_environment(&world.declared(ENV).names(["api"])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("portalloc.toml:6: `env`: API_PORT is a variable that portalloc sets"), "{error}");
}

#[test]
fn a_project_variable_goes_before_a_name_of_go_portalloc() {
    let world = World::new(5, "");
    let request = world.declared("ports = 3\n[env]\nAPI_PORT = '{port}'").go_portalloc_names();
    let environment = world.create(&request);
    let names: Vec<String> = environment.variables().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.iter().filter(|name| *name == "API_PORT").count(), 1);
    assert_eq!(variables(&environment)["API_PORT"], environment.ports()[0].to_string());
}

/// Whoever edits a record must not give the programs of its readers other variables.
#[test]
fn a_record_with_other_variables_is_broken() {
    let world = World::new(5, "");
    let environment = world.create(&world.declared(ENV).kept());
    let path = &environment.record().lock_file;
    let text = std::fs::read_to_string(path).unwrap();
    for (name, value) in [("LD_PRELOAD", "/x"), ("POSTGRES_PORT", "1"), ("A B", ""), ("NODE_ENV", "a\\u0000")] {
        std::fs::write(path, text.replace("\"NODE_ENV\": \"test\"", &format!("\"{name}\": \"{value}\""))).unwrap();
        let error = world.allocator.attach(environment.id()).err().unwrap();
        assert_eq!(error.code(), ErrorCode::NotFound, "{name}: {error}");
        assert!(error.message().contains("is not one of portalloc's"), "{name}: {error}");
    }
    let old: Vec<&str> = text.lines().collect();
    let old = old.join("").replace(" ", "");
    let (before, rest) = old.split_once("\"env\":{").unwrap();
    std::fs::write(path, format!("{before}{}", rest.split_once("},").unwrap().1)).unwrap();
    assert_eq!(
        world.allocator.attach(environment.id()).unwrap().record().env,
        BTreeMap::new(),
        "one of an older version"
    );
    std::fs::write(path, text).unwrap();
    environment.cleanup().unwrap();
}

#[test]
fn preferred_ports_come_first_wherever_they_are() {
    let world = World::new(10, "");
    let wish = || LeaseRequest::run(1).prefer([world.port(15), world.port(3)]);
    let first = world.allocator.lease(wish()).unwrap();
    assert_eq!(first.ports(), [world.port(15)]);
    assert_eq!(world.lease(wish()), [world.port(3)]);
    drop(first);
    let _foreign = TcpListener::bind(("127.0.0.1", world.port(15))).unwrap();
    assert_eq!(world.lease(wish()), [world.port(3)], "a foreign process has the first");
    let run = LeaseRequest::run(3).prefer([world.port(13), world.port(16)]);
    assert_eq!(world.lease(run), [16, 17, 18].map(|index| world.port(index)), "a whole run, or none of it");
    let scattered = LeaseRequest::scattered(2).prefer([world.port(18), world.port(12)]);
    assert_eq!(world.lease(scattered), [world.port(18), world.port(12)]);
    let offsets = LeaseRequest::offsets([0, 2]).prefer([world.port(15), world.port(16)]);
    assert_eq!(world.lease(offsets), [world.port(16), world.port(18)]);
    let exact = LeaseRequest::exact([world.port(2)]).prefer([world.port(16)]);
    assert_eq!(world.lease(exact), [world.port(2)]);
}

#[test]
fn a_wish_is_only_a_wish() {
    let world = World::new(4, "1,65535");
    for request in [LeaseRequest::run(1).prefer([1]), LeaseRequest::run(2).prefer([65534, 65535])] {
        assert!(world.lease(request).iter().all(|port| world.slice.ports()[..4].contains(port)), "they are excluded");
    }
    assert!(world.lease(LeaseRequest::run(2).prefer([u16::MAX]))[0] < u16::MAX, "the run would not fit");
    let error = world.allocator.lease(LeaseRequest::run(1).prefer([0])).unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::InvalidArgument, "port 0 preferred"));
}

#[test]
fn a_worktree_returns_to_the_preferred_port_that_it_had() {
    let world = World::new(4, "");
    let declared = format!("ports = 1\nsticky = true\nprefer = [{}, {}]", world.port(10), world.port(11));
    let request = |name: &str| {
        let worktree = world.directory.path().join(name);
        std::fs::create_dir_all(&worktree).unwrap();
        world.declared(&declared).worktree(worktree)
    };
    let (a, b) = (world.create(&request("a")), world.create(&request("b")));
    assert_eq!((a.ports(), b.ports()), (&[world.port(10)][..], &[world.port(11)][..]));
    drop((a, b));
    assert_eq!(world.create(&request("b")).ports(), [world.port(11)], "although the first one is free");
    let other = world.create(&request("b").prefer([world.port(12)]));
    assert_eq!(other.ports(), [world.port(12)], "what the request prefers replaces what the file does");
    drop(other);
    let none = world.create(&request("a").prefer([]));
    assert!(world.slice.ports()[..4].contains(&none.ports()[0]), "an empty list prefers nothing");
}

#[test]
fn declared_offsets_apply_to_declared_names() {
    let world = World::new(4, "");
    let text = "names = ['web', { name = 'bus', offset = 10 }, 'next']\n";
    let distances = |environment: &Environment| -> Vec<u16> {
        environment.ports().iter().map(|port| port - environment.ports()[0]).collect()
    };
    assert_eq!(distances(&world.create(&world.declared(text))), [0, 10, 11]);
    assert_eq!(distances(&world.create(&world.declared(text).ports(5))), [0, 10, 11, 12, 13], "others follow");
    assert_eq!(distances(&world.create(&world.declared(&format!("{text}ports = 4")))), [0, 10, 11, 12]);
    assert_eq!(distances(&world.create(&world.declared(text).offsets([0, 1, 3]))), [0, 1, 3]);
    assert_eq!(distances(&world.create(&world.declared(text).names(["a", "b"]))), [0, 1]);
    let error = world.allocator.create_environment(&world.declared(text).ports(2)).unwrap_err();
    assert!(error.message().contains("3 names for 2 ports"), "{error}");
}
