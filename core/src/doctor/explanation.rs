//! Whether a lease would be granted at this moment, and if not, why.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::check;
use crate::error::Result;
use crate::pool::{Census, Pool};
use crate::pool_usage;
use crate::port_state::PortUsage;
use crate::refusals;
use crate::registry::{LabelState, PortsFile, Registry, Slot};
use crate::sys::{ProcessStamp, words};

/// Whether a lease of `count` consecutive ports would be granted at this moment. Nothing was leased to find out.
///
/// [`examine`](super::examine) has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// How many consecutive ports were asked about.
    pub count: usize,
    /// Whether a lease of so many would be granted.
    pub granted: bool,
    /// Why, in one sentence or two.
    pub message: String,
    /// What to do if it would be refused.
    pub remedy: Option<String>,
    /// How many ports of the pool are in each state; `None` if the registry or the pool cannot be used.
    #[serde(serialize_with = "counts")]
    pub census: Option<Census>,
    /// Who has ports of the pool, most ports first.
    pub holders: Vec<HolderCount>,
}

/// How many ports of the pool somebody has.
///
/// [`examine`](super::examine) has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HolderCount {
    /// An environment or a process, such as `environment 3f9a0c71d2e4` or `PID 4242 (node)`.
    pub holder: String,
    /// How many ports.
    pub ports: usize,
}

fn counts<S: Serializer>(census: &Option<Census>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let counts = census.as_ref().map(|census| BTreeMap::from(census.counts()));
    counts.serialize(serializer)
}

impl Explanation {
    pub(super) fn of(count: usize, registry: Option<&Registry>, pool: Option<&Pool>) -> Self {
        let refused = |message: String, remedy: String| Self {
            count,
            granted: false,
            message,
            remedy: Some(remedy),
            census: None,
            holders: Vec::new(),
        };
        if count == 0 {
            let error = refusals::no_count(count);
            return refused(error.message().to_owned(), error.remedy().to_owned());
        }
        let (Some(registry), Some(pool)) = (registry, pool) else {
            let line = if registry.is_none() { "registry" } else { "pool" };
            return refused(
                format!("a lease of {} would be refused, because of the line {line}", ports(count)),
                format!("follow the advice of the line {line}"),
            );
        };
        match look(registry, pool) {
            Ok((census, holders)) => judge(count, census, holders),
            Err(error) => refused(error.message().to_owned(), error.remedy().to_owned()),
        }
    }
}

fn look(registry: &Registry, pool: &Pool) -> Result<(Census, Vec<HolderCount>)> {
    let (ports, here) = (registry.ports()?, registry.process()?);
    Ok((pool_usage::take(registry, &ports, pool, &here)?, holders(registry, &ports, pool, &here)?))
}

/// Who holds or keeps ports of the pool, by locks and labels.
fn holders(registry: &Registry, ports: &PortsFile, pool: &Pool, here: &ProcessStamp) -> Result<Vec<HolderCount>> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for range in pool.ports().ranges() {
        let locked = ports.locked(*range)?;
        for (port, slot) in range.ports().zip(ports.read(*range)?) {
            let holder = if locked.contains(port) {
                Some(holder(slot, here))
            } else {
                keeper(registry.standing_as_seen(ports, port, slot, here)?)
            };
            if let Some(holder) = holder {
                *found.entry(holder).or_default() += 1;
            }
        }
    }
    let mut found: Vec<_> = found.into_iter().map(|(holder, ports)| HolderCount { holder, ports }).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.ports));
    Ok(found)
}

/// The environment that keeps a port.
fn keeper(label: LabelState) -> Option<String> {
    let LabelState::Kept(label) = label else { return None };
    label.id.map(|id| format!("environment {id}"))
}

/// The process that has locked a port, by its label.
fn holder(slot: Slot, here: &ProcessStamp) -> String {
    match check::held(slot, here) {
        PortUsage::Held { id: Some(id), .. } => format!("environment {id}"),
        PortUsage::Held { holder: Some(holder), .. } => holder.to_string(),
        _ => "a process that is probing a port".to_owned(),
    }
}

fn judge(count: usize, census: Census, holders: Vec<HolderCount>) -> Explanation {
    let Census { pool, free, stale, denied, longest_run, .. } = census;
    let granted = count <= longest_run;
    let wanted = ports(count);
    let (message, remedy) = if granted {
        (format!("a lease of {wanted} would be granted: {census}"), None)
    } else if count > pool {
        (
            format!("a lease of {wanted} would be refused: the pool has only {pool}"),
            Some("ask for fewer, or name a wider pool (PORTALLOC_POOL)".to_owned()),
        )
    } else if count <= free + stale {
        (
            format!("a lease of {wanted} would be refused: no {count} free ports are consecutive; {census}"),
            Some("ask for scattered ports or fewer, or name a wider pool (PORTALLOC_POOL)".to_owned()),
        )
    } else if count <= free + stale + denied {
        (format!("a lease of {wanted} would be refused: {census}"), Some(words::ALLOW_LOW_PORTS.to_owned()))
    } else {
        (
            format!("a lease of {wanted} would be refused: {census}"),
            Some(
                "end what holds them (`portalloc list`, `portalloc cleanup`), or name a wider pool (PORTALLOC_POOL)"
                    .to_owned(),
            ),
        )
    };
    Explanation { count, granted, message, remedy, census: Some(census), holders }
}

fn ports(count: usize) -> String {
    if count == 1 { "1 port".to_owned() } else { format!("{count} consecutive ports") }
}
