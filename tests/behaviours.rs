//! The Rust runner of `behaviours/*.json`: what every language must do alike, once as data. Format: `behaviours/README.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests: a failure is a failed test")]

#[path = "behaviours/worktrees.rs"]
mod worktrees;

use std::fs;
use std::path::Path;
use std::time::Duration;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::{EnvFile, Syntax, render};
use portalloc::{
    Allocator, Environment, EnvironmentRequest, Error, ErrorCode, IsolationId, Lease, LeaseRequest, Result, Settings,
};
use portalloc_tests::Stage;
use serde_json::{Value, json};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");
const RUN: usize = 20;

/// The arguments of a case.
struct Arguments<'a> {
    world: &'a Stage,
    values: &'a Value,
}

impl Arguments<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.values[name].as_str().map(ToOwned::to_owned)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.values[name].as_u64()
    }

    fn count(&self) -> Option<usize> {
        self.number("count").map(|count| usize::try_from(count).unwrap())
    }

    fn time(&self, name: &str) -> Option<Duration> {
        self.number(name).map(Duration::from_millis)
    }

    fn ports(&self, name: &str) -> Option<Vec<u16>> {
        let listed = self.values[name].as_array()?;
        Some(listed.iter().map(|port| u16::try_from(port.as_u64().unwrap()).unwrap()).collect())
    }

    /// The values of a list of texts; none if it is missing.
    fn texts(&self, name: &str) -> Vec<&str> {
        self.values[name].as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
    }

    /// The lease of what somebody has before.
    fn leased(&self) -> Option<Lease> {
        let ports = self.ports("leased")?;
        Some(self.allocator().unwrap().lease(LeaseRequest::exact(ports)).unwrap())
    }

    /// Settings for calls that read a project file, which counts only where nothing is set.
    fn settings(&self) -> Settings {
        let settings = Settings::new().directory(self.world.registry());
        let settings = self.text("pool").into_iter().fold(settings, Settings::pool);
        self.text("exclude").into_iter().fold(settings, Settings::exclude)
    }

    /// What all environments are asked for with.
    fn request(&self) -> EnvironmentRequest {
        let mut request = EnvironmentRequest::new().names(self.texts("names"));
        if let Some(count) = self.count() {
            request = request.ports(count);
        }
        if let Some(instance) = self.text("instance_id") {
            request = request.instance_id(instance);
        }
        if let Some(ports) = self.ports("prefer") {
            request = request.prefer(ports);
        }
        request
    }

    fn allocator(&self) -> Result<Allocator> {
        let settings = Settings::new().directory(self.world.registry());
        let settings = settings.exclude(self.text("exclude").unwrap_or_default());
        settings.pool(self.text("pool").unwrap_or_else(|| self.world.pool().to_owned())).open()
    }
}

fn pool(arguments: &Arguments<'_>) -> Result<Value> {
    let allocator = arguments.allocator()?;
    let ports = allocator.pool().ports();
    Ok(json!({"ports": ports.to_string(), "count": ports.count()}))
}

fn lease(arguments: &Arguments<'_>) -> Result<Value> {
    let allocator = arguments.allocator()?;
    let _leased = arguments.leased();
    let mut request = match arguments.ports("ports") {
        Some(ports) => LeaseRequest::exact(ports),
        None => LeaseRequest::run(arguments.count().unwrap()),
    };
    if let Some(ports) = arguments.ports("prefer") {
        request = request.prefer(ports);
    }
    if let Some(limit) = arguments.time("wait_ms") {
        request = request.wait(limit);
    }
    let lease = allocator.lease(request)?;
    Ok(json!({"count": lease.ports().len(), "ports": lease.ports()}))
}

fn check(arguments: &Arguments<'_>) -> Result<Value> {
    let allocator = arguments.allocator()?;
    let _leased = arguments.leased();
    let states = allocator.check(arguments.ports("ports").unwrap())?;
    Ok(json!({"free": states.iter().map(|state| state.usage.is_free()).collect::<Vec<_>>()}))
}

/// What an environment is, with the values of the variables that the case wants to see.
fn described(arguments: &Arguments<'_>, environment: &Environment) -> Value {
    let variables = environment.variables();
    let shown = arguments.texts("show").into_iter().map(|name| {
        let value = variables.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        value.map(|value| value.parse::<u64>().map_or_else(|_| json!(value), |number| json!(number)))
    });
    json!({
        "count": environment.ports().len(),
        "ports": environment.ports(),
        "variables": variables.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "values": shown.collect::<Vec<_>>(),
    })
}

fn create_environment(arguments: &Arguments<'_>) -> Result<Value> {
    let _leased = arguments.leased();
    let mut request = arguments.request();
    if arguments.values["kept"] == true {
        request = request.kept();
    }
    if let Some(ttl) = arguments.time("ttl_ms") {
        request = request.ttl(ttl);
    }
    if let Some(pid) = arguments.number("owner_pid") {
        request = request.owner_pid(u32::try_from(pid).unwrap());
    }
    if let Some(path) = arguments.text("env_file") {
        request = request.env_file(EnvFile::At(path.into()));
    } else if arguments.values["env_file"] == true {
        request = request.env_file(EnvFile::Worktree);
    }
    let worktree = arguments.text("worktree").map_or_else(|| arguments.world.work(), Into::into);
    let (allocator, request) = arguments.settings().open_for(request.worktree(worktree))?;
    let environment = allocator.create_environment(&request)?;
    let answer = described(arguments, &environment);
    environment.cleanup()?;
    Ok(answer)
}

