//! Every way in which `create` writes its variables, with a temp directory whose path is as hostile as paths can be: the
//! value must survive to the byte, and nothing of it may be executed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests: a failure is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use portalloc_testkit::{CommandLine, Run, id, names, path, run};

use crate::PORTALLOC;

/// Spaces, every kind of quote, substitutions that would leave a file behind, and what may look like another line.
const HOSTILE: &str = "a b 'c' \"d\" $(touch executed1) `touch executed2` \\e ; touch executed3 #";

/// `create` with a temp directory of that name; what it wrote, and the path of the temp dir.
fn create(scratch: &CommandLine, directory: &str, options: &[&str]) -> (Run, String) {
    let temp = scratch.path().join(directory);
    fs::create_dir_all(&temp).unwrap();
    let run = run(scratch.command(["create"].iter().chain(options)).env("TMPDIR", &temp));
    let temp_dir = path(&scratch.environments().remove(0), "temp_dir");
    assert_eq!(temp_dir.parent().unwrap(), temp);
    (run, temp_dir.to_str().unwrap().to_owned())
}

/// The value of `TEMP_DIR` in a line that begins and ends so, as written.
fn written(text: &str, begin: &str, end: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(begin)?.strip_suffix(end));
    line.unwrap_or_else(|| panic!("no {begin}...{end} in\n{text}")).to_owned()
}

fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED in part: {program} is not installed");
    }
    found
}

#[test]
fn a_hostile_value_survives_eval_in_a_real_shell() {
    let scratch = CommandLine::new(PORTALLOC);
    let directory = format!("{HOSTILE}\ntouch executed4\n'\n\r\t{{}}*? é ’");
    let temp = scratch.path().join(&directory);
    fs::create_dir_all(&temp).unwrap();
    let script = r#"eval "$(portalloc create --no-env-file --shell)"; printf %s "$TEMP_DIR""#;
    let said = run(scratch.sh(script).env("TMPDIR", &temp)).succeeded();
    let environment = scratch.environments().remove(0);
    assert_eq!(PathBuf::from(said), temp.join(format!("portalloc-{}", id(&environment))));
    assert_eq!(names(scratch.work()), [""; 0], "something was executed");
}

#[test]
fn a_hostile_value_survives_the_env_file_in_a_real_shell() {
    let scratch = CommandLine::new(PORTALLOC);
    for hostile in [HOSTILE.to_owned(), HOSTILE.replace('\'', "")] {
        let (_, temp_dir) = create(&scratch, &hostile, &[]);
        let said = run(&mut scratch.sh(r#". ./.env.isolation; printf %s "$TEMP_DIR""#)).succeeded();
        assert_eq!(said, temp_dir);
        scratch.run(["cleanup", "--all"]).succeeded();
        assert_eq!(names(scratch.work()), [""; 0], "something was executed");
    }
}

#[test]
fn line_breaks_in_a_value_execute_nothing_in_the_env_file() {
    let scratch = CommandLine::new(PORTALLOC);
    let (_, temp_dir) = create(&scratch, "x\ntouch executed4\n'y", &[]);
    run(&mut scratch.sh(". ./.env.isolation")).succeeded();
    assert_eq!(names(scratch.work()), [".env.isolation"], "something was executed");
    let text = fs::read_to_string(scratch.work().join(".env.isolation")).unwrap();
    assert_eq!(written(&text, "TEMP_DIR=\"", "\"").replace("\\n", "\n"), temp_dir);
}

/// The env file names its record in a comment: a path with line breaks must be refused, or stay in its line.
#[test]
fn line_breaks_in_the_registrys_path_execute_nothing_in_the_env_file() {
    let scratch = CommandLine::new(PORTALLOC);
    let registry = scratch.path().join("x\ntouch executed5\ny");
    let create = || run(scratch.command(["create", "--json"]).env("PORTALLOC_DIR", &registry));
    let first = create();
    if first.status == 2 {
        first.failed_with(2, "invalid_argument");
        return;
    }
    let first = first.json();
    run(&mut scratch.sh(". ./.env.isolation")).succeeded();
    assert_eq!(names(scratch.work()), [".env.isolation"], "something was executed");
    assert_ne!(path(&create().json(), "env_file"), path(&first, "env_file"), "a living environment's was overwritten");
}

#[test]
fn dotenv_is_what_the_env_file_has() {
    let scratch = CommandLine::new(PORTALLOC);
    let (said, _) = create(&scratch, HOSTILE, &["--format", "dotenv"]);
    let file = fs::read_to_string(scratch.work().join(".env.isolation")).unwrap();
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(said.succeeded().lines().collect::<Vec<_>>(), lines);
    assert_eq!(lines.len(), 16);
}

#[test]
fn fish_takes_the_value_literally() {
    let scratch = CommandLine::new(PORTALLOC);
    let (said, temp_dir) = create(&scratch, HOSTILE, &["--format", "fish", "--no-env-file"]);
    let said = said.succeeded();
    // In fish's single quotes only \\ and \' are escapes.
    let mut value = String::new();
    let quoted = written(&said, "set -gx TEMP_DIR '", "'");
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        assert_ne!(character, '\'', "the quotes end early in {quoted}");
        value.push(if character == '\\' { characters.next().unwrap() } else { character });
    }
    assert_eq!(value, temp_dir);
    if installed("fish") {
        let script = format!("{said}\nprintf %s $TEMP_DIR");
        assert_eq!(run(scratch.program("fish").args(["-c", &script])).succeeded(), temp_dir);
    }
}

#[test]
fn powershell_takes_the_value_literally() {
    let scratch = CommandLine::new(PORTALLOC);
    // To PowerShell typographic single quotes are single quotes too.
    let hostile = format!("{HOSTILE} \u{2018}x\u{2019}; touch executed6; \u{201a}y\u{201b}");
    let (said, temp_dir) = create(&scratch, &hostile, &["--format", "powershell", "--no-env-file"]);
    let said = said.succeeded();
    let mut value = String::new();
    let quoted = written(&said, "$env:TEMP_DIR = '", "'");
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        if ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'].contains(&character) {
            assert_eq!(characters.next(), Some(character), "the quotes end early in {quoted}");
        }
        value.push(character);
    }
    assert_eq!(value, temp_dir);
    if installed("pwsh") {
        let script = format!("{said}\n[Console]::Out.Write($env:TEMP_DIR)");
        assert_eq!(run(scratch.program("pwsh").args(["-NoProfile", "-Command", &script])).succeeded(), temp_dir);
    }
}

