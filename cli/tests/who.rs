//! `portalloc who` from end to end: the real binary, and real users. What it sees of sockets and processes is tested in
//! core/tests/who.rs; here it is what goes in and comes out, and what another user is told.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests: a failure is a failed test")]

#[path = "../../tests/src/slice.rs"]
mod slice;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use portalloc::Lease;
use serde_json::{Value, json};
use tempfile::TempDir;

const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");
const NOBODY: &str = "65534";

/// A registry and four ports for one test.
struct World {
    folder: TempDir,
    slice: Lease,
    pool: String,
}

impl World {
    fn new() -> Self {
        let (slice, pool) = slice::slice(4);
        let folder = tempfile::Builder::new().prefix("portalloc-who-").tempdir().expect("a scratch folder");
        // Another user must get to the registry in it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the folder is opened to others");
        Self { folder, slice, pool }
    }

    fn port(&self, index: usize) -> u16 {
        self.slice.ports()[index]
    }

    fn prepare(&self, mut command: Command) -> Command {
        command
            .env("PORTALLOC_DIR", self.folder.path().join("registry"))
            .env("PORTALLOC_POOL", &self.pool)
            .env("COLUMNS", "80")
            .env_remove("PORTALLOC_EXCLUDE")
            .env_remove("ISOLATION_ID")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Output {
        let mut command = self.prepare(Command::new(PORTALLOC));
        command.args(arguments.iter().map(AsRef::as_ref)).output().expect("portalloc starts")
    }

    fn succeeds<S: AsRef<str>>(&self, arguments: &[S]) -> String {
        text(self.run(arguments))
    }

    fn json<S: AsRef<str>>(&self, arguments: &[S]) -> Value {
        serde_json::from_str(&self.succeeds(arguments)).expect("JSON")
    }

    fn fails<S: AsRef<str>>(&self, arguments: &[S], status: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }

    /// An environment of two ports, kept: what `create --json` says.
    fn create(&self) -> Value {
        self.json(&["create", "--ports", "2", "--no-env-file", "--json"])
    }

    fn clean(&self) {
        self.succeeds(&["cleanup", "--all"]);
    }
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn nobody_is_told_and_no_failure() {
    let world = World::new();
    let port = world.port(0).to_string();
    let said = world.succeeds(&["who", &port]);
    assert!(said.contains("nobody") && said.contains(&port), "{said}");
    let said = world.json(&["who", &port, "--json"]);
    assert_eq!(said["ports"][0]["in_use"], false);
    assert_eq!((&said["ports"][0]["lease"], &said["ports"][0]["sockets"]), (&Value::Null, &json!([])));
}

#[test]
fn a_server_is_shown_with_its_process() {
    let world = World::new();
    let _server = TcpListener::bind(("127.0.0.1", world.port(0))).expect("the port is free");
    let (port, pid) = (world.port(0).to_string(), std::process::id());
    let said = world.succeeds(&["who", &port]);
    for part in [format!("PID {pid} ("), format!("127.0.0.1:{port}"), "listen".to_owned()] {
        assert!(said.contains(&part), "{part} is missing in\n{said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "wider than 80 columns:\n{said}");
    let said = world.json(&["who", &port, "--json"]);
    let seen = &said["ports"][0];
    assert_eq!(keys(&said), ["ports"]);
    assert_eq!(keys(seen), ["complete", "holders", "in_use", "lease", "message", "port", "sockets"]);
    let socket = &seen["sockets"][0];
    assert_eq!(keys(socket), ["hidden", "local", "processes", "protocol", "remote", "state", "user_id"]);
    assert_eq!((&socket["state"], &socket["local"]), (&json!("listen"), &json!(format!("127.0.0.1:{port}"))));
    let processes = socket["processes"].as_array().expect("an array");
    let process = processes.iter().find(|process| process["pid"] == pid).expect("this process");
    assert_eq!(keys(process), ["command", "name", "pid", "started_at", "user", "user_id"]);
}

#[test]
fn several_ports_keep_their_order() {
    let world = World::new();
    let ports = [2, 0, 1].map(|index| world.port(index));
    let arguments: Vec<String> =
        ["who".to_owned(), "--json".to_owned()].into_iter().chain(ports.map(|port| port.to_string())).collect();
    let said = world.json(&arguments);
    let shown: Vec<_> = said["ports"].as_array().expect("an array").iter().map(|seen| seen["port"].clone()).collect();
    assert_eq!(shown, ports.map(|port| json!(port)));
}

#[test]
fn an_environment_is_shown_by_its_id() {
    let world = World::new();
    let created = world.create();
    let id = created["isolation_id"].as_str().expect("an ID");
    let said = world.json(&["who", "--json", "--id", id]);
    let shown: Vec<_> = said["ports"].as_array().expect("an array").iter().map(|seen| seen["port"].clone()).collect();
    assert_eq!(json!(shown), created["ports"]["ports"]);
    let lease = &said["ports"][0]["lease"];
    assert_eq!(keys(lease), ["holder", "instance_id", "isolation_id", "lifetime", "since", "worktree_path"]);
    assert_eq!((&lease["lifetime"], &lease["isolation_id"]), (&json!("kept"), &json!(id)));
    assert_eq!(lease["worktree_path"], created["worktree_path"]);
    assert!(world.succeeds(&["who", "--id", id]).contains(id));
    world.clean();
}

#[test]
fn bad_input_is_refused() {
    let world = World::new();
    assert!(world.fails(&["who", "--id", "0123456789ab"], 4).contains("not_found: "));
    assert!(world.fails(&["who", "--id", "../x"], 2).contains("invalid_id: "));
    assert!(world.fails(&["who", "0"], 2).contains("invalid_argument: port 0 "));
    for arguments in [&["who"][..], &["who", "65536"], &["who", "x"], &["who", "80", "--id", "0123456789ab"]] {
        world.fails(arguments, 2);
    }
}

#[test]
fn another_user_is_told_what_is_hidden() {
    let world = World::new();
    let created = world.create();
    let port = created["ports"]["base_port"].to_string();
    let _server = TcpListener::bind(("127.0.0.1", port.parse().expect("a port"))).expect("the port is free");
    // A copy, since the folder of the build may be closed to others. By a process of its own: of a file that this one
    // writes to, programs that other tests are just starting have copies, and what is open for writing cannot be executed.
    let copy = world.folder.path().join("portalloc");
    assert!(Command::new("cp").arg(PORTALLOC).arg(&copy).status().is_ok_and(|status| status.success()), "no copy");
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--clear-groups"]).args(arguments);
        world.prepare(command)
    };
    if !as_nobody(&["true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        if std::env::var_os("CI").is_some() && rustix::process::geteuid().is_root() {
            panic!("setpriv does not work here, but CI must run this test");
        }
        eprintln!("SKIPPED: only root with setpriv can be another user");
        world.clean();
        return;
    }
    let program = copy.to_str().expect("UTF-8");
    let said: Value =
        serde_json::from_str(&text(as_nobody(&[program, "who", "--json", &port]).output().expect("it starts")))
            .expect("JSON");
    let seen = &said["ports"][0];
    assert_eq!(seen["sockets"][0]["hidden"], "other_user");
    assert_eq!((&seen["sockets"][0]["processes"], &seen["sockets"][0]["user_id"]), (&json!([]), &json!(0)));
    // The label is for everybody, the record is not.
    assert_eq!(seen["lease"]["isolation_id"], created["isolation_id"]);
    assert_eq!(seen["lease"]["worktree_path"], Value::Null);
    let said = text(as_nobody(&[program, "who", &port]).output().expect("it starts"));
    assert!(said.replace('\n', " ").contains("only that user and root may see"), "{said}");
    world.clean();
}
