//! What is printed, where names and paths are long or hostile: on a terminal broken between words, elsewhere not at all, and
//! never with control characters.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use portalloc_testkit::{CommandLine, Process, id, path, run, until};

use crate::PORTALLOC;

/// The output on a terminal of so many columns.
fn on_terminal(scratch: &CommandLine, columns: u16, words: &[&str]) -> String {
    run(&mut terminal(scratch, columns, words)).succeeded().replace('\r', "")
}

/// A program that runs `portalloc` on a terminal of so many columns, and writes what it says there.
pub(crate) fn terminal(scratch: &CommandLine, columns: u16, words: &[&str]) -> Command {
    let script = "import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
said = b''
try:
    while part := os.read(terminal, 1 << 16):
        said += part
except OSError:
    pass
sys.stdout.buffer.write(said)
os.waitpid(pid, 0)";
    let mut python = scratch.program("python3");
    python.args(["-c", script, &columns.to_string(), PORTALLOC]).args(words).env_remove("COLUMNS").env("NO_COLOR", "1");
    python
}

/// A worktree with many words in its path.
fn long_worktree(scratch: &CommandLine) -> PathBuf {
    let path = scratch.elsewhere().join("many words ".repeat(15).trim()).join("and a last one");
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn what_is_not_on_a_terminal_is_not_broken() {
    let scratch = CommandLine::new(PORTALLOC);
    let worktree = long_worktree(&scratch);
    let created =
        scratch.create(&["--worktree", worktree.to_str().unwrap(), "--no-env-file", "--instance-id", "two words"]);
    for columns in ["", "20"] {
        let listed = run(scratch.command(["list"]).env("COLUMNS", columns)).succeeded();
        let line = listed.lines().find(|line| line.starts_with(&id(&created))).unwrap();
        assert!(line.ends_with(&format!("{} [two words]", worktree.display())), "{listed}");
        let who = run(scratch.command(["who", "--id", &id(&created)]).env("COLUMNS", columns)).succeeded();
        assert_eq!(who.lines().filter(|line| !line.is_empty()).count(), 5, "a sentence for each port:\n{who}");
    }
}

#[test]
fn a_terminal_has_lines_that_fit_and_end_between_words() {
    let scratch = CommandLine::new(PORTALLOC);
    let worktree = long_worktree(&scratch);
    let created = scratch.create(&["--worktree", worktree.to_str().unwrap(), "--no-env-file"]);
    let id = id(&created);
    let whole = scratch.run(["list"]).succeeded();
    let words: Vec<&str> = whole.split_whitespace().collect();
    // As wide as the longest words of all columns together, and wider.
    for columns in [160, 200] {
        let listed = on_terminal(&scratch, columns, &["list"]);
        assert!(listed.lines().all(|line| line.chars().count() <= usize::from(columns)), "{columns}:\n{listed}");
        assert!(listed.lines().count() > whole.lines().count(), "nothing was broken:\n{listed}");
    }
    for columns in [10, 40, 80, 160] {
        let listed = on_terminal(&scratch, columns, &["list"]);
        let is_age = |word: &str| word.trim_end_matches(['m', 's']).parse::<u32>().is_ok();
        for word in listed.split_whitespace().filter(|word| !is_age(word)) {
            assert!(words.contains(&word), "{columns}: {word} is no word of\n{whole}\nbut in\n{listed}");
        }
        let told = on_terminal(&scratch, columns, &["who", "--id", &id]);
        assert!(told.contains(&id), "{columns}:\n{told}");
    }
    let whole = scratch.run(["create", "--help"]).succeeded();
    let words: Vec<&str> = whole.split_whitespace().collect();
    for columns in [40, 60] {
        let help = on_terminal(&scratch, columns, &["create", "--help"]);
        assert!(help.lines().count() > whole.lines().count(), "nothing was broken:\n{help}");
        for word in help.split_whitespace() {
            assert!(words.contains(&word), "{columns}: {word} is no word of\n{whole}\nbut in\n{help}");
        }
    }
}

#[test]
fn nothing_controls_a_terminal() {
    let scratch = CommandLine::new(PORTALLOC);
    // No ID begins with a z.
    let evil = "a\nz\u{1b}[2J\u{9b}31m\u{7}\r";
    let place = scratch.elsewhere().join(evil);
    fs::create_dir(&place).unwrap();
    let place = place.to_str().unwrap();
    let temp = scratch.elsewhere().join(format!("t{evil}"));
    fs::create_dir(&temp).unwrap();
    let env_file = format!("{place}/env");
    let checked = |mut command: Command, status: i32| {
        let run = run(&mut command);
        assert_eq!(run.status, status, "{command:?}: {run:?}");
        for said in [&run.stdout, &run.stderr] {
            assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{command:?}: {said:?}");
            assert!(!said.lines().any(|line| line.starts_with('z')), "{command:?} begins a line: {said}");
        }
        run
    };
    let created =
        run(scratch.command(["create", "--json", "--worktree", place, "--env-file", &env_file]).env("TMPDIR", &temp))
            .json();
    let id = id(&created);
    let command = |words: &[&str]| scratch.command(words);
    let mut human = command(&["create", "--worktree", place]);
    human.env("TMPDIR", &temp);
    assert!(checked(human, 0).stdout.contains("Env file: "));
    for words in [&["list"][..], &["list", "--map"], &["who", "--id", &id], &["validate", "--id", &id]] {
        checked(command(words), 0);
    }
    fs::remove_dir(path(&created, "temp_dir")).unwrap();
    rustix::fs::unlink(path(&created, "env_file")).unwrap();
    fs::create_dir(path(&created, "env_file")).unwrap();
    checked(command(&["validate", "--id", &id]), 1);
    let said = checked(command(&["cleanup", "--id", &id]), 0);
    assert!(said.stdout.contains("left ") && said.stdout.contains("\\u{1b}"), "{said:?}");
    for words in [
        &["create", "--ports", evil][..],
        &["create", "--ttl", evil],
        &["create", "--pool", evil],
        &["create", "--specific", evil],
        &["create", "--names", evil],
        &["create", "--instance-id", evil],
        &["create", "--worktree", evil],
        &["create", "--format", evil],
        &["create", "--offsets", evil],
        &["run", "--listen=\u{1b}[2J", "--", "true"],
        &["validate", "--id", evil],
        &["who", evil],
        &["wait", evil],
        &["man", evil],
        &["completions", evil],
        &[evil],
        &["list", evil],
    ] {
        let said = checked(command(words), 2);
        assert_eq!(said.stdout, "");
    }
    checked(command(&["create", "--env-file", &format!("{place}/none/file")]), 1);
    checked(command(&["run", "--", evil]), 127);
    let mut missing = command(&["create"]);
    missing.env("TMPDIR", format!("{place}/none"));
    checked(missing, 1);
    let mut elsewhere = command(&["list"]);
    elsewhere.env("PORTALLOC_DIR", evil);
    checked(elsewhere, 2);
    let mut pool = command(&["list"]);
    pool.env("PORTALLOC_POOL", evil);
    checked(pool, 2);
}

#[test]
fn a_process_cannot_control_a_terminal_by_its_name() {
    let scratch = CommandLine::new(PORTALLOC);
    let script = "import os, socket, sys
open('/proc/self/comm', 'w').write('x\\x1b[2J')
s = socket.socket()
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen()
sys.stdin.read()";
    let port = scratch.base().to_string();
    let name = scratch.elsewhere().join("evil\u{1b}[2J\nname");
    std::os::unix::fs::symlink("/bin/sh", &name).unwrap();
    let python = scratch.program("python3").arg("-c").arg("import sys; print(sys.executable)").output().unwrap();
    let mut server = Command::new(String::from_utf8(python.stdout).unwrap().trim());
    std::os::unix::process::CommandExt::arg0(&mut server, &name);
    server.args(["-c", script, &port, "\u{1b}[2Jargument"]).stdin(std::process::Stdio::piped());
    let mut server = Process::start(&mut server).unwrap();
    until("it listens", || scratch.run(["who", "--json", &port]).json()["ports"][0]["in_use"] == true);
    let said = scratch.run(["who", &port]).succeeded();
    assert!(said.contains("\\u{1b}") && !said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    let said = scratch.run(["create", "--specific", &port]).failed_with(3, "port_in_use");
    assert!(!said.contains('\u{1b}') && said.lines().count() == 1, "{said:?}");
    server.end();
}

/// The environment of `run` lives on in what its command left running.
#[test]
fn a_holder_that_has_ended_is_said_to_have() {
    let scratch = CommandLine::new(PORTALLOC);
    let script = "sleep 1000 >/dev/null 2>&1 & echo $!";
    let left = scratch.run(["run", "--ports", "1", "--", "sh", "-c", script]).succeeded();
    let listed = scratch.run(["list"]).succeeded();
    portalloc_testkit::kill(left.trim(), rustix::process::Signal::KILL);
    let line = listed.lines().find(|line| line.contains("active")).unwrap();
    assert!(line.contains(" (has ended) "), "{listed}");
    until("it has ended", || scratch.run(["list", "--json"]).json()["environments"][0]["status"] == "stale");
    scratch.run(["cleanup", "--stale"]).succeeded();
    scratch.assert_nothing_left(&[]);
}

#[test]
fn an_env_file_in_the_way_is_named() {
    let scratch = CommandLine::new(PORTALLOC);
    let first = id(&scratch.create(&[]));
    let said = scratch.run(["create", "--json"]);
    let expected = format!("because .env.isolation is that of environment {first}, which has this worktree, too\n");
    assert!(said.stderr.ends_with(&expected), "{said:?}");
    scratch.run(["cleanup", "--all"]).succeeded();
    fs::write(scratch.work().join(".env.isolation"), "MINE=1\n").unwrap();
    let said = scratch.run(["create", "--json"]);
    assert!(
        said.stderr.ends_with("because .env.isolation exists there and was not written by portalloc\n"),
        "{said:?}"
    );
}
