//! Reads the output of `create --json`.

use std::path::PathBuf;

use serde_json::Value;

/// The isolation ID.
#[must_use]
pub fn id(created: &Value) -> String {
    text(created, "isolation_id").to_owned()
}

/// The ports.
#[must_use]
pub fn ports(created: &Value) -> Vec<u16> {
    let ports = created.pointer("/ports/ports").expect("ports");
    serde_json::from_value(ports.clone()).expect("port numbers")
}

/// The path in this field.
#[must_use]
pub fn path(created: &Value, key: &str) -> PathBuf {
    text(created, key).into()
}

fn text<'a>(created: &'a Value, key: &str) -> &'a str {
    created.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no {key} in {created}"))
}
