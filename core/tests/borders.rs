//! What the borders of other languages build on: allocators that stay open between calls, waits that can be cancelled,
//! requests completed by the project file, and ports by name.

#![expect(clippy::unwrap_used, reason = "in helpers of tests, too, a failure is a failed test")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portalloc::environment::EnvFile;
use portalloc::ffi::{self, Allocators, EndOptions};
use portalloc::{EnvironmentRequest, ErrorCode, LeaseRequest, Readiness, Settings};
use portalloc_testkit::{Running, Slice, World};
use tempfile::TempDir;

fn settings(directory: &Path) -> Settings {
    Settings::new().directory(directory.join("registry")).exclude("")
}

#[test]
fn an_allocator_stays_open_and_leaves_a_registry_that_was_moved_away() {
    let world = World::new(1);
    let (allocators, settings) = (Allocators::new(), world.settings());
    let take = || allocators.with(&settings, |allocator| allocator.lease(LeaseRequest::exact([world.base()])));
    let lease = take().unwrap();
    assert_eq!(take().unwrap_err().code(), ErrorCode::PortInUse);
    drop(lease);

    fs::rename(world.registry(), world.path().join("away")).unwrap();
    // Opened anew in the same call.
    drop(take().unwrap());
    assert!(world.registry().is_dir(), "it goes on with a registry that was moved away");

    // Not as long as that would hide that a lease of this process counts no longer.
    let lease = take().unwrap();
    fs::rename(world.registry(), world.path().join("away again")).unwrap();
    let refused = take().unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RegistryUnusable, "{refused}");
    drop(lease);
    take().unwrap();
}

#[test]
fn different_settings_have_different_allocators() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let allocators = Allocators::new();
    let pool = |settings: &Settings| allocators.with(settings, |allocator| Ok(allocator.pool().asked().to_owned()));
    let directory = |settings: &Settings| allocators.with(settings, |allocator| Ok(allocator.directory().to_owned()));
    // More than are kept open.
    for port in 21360..21380 {
        let settings = settings(one.path()).pool(port.to_string());
        assert_eq!(pool(&settings).unwrap(), port.to_string());
        assert_eq!(pool(&settings).unwrap(), port.to_string());
    }
    assert_eq!(directory(&settings(one.path())).unwrap(), one.path().join("registry"));
    assert_eq!(directory(&settings(other.path())).unwrap(), other.path().join("registry"));
    let refused = pool(&settings(one.path()).pool("x")).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidArgument);
}

/// A hook that says yes once it was asked so often, and how often it was asked.
fn patience(asked: u32) -> (Arc<AtomicU32>, impl Fn() -> bool + Send + Sync + 'static) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    (count, move || counted.fetch_add(1, Ordering::Relaxed) + 1 >= asked)
}

#[test]
fn waits_end_when_their_hook_says_so() {
    let world = World::new(3);
    let [held, refused, bound] = world.ports()[..] else { panic!("three ports") };
    let allocator = world.settings().pool(held.to_string()).open().unwrap();
    let _held = allocator.lease(1).unwrap();
    let for_ever = Duration::MAX;

    let (asked, hook) = patience(3);
    let error = allocator.cancelled_by(hook).lease(LeaseRequest::run(1).wait(for_ever)).unwrap_err();
    assert_eq!((error.code(), asked.load(Ordering::Relaxed)), (ErrorCode::Timeout, 3));
    assert!(error.message().contains("cancelled"), "{error}");

    let (asked, hook) = patience(3);
    let request = EnvironmentRequest::new().ports(1).env_file(EnvFile::None).wait(for_ever);
    let error = allocator.cancelled_by(hook).create_environment(&request).unwrap_err();
    assert_eq!((error.code(), asked.load(Ordering::Relaxed)), (ErrorCode::Timeout, 3));

    let (asked, hook) = patience(3);
    let error = allocator.cancelled_by(hook).wait_until_open(&[refused], for_ever).unwrap_err();
    assert_eq!((error.code(), asked.load(Ordering::Relaxed)), (ErrorCode::Timeout, 3));
    assert!(error.message().contains(&format!("port {refused}: connection refused")), "{error}");

    let listener = TcpListener::bind(("127.0.0.1", bound)).unwrap();
    let (asked, hook) = patience(3);
    let error = allocator.cancelled_by(hook).wait_until_free(&[bound], for_ever).unwrap_err();
    assert_eq!((error.code(), asked.load(Ordering::Relaxed)), (ErrorCode::Timeout, 3));
    drop(listener);

    // It is nobody's business whether the hook says yes if there is nothing to wait for.
    let (asked, hook) = patience(1);
    allocator.cancelled_by(hook).wait_until_free(&[bound], for_ever).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[test]
fn waits_for_the_servers_of_an_environment_end_when_their_hook_says_so() {
    let world = World::new(2);
    let allocator = world.allocator();
    let environment =
        allocator.create_environment(&EnvironmentRequest::new().ports(1).env_file(EnvFile::None)).unwrap();
    let (for_ever, open) = (Duration::MAX, Readiness::open());
    let port = environment.ports()[0];

    let (asked, hook) = patience(3);
    let error = ffi::wait_until_ours(&environment, &[], &open, for_ever, &hook).unwrap_err();
    assert_eq!((error.code(), asked.load(Ordering::Relaxed)), (ErrorCode::Timeout, 3), "{error}");

    let stubborn = "import signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.create_server(('127.0.0.1', int(sys.argv[1])))
print('ready', flush=True)
while True: time.sleep(3600)";
    let mut server = Running::start(
        Command::new("python3")
            .args(["-c", stubborn, &port.to_string()])
            .env("ISOLATION_ID", environment.id().to_string()),
    );
    server.line();
    let options = EndOptions { timeout: Some(for_ever), ..EndOptions::default() }.stop_options();
    for end in [ffi::stop, ffi::down] {
        let (asked, hook) = patience(3);
        let error = end(&environment, &options, &hook).unwrap_err();
        assert_eq!((error.code(), asked.load(Ordering::Relaxed)), (ErrorCode::Timeout, 3), "{error}");
        assert!(error.message().contains(&format!("PID {} (python3)", server.pid())), "{error}");
        // It was asked, and not killed.
        environment.wait_until_ours(&[port], &open, for_ever).unwrap();
    }
    let options = EndOptions { timeout: Some(Duration::ZERO), ..EndOptions::default() }.stop_options();
    let (asked, hook) = patience(u32::MAX);
    let report = ffi::stop(&environment, &options, &hook).unwrap();
    let json: serde_json::Value = serde_json::from_str(&ffi::json(&report).unwrap()).unwrap();
    assert_eq!(json["isolation_id"], environment.id().to_string());
    assert_eq!(
        (&json["processes"][0]["pid"], &json["processes"][0]["outcome"]),
        (&server.pid().into(), &"killed".into())
    );
    assert!(report.is_clear() && asked.load(Ordering::Relaxed) < 1000, "{report:?}");
    environment.cleanup().unwrap();
}

/// A worktree with a project file, and a directory in it.
fn project(text: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("inner")).unwrap();
    fs::write(directory.path().join("portalloc.toml"), text).unwrap();
    directory
}

