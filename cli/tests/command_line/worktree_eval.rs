//! The output of `env` in the shells that people evaluate it in, and what such a line comes to when `env` fails: through a
//! registry that is gone, or that cannot be written, and with the environment of another user in the way.

use std::fs;
use std::process::Command;

use portalloc_testkit::{CommandLine, has, id, is_installed, run};

use crate::PORTALLOC;

/// A shell, how a script is given to it, and a script that evaluates `env` with `ARGUMENTS` and tells what came of it.
type Shell = (&'static str, &'static [&'static str], &'static str);

const SHELLS: &[Shell] = &[
    ("bash", &["-euc"], "if eval \"$(portalloc env ARGUMENTS)\"; then echo $WEB_PORT; else echo bad; fi"),
    ("zsh", &["-fuc"], "if eval \"$(portalloc env ARGUMENTS)\"; then echo $WEB_PORT; else echo bad; fi"),
    (
        "fish",
        &["--no-config", "-c"],
        "if portalloc env --format fish ARGUMENTS | source; echo $WEB_PORT; else; echo bad; end",
    ),
    (
        "pwsh",
        &["-NoProfile", "-Command"],
        "try { portalloc env --format powershell ARGUMENTS | Out-String | Invoke-Expression; $env:WEB_PORT } catch { 'bad' }",
    ),
];

#[test]
fn every_shell_sees_the_variables_or_that_there_are_none() {
    let scratch = CommandLine::new(PORTALLOC);
    for (shell, options, script) in SHELLS {
        // Debian has no PowerShell, so CI may lack it.
        if *shell == "pwsh" && !is_installed(shell) {
            eprintln!("NOT CHECKED: there is no {shell} here");
            continue;
        }
        if !has(shell) {
            continue;
        }
        let said = |arguments: &str| {
            let script = script.replace("ARGUMENTS", arguments);
            run(scratch.program(shell).args(*options).arg(script)).succeeded().trim().to_owned()
        };
        let made = said("--names web");
        assert_eq!(made, scratch.run(["port", "web"]).succeeded().trim(), "{shell}");
        for bad in ["--nonsense", "--names 1x", "--worktree /nowhere"] {
            assert_eq!(said(bad), "bad", "{shell}: {bad}");
        }
    }
}

#[test]
fn a_registry_that_was_removed_is_made_again() {
    let scratch = CommandLine::new(PORTALLOC);
    let env = || scratch.run(["env", "--json", "--names", "web", "--write", ".env.local"]).json();
    let before = id(&env());
    run(Command::new("rm").arg("-rf").arg(scratch.registry())).succeeded();
    scratch.run(["port", "web"]).failed_with(4, "not_found");
    let after = id(&env());
    assert_ne!(before, after);
    let block = fs::read_to_string(scratch.work().join(".env.local")).unwrap();
    assert!(block.contains(&after) && !block.contains(&before), "{block}");
    assert_eq!(id(&env()), after);
    assert_eq!(scratch.environments().len(), 1);
}

#[test]
fn a_registry_that_cannot_be_written_is_an_error_and_a_failed_eval() {
    let scratch = CommandLine::new(PORTALLOC);
    let fails = |command: &mut Command, code: &str| {
        let ran = run(command);
        assert_eq!((ran.status, &*ran.stdout), (1, "false\n"), "{ran:?}");
        assert!(ran.stderr.contains(&format!("{code}: ")) && ran.stderr.contains("PORTALLOC_DIR"), "{ran:?}");
    };
    fails(scratch.command(["env"]).env("PORTALLOC_DIR", "/proc/portalloc"), "registry_unusable");
    // Another user's, who lets nobody in.
    let Some(mut command) = scratch.as_nobody(["env"]) else { return };
    let closed = scratch.elsewhere().join("closed");
    fs::create_dir(&closed).unwrap();
    fails(command.env("PORTALLOC_DIR", &closed), "permission_denied");
}

#[test]
fn the_environment_of_another_user_is_not_found_in_the_same_worktree() {
    let scratch = CommandLine::new(PORTALLOC);
    let own = id(&scratch.run(["env", "--json", "--names", "web"]).json());
    let as_nobody = |arguments: &[&str]| scratch.as_nobody(arguments).map(|mut command| run(&mut command));
    let Some(ran) = as_nobody(&["port", "web"]) else { return };
    let said = ran.failed_with(4, "not_found");
    for part in [&*scratch.work().canonicalize().unwrap().display().to_string(), "portalloc env"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    // Everybody has one of their own, and neither is in the other's way.
    let other = as_nobody(&["env", "--json", "--names", "web"]).unwrap().json();
    assert_ne!(id(&other), own);
    assert_eq!(id(&scratch.run(["env", "--json"]).json()), own);
    assert_eq!(
        as_nobody(&["port", "web"]).unwrap().succeeded().trim(),
        portalloc_testkit::ports(&other)[0].to_string()
    );
}
