//! What a cleanup may remove: an environment by its record and its labels, and whether it is selected. Locks nothing.

use std::path::Path;

use super::request::{Reason, Selection};
use crate::environment::status::{self, StaleReason, Status};
use crate::error::Result;
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::registry::{Lifetime, OpenRecord, PortsFile, Record, Registry, Stored};
use crate::sys::ProcessStamp;
use crate::worktree::{Index, Key};

/// A candidate for removal.
pub(super) struct Candidate {
    pub(super) id: IsolationId,
    /// The record, or why it is not readable.
    pub(super) record: std::result::Result<Box<Record>, String>,
    pub(super) file: Option<OpenRecord>,
    pub(super) ports: Vec<u16>,
}

pub(super) fn candidate(
    registry: &Registry,
    ports: &PortsFile,
    id: IsolationId,
    selection: &Selection,
) -> Result<Option<Candidate>> {
    // step: CleanRead
    let (stored, file) = registry.records().read_open(id)?;
    Ok(match stored {
        Stored::Missing => None,
        Stored::Foreign(_) if !matches!(selection, Selection::Id(_)) => None,
        Stored::Broken(why) => {
            let labelled = ports.labelled(PortRange::ALL, id)?;
            Some(Candidate { id, record: Err(why), file, ports: labelled })
        }
        stored => {
            let record = registry.records().require_read(id, stored)?;
            Some(Candidate { id, ports: record.ports.ports.clone(), record: Ok(record), file })
        }
    })
}

impl Candidate {
    /// The worktree whose index goes with this environment, because it names no other one that is finished. The index of a
    /// finished one was written before it was finished, so no lock is needed to see that.
    pub(super) fn index(&self, registry: &Registry) -> Result<Option<Key>> {
        let Some(record) = self.record.as_ref().ok().filter(|record| record.lifetime == Lifetime::Kept) else {
            return Ok(None);
        };
        let key = Key::new(&record.worktree_path, registry.user(), &record.instance_id);
        let Some(index) = Index::read(registry, &key)? else { return Ok(None) };
        // A repair that did not end has left two: the other one may be the worktree's.
        let other = if index.before == Some(self.id) { Some(index.id) } else { index.before };
        let is_named = index.id == self.id || index.before == Some(self.id);
        let goes = is_named && !other.map_or(Ok(false), |other| registry.records().claims(other))?;
        Ok(goes.then_some(key))
    }

    /// Why it is to be removed; `None` if it is not selected.
    pub(super) fn select(
        &self,
        registry: &Registry,
        ports: &PortsFile,
        selection: &Selection,
        worktree: Option<&Path>,
        here: &ProcessStamp,
    ) -> Result<Option<Reason>> {
        let record = self.record.as_ref().ok();
        if worktree.is_some_and(|wanted| record.is_none_or(|record| record.worktree_path != wanted)) {
            return Ok(None);
        }
        if matches!(selection, Selection::Id(_)) {
            return Ok(Some(Reason::Asked));
        }
        let stale = match &self.record {
            Err(why) => Some(StaleReason::RecordBroken(why.clone())),
            Ok(record) => match status::judge(registry, ports, record, here)? {
                Status::Stale(reason) => Some(reason),
                _ => None,
            },
        };
        let live_held = stale.is_none() && record.is_some_and(|record| record.lifetime == Lifetime::Held);
        Ok(match selection {
            Selection::Stale => stale.map(Reason::Stale),
            Selection::Abandoned => {
                let is_here = record.is_some_and(|record| record.mount_namespace == registry.mount_namespace());
                let abandoned =
                    |why: &StaleReason| matches!(why, StaleReason::HolderGone(_) | StaleReason::Unfinished(_));
                stale.filter(|why| is_here && abandoned(why)).map(Reason::Stale)
            }
            // A live held environment belongs to its holder, and ends with that process.
            _ if live_held => None,
            Selection::Id(_) | Selection::All => Some(stale.map_or(Reason::Asked, Reason::Stale)),
            Selection::OlderThan(age) => {
                let old = record.is_none_or(|record| record.created_at.age() > *age);
                old.then_some(Reason::Older(*age))
            }
        })
    }
}
