//! The ports that `names` declares: which name is how far from the first port. Knows no file but its text.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::found::{Found, Item, MOST_PORTS, entries};
use crate::error::Result;

/// No port is further above the first.
const LONGEST_OFFSET: usize = 65534;

/// Names, and the distance of each port from the first.
#[derive(Default)]
pub(super) struct NamedPorts {
    pub(super) names: Vec<String>,
    offsets: Vec<u16>,
    /// The index of the port at each distance.
    taken: BTreeMap<u16, usize>,
}

/// One item of the list.
struct Declared {
    name: String,
    offset: Option<usize>,
    count: usize,
}

impl NamedPorts {
    /// Reads the list.
    pub(super) fn read(found: &Found<'_>) -> Result<Self> {
        let wanted = "a list of names, such as [\"postgres\", { name = \"api\", count = 3 }]";
        let DeValue::Array(items) = found.item.get_ref() else { return Err(found.wrong_type(found.item, wanted)) };
        let mut ports = Self::default();
        items.iter().try_for_each(|item| ports.add(found, item))?;
        Ok(ports)
    }

    /// The distances, if the ports are not consecutive.
    pub(super) fn offsets(&self) -> Option<Vec<u16>> {
        let is_run = self.offsets.iter().zip(0..).all(|(offset, index)| *offset == index);
        (!is_run).then(|| self.offsets.clone())
    }

    /// Adds the ports of one item.
    fn add(&mut self, found: &Found<'_>, item: &Item<'_>) -> Result<()> {
        let declared = declared(found, item)?;
        let wrong = |message: &str, remedy: &str| Err(found.lines.error(item.span(), message, remedy));
        let next = self.offsets.last().map_or(0, |last| usize::from(*last) + 1);
        let first = declared.offset.unwrap_or(next);
        if self.names.is_empty() && first != 0 {
            let message =
                format!("the first port of `names` has offset {first}, but offsets are distances from that port");
            return wrong(&message, "begin with the lowest port, and leave its offset out");
        }
        if self.names.len() + declared.count > MOST_PORTS {
            return wrong(&format!("`names` has more than {MOST_PORTS} ports"), "declare fewer");
        }
        for index in 0..declared.count {
            let name = if index == 0 { declared.name.clone() } else { format!("{}_{index}", declared.name) };
            let Some(offset) =
                u16::try_from(first + index).ok().filter(|offset| usize::from(*offset) <= LONGEST_OFFSET)
            else {
                let message = format!("the port {name:?} of `names` is more than {LONGEST_OFFSET} above the first");
                return wrong(&message, "use smaller offsets");
            };
            if let Some(other) = self.taken.insert(offset, self.names.len()).and_then(|other| self.names.get(other)) {
                let message = format!("the ports {other:?} and {name:?} of `names` would both be at offset {offset}");
                return wrong(&message, "give each port an offset of its own; one without follows the port before it");
            }
            self.names.push(name);
            self.offsets.push(offset);
        }
        Ok(())
    }
}

/// A name, or a table with one.
fn declared(found: &Found<'_>, item: &Item<'_>) -> Result<Declared> {
    let wanted = "a name, such as \"api\", or { name = \"api\", offset = 10 }";
    let DeValue::Table(table) = item.get_ref() else {
        return Ok(Declared { name: found.text(item, wanted)?, offset: None, count: 1 });
    };
    let (mut name, mut offset, mut count) = (None, None, 1);
    for (key, value) in entries(table) {
        match &**key.get_ref() {
            "name" => {
                let text = value.get_ref().as_str().map(str::to_owned);
                name =
                    Some(text.ok_or_else(|| found.wrong_kind(value, "`name` in `names`", "a text, such as \"api\""))?);
            }
            "offset" => {
                let wanted = "a distance from the first port, such as 10";
                offset = Some(found.number(value, "`offset` in `names`", 0..=LONGEST_OFFSET, wanted)?);
            }
            "count" => {
                count = found.number(value, "`count` in `names`", 1..=MOST_PORTS, "a number of ports, such as 3")?;
            }
            unknown => {
                let unknown = unknown.escape_debug();
                let message = format!("unknown key `{unknown}` in `names`; known keys are name, offset, count");
                return Err(found.lines.error(key.span(), &message, "correct or remove it"));
            }
        }
    }
    let Some(name) = name else {
        return Err(found.lines.error(item.span(), "an item of `names` has no `name`", "give it one"));
    };
    Ok(Declared { name, offset, count })
}
