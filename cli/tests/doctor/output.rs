//! What people see.

use portalloc_testkit::{CommandLine, names};

use crate::PORTALLOC;

#[test]
fn a_line_for_each_check_then_what_to_do_then_what_a_bug_report_needs() {
    let world = CommandLine::new(PORTALLOC);
    let ended = portalloc_testkit::run(world.command(["doctor"]).env("TMPDIR", "/no/such\x1bdirectory"));
    assert_eq!((ended.status, ended.stderr.as_str()), (1, ""));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("BROKEN   temp dir")).unwrap();
    assert!(lines[at].contains(r"/no/such\u{1b}directory does not exist"), "{}", lines[at]);
    assert!(lines[at + 1].trim_start().starts_with("-> ") && lines[at + 1].contains("TMPDIR"), "{}", lines[at + 1]);
    let gap = lines.iter().position(|line| line.is_empty()).unwrap();
    assert!(
        lines[gap + 1].starts_with(concat!("portalloc ", env!("CARGO_PKG_VERSION"), ", linux ")),
        "{}",
        lines[gap + 1]
    );
    assert!(lines[gap..].contains(&format!("PORTALLOC_POOL={}", world.pool()).as_str()), "{lines:?}");
    assert_eq!(lines[..gap].iter().filter(|line| line.starts_with("ok ")).count(), 21, "{lines:#?}");
}

#[test]
fn the_pool_says_what_was_left_out_and_why() {
    let world = CommandLine::new(PORTALLOC);
    let pool = ["doctor", "--json", "--pool", "26370-26389", "--exclude", "26371-26372"];
    let report: serde_json::Value = serde_json::from_str(&world.run(pool).stdout).unwrap();
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "pool").unwrap();
    let expected = "26370-26389 (the caller): 17 ports may be leased; left out: 2 excluded, 1 used by default by \
                    well-known services";
    assert_eq!(check["message"], expected);
    assert_eq!(check["facts"]["known"], "26379");
    assert_eq!(check["facts"]["excluded"], "26371-26372");
    assert_eq!(check["facts"]["ports"], "26370,26373-26378,26380-26389");
}

#[test]
fn it_leaves_nothing_behind_but_a_registry() {
    let world = CommandLine::new(PORTALLOC);
    world.run(["doctor", "--explain", "3"]).succeeded();
    assert_eq!(names(world.namespace()), ["envs", "ports"]);
    world.assert_nothing_left(&[]);
}

#[test]
fn the_page_explains_every_line() {
    let world = CommandLine::new(PORTALLOC);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/doctor.md")).unwrap();
    let explained: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(code, _)| code)).collect();
    let report: serde_json::Value = serde_json::from_str(&world.run(["doctor", "--json"]).stdout).unwrap();
    let lines = report["checks"].as_array().unwrap().iter().map(|check| check["code"].as_str().unwrap());
    let lines: Vec<&str> = lines.collect();
    let words = ["ok", "note", "BROKEN", "skipped"];
    assert_eq!(explained, [&words[..], &lines].concat());
}
