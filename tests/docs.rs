//! Every command in docs/*.md and README.md, run as it stands there.
//!
//! In a page, blocks tagged `sh` are run, in their order, in one shell that ends at the first command that fails. A block
//! with a file name behind its language is written to that file at its place in the order, as a reader would do it. Of
//! `yaml`, the `run:` and `script:` lines are run.
//! A block behind `<!-- needs: node -->` is skipped where there is no such program: loudly, and never in CI. `docker` is a
//! stub, because a machine without an engine must run the tests, too.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure is a failed test")]
#![expect(clippy::print_stderr, reason = "a skipped block must be seen")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use portalloc_testkit::{can_unshare, is_installed, names, until};
use portalloc_tests::Stage;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// The stub: what it publishes is bound by one process for each project, which `down` ends.
const DOCKER: &str = r#"#!/usr/bin/env python3
# docker without an engine. It refuses what the pages do not use, and what compose could not use.
import os, re, select, signal, socket, subprocess, sys

def refuse(why):
    sys.exit(f"docker stub: {why}: {sys.argv[1:]}")

def servers(ports):
    opened = []
    for port in ports:
        opened.append(socket.socket())
        opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened[-1].bind(("0.0.0.0", port))
        opened[-1].listen()
    return opened

def compose(words):
    variables = {}
    if words[:1] == ["--env-file"]:
        with open(words[1]) as lines:
            variables = dict(line.rstrip("\n").split("=", 1) for line in lines if "=" in line and line[0] != "\#")
        words = words[2:]
    # As compose has it: the environment overrides the file.
    variables = {**variables, **os.environ}
    project = variables.get("COMPOSE_PROJECT_NAME", "")
    if not re.fullmatch(r"portalloc-[0-9a-f]{12}", project):
        refuse(f"COMPOSE_PROJECT_NAME is {project!r}")
    text = open("compose.yaml").read()
    if text.count("image: postgres") != text.count("POSTGRES_PASSWORD"):
        refuse("postgres does not start without a password")
    if "--wait" in words and text.count("image:") != text.count("healthcheck:"):
        refuse("there is nothing to wait for without a health check")
    names = re.findall(r'"\$\{(\w+)\}:\d+"', text)
    if not names or not all(variables.get(name, "").isdigit() for name in names):
        refuse(f"not all of {names} are set")
    ports = [int(variables[name]) for name in names]
    state = os.path.join(os.environ["HOME"], project)
    if words == ["up"]:
        servers(ports)
    elif words in (["up", "-d"], ["up", "-d", "--wait"]):
        # Like a container's, its process is no child of whoever calls, and inherits nothing.
        ready, tell = os.pipe()
        if os.fork() == 0:
            os.setsid()
            opened = servers(ports)
            keep = {tell, *(one.fileno() for one in opened)}
            for fd in range(256):
                if fd not in keep:
                    try: os.close(fd)
                    except OSError: pass
            with open(state, "w") as file: file.write(str(os.getpid()))
            os.close(tell)
            signal.pause()
        os.close(tell)
        os.read(ready, 1)
        if not os.path.exists(state):
            refuse("a port is taken")
    elif words in (["down"], ["down", "-v"]):
        with open(state) as file: pid = int(file.read())
        os.remove(state)
        gone = os.pidfd_open(pid)
        os.kill(pid, signal.SIGTERM)
        select.select([gone], [], [], 20)
    else:
        refuse("unknown compose command")

def run(words):
    options = []
    while words and words[0].startswith("-"):
        take = 1 if words[0] in ("--rm", "--pid=host", "--network=host") else 2
        options.append(words[:take])
        words = words[take:]
    shared = [option[1] for option in options if option[0] == "-v"]
    if ["--network=host"] not in options or not any(re.fullmatch(r"(/\S*portalloc\S*):\1", one) for one in shared):
        refuse("no shared registry, or not the host's ports")
    if not words or words[0] != "my-image":
        refuse("no image")
    sys.exit(subprocess.call(words[1:]))

if sys.argv[1:2] == ["compose"]:
    compose(sys.argv[2:])
elif sys.argv[1:2] == ["run"]:
    run(sys.argv[2:])
else:
    refuse("unknown command")
"#;

/// What may be missing even in CI.
const OPTIONAL: [&str; 1] = ["nginx"];

/// What a page must contain at least one of, so that it cannot pass by doing nothing.
const ASSERTIONS: [&str; 4] = ["test ", "grep -q", "portalloc wait ", "assert "];

/// Seconds. For pages that compile something, on a machine that is busy with everything else.
const LIMIT: &str = "300";

