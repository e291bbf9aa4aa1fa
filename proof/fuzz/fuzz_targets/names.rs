//! Names for ports: what is accepted becomes variables that every shell knows, each a different one, and `{name}` in
//! arguments becomes the port.

#![no_main]

use std::collections::{HashMap, HashSet};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::ErrorCode;
use portalloc::fuzzing::{check_names, this_process};
use portalloc::registry::Record;
use portalloc_fuzz::{id, record, refused};
use serde_json::json;

#[derive(Arbitrary, Debug)]
struct Input {
    names: Vec<String>,
    more: u8,
    fewer: bool,
    text: String,
}

fn is_word(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 64
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// As the help says: `{NAME}`, `{port}` and `{port:N}` become ports, everything else stays.
fn fill(text: &str, ports: &HashMap<String, u16>, of_index: &[u16]) -> String {
    let mut filled = String::new();
    for (at, c) in text.char_indices() {
        if at < skipped(text, at, ports, of_index) {
            continue;
        }
        match placeholder(text, at, ports, of_index) {
            Some((port, _)) => filled.push_str(&port.to_string()),
            None => filled.push(c),
        }
    }
    filled
}

/// Where the placeholder ends that begins before `at` and reaches beyond it; else 0.
fn skipped(text: &str, at: usize, ports: &HashMap<String, u16>, of_index: &[u16]) -> usize {
    let from = text[..at].rfind('{').unwrap_or(at);
    placeholder(text, from, ports, of_index).filter(|_| from < at).map_or(0, |(_, end)| end)
}

/// The port that the placeholder at `at` stands for, and where it ends.
fn placeholder(text: &str, at: usize, ports: &HashMap<String, u16>, of_index: &[u16]) -> Option<(u16, usize)> {
    let name = text[at..].strip_prefix('{')?.split('}').next()?;
    let end = at + name.len() + 2;
    if text.len() < end || text[..at].ends_with(['$', '{']) || text[end..].starts_with('}') {
        return None;
    }
    let index = || match name.strip_prefix("port")? {
        "" => Some(0),
        number => number.strip_prefix(':').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?.parse().ok(),
    };
    let port = ports.get(name).or_else(|| of_index.get(index()?)).copied()?;
    Some((port, end))
}

fuzz_target!(|input: Input| {
    let Input { names, more, fewer, text } = input;
    if names.len() > 200 || text.len() > 500 {
        return;
    }
    let count = if fewer { names.len() / 2 } else { names.len() + usize::from(more % 8) };
    let variables: HashSet<String> = names.iter().map(|name| name.to_ascii_uppercase().replace('-', "_")).collect();
    let is_fine = names.is_empty()
        || (names.len() <= count && names.iter().all(|name| is_word(name)) && variables.len() == names.len());
    match check_names(&names, count) {
        Err(error) => {
            assert!(!is_fine, "{names:?}: {error}");
            refused(&error, ErrorCode::InvalidArgument);
        }
        Ok(()) => {
            assert!(is_fine, "{names:?} for {count} ports");
            if count == 0 {
                return;
            }
            let ports: Vec<u16> = (0..count).map(|index| 20000 + u16::try_from(index).unwrap()).collect();
            let mut json = record(&id(0), &ports, std::path::Path::new("/tmp"), this_process().unwrap());
            json["names"] = json!(names);
            let record: Record = serde_json::from_value(json).unwrap();
            let variables = record.variables();
            let has_main = variables.iter().any(|(name, _)| name == "PORT");
            assert_eq!(variables.len(), 5 + count + usize::from(has_main));
            for (name, _) in &variables {
                assert!(is_word(name) && !name.contains('-') || name.len() > 64, "{name}");
            }
            assert_eq!(variables.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), variables.len());
            let of_name: HashMap<String, u16> = names.iter().cloned().zip(ports.iter().copied()).collect();
            assert_eq!(record.fill(&text), fill(&text, &of_name, &ports), "{text:?}");
        }
    }
});
