//! What the command line says of itself: help, version, completions, manual pages; and that it speaks plainly where
//! nobody asked for colours.

use std::fs;
use std::process::Command;

use portalloc_testkit::{CommandLine, run};

use crate::PORTALLOC;

const COMMANDS: [&str; 18] = [
    "create",
    "run",
    "env",
    "port",
    "exec",
    "wait",
    "stop",
    "down",
    "who",
    "validate",
    "cleanup",
    "list",
    "reconcile",
    "doctor",
    "setup",
    "version",
    "completions",
    "man",
];

#[test]
fn help_goes_to_standard_output_and_names_every_command() {
    let scratch = CommandLine::new(PORTALLOC);
    for arguments in [&["--help"][..], &["-h"], &["help"]] {
        let run = scratch.run(arguments);
        assert_eq!(run.stderr, "");
        let said = run.succeeded();
        for command in COMMANDS {
            assert!(said.contains(&format!("\n  {command} ")), "{command} is missing in\n{said}");
        }
        assert!(said.contains("Examples:"), "{said}");
        for variable in ["PORTALLOC_POOL", "PORTALLOC_EXCLUDE", "PORTALLOC_DIR", "PORTALLOC_LOG", "TMPDIR", "NO_COLOR"]
        {
            assert!(said.contains(variable), "{variable} is missing in\n{said}");
        }
    }
    scratch.assert_nothing_left(&[]);
}

#[test]
fn every_exit_status_is_documented() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["--help"]).succeeded();
    let (_, statuses) = said.split_once("Exit status:").unwrap();
    for status in 0..=6 {
        let line = statuses.lines().find_map(|line| line.trim_start().strip_prefix(&format!("{status}  ")));
        assert!(line.is_some_and(|text| text.len() > 3), "status {status} is missing in\n{statuses}");
    }
}

#[test]
fn every_command_has_help_by_both_ways() {
    let scratch = CommandLine::new(PORTALLOC);
    for command in COMMANDS {
        let [by_option, by_command] = [[command, "--help"], ["help", command]].map(|way| scratch.run(way).succeeded());
        assert!(by_option.contains(&format!("Usage: portalloc {command}")), "{by_option}");
        assert_eq!(by_option, by_command);
    }
    for command in ["create", "validate", "cleanup", "list", "doctor", "completions", "man"] {
        let said = scratch.run(["help", command]).succeeded();
        let (_, examples) = said.split_once("Examples:").unwrap_or_default();
        assert!(examples.contains(&format!("portalloc {command}")), "no example in\n{said}");
    }
}

#[test]
fn options_are_explained() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["create", "--help"]).succeeded();
    for option in [
        "--ports",
        "--names",
        "--instance-id",
        "--worktree",
        "--format",
        "--json",
        "--shell",
        "--ttl",
        "--owner-pid",
        "--env-file",
        "--no-env-file",
        "--pool",
        "--exclude",
        "--wait",
    ] {
        assert!(said.contains(option), "{option} is missing in\n{said}");
    }
    for format in ["human", "json", "shell", "fish", "powershell", "dotenv", "github"] {
        assert!(said.contains(format), "{format} is missing in\n{said}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let scratch = CommandLine::new(PORTALLOC);
    let expected = format!("portalloc {}\n", env!("CARGO_PKG_VERSION"));
    for argument in ["--version", "-V", "version"] {
        assert_eq!(scratch.run([argument]).succeeded(), expected);
    }
}

#[test]
fn completions_are_scripts_that_know_the_commands() {
    let scratch = CommandLine::new(PORTALLOC);
    for (shell, checker) in [("bash", "bash"), ("zsh", "zsh"), ("fish", "fish"), ("powershell", ""), ("elvish", "")] {
        let script = scratch.run(["completions", shell]).succeeded();
        for word in COMMANDS.iter().chain(&["owner-pid", "no-env-file", "older-than"]) {
            assert!(script.contains(word), "{shell}: {word} is missing");
        }
        let file = scratch.elsewhere().join(shell);
        fs::write(&file, script).unwrap();
        match Command::new(checker).arg("-n").arg(&file).status() {
            Ok(status) => assert!(status.success(), "{shell} does not understand it"),
            Err(_) => eprintln!("SKIPPED in part: no shell to check the completions for {shell}"),
        }
    }
}

#[test]
fn manual_pages_are_roff() {
    let scratch = CommandLine::new(PORTALLOC);
    let pages = COMMANDS.iter().map(|command| vec!["man", command]).chain([vec!["man"]]);
    for arguments in pages {
        let page = scratch.run(&arguments).succeeded();
        assert!(page.starts_with(".ie ") || page.starts_with(".TH "), "{page}");
        let title = arguments.get(1).map_or("portalloc".to_owned(), |command| format!("portalloc-{command}"));
        assert!(page.contains(&format!(".TH {title} ")), "{title} is missing in\n{page}");
        if arguments.len() == 1 {
            let named = page.lines().filter_map(|line| line.strip_prefix("portalloc\\-")?.strip_suffix("(1)"));
            assert_eq!(named.collect::<Vec<_>>(), COMMANDS, "each page that it names can be printed");
        }
        let file = scratch.elsewhere().join("page");
        fs::write(&file, page).unwrap();
        match Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&file).output() {
            Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}"),
            Err(_) => eprintln!("SKIPPED in part: groff is not installed"),
        }
    }
}

#[test]
fn nothing_is_coloured_in_a_pipe() {
    let scratch = CommandLine::new(PORTALLOC);
    scratch.create(&[]);
    for arguments in ["--help", "create", "create --help", "list", "validate", "cleanup", "nonsense", "cleanup --all"] {
        let run = scratch.run(arguments.split(' '));
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{arguments}: {run:?}");
    }
}

#[test]
fn a_terminal_has_colours_unless_told_otherwise() {
    let scratch = CommandLine::new(PORTALLOC);
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("SKIPPED: script is not installed, so there is no terminal");
        return;
    }
    for arguments in ["--help", "nonsense", "validate --id x"] {
        let on_terminal = |no_color: &str| {
            let mut command = scratch.sh(&format!("script -qec 'portalloc {arguments}' /dev/null || true"));
            run(command.env("TERM", "xterm").env_remove("CI").env("NO_COLOR", no_color)).succeeded()
        };
        assert!(on_terminal("").contains('\u{1b}'), "{arguments}: no colours, so this test proves nothing");
        let plain = on_terminal("1");
        assert!(!plain.contains('\u{1b}') && !plain.is_empty(), "{arguments}: {plain:?}");
    }
}

#[test]
fn results_and_messages_do_not_mix() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.run(["create", "--json"]);
    assert_eq!((created.status, created.stderr.as_str()), (0, ""));
    scratch.run(["validate", "--id", "x"]).failed_with(2, "invalid_id");
    scratch.run(["nonsense"]).failed(2);
    let listed = scratch.run(["list"]);
    assert_eq!((listed.status, listed.stderr.as_str()), (0, ""));
}