macro_rules! pages {
    ($($name:ident: $path:literal,)*) => {
        $(#[test] fn $name() { run($path); })*
        const PAGES: &[&str] = &[$($path),*];
    };
}

pages! {
    readme: "README.md",
    crate_of_the_command: "cli/README.md",
    index: "docs/README.md",
    ci: "docs/ci.md",
    conflicts: "docs/conflicts.md",
    doctor: "docs/doctor.md",
    containers: "docs/containers.md",
    docker_compose: "docs/docker-compose.md",
    glossary: "docs/glossary.md",
    go: "docs/go.md",
    python: "docs/python.md",
    shell: "docs/shell.md",
    socket_activation: "docs/socket-activation.md",
    worktrees: "docs/worktrees.md",
}

/// Pages whose blocks need a package that is installed, or take too long, and what runs them; and those that a measurement
/// writes.
const ELSEWHERE: [(&str, &str); 7] = [
    // A table without commands; its links are checked here.
    ("api-names.md", "tests/docs.rs"),
    // Its setup is tested in tests/machine.
    ("registry.md", "tests/format.rs"),
    ("c.md", "bindings-c/tests/clients/installed.rs"),
    ("node.md", "bindings-node/tests/docs/pages.test.js"),
    ("benchmarks.md", "bench/peers/page.py"),
    ("scaling.md", "bench/page/growth.py"),
    ("proof.md", "Makefile"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn every_page_is_tested_and_in_the_index() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") && name != "README.md" {
            let is_tested = PAGES.contains(&format!("docs/{name}").as_str())
                || ELSEWHERE.iter().any(|(page, tests)| *page == name && root().join(tests).exists());
            assert!(is_tested, "docs/{name} is not tested");
            assert!(index.contains(&format!("({name})")), "docs/{name} is not in the index");
        }
    }
}

/// Every page, as path and text, with the targets of its links and the words before them.
fn links() -> Vec<(PathBuf, String, String)> {
    let pages = PAGES.iter().map(ToString::to_string).chain(ELSEWHERE.map(|(page, _)| format!("docs/{page}")));
    let mut links = Vec::new();
    for page in pages {
        let path = root().join(&page);
        let text = fs::read_to_string(&path).unwrap();
        for (before, after) in text.match_indices("](").map(|(at, _)| text.split_at(at)) {
            let words = before.rsplit('[').next().unwrap().to_owned();
            let target = after[2..].split(')').next().unwrap().to_owned();
            links.push((path.clone(), words, target));
        }
    }
    links
}

#[test]
fn links_between_pages_lead_somewhere() {
    for (page, _, link) in links() {
        let file = link.split('#').next().unwrap();
        if !file.contains("://") && !file.is_empty() {
            let exists = page.parent().unwrap().join(file).exists();
            assert!(exists, "{}: the link to {link} leads nowhere", page.display());
        }
    }
}

/// A test that is named as evidence is there, under that name and in that file.
#[test]
fn evidence_exists() {
    let mut found = 0;
    for (page, words, link) in links() {
        if let Some(name) = words.strip_prefix('`').and_then(|words| words.strip_suffix('`'))
            && link.ends_with(".rs")
        {
            let source = fs::read_to_string(page.parent().unwrap().join(&link)).unwrap();
            let is_test = source.split("#[test]").skip(1).any(|rest| {
                // Attributes, such as `ignore`, may stand between.
                rest.split(" {\n").next().unwrap().contains(&format!("fn {name}("))
            });
            assert!(is_test, "{}: {link} has no test {name}", page.display());
            found += 1;
        }
    }
    assert!(found >= 15, "only {found} tests are named");
}

/// A fenced block.
#[derive(Debug)]
struct Block {
    language: String,
    /// To be written, not run.
    file: Option<String>,
    needs: Vec<String>,
    /// Of the first line inside, counted from 0.
    line: usize,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut needs: Vec<String> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(mut block) = open.take() {
            if line == "```" {
                blocks.push(block);
            } else {
                block.lines.push(line.to_owned());
                open = Some(block);
            }
        } else if let Some(info) = line.strip_prefix("```") {
            let mut words = info.split_whitespace().map(str::to_owned);
            let language = words.next().unwrap_or_default();
            let needs = std::mem::take(&mut needs);
            open = Some(Block { language, file: words.next(), needs, line: number + 1, lines: Vec::new() });
        } else if let Some(names) = line.strip_prefix("<!-- needs: ").and_then(|rest| rest.strip_suffix(" -->")) {
            needs = names.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        }
    }
    assert!(open.is_none(), "a block is not closed: {open:?}");
    assert!(needs.is_empty(), "no block follows the needs {needs:?}");
    blocks
}

