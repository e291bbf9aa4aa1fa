//! What goes through: streams, arguments, variables, descriptors.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use portalloc_testkit::{CommandLine, run};

use crate::PORTALLOC;

#[test]
fn its_streams_are_the_commands() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let mut run = scratch.command(["run", "--", "sh", "-c", "cat; echo other >&2; exit 3"]);
    let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // More than a pipe holds, so that it must be read while it is written.
    let text = "0123456789abcdef\n".repeat(20_000);
    let mut stdin = child.stdin.take().unwrap();
    let written = text.clone();
    let writer = std::thread::spawn(move || stdin.write_all(written.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(output.stdout, text.as_bytes());
    assert_eq!((output.stderr.as_slice(), output.status.code()), (&b"other\n"[..], Some(3)), "not a word of its own");
}

#[test]
fn the_variables_are_those_of_its_record() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let script = r#"echo "$ISOLATION_ID $COMPOSE_PROJECT_NAME $TEMP_DIR $PORT_BASE $PORT_COUNT $WEB_PORT $API_PORT"
        portalloc validate >/dev/null; test -z "$(ls -A "$TEMP_DIR")"; echo x >"$TEMP_DIR/file"; portalloc list --json"#;
    let said = scratch.run(["run", "--names", "web,api", "--", "sh", "-euc", script]).succeeded();
    let (variables, listing) = said.split_once('\n').unwrap();
    let listing: serde_json::Value = serde_json::from_str(listing).unwrap();
    let environment = &listing["environments"][0];
    let id = environment["isolation_id"].as_str().unwrap();
    let ports: Vec<u16> = serde_json::from_value(environment["ports"].clone())
        .or_else(|_| serde_json::from_value(environment["ports"]["ports"].clone()))
        .unwrap();
    let temp_dir = scratch.temp().join(format!("portalloc-{id}"));
    let expected = format!("{id} portalloc-{id} {} {} 2 {} {}", temp_dir.display(), ports[0], ports[0], ports[1]);
    assert_eq!(variables, expected);
    assert_eq!(environment["status"], "active");
    scratch.assert_no_environment_left();
}

#[test]
fn ports_stand_in_for_their_names_anywhere_in_a_word() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 2);
    let (web, api) = (scratch.ports()[0], scratch.ports()[1]);
    let words = [
        ("http://localhost:{web}/{api}?{port}{port:1}", format!("http://localhost:{web}/{api}?{web}{api}")),
        ("{web}{", format!("{web}{{")),
        (r#"{"port": {web}, "on": {"a": []}}"#, format!(r#"{{"port": {web}, "on": {{"a": []}}}}"#)),
        ("{", "{".to_owned()),
        ("", String::new()),
    ];
    let theirs = [
        "{{web}}",
        "{{ web }}",
        "${web}",
        "${WEB_PORT}",
        "{web}}",
        "{0} {1} {port:2} {port:} {port:+1} {ports}",
        "{2} {-1} {WEB} { web } {} {unknown} }{",
        "/^a{3}$/",
        "[0-9]{4}",
    ];
    let words: Vec<_> = words.into_iter().chain(theirs.map(|word| (word, word.to_owned()))).collect();
    let mut command = scratch.command(["run", "--names", "web,api", "--", "printf", "%s\\n"]);
    command.args(words.iter().map(|(word, _)| word));
    let expected: Vec<&str> = words.iter().map(|(_, filled)| filled.as_str()).collect();
    assert_eq!(run(&mut command).succeeded().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn placeholders_stay_if_the_user_says_so() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    let said = scratch.run(["run", "--names", "web", "--no-expand", "--", "echo", "{web} {port} {port:0}"]).succeeded();
    assert_eq!(said, "{web} {port} {port:0}\n");
}

#[test]
fn a_port_with_the_name_port_goes_before_the_first() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 2);
    let said = scratch.run(["run", "--names", "web,port", "--", "echo", "{port} {port:0}"]).succeeded();
    assert_eq!(said, format!("{} {}\n", scratch.ports()[1], scratch.ports()[0]));
}

#[test]
fn its_end_is_the_commands() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    for (script, status) in
        [("exit 0", 0), ("exit 1", 1), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
    {
        assert_eq!(scratch.run(["run", "--", "sh", "-c", script]).status, status, "{script}");
    }
    scratch.assert_no_environment_left();
}

#[test]
fn words_that_are_not_text_go_through() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let mut run = scratch.command(["run", "--names", "web", "--", "printf", "%s"]);
    let output = run.arg(OsStr::from_bytes(b"\xff{web}\xfe")).output().unwrap();
    assert_eq!(output.stdout, b"\xff{web}\xfe");
}

#[test]
fn the_commands_own_options_are_its_own() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let said = scratch.run(["run", "echo", "--names", "-p", "--help", "--", "x"]).succeeded();
    assert_eq!(said, "--names -p --help -- x\n");
}

/// Descriptors that the command did not ask for are a leak into everything that it starts.
#[test]
fn the_command_has_the_lease_and_the_sockets_and_nothing_else() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    // What the test itself was started with goes through.
    let look = "for fd in /proc/$$/fd/*; do echo \"$(readlink \"$fd\")\"; done";
    let inherited = run(scratch.program("sh").args(["-c", look])).succeeded().lines().count();
    for (options, sockets) in [(&[][..], 0), (&["--guard"], 0), (&["--listen"], 4), (&["--guard", "--listen"], 4)] {
        let words = [&["run", "--ports", "2"], options, &["--", "sh", "-c", look]].concat();
        let said = scratch.run(words).succeeded();
        assert_eq!(said.lines().count(), inherited + sockets + 1, "{options:?}: {said}");
        let leases = said.lines().filter(|line| line.contains("/registry/") && line.ends_with("/ports")).count();
        assert_eq!(leases, 1, "{options:?}: {said}");
    }
    scratch.assert_no_environment_left();
}

/// Else a server that stops listening would leave its clients waiting on a copy that nobody reads.
#[test]
fn the_sockets_are_the_commands_alone() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let script = r#"
import os, socket
port = int(os.environ["WEB_PORT"])
def connects(host):
    try:
        socket.create_connection((host, port), timeout=20).close()
        return True
    except ConnectionRefusedError:
        return False
print([connects(host) for host in ("127.0.0.1", "::1")])
os.close(3)
os.close(4)
print([connects(host) for host in ("127.0.0.1", "::1")])
"#;
    let words = ["run", "--names", "web", "--listen", "--", "python3", "-c", script];
    assert_eq!(scratch.run(words).succeeded(), "[True, True]\n[False, False]\n");
}
