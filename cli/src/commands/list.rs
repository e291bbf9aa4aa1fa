//! `portalloc list`

use portalloc::environment::{EnvironmentInfo, LeaseInfo, Listing, ListingSummary};
use portalloc::pool::{PoolMap, PortClass};
use portalloc::project::Project;
use portalloc::registry::Lifetime;
use portalloc::{Allocator, Settings};
use serde_json::{Value, json};

use super::reconcile::reconcile;
use crate::args::{List, ListFormat};
use crate::exit::{Exit, Failure};
use crate::{output, pool_map, table, wanted, watch};

pub(crate) fn run(args: &List) -> Result<Exit, Failure> {
    let json = args.json || args.format == ListFormat::Json;
    if json && args.watch.is_some() {
        return Err(Failure::Usage(
            "--watch writes no JSON; call `portalloc list --json` repeatedly instead".to_owned(),
        ));
    }
    let allocator = wanted::open(settings(args)?)?;
    let mut exit = Exit::Success;
    if args.reconcile {
        exit = reconcile(&allocator, |text| {
            text.lines().for_each(output::note);
            Ok(())
        })?;
    }
    let show = || shown(&allocator, args.map, json);
    match args.watch {
        Some(interval) => watch::show(interval, show),
        None => {
            output::result(&show()?)?;
            Ok(exit)
        }
    }
}

/// The map shows the pool from which `create` would take ports in this directory.
fn settings(args: &List) -> Result<Settings, Failure> {
    let settings = Settings::given(None, args.pool.clone(), args.exclude.clone());
    let project = if args.map { Project::current()? } else { None };
    Ok(match project {
        Some(project) => settings.project(&project),
        None => settings,
    })
}

fn shown(allocator: &Allocator, with_map: bool, json: bool) -> Result<String, Failure> {
    let listing = allocator.list()?;
    let map = if with_map { Some(allocator.pool_map()?) } else { None };
    let asked = allocator.pool().asked();
    if json {
        let mut value = serde_json::to_value(ListingSummary::from(listing)).map_err(std::io::Error::from)?;
        if let (Some(map), Some(fields)) = (map, value.as_object_mut()) {
            fields.insert("pool".to_owned(), pool_value(&map, asked));
        }
        return Ok(output::json(&value)?);
    }
    let mut text = human(&listing);
    if let Some(map) = map {
        text.push('\n');
        let width = usize::from(table::width());
        text += &output::styled(pool_map::render(map.runs(), &output::plain(asked), map.is_complete(), width));
    }
    Ok(text)
}

fn pool_value(map: &PoolMap, asked: &str) -> Value {
    let classes: Vec<Value> = PortClass::ALL
        .into_iter()
        // Only a probe can tell that a port is denied, and listing does not probe.
        .filter(|class| *class != PortClass::Denied)
        .map(|class| (class, map.ports(class)))
        .map(|(class, ports)| json!({"class": class.as_str(), "count": ports.count(), "ranges": ports.to_string()}))
        .collect();
    json!({"asked": asked, "ports": map.census().pool, "classes": classes, "complete": map.is_complete()})
}

fn human(listing: &Listing) -> String {
    if listing.environments.is_empty() && listing.leases.is_empty() {
        return "No environments and no leases.\n".to_owned();
    }
    let mut text = String::new();
    if !listing.environments.is_empty() {
        let rows = listing.environments.iter().map(environment_row);
        text += &table::render(["ID", "STATUS", "PORTS", "AGE", "HOLDER", "WORKTREE"], rows);
        for info in &listing.environments {
            if let Some(reason) = info.status.reason() {
                text += &format!("{}  {}: {}\n", info.id, info.status.as_str(), output::plain(reason));
            }
        }
    }
    if !listing.leases.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &table::render(["LEASE", "AGE", "HOLDER"], listing.leases.iter().map(lease_row));
    }
    text
}

fn environment_row(info: &EnvironmentInfo) -> [String; 6] {
    let mut ports = output::ports(&info.ports);
    if let Some(record) = info.record.as_deref().filter(|record| !record.names.is_empty()) {
        ports += &format!("\n{}", output::plain(record.names.join(", ")));
    }
    let holder = match (&info.holder, info.lifetime) {
        (Some(holder), Some(Lifetime::Kept)) if !holder.ended => format!("until {holder} ends"),
        (Some(holder), _) => holder.to_string(),
        (None, Some(Lifetime::Kept)) => "kept".to_owned(),
        (None, _) => "?".to_owned(),
    };
    let place = match info.record.as_deref() {
        Some(record) if record.instance_id.is_empty() => record.worktree_path.display().to_string(),
        Some(record) => format!("{} [{}]", record.worktree_path.display(), record.instance_id),
        None => format!("(user {})", info.user),
    };
    let age = info.created_at.map_or_else(|| "?".to_owned(), |at| output::age(at.age()));
    [info.id.to_string(), info.status.as_str().to_owned(), ports, age, output::plain(holder), output::plain(place)]
}

fn lease_row(lease: &LeaseInfo) -> [String; 3] {
    let holder = lease.holder.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
    [output::ports(&lease.ports), output::age(lease.since.age()), output::plain(holder)]
}