impl Block {
    /// What of it is run, each line at its place.
    fn commands(&self) -> Vec<String> {
        match (self.language.as_str(), &self.file) {
            (_, Some(_)) => Vec::new(),
            // What installs things on the machine is not for a test.
            ("sh", None) if !self.lines.iter().any(|line| line.starts_with("cargo install")) => self.lines.clone(),
            ("yaml", None) => steps(&self.lines),
            _ => Vec::new(),
        }
    }

    fn is_possible(&self, page: &str) -> bool {
        self.needs.iter().all(|program| {
            if program == "unshare" {
                return can_unshare(&["--map-root-user", "--net"]);
            }
            let found = is_installed(program);
            let excused = OPTIONAL.contains(&program.as_str()) || std::env::var_os("CI").is_none();
            assert!(found || excused, "{page}:{}: there is no {program} here, but CI must run this", self.line);
            if !found {
                eprintln!("SKIPPED: {page}:{}: there is no {program} here", self.line);
            }
            found
        })
    }
}

/// The commands of a CI file, each at its line: of `run: command`, of `run: |` and of the lists behind `script:`. What a
/// step appends to `$GITHUB_ENV` the next one has in its environment.
fn steps(lines: &[String]) -> Vec<String> {
    const LOAD: &str = r#"set -a; . "$GITHUB_ENV"; set +a; "#;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut commands = vec![String::new(); lines.len()];
    // The indentation of the key whose lines are being taken, and whether it is a list.
    let mut inside: Option<(usize, bool)> = None;
    for (line, command) in lines.iter().zip(&mut commands) {
        let text = line.trim_start();
        if let Some((key, list)) = inside {
            if indent(line) > key || text.is_empty() {
                text.strip_prefix("- ").filter(|_| list).unwrap_or(text).clone_into(command);
                continue;
            }
            inside = None;
        }
        let text = text.strip_prefix("- ").unwrap_or(text);
        let column = line.len() - text.len();
        match text.split_once(':') {
            Some(("run", rest)) if rest.trim() == "|" => {
                inside = Some((column, false));
                LOAD.clone_into(command);
            }
            Some(("run", rest)) => *command = format!("{LOAD}{}", rest.trim()),
            Some(("script" | "before_script" | "after_script", "")) => inside = Some((column, true)),
            _ => {}
        }
    }
    commands
}

#[test]
fn commands_of_ci_files_are_found() {
    let lines = [
        "steps:",
        "  - uses: x",
        "  - run: a: b",
        "  - name: n",
        "    run: |",
        "      c",
        "        d",
        "script:",
        "  - e",
    ];
    let found = steps(&lines.map(str::to_owned));
    let found: Vec<&str> = found.iter().map(|line| line.rsplit("set +a;").next().unwrap().trim()).collect();
    assert_eq!(found, ["", "", "a: b", "", "", "c", "d", "", "e"]);
}

/// The command line, built as it is now.
fn portalloc() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("PORTALLOC_BIN") {
            return fs::canonicalize(path).unwrap();
        }
        // target/PROFILE/deps/docs-...
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "-p", "portalloc-cli", "--bin", "portalloc", "--message-format", "json"]);
        cargo.arg("--target-dir").arg(profile.parent().unwrap()).current_dir(root());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.output().unwrap();
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        assert!(built.status.success(), "{messages}{}", String::from_utf8_lossy(&built.stderr));
        messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
            .expect("cargo says where the binary is")
    })
}

/// A page's world. Whatever it has left running ends with it, even if the test fails.
struct Scene {
    world: Stage,
}

impl Drop for Scene {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Scene {
    fn new() -> Self {
        let world = Stage::new(ACTOR, 40);
        let bin = world.path().join("bin");
        for directory in [&bin, &world.path().join("home")] {
            fs::create_dir(directory).unwrap();
        }
        symlink(portalloc(), bin.join("portalloc")).unwrap();
        write_program(&bin.join("docker"), DOCKER);
        Self { world }
    }

