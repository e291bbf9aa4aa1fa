//! The schema for editors says the same as the parser.

use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::{Map, Value, json};
use toml::de::{DeTable, DeValue};

use crate::{BAD, GOOD, refused};

/// Parts of messages about what a schema cannot say, because it concerns several values, or how they are written.
const BEYOND: &[&str] = &[
    "would both be the variable A_B_PORT",
    "2 names for 1 port",
    "`pool`: \"9-5\" in \"9-5\" is reversed",
    "`exclude`: \"0x50\"",
    "`prefer`: \"0\" in \"0\"",
    "`prefer` has 101 ports",
    "the first port of `names` has offset 1",
    "would both be at offset 1",
    "more than 65534 above",
    "`names` has more than 65535 ports",
    "`env`: WEB_PORT is a variable",
    "`env`: path is not for",
    "A in `env` has {api}",
    "A in `env` has {port:5}",
    "`env` has more than 65536 bytes",
];

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/portalloc.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The file as a schema sees it; `None` if it is no TOML.
fn parsed(text: &str) -> Option<Value> {
    fn value(item: &DeValue<'_>) -> Value {
        match item {
            DeValue::String(text) => json!(text),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => json!(number),
                Err(_) => json!(f64::MAX),
            },
            DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap() + 0.5),
            DeValue::Boolean(truth) => json!(truth),
            DeValue::Datetime(time) => json!({ "time": time.to_string() }),
            DeValue::Array(items) => items.iter().map(|item| value(item.get_ref())).collect(),
            DeValue::Table(entries) => table(entries),
        }
    }
    fn table(entries: &DeTable<'_>) -> Value {
        let entries = entries.iter().map(|(key, item)| (key.get_ref().to_string(), value(item.get_ref())));
        Value::Object(entries.collect::<Map<_, _>>())
    }
    DeTable::parse(text).ok().map(|parsed| table(parsed.get_ref()))
}

