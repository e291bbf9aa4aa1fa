//! `PORTALLOC_LOG`: a log on standard error, and nothing without it.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use portalloc::LeaseRequest;
use portalloc_testkit::{CommandLine, Run, id, run};

use crate::PORTALLOC;

fn logged(scratch: &CommandLine, level: &str, words: &[&str]) -> Run {
    run(scratch.command(words).env("PORTALLOC_LOG", level))
}

#[test]
fn it_says_why_each_port_was_refused() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 5);
    let port = |index: usize| scratch.ports().get(index).copied().unwrap_or_default();
    let kept = id(&scratch.create(&["--specific", &port(0).to_string(), "--no-env-file"]));
    let lease = scratch.allocator().lease(LeaseRequest::exact([port(1)])).unwrap();
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port(2))).unwrap();
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port(3))).unwrap();
    let (out, pid) = (port(4).to_string(), std::process::id());
    let words = ["create", "--ports", "1", "--exclude", &out];
    let said = logged(&scratch, "debug", &words).failed(3);
    for part in [
        format!("debug: refused: port {} is kept by environment {kept}, since ", port(0)),
        format!("debug: refused: port {} is held by PID {pid} (", port(1)),
        format!("debug: refused: port {} is in use by a program without a lease (tcp)\n", port(2)),
        format!("debug: refused: port {} is in use by a program without a lease (udp)\n", port(3)),
        format!("debug: the registry is {}\n", scratch.ports_file().display()),
        format!("debug: the pool {} has the ports {}-{}\n", scratch.pool(), port(0), port(3)),
    ] {
        assert!(said.contains(&part), "{part} is missing in\n{said}");
    }
    assert!(said.ends_with('\n') && said.lines().all(|line| line.starts_with("portalloc")), "{said}");
    drop((lease, tcp, udp));
    scratch.run(["cleanup", "--all"]).succeeded();
    let out = port(1).to_string();
    let said = logged(&scratch, "debug", &["create", "--offsets", "0,1", "--exclude", &out]).stderr;
    let bases = format!("debug: of the pool, the bases {}-{} lead to ports that can be leased", port(2), port(4));
    assert!(said.contains(&bases), "{said}");
}

#[test]
fn it_tells_the_main_steps() {
    let scratch = CommandLine::new(PORTALLOC);
    std::fs::write(scratch.work().join("portalloc.toml"), "names = [\"web\"]\n").unwrap();
    let created = logged(&scratch, "debug", &["create", "--json"]);
    let said = created.stderr.clone();
    let id = id(&created.json());
    for part in [
        "debug: the project file is ",
        "debug: looks for free port\n",
        "debug: leased ",
        &format!("made environment {id} of "),
    ] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    let removed = logged(&scratch, "debug", &["cleanup", "--id", &id]);
    assert!(removed.stderr.contains(&format!("debug: removed environment {id}\n")), "{removed:?}");
}

#[test]
fn it_is_silent_unless_it_is_asked_for() {
    let scratch = CommandLine::new(PORTALLOC);
    for level in ["", "off", "error", "WARN"] {
        let created = logged(&scratch, level, &["create", "--json", "--no-env-file"]);
        assert_eq!((created.status, created.stderr.as_str()), (0, ""), "{level}");
    }
}

#[test]
fn a_level_that_does_not_exist_is_told_once() {
    let scratch = CommandLine::new(PORTALLOC);
    for words in [&["version"][..], &["create", "--no-env-file"], &["list"]] {
        let said = logged(&scratch, "loud\u{1b}[2J", words);
        assert_eq!(said.status, 0, "{said:?}");
        assert_eq!(said.stderr.matches("PORTALLOC_LOG").count(), 1, "{said:?}");
        assert!(said.stderr.contains("trace") && !said.stderr.contains('\u{1b}'), "{said:?}");
    }
}

/// The command inherits the variable, and logs for itself.
#[test]
fn what_run_starts_may_log_too() {
    let scratch = CommandLine::new(PORTALLOC);
    let ran = logged(&scratch, "debug", &["run", "--", PORTALLOC, "list"]);
    let loggers: std::collections::BTreeSet<&str> =
        ran.stderr.lines().filter_map(|line| line.strip_prefix("portalloc[")?.split(']').next()).collect();
    assert_eq!((ran.status, loggers.len()), (0, 2), "{ran:?}");
}
