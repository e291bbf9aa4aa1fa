//! Lists all environments and leases; those of other users, as far as their labels show them.

use std::collections::{BTreeMap, HashMap};

use super::status::{self, StaleReason, Status};
use crate::allocator::Allocator;
use crate::error::Result;
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::port_state::Holder;
use crate::registry::{Claim, Label, LabelState, Lifetime, PortsFile, Record, Registry, Slot, Stored};
use crate::sys::ProcessStamp;
use crate::time::Timestamp;

/// An environment as the registry shows it.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// for info in allocator.list()?.environments {
///     println!("{} is {}, with ports {:?}", info.id, info.status.as_str(), info.ports);
/// }
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EnvironmentInfo {
    /// Its ID.
    pub id: IsolationId,
    /// Whether it is alive.
    pub status: Status,
    /// Held or kept; `None` if its record is broken.
    pub lifetime: Option<Lifetime>,
    /// Its ports, in the order of the names if the record is readable.
    pub ports: Vec<u16>,
    /// The user it belongs to.
    pub user: u32,
    /// When it was created, if known.
    pub created_at: Option<Timestamp>,
    /// The process that created a held environment; the owner, if any, of a kept one.
    pub holder: Option<Holder>,
    /// Its record; `None` if the record is broken or belongs to another user.
    pub record: Option<Box<Record>>,
}

/// A live lease that belongs to no environment.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let listed = allocator.list()?.leases;
/// assert_eq!(listed[0].ports, lease.ports());
/// assert_eq!(listed[0].holder.as_ref().map(|holder| holder.pid), Some(std::process::id()));
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LeaseInfo {
    /// Its ports, ascending.
    pub ports: Vec<u16>,
    /// The process that took it.
    pub holder: Option<Holder>,
    /// The user it belongs to.
    pub user: u32,
    /// When it was taken.
    pub since: Timestamp,
}

/// The contents of a registry.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let listing = allocator.list()?;
/// assert!(listing.environments.is_empty() && listing.leases.is_empty());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The environments, oldest first; broken ones last.
    pub environments: Vec<EnvironmentInfo>,
    /// Live leases without an environment, by port.
    pub leases: Vec<LeaseInfo>,
}

/// Caches holders by their stamps: many leases have few holders, and reading `/proc` takes longer than everything else
/// about a lease.
struct Holders {
    here: ProcessStamp,
    known: HashMap<ProcessStamp, Holder>,
}

impl Holders {
    fn of(&mut self, stamp: ProcessStamp) -> Holder {
        self.known.entry(stamp).or_insert_with(|| Holder::of(stamp, &self.here)).clone()
    }

    fn of_label(&mut self, label: &Label) -> Option<Holder> {
        match label.claim {
            Claim::Held { holder } => Some(self.of(holder)),
            Claim::Kept { owner, .. } => owner.map(|owner| self.of(owner)),
        }
    }
}

/// The ports of one label.
struct Labelled {
    label: Label,
    ports: Vec<u16>,
}

impl Allocator {
    /// Lists all environments and live leases. Locks and changes nothing.
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn list(&self) -> Result<Listing> {
        self.in_checked_registry(Self::list_once)
    }

    fn list_once(&self) -> Result<Listing> {
        let registry = &self.registry;
        let ports = registry.ports()?;
        let mut holders = Holders { here: registry.process()?, known: HashMap::new() };
        let (mut of_environments, mut of_leases) = (BTreeMap::new(), BTreeMap::new());
        ports.each(PortRange::ALL, |port, slot| {
            let Some(label) = slot.label() else { return };
            let labelled = match label.id {
                Some(id) => of_environments.entry(id).or_insert(Labelled { label, ports: Vec::new() }),
                None => of_leases.entry((label.since_ms, label.lease)).or_insert(Labelled { label, ports: Vec::new() }),
            };
            labelled.ports.push(port);
        })?;
        let mut listing = Listing::default();
        for id in registry.records().ids()? {
            listing.environments.extend(environment(registry, &ports, id, of_environments.get(&id), &mut holders)?);
        }
        listing.environments.sort_by_key(|info| (info.created_at.is_none(), info.created_at, info.id));
        for lease in of_leases.into_values() {
            if is_locked(&ports, &lease.ports)? {
                listing.leases.push(LeaseInfo {
                    holder: holders.of_label(&lease.label),
                    user: lease.label.user,
                    since: Timestamp::from_unix_ms(lease.label.since_ms),
                    ports: lease.ports,
                });
            }
        }
        listing.leases.sort_by_key(|lease| lease.ports.first().copied());
        Ok(listing)
    }
}

fn environment(
    registry: &Registry,
    ports: &PortsFile,
    id: IsolationId,
    labelled: Option<&Labelled>,
    holders: &mut Holders,
) -> Result<Option<EnvironmentInfo>> {
    Ok(match registry.records().read(id)? {
        Stored::Missing => None,
        Stored::Record(record) => Some(EnvironmentInfo {
            id,
            status: status::judge(registry, ports, &record, &holders.here)?,
            lifetime: Some(record.lifetime),
            ports: record.ports.ports.clone(),
            user: crate::sys::user_id(),
            created_at: Some(record.created_at),
            holder: match record.lifetime {
                Lifetime::Held => Some(holders.of(record.holder)),
                Lifetime::Kept => record.owner.map(|owner| holders.of(owner)),
            },
            record: Some(record),
        }),
        Stored::Broken(why) => Some(EnvironmentInfo {
            id,
            status: Status::Stale(StaleReason::RecordBroken(why)),
            lifetime: None,
            ports: labelled.map(|labelled| labelled.ports.clone()).unwrap_or_default(),
            user: crate::sys::user_id(),
            created_at: None,
            holder: None,
            record: None,
        }),
        Stored::Foreign(user) => match labelled {
            Some(labelled) => Some(foreign(registry, ports, id, user, labelled, holders)?),
            None => None,
        },
    })
}

/// An environment of another user, by its labels.
fn foreign(
    registry: &Registry,
    ports: &PortsFile,
    id: IsolationId,
    user: u32,
    labelled: &Labelled,
    holders: &mut Holders,
) -> Result<EnvironmentInfo> {
    let Labelled { label, ports: own } = labelled;
    let port = own.first().copied().unwrap_or_default();
    let holder = holders.of_label(label);
    let pid = holder.as_ref().map_or(0, |holder| holder.pid);
    let status = match label.claim {
        // Its creation may have finished since, and then the label has changed.
        Claim::Held { .. } if is_locked(ports, own)? || ports.read_one(port)? != Slot::Label(*label) => Status::Active,
        Claim::Held { .. } => Status::Stale(StaleReason::HolderGone(pid)),
        Claim::Kept { .. } => match registry.standing(ports, port, Slot::Label(*label), &holders.here)? {
            LabelState::Stale(Some(end)) => Status::Stale(end.into()),
            // Its creator is about to rename the record to its final name.
            LabelState::Stale(None) if !is_locked(ports, own)? => Status::Stale(StaleReason::Unfinished(pid)),
            _ => Status::Active,
        },
    };
    Ok(EnvironmentInfo {
        id,
        status,
        lifetime: Some(if label.is_kept() { Lifetime::Kept } else { Lifetime::Held }),
        ports: own.clone(),
        user,
        created_at: Some(Timestamp::from_unix_ms(label.since_ms)),
        holder,
        record: None,
    })
}

fn is_locked(ports: &PortsFile, own: &[u16]) -> Result<bool> {
    Ok(match own.first() {
        Some(port) => ports.conflict(PortRange::one(*port))?.is_some(),
        None => false,
    })
}