/// Why `value` does not satisfy `schema`; only with the words that ours has, any other is an error.
fn wrong(schema: &Value, value: &Value, root: &Value) -> Option<String> {
    let fails = |what: String| Some(format!("{value} {what}"));
    let each = |schemas: &Value| -> Vec<bool> {
        schemas.as_array().unwrap().iter().map(|schema| wrong(schema, value, root).is_none()).collect()
    };
    for (word, wanted) in schema.as_object().unwrap() {
        let failure = match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "examples" => None,
            "$ref" => wrong(root.pointer(wanted.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(), value, root),
            "anyOf" if !each(wanted).contains(&true) => fails(format!("is none of {wanted}")),
            "not" if wrong(wanted, value, root).is_none() => fails(format!("is {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => fails("is none of the list".to_owned()),
            "type" => {
                let is = match value {
                    Value::String(_) => "string",
                    Value::Bool(_) => "boolean",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                    Value::Number(number) if number.is_i64() => "integer",
                    _ => "number",
                };
                if wanted == is { None } else { fails(format!("is {is}")) }
            }
            "minimum" if value.as_f64().is_some_and(|number| number < wanted.as_f64().unwrap()) => {
                fails(format!("< {wanted}"))
            }
            "maximum" if value.as_f64().is_some_and(|number| number > wanted.as_f64().unwrap()) => {
                fails(format!("> {wanted}"))
            }
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                value
                    .as_str()
                    .filter(|text| !pattern.is_match(text))
                    .and_then(|_| fails(format!("is not like {wanted}")))
            }
            "maxLength"
                if value.as_str().is_some_and(|text| text.chars().count() as u64 > wanted.as_u64().unwrap()) =>
            {
                fails("is too long".to_owned())
            }
            "minItems" if value.as_array().is_some_and(|items| (items.len() as u64) < wanted.as_u64().unwrap()) => {
                fails("has too few".to_owned())
            }
            "maxItems" if value.as_array().is_some_and(|items| items.len() as u64 > wanted.as_u64().unwrap()) => {
                fails("has too many".to_owned())
            }
            "uniqueItems" => {
                let repeats = |items: &Vec<Value>| (1..items.len()).any(|at| items[..at].contains(&items[at]));
                value.as_array().filter(|items| repeats(items)).and_then(|_| fails("repeats an item".to_owned()))
            }
            "items" => value.as_array().into_iter().flatten().find_map(|item| wrong(wanted, item, root)),
            "required" => {
                let missing = |object: &Map<String, Value>| {
                    wanted.as_array().unwrap().iter().any(|key| !object.contains_key(key.as_str().unwrap()))
                };
                value.as_object().filter(|object| missing(object)).and_then(|_| fails(format!("lacks one of {wanted}")))
            }
            "properties" => {
                value.as_object().into_iter().flatten().find_map(|(key, item)| wrong(wanted.get(key)?, item, root))
            }
            "propertyNames" => {
                value.as_object().into_iter().flatten().find_map(|(key, _)| wrong(wanted, &json!(key), root))
            }
            "additionalProperties" => value.as_object().into_iter().flatten().find_map(|(key, item)| {
                let is_additional = schema.get("properties").is_none_or(|known| known.get(key).is_none());
                match wanted {
                    Value::Bool(false) if is_additional => fails(format!("has the key {key}")),
                    Value::Object(_) if is_additional => wrong(wanted, item, root),
                    _ => None,
                }
            }),
            "anyOf" | "not" | "enum" | "minimum" | "maximum" | "maxLength" | "minItems" | "maxItems" => None,
            other => panic!("the test does not know {other:?}"),
        };
        if failure.is_some() {
            return failure;
        }
    }
    None
}

#[test]
fn it_knows_the_same_keys() {
    let schema = schema();
    assert_eq!(schema["additionalProperties"], false);
    let mut in_schema: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    in_schema.sort_unstable();

    let (error, _) = refused("unknown = 1");
    let (_, known) = error.message().split_once("known keys are ").unwrap();
    let mut in_parser: Vec<_> = known.split(", ").map(str::to_owned).collect();
    in_parser.sort_unstable();
    assert_eq!(in_schema, in_parser);
    let id = schema["$id"].as_str().unwrap();
    assert!(id.starts_with("https://") && id.ends_with("/docs/portalloc.schema.json"), "{id}");
}

#[test]
fn it_accepts_what_the_parser_accepts_and_its_own_examples() {
    let schema = schema();
    for text in GOOD {
        assert_eq!(wrong(&schema, &parsed(text).unwrap(), &schema), None, "{text}");
    }
    for (key, property) in schema["properties"].as_object().unwrap() {
        for example in property["examples"].as_array().into_iter().flatten() {
            assert_eq!(wrong(property, example, &schema), None, "{key}");
        }
    }
}

#[test]
fn it_refuses_what_the_parser_refuses() {
    let schema = schema();
    for (_, part, text) in BAD {
        let Some(value) = parsed(text) else { continue };
        let is_beyond = BEYOND.contains(part);
        assert_eq!(wrong(&schema, &value, &schema).is_none(), is_beyond, "{part}: {text}");
    }
}

#[test]
fn it_refuses_the_same_variables() {
    let schema = schema();
    let reserved = schema.pointer("/$defs/reservedVariable/anyOf/1/enum").unwrap().as_array().unwrap();
    let more =
        ["LD_PRELOAD", "DYLD_X", "PYTHONPATH", "PERL5LIB", "GIT_DIR", "BASH_ENV", "PORT_1", "PORTALLOC_X", "TEMP_DIR"];
    for name in reserved.iter().filter_map(Value::as_str).chain(more) {
        refused(format!("[env]\n{name} = ''"));
        assert!(wrong(&schema, &json!({ "env": { name: "" } }), &schema).is_some(), "{name}");
    }
    let source = include_str!("../../src/names/env.rs");
    let list = source.split_once("const RESERVED: ").unwrap().1.split_once("];").unwrap().0;
    let list: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(json!(list), json!(reserved), "the list of the parser");
}
