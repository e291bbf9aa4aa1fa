//! `portalloc env`

use std::ffi::OsString;

use clap::ValueEnum;
use portalloc::Environment;
use portalloc::worktree::StopOptions;

use crate::args::{Env, Format};
use crate::exit::{Exit, Failure};
use crate::formats::Target;
use crate::sweep::Sweep;
use crate::{output, wanted};

pub(crate) fn run(args: &Env) -> Result<Exit, Failure> {
    let format = if args.json { Format::Json } else { args.format };
    show(args, format).inspect_err(|_| fail_the_eval(format))
}

fn show(args: &Env, format: Format) -> Result<Exit, Failure> {
    let target = Target::of(format)?;
    let environment = if args.repair { repair(args)? } else { wanted::worktree_environment(&args.environment)? };
    for path in &args.write {
        environment.write_block(path)?;
    }
    target.show(&environment)?;
    if !environment.is_attached() {
        Sweep::start(&wanted::open(wanted::settings(&args.environment))?).finish();
    }
    Ok(wanted::leave(environment))
}

fn repair(args: &Env) -> Result<Environment, Failure> {
    let (allocator, request) = wanted::open_for(&args.environment, wanted::request(&args.environment)?)?;
    let before = allocator.find_worktree_environment(&request)?;
    let users = before.as_ref().map(|before| before.stop(&StopOptions::new().dry_run(true))).transpose()?;
    // That it differs from what is declared is about to change.
    drop(portalloc::process::take_warnings());
    let environment = allocator.repair_worktree_environment(&request)?;
    let (id, ports) = (environment.id(), output::ports(environment.ports()));
    if environment.is_attached() {
        output::note(format_args!(
            "nothing to repair: environment {id} has the ports that are declared, {ports}, and nobody else is on them"
        ));
    } else if let (Some(before), Some(users)) = (before, users) {
        users.foreign.iter().for_each(output::note);
        users.unknown.iter().for_each(output::note);
        output::note(format_args!("environment {id} with ports {ports} has replaced {}", before.id()));
    }
    Ok(environment)
}

/// Makes `eval "$(portalloc env)"` fail. The message is on standard error.
fn fail_the_eval(format: Format) {
    let text = match format {
        Format::Shell | Format::Fish => "false\n",
        Format::PowerShell => "throw \"portalloc env failed\"\n",
        Format::Human | Format::Json | Format::Dotenv | Format::Github => return,
    };
    // Nobody reads it if this fails.
    let _ = output::result(text);
}

/// The same for a command line that clap refuses, as far as its words tell the format.
pub(crate) fn refuse(words: &[OsString]) {
    if words.get(1).is_none_or(|command| command != "env") {
        return;
    }
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let named =
        words.iter().zip(words.iter().skip(1)).find_map(|(option, value)| (option == "--format").then_some(value));
    let named = named.map(|value| &**value).or_else(|| words.iter().find_map(|word| word.strip_prefix("--format=")));
    if !words.iter().any(|word| word == "--json") {
        fail_the_eval(named.and_then(|name| Format::from_str(name, false).ok()).unwrap_or(Format::Shell));
    }
}