/// What GitHub's runner understands of such a file.
fn read_github(text: &str) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let line = line.trim_end_matches('\n');
        let name_end = line.find(['=', '<']).unwrap_or_else(|| panic!("no variable: {line:?}"));
        let (name, rest) = line.split_at(name_end);
        let value = match rest.strip_prefix("<<") {
            Some(end) => {
                let part: Vec<&str> = lines.by_ref().take_while(|line| line.trim_end_matches('\n') != end).collect();
                part.concat().trim_end_matches('\n').to_owned()
            }
            None => rest.strip_prefix('=').unwrap().to_owned(),
        };
        variables.push((name.to_owned(), value));
    }
    variables
}

#[test]
fn github_appends_to_both_files() {
    let scratch = CommandLine::new(PORTALLOC);
    let files = ["env", "output"].map(|name| scratch.elsewhere().join(name));
    files.iter().for_each(|file| fs::write(file, "BEFORE=1\n").unwrap());
    let temp = scratch.path().join("x\nISOLATION_ID=forged\nPORTALLOC_END\ny");
    fs::create_dir(&temp).unwrap();
    let mut command = scratch.command(["create", "--format", "github", "--no-env-file", "--names", "web"]);
    command.env("GITHUB_ENV", &files[0]).env("GITHUB_OUTPUT", &files[1]).env("TMPDIR", &temp);
    assert_eq!(run(&mut command).succeeded(), "");

    let environment = scratch.environments().remove(0);
    let (id, port) = (id(&environment), environment["ports"][0].to_string());
    let expected = [
        ("BEFORE", "1"),
        ("ISOLATION_ID", &id),
        ("COMPOSE_PROJECT_NAME", &format!("portalloc-{id}")),
        ("TEMP_DIR", path(&environment, "temp_dir").to_str().unwrap()),
        ("PORT_BASE", &port),
        ("PORT_COUNT", "1"),
        ("PORT", &port),
        ("WEB_PORT", &port),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    for file in &files {
        assert_eq!(read_github(&fs::read_to_string(file).unwrap()), expected);
    }
}

#[test]
fn github_makes_do_with_one_file_and_makes_it() {
    let scratch = CommandLine::new(PORTALLOC);
    for (variable, other) in [("GITHUB_ENV", "GITHUB_OUTPUT"), ("GITHUB_OUTPUT", "GITHUB_ENV")] {
        let file = scratch.elsewhere().join(variable);
        let mut command = scratch.command(["create", "--format", "github", "--no-env-file"]);
        assert_eq!(run(command.env(variable, &file).env(other, "")).succeeded(), "");
        assert_eq!(read_github(&fs::read_to_string(file).unwrap()).len(), 16);
    }
}

#[test]
fn github_outside_a_job_is_an_error_and_nothing_is_left() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["create", "--format", "github"]).failed_with(2, "invalid_argument");
    assert!(said.contains("GITHUB_ENV") && said.contains("GITHUB_OUTPUT"), "{said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn json_and_shell_have_long_forms() {
    let scratch = CommandLine::new(PORTALLOC);
    let json = scratch.run(["create", "--format", "json", "--no-env-file"]).json();
    assert_eq!(json["ports"]["count"], 5);
    let shell = scratch.run(["create", "--format", "shell", "--no-env-file"]).succeeded();
    assert!(shell.lines().all(|line| line.starts_with("export ")), "{shell}");
}
