//! Reading a record, which may be renamed meanwhile: registry/records.rs of the core. Each look at a name is a step.

use crate::faults::Fault;
use crate::process::Turn;
use crate::world::{Env, Names, Record};

impl Turn<'_> {
    /// The record of an environment, as far as it is in this process's registry.
    fn names(&self, env: Env) -> Names {
        let names = self.world.records[env];
        if names.place == self.my().place { names } else { Names::default() }
    }

    /// Looks at the next name of a record: the finished one, the other, and the finished one again, since it may be finished
    /// between the first two looks. `None`: there is another look to come.
    pub(crate) fn read_record(&mut self, env: Env) -> Option<Option<Record>> {
        let (names, look) = (self.names(env), self.my().looks);
        let found = if look == 1 { names.making } else { names.finished };
        let last = if self.has(Fault::TwoLooksAtRecord) { 1 } else { 2 };
        if found.is_none() && look < last {
            self.me().looks += 1;
            return None;
        }
        self.me().looks = 0;
        Some(found)
    }

    /// Whether labels of an environment claim their ports, by its record.
    pub(crate) fn claims(&self, env: Env) -> bool {
        let names = self.names(env);
        names.finished.is_some() || self.has(Fault::MakingClaims) && names.making.is_some()
    }
}