#[test]
fn a_request_is_completed_by_the_project_file_of_its_worktree() {
    let slice = Slice::new(5);
    let directory = project(&format!("names = [\"web\", \"db\"]\npool = \"{}\"\n", slice.pool()));
    let inner = directory.path().join("inner");
    let settings = || Settings::new().directory(directory.path().join("registry"));
    let open = |request: EnvironmentRequest| settings().open_for(request.env_file(EnvFile::None)).unwrap();

    let (allocator, request) = open(EnvironmentRequest::new().worktree(&inner));
    let environment = allocator.create_environment(&request).unwrap();
    assert_eq!(environment.record().names, ["web", "db"]);
    assert!(slice.ports().contains(&environment.ports()[0]));
    assert_eq!(environment.record().worktree_path, inner.canonicalize().unwrap());

    let (allocator, request) = open(EnvironmentRequest::new().worktree(&inner).names(["one"]));
    let other = allocator.create_environment(&request).unwrap();
    assert_eq!(other.record().names, ["one"]);
    assert_eq!(other.ports().len(), 1);

    let broken = project("names = 7\n");
    let error = settings().open_for(EnvironmentRequest::new().worktree(broken.path())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("portalloc.toml:1"), "{error}");
}

#[test]
fn ports_by_name_and_by_index() {
    let world = World::new(5);
    let allocator = world.allocator();
    let request = EnvironmentRequest::new().worktree(world.work()).env_file(EnvFile::None);
    let environment = allocator.create_environment(&request.names(["web", "db"]).ports(3)).unwrap();
    let record = environment.record();
    assert_eq!((record.index("web").unwrap(), record.index("db").unwrap()), (0, 1));
    assert_eq!((record.index("0").unwrap(), record.index("2").unwrap()), (0, 2));
    for unknown in ["3", "-1", "", "WEB", "1.0", "+1"] {
        let error = record.index(unknown).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(&format!("{unknown:?}")) && error.message().contains("web, db"), "{error}");
    }
    assert!(!environment.is_attached() && environment.held_lease().is_ok());
    let attached = allocator.attach(environment.id()).unwrap();
    assert!(attached.is_attached());
    assert_eq!(attached.held_lease().unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn who_holds_a_port_by_process() {
    let world = World::new(1);
    let (port, allocator) = (world.base(), world.allocator());
    let lease = allocator.lease(LeaseRequest::exact([port])).unwrap();
    let holders = |port| allocator.who([port]).unwrap().remove(0).holders();
    let me = std::process::id();
    let seen = |port| {
        holders(port).into_iter().map(|holder| (holder.pid, holder.leased, holder.listening)).collect::<Vec<_>>()
    };
    assert_eq!(seen(port), [(me, true, false)]);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(seen(port), [(me, true, true)]);
    assert!(holders(port)[0].process.is_some());
    drop(lease);
    assert_eq!(seen(port), [(me, false, true)]);
    drop(listener);
    assert_eq!(seen(port), []);
}
