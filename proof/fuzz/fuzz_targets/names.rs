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

/// As the help says: `{NAME}` and `{0}` become ports, everything else stays.
fn fill(text: &str, ports: &HashMap<String, u16>, of_index: &[u16]) -> String {
    let Some(open) = text.find('{') else { return text.to_owned() };
    let (before, rest) = text.split_at(open + 1);
    let name = rest.find('}').map(|close| &rest[..close]);
    let port = name.and_then(|name| {
        let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let index = digits.then(|| name.parse::<usize>().ok()).flatten();
        ports.get(name).or_else(|| of_index.get(index?)).copied()
    });
    match (port, name) {
        (Some(port), Some(name)) => {
            format!("{}{port}{}", &before[..open], fill(&rest[name.len() + 1..], ports, of_index))
        }
        _ => format!("{before}{}", fill(rest, ports, of_index)),
    }
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
            assert_eq!(variables.len(), 5 + count);
            for (name, _) in &variables {
                assert!(is_word(name) && !name.contains('-') || name.len() > 64, "{name}");
            }
            assert_eq!(variables.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), variables.len());
            let of_name: HashMap<String, u16> = names.iter().cloned().zip(ports.iter().copied()).collect();
            assert_eq!(record.fill(&text), fill(&text, &of_name, &ports), "{text:?}");
        }
    }
});