fn with_id(operation: &str, arguments: &Arguments<'_>) -> Result<Value> {
    let text = arguments.text("text").or_else(|| arguments.text("id")).unwrap();
    let id: IsolationId = text.parse()?;
    match operation {
        "parse_id" => Ok(json!({"id": id.to_string()})),
        "validate" => arguments.allocator()?.validate(id).map(|validation| json!({"valid": validation.is_valid()})),
        _ => {
            let report = arguments.allocator()?.cleanup(&Cleanup::new(Selection::Id(id)))?;
            Ok(json!({"removed": report.removed.len()}))
        }
    }
}

fn rendered(arguments: &Arguments<'_>) -> Value {
    let syntax = match arguments.text("syntax").unwrap().as_str() {
        "shell" => Syntax::Shell,
        "fish" => Syntax::Fish,
        "powershell" => Syntax::PowerShell,
        "dotenv" => Syntax::Dotenv,
        "github" => Syntax::Github,
        other => panic!("{other:?} is no syntax"),
    };
    let variables: Vec<(String, String)> = serde_json::from_value(arguments.values["variables"].clone()).unwrap();
    json!({"text": render(&variables, syntax)})
}

fn perform(operation: &str, arguments: &Arguments<'_>) -> Result<Value> {
    match operation {
        "pool" => pool(arguments),
        "lease" => lease(arguments),
        "check" => check(arguments),
        "create_environment" => create_environment(arguments),
        "worktree_environment" => worktrees::environment(arguments),
        "find_worktree_environment" => worktrees::find(arguments),
        "repair_worktree_environment" => worktrees::repair(arguments),
        "stop" => worktrees::stop(arguments),
        "parse_id" | "validate" | "cleanup" => with_id(operation, arguments),
        "render" => Ok(rendered(arguments)),
        "error_codes" => Ok(json!({"codes": ErrorCode::ALL.map(|code| code.as_str())})),
        other => panic!("{other:?} is no operation"),
    }
}

/// Writes the files of a project.
fn write(files: &Value, worktree: &Path) {
    for (path, text) in files.as_object().into_iter().flatten() {
        let path = worktree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.as_str().unwrap()).unwrap();
    }
}

/// Puts ports in the place of `$N`, also within other text.
fn filled(value: &Value, base: u16) -> Value {
    match value {
        Value::String(text) => {
            let mut filled = text.clone();
            // The longer ones first, so that `$1` does not match in `$10`.
            for index in (0..RUN).rev() {
                filled = filled.replace(&format!("${index}"), &(usize::from(base) + index).to_string());
            }
            filled.into()
        }
        Value::Array(items) => items.iter().map(|item| in_list(item, base)).collect(),
        Value::Object(members) => members.iter().map(|(name, item)| (name.clone(), filled(item, base))).collect(),
        other => other.clone(),
    }
}

/// In a list, a text that is nothing but `$N` is a port, which is a number.
fn in_list(item: &Value, base: u16) -> Value {
    let alone = item.as_str().and_then(|text| text.strip_prefix('$')?.parse::<u16>().ok());
    alone.map_or_else(|| filled(item, base), |index| (base + index).into())
}

/// Why a case failed.
fn failure(case: &Value, done: &Result<Value>) -> Option<String> {
    match (done, case["expect"].as_object(), case["error"].as_str()) {
        (Ok(given), Some(expected), None) => {
            let mut wrong = expected.iter().filter(|(name, value)| given.get(name.as_str()) != Some(value));
            wrong.next().map(|(name, value)| format!("{name} is {}, not {value}", given[name]))
        }
        (Err(error), None, Some(code)) => wrong_error(case, error, code),
        other => Some(format!("{other:?}")),
    }
}

fn wrong_error(case: &Value, error: &Error, code: &str) -> Option<String> {
    let parts = case["message"].as_array().into_iter().flatten();
    // A part that is nothing but `$N` has become a number.
    let mut parts = parts.map(|part| part.as_str().map_or_else(|| part.to_string(), ToOwned::to_owned));
    let missing = parts.find(|part| !error.message().contains(part.as_str()));
    if error.code().as_str() != code {
        return Some(format!("{error:?}, not {code}"));
    }
    missing.map(|part| format!("{part:?} is not in the message: {error}"))
}

#[test]
fn behaviours() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("behaviours");
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for case in &file {
            let world = Stage::new(ACTOR, RUN);
            let case = filled(case, world.base());
            write(&case["project"], &world.work());
            let arguments = Arguments { world: &world, values: &case["arguments"] };
            let done = perform(case["operation"].as_str().unwrap(), &arguments);
            if let Some(why) = failure(&case, &done) {
                failures.push(format!("{} {}: {why}", path.file_name().unwrap().display(), case["name"]));
            }
            cases += 1;
        }
    }
    assert!(failures.is_empty(), "{} of {cases} failed:\n{}", failures.len(), failures.join("\n"));
    assert!(cases > 160, "only {cases} cases were found");
}
