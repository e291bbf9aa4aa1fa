//! `env --write`: a managed block in a file that people edit, too. What becomes of the file, whatever it is and whatever
//! fails meanwhile.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

use portalloc_testkit::{CommandLine, Run, can_unshare, names, run};

use crate::PORTALLOC;

const WRITE: [&str; 6] = ["env", "--json", "--names", "web,db", "--write", ".env.local"];

fn file(scratch: &CommandLine) -> PathBuf {
    scratch.work().join(".env.local")
}

fn text(scratch: &CommandLine) -> String {
    fs::read_to_string(file(scratch)).unwrap()
}

/// Without root's privileges, for which no mode of a file is an obstacle.
fn unprivileged(scratch: &CommandLine, arguments: &[&str]) -> Command {
    scratch.run(["list"]).succeeded(); // makes the registry, which nobody could not
    if rustix::process::geteuid().is_root()
        && let Some(command) = scratch.as_nobody(arguments)
    {
        return command;
    }
    scratch.command(arguments)
}

/// A command that failed, and changed neither the file nor anything beside it.
fn refused(scratch: &CommandLine, failed: Run, status: i32, code: &str, words: &[&str]) {
    let said = failed.failed_with(status, code);
    for part in words.iter().chain([&".env.local"]) {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(names(scratch.work()).iter().all(|name| !name.contains(".new-")), "{:?}", names(scratch.work()));
}

#[test]
fn everything_else_stays_byte_for_byte_and_down_takes_the_block_out() {
    let before: [&[u8]; 7] = [
        b"",
        b"A=1",
        b"A=1\nB='two\nlines'\n\n",
        b"A=1\r\nB=2\r\n",
        b"\xEF\xBB\xBFA=1\r\nB=2",
        b"LATIN=na\xEFve\n\xFF\xC3\n",
        b"\n\r\n\tA = 1 # why\n\n",
    ];
    for before in before {
        let scratch = CommandLine::new(PORTALLOC);
        fs::write(file(&scratch), before).unwrap();
        for _ in 0..2 {
            scratch.run(WRITE).succeeded();
            let port = scratch.run(["port", "web"]).succeeded();
            let after = fs::read(file(&scratch)).unwrap();
            assert!(after.starts_with(before), "{before:?}: {after:?}");
            let block = String::from_utf8(after[before.len()..].to_vec()).unwrap();
            let newline = if before.contains(&b'\r') && !before.starts_with(b"\n") { "\r\n" } else { "\n" };
            assert!(block.contains(&format!("{newline}WEB_PORT={}{newline}", port.trim())), "{before:?}: {block:?}");
            assert_eq!(block.contains('\r'), newline == "\r\n", "{before:?}: {block:?}");
            assert_eq!(block.matches('\n').count(), block.matches(newline).count(), "{before:?}: {block:?}");
        }
        scratch.run(["down"]).succeeded();
        assert_eq!(fs::read(file(&scratch)).unwrap(), before);
        scratch.assert_nothing_left(&[".env.local"]);
    }
}

#[test]
fn a_file_that_it_made_goes_with_the_environment() {
    let scratch = CommandLine::new(PORTALLOC);
    scratch.run(WRITE).succeeded();
    scratch.run(["env", "--json", "--write", "other.env", "--write", ".env.local"]).succeeded();
    assert_eq!(names(scratch.work()), [".env.local", "other.env"]);
    // What somebody has added stays.
    fs::write(file(&scratch), text(&scratch) + "MINE=1\n").unwrap();
    scratch.run(["down"]).succeeded();
    assert_eq!(text(&scratch), "MINE=1\n");
    scratch.assert_nothing_left(&[".env.local"]);
}

#[test]
fn it_has_the_variables_of_the_project_file_too_and_follows_them() {
    let scratch = CommandLine::new(PORTALLOC);
    let project = |url: &str| {
        let text = format!("names = [\"web\", \"db\"]\n[env]\nDATABASE_URL = \"{url}\"\n");
        fs::write(scratch.work().join("portalloc.toml"), text).unwrap();
    };
    for (written, rendered) in [("postgres://{db}/test", "postgres://PORT/test"), ("pg:{db} 'q' #", "pg:PORT 'q' #")] {
        project(written);
        scratch.run(["env", "--json", "--write", ".env.local"]).succeeded();
        let port = scratch.run(["port", "db"]).succeeded();
        let expected = rendered.replace("PORT", port.trim());
        let line = text(&scratch).lines().find_map(|line| line.strip_prefix("DATABASE_URL=").map(str::to_owned));
        let line = line.unwrap();
        assert!(line == expected || line == format!("\"{expected}\""), "{line}");
    }
    scratch.run(["down"]).succeeded();
    scratch.assert_nothing_left(&["portalloc.toml"]);
}

#[test]
fn a_block_that_somebody_edited_doubled_or_cut() {
    let scratch = CommandLine::new(PORTALLOC);
    scratch.run(WRITE).succeeded();
    let written = text(&scratch);
    for (damaged, warning) in [
        (written.replace("WEB_PORT=", "WEB_PORT=1"), ".env.local:1: somebody edited the managed block"),
        (written.repeat(2), "the managed block stood here a second time"),
    ] {
        fs::write(file(&scratch), damaged).unwrap();
        let again = scratch.run(WRITE);
        assert!(again.stderr.contains("warning: ") && again.stderr.contains(warning), "{again:?}");
        again.succeeded();
        assert_eq!(text(&scratch), written);
    }
    let cut = written.replace("# <<< ", "# ");
    fs::write(file(&scratch), &cut).unwrap();
    refused(&scratch, scratch.run(WRITE), 2, "invalid_argument", &[".env.local:1: "]);
    assert_eq!(text(&scratch), cut);
    // The environment goes all the same, and says what it has left.
    let down = scratch.run(["down"]);
    assert!(format!("{}{}", down.stdout, down.stderr).contains(".env.local:1: "), "{down:?}");
    scratch.assert_nothing_left(&[".env.local"]);
}

#[test]
fn a_directory_or_a_device_is_refused() {
    let scratch = CommandLine::new(PORTALLOC);
    fs::create_dir(file(&scratch)).unwrap();
    refused(&scratch, scratch.run(WRITE), 2, "invalid_argument", &["is a directory"]);
    fs::remove_dir(file(&scratch)).unwrap();
    std::os::unix::fs::symlink("/dev/null", file(&scratch)).unwrap();
    let said = scratch.run(WRITE).failed_with(2, "invalid_argument");
    assert!(said.contains("/dev/null"), "{said}");
}

#[test]
fn an_eval_fails_when_the_block_cannot_be_written() {
    let scratch = CommandLine::new(PORTALLOC);
    fs::create_dir(file(&scratch)).unwrap();
    let script = "if eval \"$(portalloc env --write .env.local 2>/dev/null)\"; then echo good; else echo bad; fi";
    assert_eq!(run(&mut scratch.sh(script)).succeeded(), "bad\n");
}

#[test]
fn a_file_or_a_directory_that_is_read_only_stays_as_it_is() {
    let scratch = CommandLine::new(PORTALLOC);
    let directory = scratch.work().join("sub");
    let (inside, own) = (directory.join(".env.local"), file(&scratch));
    fs::create_dir(&directory).unwrap();
    for path in [&inside, &own] {
        fs::write(path, "A=1\n").unwrap();
        if rustix::process::geteuid().is_root() {
            chown(path, Some(65534), Some(65534)).unwrap();
        }
    }
    fs::set_permissions(&own, Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&directory, Permissions::from_mode(0o555)).unwrap();
    for path in ["sub/.env.local", "sub/new/../.env.local", ".env.local"] {
        let arguments = ["env", "--json", "--names", "web", "--write", path];
        let failed = run(&mut unprivileged(&scratch, &arguments));
        if path.contains("..") {
            failed.failed_with(2, "invalid_argument");
        } else {
            refused(&scratch, failed, 1, "permission_denied", &["name a file that you may write"]);
        }
    }
    assert_eq!(names(&directory), [".env.local"]);
    for path in [&inside, &own] {
        assert_eq!(fs::read_to_string(path).unwrap(), "A=1\n");
    }
    run(&mut unprivileged(&scratch, &["down"])).succeeded();
    fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_file_of_another_user_is_refused() {
    let scratch = CommandLine::new(PORTALLOC);
    scratch.run(["list"]).succeeded(); // makes the registry, which nobody could not
    let Some(mut other) = scratch.as_nobody(WRITE) else { return };
    fs::write(file(&scratch), "A=1\n").unwrap();
    fs::set_permissions(file(&scratch), Permissions::from_mode(0o666)).unwrap();
    refused(&scratch, run(&mut other), 1, "permission_denied", &["belongs to user 0"]);
    assert_eq!(text(&scratch), "A=1\n");
}

#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    let flags: &[&str] = if rustix::process::geteuid().is_root() { &["-m"] } else { &["-rm"] };
    if !can_unshare(flags) {
        return;
    }
    let scratch = CommandLine::new(PORTALLOC);
    let script = r#"
        mkdir disk; mount -t tmpfs -o size=64k tmpfs disk
        mkdir disk/.git; cd disk
        write() { portalloc env --json --names web --write .env.local > /dev/null; }
        for before in '' 'A=1'; do
            [ -z "$before" ] || echo "$before" > .env.local
            cat /dev/zero > filler 2>/dev/null || true
            status=0; write 2> ../said || status=$?
            [ "$status" -eq 1 ]; grep -q '^portalloc: io: .*\.env\.local.*No space left on device' ../said
            if [ -z "$before" ]; then [ ! -e .env.local ]; else [ "$(cat .env.local)" = "$before" ]; fi
            [ -z "$(find . -name '*.new-*')" ]
            rm filler
        done
        write
        grep -q '^WEB_PORT=' .env.local
        portalloc down > /dev/null
        cat .env.local
    "#;
    let mut command = scratch.program("unshare");
    command.args(flags).args(["sh", "-euc", script]);
    assert_eq!(run(&mut command).succeeded(), "A=1\n");
    scratch.assert_no_environment_left();
}

#[test]
fn tools_that_write_one_file_at_once_lose_nothing() {
    let scratch = CommandLine::new(PORTALLOC);
    fs::write(file(&scratch), "A=1\n").unwrap();
    let script = "
        for round in 1 2 3 4 5; do
            for tool in one two one two; do
                portalloc env --json --names web --instance-id $tool --write .env.local > /dev/null &
                tools=\"${tools-} $!\"
            done
        done
        for tool in $tools; do wait $tool; done";
    run(&mut scratch.sh(script)).succeeded();
    let written = text(&scratch);
    assert!(written.starts_with("A=1\n"), "{written}");
    assert_eq!(written.matches("\nWEB_PORT=").count(), 2, "{written}");
    for instance in ["one", "two"] {
        let port = scratch.run(["port", "web", "--instance-id", instance]).succeeded();
        assert!(written.contains(&format!("\nWEB_PORT={}\n", port.trim())), "{written}");
    }
    let down = "portalloc down --instance-id one & one=$!; portalloc down --instance-id two; wait $one";
    run(&mut scratch.sh(down)).succeeded();
    assert_eq!(text(&scratch), "A=1\n");
    scratch.assert_nothing_left(&[".env.local"]);
}
