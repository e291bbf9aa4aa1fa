//! The names of an environment's ports, and the variables that pass the ports to its processes.

use std::collections::BTreeMap;

use log::debug;

use crate::error::{Error, Result};
use crate::names::FIXED;
use crate::project::EnvTemplate;
use crate::registry::Record;
use crate::template::{self, index_in};
use crate::variables::{main_port, port_variables};

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
        let ports = &self.ports.ports;
        let main = main_port(&self.names, ports.len()).map(|index| ("PORT".to_owned(), index));
        let each = port_variables(&self.names, ports.len()).into_iter().zip(0..);
        // Names of another program give way to those of the project.
        let aliases =
            self.aliases.iter().map(ToString::to_string).zip(0..).filter(|(name, _)| !self.env.contains_key(name));
        let of_port = |(name, index): (String, usize)| Some((name, ports.get(index)?.to_string()));
        let fixed = FIXED.iter().map(ToString::to_string).zip(values);
        let ours = fixed.chain(main.into_iter().chain(each).chain(aliases).filter_map(of_port));
        ours.chain(self.env.iter().map(|(name, value)| (name.clone(), value.clone()))).collect()
    }

    /// The name of the port at `index`, or the index if it has no name.
    pub(super) fn port_name(&self, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_else(|| index.to_string())
    }

    /// Replaces `{web}` by the port with the name `web`, `{port}` by the one named `port`, else by the first, and `{port:N}` by
    /// the port at index N. Everything else stays as it is: other text in braces, and any braces with a `$` or another brace
    /// in front, or another brace behind, which shells, awk, JSON and template languages use themselves.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        template::fill(text, |placeholder| self.placed(placeholder))
    }

    /// The port that a placeholder stands for.
    fn placed(&self, placeholder: &str) -> Option<u16> {
        self.ports.ports.get(template::index(placeholder, &self.names)?).copied()
    }

    /// The variables that `[env]` of a project file gives this environment. Those that need a port that it does not have are
    /// left out: its caller has named other ports than the file.
    pub(crate) fn env_of(&self, templates: &[EnvTemplate]) -> BTreeMap<String, String> {
        let filled = |template: &EnvTemplate| {
            let mut is_complete = true;
            let value = template::fill(&template.text, |placeholder| {
                let port = self.placed(placeholder);
                is_complete &= port.is_some() || !template::is_placeholder(placeholder);
                port
            });
            if !is_complete {
                debug!("{} is not set: this environment lacks a port of {:?}", template.name, template.text);
            }
            is_complete.then(|| (template.name.clone(), value))
        };
        templates.iter().filter_map(filled).collect()
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
        let index = self.names.iter().position(|other| other == name).or_else(|| index_in(name))?;
        (index < self.ports.ports.len()).then_some(index)
    }
}
