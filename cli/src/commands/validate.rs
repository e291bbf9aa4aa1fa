//! `portalloc validate`

use std::fmt::Write as _;

use portalloc::Settings;
use portalloc::environment::Validation;
use serde_json::{Value, json};

use crate::args::Validate;
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) fn run(args: &Validate) -> Result<Exit, Failure> {
    let named = match &args.id {
        Some(id) => id.clone(),
        None => std::env::var("ISOLATION_ID").ok().filter(|id| !id.is_empty()).ok_or_else(|| {
            Failure::Usage(
                "which environment? name it with --id, or set ISOLATION_ID; `portalloc list` shows them".to_owned(),
            )
        })?,
    };
    let id = named.parse()?;
    let validation = super::open(Settings::new())?.validate(id)?;
    output::result(&if args.json { output::json(&value(&validation))? } else { human(&validation) })?;
    Ok(if validation.is_valid() { Exit::Success } else { Exit::Failure })
}

fn value(validation: &Validation) -> Value {
    let checks: Vec<Value> = validation
        .checks
        .iter()
        .map(|check| json!({"name": check.name, "ok": check.failure.is_none(), "failure": check.failure}))
        .collect();
    let ports: Vec<Value> =
        validation.ports.iter().map(|port| json!({"port": port.port, "in_use": port.in_use})).collect();
    json!({"isolation_id": validation.id, "valid": validation.is_valid(), "checks": checks, "ports": ports})
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
