//! A worktree with an environment, and servers in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portalloc_testkit::{CommandLine, Running, run};
use serde_json::Value;

/// The binary under test.
pub(crate) const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");

/// Listens on the port in the first argument, says its PID, and ends when it is asked to.
pub(crate) const SERVER: &str = "import os, socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen()
print(os.getpid(), flush=True)
while True:
    s.accept()[0].close()";

/// A worktree with an environment of two ports.
pub(crate) struct Place {
    pub(crate) world: CommandLine,
    pub(crate) id: String,
    pub(crate) ports: Vec<u16>,
    pub(crate) directory: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let world = CommandLine::with_pool_of(PORTALLOC, 4);
        let directory = world.work();
        fs::create_dir_all(directory.join(".git")).unwrap();
        let made = world.run(["env", "--names", "web,db", "--json"]).json();
        let ports = made["ports"]["ports"].as_array().unwrap();
        let ports = ports.iter().map(|port| port.as_u64().unwrap().try_into().unwrap()).collect();
        Self { id: made["isolation_id"].as_str().unwrap().to_owned(), ports, directory, world }
    }

    pub(crate) fn port(&self) -> String {
        self.ports[0].to_string()
    }

    /// A server on the first port, in `directory`, with an isolation ID or none.
    pub(crate) fn server(&self, directory: &Path, id: Option<&str>) -> Running {
        let port = self.port();
        self.start(Command::new("python3").args(["-c", SERVER, &port]), directory, id)
    }

    pub(crate) fn start(&self, command: &mut Command, directory: &Path, id: Option<&str>) -> Running {
        command.current_dir(directory).env_remove("ISOLATION_ID").envs(id.map(|id| ("ISOLATION_ID", id)));
        Running::start(command)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> portalloc_testkit::Run {
        run(self.world.command(arguments).env_remove("ISOLATION_ID"))
    }

    /// What `stop --json` says, whatever its status, and the status.
    pub(crate) fn stop(&self, arguments: &[&str]) -> (i32, Value) {
        let arguments: Vec<&str> = ["stop", "--json"].iter().chain(arguments).copied().collect();
        let ran = self.run(&arguments);
        let said = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        (ran.status, said)
    }

    /// Fails unless `stop` ends the process for this reason.
    pub(crate) fn ends(&self, pid: &str, reason: &str) {
        let (status, said) = self.stop(&[]);
        let processes = said["processes"].as_array().unwrap();
        let it = processes.iter().find(|process| process["pid"] == pid.parse::<u32>().unwrap());
        let it = it.unwrap_or_else(|| panic!("{pid} is not in {said}"));
        assert_eq!((status, &it["reason"], &it["outcome"]), (0, &reason.into(), &"ended".into()), "{said}");
        assert!(!is_alive(pid), "{pid} runs");
    }

    /// Fails unless `stop` leaves the process, and names it with its directory.
    pub(crate) fn spares(&self, pid: &str, directory: &Path) {
        let (status, said) = self.stop(&[]);
        let foreign = &said["foreign"][0];
        let told = (foreign["pid"].to_string(), foreign["directory"].as_str().unwrap());
        assert_eq!((status, told), (5, (pid.to_owned(), directory.to_str().unwrap())), "{said}");
        assert!(is_alive(pid), "{pid} was ended");
    }
}

pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

/// Answers with the status that the path names, except for `/slow`, which has no answer.
pub(crate) const HTTP: &str = "import os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/slow': time.sleep(3600)
        self.send_response(int(self.path[1:]))
        self.send_header('Location', '/500')
        self.end_headers()
    def log_message(self, *words): pass
server = ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
print(os.getpid(), flush=True)
server.serve_forever()";
