//! `portalloc validate`

use std::fmt::Write as _;

use portalloc::Settings;
use portalloc::environment::Validation;

use crate::args::Validate;
use crate::exit::{Exit, Failure};
use crate::{output, wanted};

pub(crate) fn run(args: &Validate) -> Result<Exit, Failure> {
    let named = match &args.id {
        Some(id) => id.clone(),
        None => std::env::var("ISOLATION_ID").ok().filter(|id| !id.is_empty()).ok_or_else(|| {
            Failure::Usage(
                "no environment given: use --id or set ISOLATION_ID; `portalloc list` shows all IDs".to_owned(),
            )
        })?,
    };
    let id = named.parse()?;
    let validation = wanted::open(Settings::new())?.validate(id)?;
    output::result(&if args.json { output::json(&validation)? } else { human(&validation) })?;
    Ok(if validation.is_valid() { Exit::Success } else { Exit::Failure })
}

fn human(validation: &Validation) -> String {
    let verdict = if validation.is_valid() { "valid" } else { "NOT valid" };
    let mut text = format!("Environment {} is {verdict}\n\n", validation.id);
    for check in &validation.checks {
        let name = check.name.replace('_', " ");
        let _ = match &check.failure {
            None => writeln!(text, "  {name:10}  ok"),
            Some(why) => writeln!(text, "  {name:10}  FAILED: {}", output::plain(why)),
        };
    }
    for port in &validation.ports {
        let _ = writeln!(text, "  port {:5}  {}", port.port, if port.in_use { "in use" } else { "free" });
    }
    text
}
