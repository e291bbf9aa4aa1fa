//! `portalloc version`, `completions` and `man`, which describe the command line itself.

use crate::args::{Completions, Man};
use crate::command::definition;
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) fn version() -> Result<Exit, Failure> {
    output::result(&format!("portalloc {}\n", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Success)
}

pub(crate) fn completions(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "portalloc", &mut script);
    output::result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}

pub(crate) fn man(args: &Man) -> Result<Exit, Failure> {
    // Its page would name a page for the help of each command, and there are none.
    let mut top = definition().disable_help_subcommand(true);
    top.build();
    let page = match &args.command {
        None => top,
        Some(name) => match top.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                return Err(Failure::Usage(format!(
                    "there is no command {name:?}; `portalloc help` lists the commands"
                )));
            }
        },
    };
    let name = match &args.command {
        None => "portalloc".to_owned(),
        Some(command) => format!("portalloc-{command}"),
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).title(name).render(&mut text)?;
    output::result(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Success)
}
