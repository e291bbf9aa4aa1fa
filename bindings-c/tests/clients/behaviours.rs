//! The C runner of `tests/behaviours/*.json`. The format of the cases is told there, and how they reach C in
//! `tests/c/performer.c`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use portalloc_testkit::{World, names};
use serde_json::{Map, Value, json};

use crate::support::{Link, client, command, root};

const RUN: usize = 20;

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

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02x}").unwrap();
        }
    }
    encoded
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// Writes the files of a project.
fn write(files: &Value, worktree: &Path) {
    for (path, text) in files.as_object().into_iter().flatten() {
        let path = worktree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.as_str().unwrap()).unwrap();
    }
}

/// What the performer reads.
fn asked(case: &Value) -> String {
    let mut lines = format!("{}\n", case["operation"].as_str().unwrap());
    let mut add = |name: &str, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        writeln!(lines, "{name} {}", encoded(&text)).unwrap();
    };
    for (name, value) in case["arguments"].as_object().unwrap() {
        match value {
            Value::Array(pairs) if name == "variables" => {
                for pair in pairs {
                    add("names", &pair[0]);
                    add("values", &pair[1]);
                }
            }
            Value::Object(files) => {
                for (path, text) in files {
                    add("after_paths", &json!(path));
                    add("after_texts", text);
                }
            }
            Value::Array(items) => {
                add(&format!("{name}[]"), &json!(""));
                items.iter().for_each(|item| add(name, item));
            }
            value => add(name, value),
        }
    }
    lines
}

/// What the performer said.
fn answered(told: &str) -> Value {
    let mut answer = Map::new();
    for line in told.lines() {
        let [kind, name, text] = line.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        if let Some(name) = name.strip_suffix("[]") {
            answer.insert(name.to_owned(), json!([]));
            continue;
        }
        let value = match kind {
            "n" => json!(text.parse::<u64>().unwrap()),
            "b" => json!(text == "true"),
            "z" => Value::Null,
            "j" | "c" => {
                let members: Map<String, Value> = serde_json::from_str(&decoded(text)).unwrap();
                let counted = |value: Value| value.as_array().map_or_else(|| value.clone(), |items| json!(items.len()));
                let of = |value| if kind == "c" { counted(value) } else { value };
                answer.extend(members.into_iter().map(|(name, value)| (name, of(value))));
                continue;
            }
            _ => json!(decoded(text)),
        };
        match answer.get_mut(name) {
            Some(Value::Array(items)) => items.push(value),
            _ => drop(answer.insert(name.to_owned(), value)),
        }
    }
    answer.into()
}

fn perform(world: &World, program: &Path, case: &Value) -> Value {
    let mut command = command(world, program);
    // A pool is an argument, or the project's.
    command.env_remove("PORTALLOC_POOL");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked(case).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}: {}", case["name"], crate::support::told(&output));
    answered(&String::from_utf8(output.stdout).unwrap())
}

/// Why a case failed.
fn failure(case: &Value, answer: &Value) -> Option<String> {
    let Some(code) = case["error"].as_str() else {
        let mut expected = case["expect"].as_object().unwrap().iter();
        return expected.find(|(name, value)| answer.get(name.as_str()) != Some(value)).map(|_| answer.to_string());
    };
    if answer["error"] != code {
        return Some(answer.to_string());
    }
    let parts = case["message"].as_array().into_iter().flatten();
    let mut parts = parts.map(|part| part.as_str().map_or_else(|| part.to_string(), ToOwned::to_owned));
    let message = answer["message"].as_str().unwrap();
    parts.find(|part| !message.contains(part.as_str())).map(|part| format!("{part:?} is not in: {message}"))
}

#[test]
fn behaviours() {
    let home = World::new(1);
    let program = client(&home, "performer.c", Link::Shared);
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(root().join("tests/behaviours")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for case in &file {
            let world = World::new(RUN);
            let case = filled(case, world.base());
            write(&case["project"], &world.work());
            let answer = perform(&world, &program, &case);
            let left = world.allocator().list().unwrap().environments;
            assert!(left.is_empty() && names(world.temp()).is_empty(), "{} leaves {left:?}", case["name"]);
            if let Some(why) = failure(&case, &answer) {
                failures.push(format!("{} {}: {why}", path.file_name().unwrap().display(), case["name"]));
            }
            cases += 1;
        }
    }
    assert!(failures.is_empty(), "{} of {cases} failed:\n{}", failures.len(), failures.join("\n"));
    assert!(cases > 160, "only {cases} cases were found");
}
