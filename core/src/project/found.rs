//! Values of the parsed file: converts each to what it stands for, and says what is wrong with it. Knows no file but its text.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::lines::Lines;
use crate::error::{Error, Result};
use crate::names::check_instance_id;
use crate::port_set::{PortSet, parse_ports};

/// The largest possible number of ports.
pub(super) const MOST_PORTS: usize = 65535;

/// At most this many base ports can be preferred: each costs an attempt whenever it is not free.
const MOST_PREFERRED: usize = 100;

pub(super) type Item<'a> = Spanned<DeValue<'a>>;

/// The entries of a table in the order of the file. The parser sorts them by name, but errors should follow the file.
pub(super) fn entries<'t, 'a>(table: &'t DeTable<'a>) -> Vec<(&'t Spanned<DeString<'a>>, &'t Item<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// A key with its value.
pub(super) struct Found<'a> {
    pub(super) lines: &'a Lines<'a>,
    pub(super) key: &'a str,
    pub(super) at: Range<usize>,
    pub(super) item: &'a Item<'a>,
}

impl Found<'_> {
    pub(super) fn count(&self) -> Result<usize> {
        let wanted = "a number of ports, such as 5";
        self.number(self.item, &format!("`{}`", self.key), 1..=MOST_PORTS, wanted)
    }

    /// A number in these bounds; `what` it is, as a phrase.
    pub(super) fn number(
        &self,
        item: &Item<'_>,
        what: &str,
        bounds: RangeInclusive<usize>,
        wanted: &str,
    ) -> Result<usize> {
        let DeValue::Integer(number) = item.get_ref() else { return Err(self.wrong_kind(item, what, wanted)) };
        match usize::from_str_radix(number.as_str(), number.radix()) {
            Ok(count) if bounds.contains(&count) => Ok(count),
            _ => {
                let message = format!("{what} is {number}, but must be from {} to {}", bounds.start(), bounds.end());
                Err(self.lines.error(item.span(), &message, format!("write {wanted}")))
            }
        }
    }

    pub(super) fn pool(&self) -> Result<String> {
        let pool = self.port_set()?;
        if pool.is_empty() {
            let message = format!("`{}` has no ports", self.key);
            return Err(self.lines.error(self.at.clone(), &message, "name ports, such as \"20000-29999\""));
        }
        Ok(pool.to_string())
    }

    /// Ports in their notation, or a list of numbers and texts in that notation.
    pub(super) fn port_set(&self) -> Result<PortSet> {
        let mut ranges = Vec::new();
        match self.item.get_ref() {
            DeValue::Array(items) => {
                for item in items.iter() {
                    ranges.extend_from_slice(self.some_ports(item)?.ranges());
                }
            }
            _ => ranges.extend_from_slice(self.some_ports(self.item)?.ranges()),
        }
        Ok(ranges.into_iter().collect())
    }

    fn some_ports(&self, item: &Item<'_>) -> Result<PortSet> {
        PortSet::parse(&self.notation(item)?).map_err(|error| self.lines.blame(item.span(), self.key, error))
    }

    /// A number as a text, so that it is read as one.
    fn notation(&self, item: &Item<'_>) -> Result<String> {
        match item.get_ref() {
            // As written in the file, so that 0x5000 is rejected and not taken for another number.
            DeValue::Integer(number) => Ok(number.to_string()),
            _ => self.text(item, "ports, such as \"27017,28000-28010\", or a list of them"),
        }
    }

    /// Ports in their order: a number, a text in the notation of ports, or a list of them.
    pub(super) fn prefer(&self) -> Result<Vec<u16>> {
        let mut ports = Vec::new();
        let items = match self.item.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![self.item],
        };
        for item in items {
            let some =
                parse_ports(&self.notation(item)?).map_err(|error| self.lines.blame(item.span(), self.key, error))?;
            ports.extend(some);
        }
        if ports.len() > MOST_PREFERRED {
            let message = format!("`{}` has {} ports, but at most {MOST_PREFERRED} are tried", self.key, ports.len());
            return Err(self.lines.error(self.at.clone(), &message, "name the few that matter, or set `pool`"));
        }
        Ok(ports)
    }

    pub(super) fn truth(&self) -> Result<bool> {
        self.item.get_ref().as_bool().ok_or_else(|| self.wrong_type(self.item, "true or false"))
    }

    pub(super) fn instance_id(&self) -> Result<String> {
        let text = self.text(self.item, "a text")?;
        check_instance_id(&text).map_err(|error| self.lines.blame(self.at.clone(), self.key, error))?;
        Ok(text)
    }

    pub(super) fn text(&self, item: &Item<'_>, wanted: &str) -> Result<String> {
        item.get_ref().as_str().map(str::to_owned).ok_or_else(|| self.wrong_type(item, wanted))
    }

    pub(super) fn wrong_type(&self, item: &Item<'_>, wanted: &str) -> Error {
        let inside = if std::ptr::eq(item, self.item) { "" } else { "an item of " };
        self.wrong_kind(item, &format!("{inside}`{}`", self.key), wanted)
    }

    /// As [`wrong_type`](Self::wrong_type), of a value deeper inside.
    pub(super) fn wrong_kind(&self, item: &Item<'_>, what: &str, wanted: &str) -> Error {
        let is = match item.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("{what} is {is}, but must be {wanted}");
        self.lines.error(item.span(), &message, "correct the value")
    }
}
