//! The names of an environment's ports, and the variables that pass the ports to its processes.

use crate::error::{Error, Result};
use crate::names::FIXED;
use crate::registry::Record;
use crate::variables::port_variables;

impl Record {
    /// Names and values, in the order in which they are written.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let values = [
            self.isolation_id.to_string(),
            self.compose_project_name.clone(),
            self.temp_dir.display().to_string(),
            self.ports.base_port.to_string(),
            self.ports.count.to_string(),
        ];
        let fixed = FIXED.iter().map(ToString::to_string).zip(values);
        let names = port_variables(&self.names, self.ports.ports.len());
        fixed.chain(names.into_iter().zip(self.ports.ports.iter().map(ToString::to_string))).collect()
    }

    /// The name of the port at `index`, or the index if it has no name.
    pub(super) fn port_name(&self, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_else(|| index.to_string())
    }

    /// Replaces `{name}` and `{0}` by the port with that name or index. Other text in braces is left unchanged.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let port = after.split_once('}').and_then(|(name, tail)| self.port_of(name).map(|port| (port, tail)));
            match port {
                Some((port, tail)) => {
                    filled.push_str(&port.to_string());
                    rest = tail;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }

    /// The index of the port with this name, or with this index in digits.
    ///
    /// # Errors
    /// `invalid_argument` if there is no such port.
    pub fn index(&self, name: &str) -> Result<usize> {
        self.index_of(name).ok_or_else(|| {
            let known = match self.names.as_slice() {
                [] => "its ports have no names".to_owned(),
                names => format!("its names are {}", names.join(", ")),
            };
            Error::invalid_argument(
                format!("the environment {} has no port {name:?}: {known}", self.isolation_id),
                format!("use a name, or an index from 0 to {}", self.ports.ports.len().saturating_sub(1)),
            )
        })
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        let named = self.names.iter().position(|other| other == name);
        let index = named.or_else(|| name.parse().ok().filter(|_| name.bytes().all(|byte| byte.is_ascii_digit())))?;
        (index < self.ports.ports.len()).then_some(index)
    }

    fn port_of(&self, name: &str) -> Option<u16> {
        self.ports.ports.get(self.index_of(name)?).copied()
    }
}
