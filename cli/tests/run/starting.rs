//! Programs that cannot be started, and environments that cannot be had.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use portalloc::LeaseRequest;
use portalloc_testkit::{CommandLine, until};

use crate::PORTALLOC;

/// 127 for what is not there, 126 for what is there and no program: as the help says, whichever error the system has.
#[test]
fn what_is_no_program_ends_with_126_or_127() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let work = scratch.work();
    fs::write(work.join("plain"), "").unwrap();
    fs::write(work.join("script"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(work.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(work.join("directory")).unwrap();
    symlink("loop", work.join("loop")).unwrap();
    let expected = [
        ("no-such-program", 127),
        ("./no-such-program", 127),
        ("", 127),
        ("./script", 127),
        ("./plain/program", 127),
        ("./plain", 126),
        ("./directory", 126),
        ("/", 126),
        ("./loop", 126),
    ];
    for listen in [false, true] {
        for (program, status) in expected {
            let options = if listen { &["run", "--listen"][..] } else { &["run"] };
            let code = if status == 127 { "not_found" } else { "permission_denied" };
            let said = scratch.run([options, &["--", program]].concat()).failed_with(status, code);
            assert!(said.contains(program), "{said}");
        }
    }
    scratch.assert_no_environment_left();
}

#[test]
fn a_call_that_is_wrong_ends_with_2() {
    let scratch = CommandLine::new(PORTALLOC);
    for words in
        [&["run"][..], &["run", "--ports", "0", "--", "true"], &["run", "-w", "/no/such/directory", "--", "true"]]
    {
        scratch.run(words).failed(2);
    }
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_full_pool_is_told_before_the_command_runs() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 4);
    let lease = scratch.allocator().lease(2).unwrap();
    for wait in [&[][..], &["--wait", "20ms"]] {
        let words = [&["run", "--ports", "3"], wait, &["--", "touch", "ran"]].concat();
        let code = if wait.is_empty() { "pool_exhausted" } else { "timeout" };
        scratch.run(words).failed_with(3, code);
    }
    let taken = lease.base_port().to_string();
    scratch.run(["run", "--specific", &taken, "--", "touch", "ran"]).failed_with(3, "port_in_use");
    assert!(!scratch.work().join("ran").exists());
    drop(lease);
    scratch.assert_no_environment_left();
    // It waits for what comes free.
    let lease = scratch.allocator().lease(2).unwrap();
    let mut run = scratch.command(["run", "--ports", "3", "--wait", "60s", "--", "touch", "ran"]);
    let mut child = run.spawn().unwrap();
    assert!(child.try_wait().unwrap().is_none());
    drop(lease);
    assert!(child.wait().unwrap().success());
    assert!(scratch.work().join("ran").exists());
}

#[test]
fn a_stranger_on_the_port_is_told_before_the_command_runs() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    let stranger = std::net::TcpListener::bind(("127.0.0.1", *scratch.ports().first().unwrap())).unwrap();
    for option in ["--listen", "--guard"] {
        let words = ["run", "--ports", "1", option, "--", "touch", "ran"];
        scratch.run(words).failed_with(3, "pool_exhausted");
    }
    assert!(!scratch.work().join("ran").exists());
    drop(stranger);
    // A program that another test is just starting may have a copy of the socket until it is executed.
    until("the port is free again", || scratch.allocator().lease(LeaseRequest::run(1)).is_ok());
}

#[test]
fn an_env_file_is_written_only_if_it_is_asked_for() {
    let scratch = CommandLine::new(PORTALLOC);
    let expected = [(&[][..], ""), (&["--env-file"], ".env.isolation\n"), (&["--env-file=own.env"], "own.env\n")];
    for (options, files) in expected {
        let words = [&["run"], options, &["--", "ls", "-A"]].concat();
        assert_eq!(scratch.run(words).succeeded(), files);
    }
    scratch.assert_nothing_left(&[]);
}

#[test]
fn an_env_file_of_somebody_else_is_left_alone() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    fs::write(scratch.work().join("own"), "MINE=1\n").unwrap();
    scratch.run(["run", "--env-file=own", "--", "touch", "ran"]).failed_with(1, "env_file_exists");
    assert_eq!(fs::read_to_string(scratch.work().join("own")).unwrap(), "MINE=1\n");
    assert!(!scratch.work().join("ran").exists());
    scratch.assert_no_environment_left();
}