    fn command(&self, program: &str) -> Command {
        let scratch = self.world.path();
        let mut path = OsString::from(scratch.join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = self.world.program(program);
        if std::env::var_os("GOCACHE").is_none()
            && let Some(home) = std::env::home_dir()
        {
            // Else it would be compiled anew each time.
            command.env("GOCACHE", home.join(".cache/go-build"));
        }
        command
            .env("PATH", path)
            .env("HOME", scratch.join("home"))
            .env("GITHUB_ENV", scratch.join("github-env"))
            .env("GITHUB_OUTPUT", scratch.join("github-output"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GOTOOLCHAIN", "local")
            .env("NO_COLOR", "1");
        for name in ["ISOLATION_ID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "XDG_CONFIG_HOME", "COLUMNS"] {
            command.env_remove(name);
        }
        command
    }

    /// Processes whose environment names this scene's registry, and their command lines.
    fn processes(&self) -> Vec<(Pid, String)> {
        let mark = format!("PORTALLOC_DIR={}", self.world.registry().display());
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let found = entries.filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            // One that has just ended, or that is somebody else's, cannot be read.
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let is_ours = environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes());
            let words = fs::read(entry.path().join("cmdline")).ok()?;
            is_ours.then(|| (pid, String::from_utf8_lossy(&words).replace('\0', " ")))
        });
        found.collect()
    }

    fn is_clean(&self, page: &str) {
        let mut last = Vec::new();
        // Who was told to end at the end of the page may need a moment for it.
        until(&format!("the processes of {page} have ended"), || {
            let now = self.processes();
            if now != last {
                now.iter().for_each(|(pid, words)| eprintln!("{page}: {pid:?} is left: {words}"));
                last = now;
            }
            last.is_empty()
        });
        // Of a process that ends, the kernel forgets the environment a moment before the locks.
        let allocator = self.world.allocator();
        until(&format!("the leases of {page} have ended"), || allocator.list().unwrap().leases.is_empty());
        let listing = allocator.list().unwrap();
        assert!(listing.environments.is_empty(), "{page} leaves {:?}", listing.environments);
        assert_eq!(names(self.world.temp()), [""; 0], "{page} leaves temp dirs");
        let env_files = env_files(&self.world.work());
        assert!(env_files.is_empty(), "{page} leaves {env_files:?}");
    }
}

/// Files that portalloc wrote, under whatever name.
fn env_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        if kind.is_dir() {
            found.extend(env_files(&path));
        } else if fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"# Written by portalloc")) {
            found.push(path);
        }
    }
    found
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(page: &str) {
    assert!(is_installed("python3"), "the pages need python3");
    let text = fs::read_to_string(root().join(page)).unwrap();
    let scene = Scene::new();
    for name in ["github-env", "github-output"] {
        File::create(scene.world.path().join(name)).unwrap();
    }
    let is_readme = page == "README.md";
    if is_readme {
        // Of the reader's own project.
        let compose = "services:\n  db:\n    image: postgres\n    environment: {POSTGRES_PASSWORD: test}\n    ports: [\"${POSTGRES_PORT}:5432\"]\n";
        fs::write(scene.world.work().join("compose.yaml"), compose).unwrap();
    }
    // Each command at the line it has in the page, so that the shell's messages name it.
    let mut script = vec![String::new(); text.lines().count()];
    for block in blocks(&text).into_iter().filter(|block| block.is_possible(page)) {
        let commands = block.file.as_ref().map_or_else(
            || block.commands(),
            |file| {
                assert!(!file.contains('/'), "{page}: the file {file} is not of the scratch directory");
                let written = scene.world.path().join(format!("block-{}", block.line));
                write_program(&written, &(block.lines.join("\n") + "\n"));
                // The script may be in another directory by then.
                vec![format!("cp '{}' '{}'", written.display(), scene.world.work().join(file).display())]
            },
        );
        for (place, command) in script.iter_mut().skip(block.line).zip(commands) {
            *place = command;
        }
    }
    let asserts = |line: &&String| ASSERTIONS.iter().any(|assertion| line.contains(assertion));
    assert!(is_readme || script.iter().any(|line| asserts(&line)), "{page} asserts nothing");

    let path = scene.world.path().join(Path::new(page).file_name().unwrap());
    fs::write(&path, script.join("\n") + "\n").unwrap();
    let log = scene.world.path().join("log");
    let output = File::create(&log).unwrap();
    let status = scene
        .command("timeout")
        .args(["--kill-after=5", LIMIT, "sh", "-euv"])
        .arg(&path)
        .stdin(std::process::Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .status()
        .unwrap();
    if !status.success() {
        let mut shown = String::new();
        for line in String::from_utf8_lossy(&fs::read(&log).unwrap()).lines().filter(|line| !line.is_empty()) {
            let _ = writeln!(shown, "{line}");
        }
        panic!("{page}: {status} (124 is a timeout); the last command shown has failed\n{shown}");
    }
    scene.is_clean(page);
}
