//! What must be true when all workers are dead: every port is free or a live kept environment's, cleanup of stale ones
//! leaves the living and nothing else, and cleanup of all leaves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use portalloc::environment::{EnvironmentInfo, Listing, Status};
use portalloc::registry::{Lifetime, Timestamp};
use portalloc::{Allocator, IsolationId, LeaseRequest};

use crate::failure::{Context, Outcome};
use crate::fault::Fault;
use crate::ground::Ground;
use crate::instant::pause;
use crate::judge::Judge;

/// What was found.
pub(crate) struct Found {
    /// Of the dead, and removed.
    pub(crate) leftovers: u64,
    /// Kept ones whose maker is dead, whole.
    pub(crate) survivors: u64,
    /// The IDs of all that are alive now.
    pub(crate) alive: BTreeSet<String>,
}

/// Looks at everything. `before`: at the ports also before the cleanup. `empty`: also whether all can be removed.
pub(crate) fn examine(ground: &Ground, judge: &Judge, fault: Fault, before: bool, empty: bool) -> Outcome<Found> {
    let allocator = ground.allocator()?;
    let mut listing = settled(&allocator)?;
    if fault.shifts_time() && listing.environments.iter().any(was_over_for_a_while) {
        allocator.reconcile()?;
        listing = settled(&allocator)?;
    }
    if !listing.leases.is_empty() {
        return Err(format!("all are dead, and yet there are leases: {:?}", listing.leases).into());
    }
    let living = living(&listing)?;
    let kept = judge.kept();
    if !fault.loses_labels() {
        for (id, (holder, ports)) in &kept {
            // Whoever held a port from before says so late, and is believed; the others are still this one's.
            let has_all = |info: &&EnvironmentInfo| match fault.ends_protection() {
                true => ports.iter().all(|port| info.ports.contains(port)),
                false => info.ports == *ports,
            };
            let is_there = living.get(id).is_some_and(has_all);
            // Of one that was made in a registry just before that was removed, the note may have come after it.
            let went_with_all = fault.ends_protection() && !living.contains_key(id);
            if !is_there && !went_with_all {
                let shown = listing.environments.iter().find(|info| info.id.to_string() == *id);
                return Err(format!("{holder} kept {ports:?}, and they are not kept any more: {shown:?}").into());
            }
        }
    }
    if before {
        free_unless_kept(ground, &allocator, &living)?;
    }
    let leftovers = remove_the_dead(ground, &living, listing.environments.len() - living.len(), fault)?;
    free_unless_kept(ground, &allocator, &living)?;
    let mut survivors = 0;
    for id in kept.keys().filter(|id| living.contains_key(*id)) {
        let validation = allocator.validate(id.parse::<IsolationId>()?)?;
        if !validation.is_valid() {
            return Err(format!("the environment {id} is not whole: {validation:?}").into());
        }
        survivors += 1;
    }
    let alive = if empty { BTreeSet::new() } else { living.keys().cloned().collect() };
    if empty {
        remove_all(ground, &allocator)?;
    }
    Ok(Found { leftovers, survivors, alive })
}

/// The listing once nothing in it is about to expire.
fn settled(allocator: &Allocator) -> Outcome<Listing> {
    loop {
        let listing = allocator.list()?;
        let soon = Timestamp::now().after(Duration::from_secs(60)).context("the clock")?;
        let expires = |info: &EnvironmentInfo| info.record.as_ref().and_then(|record| record.expires_at);
        let is_about_to = |info: &EnvironmentInfo| !info.status.is_stale() && expires(info).is_some_and(|at| at < soon);
        if !listing.environments.iter().any(is_about_to) {
            return Ok(listing);
        }
        pause(1000);
    }
}

/// Whether its TTL is not over, and somebody for whom it was has had its ports.
fn was_over_for_a_while(info: &EnvironmentInfo) -> bool {
    let has_ttl = info.record.as_ref().is_some_and(|record| record.expires_at.is_some());
    has_ttl && matches!(info.status, Status::Damaged(_))
}

type Living<'a> = BTreeMap<String, &'a EnvironmentInfo>;

/// What is alive though all workers are dead: kept ones, each with ports of its own.
fn living(listing: &Listing) -> Outcome<Living<'_>> {
    let mut living = BTreeMap::new();
    let mut ports = BTreeSet::new();
    for info in listing.environments.iter().filter(|info| !info.status.is_stale()) {
        if info.status != Status::Active || info.lifetime != Some(Lifetime::Kept) {
            return Err(format!("all are dead, and yet this one is neither kept nor stale: {info:?}").into());
        }
        if let Some(port) = info.ports.iter().find(|port| !ports.insert(**port)) {
            return Err(format!("two live environments have port {port}; one is {info:?}").into());
        }
        living.insert(info.id.to_string(), info);
    }
    Ok(living)
}

/// Every port can be leased, unless a live environment has it.
fn free_unless_kept(ground: &Ground, allocator: &Allocator, living: &Living<'_>) -> Outcome<()> {
    let kept: BTreeSet<u16> = living.values().flat_map(|info| info.ports.iter().copied()).collect();
    for port in ground.ports().iter().copied() {
        match (allocator.lease(LeaseRequest::exact([port])), kept.contains(&port)) {
            (Ok(_), false) | (Err(_), true) => {}
            (Ok(_), true) => return Err(format!("port {port} of a kept environment was given out").into()),
            (Err(error), false) => return Err(format!("port {port} is nobody's: {error:?}").into()),
        }
    }
    Ok(())
}

/// `cleanup --stale` leaves the living and nothing else. Says how much it found to remove.
fn remove_the_dead(ground: &Ground, living: &Living<'_>, stale: usize, fault: Fault) -> Outcome<u64> {
    let namespace = ground.stage().namespace();
    let unfinished = age_unfinished(&[
        ground.stage().registry(),
        namespace.clone(),
        namespace.join("envs"),
        namespace.join("sticky"),
    ])?;
    run(ground, &["cleanup", "--stale"])?;
    let names = |directory: &Path| names(directory).map(|names| names.into_iter().collect::<BTreeSet<_>>());
    let expect = |what: &str, found: &BTreeSet<String>, allowed: &BTreeSet<String>| match found - allowed {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{what}: {left:?} are left, of {allowed:?}")),
    };
    let of = |text: &[&str]| text.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let ids: BTreeSet<String> = living.keys().cloned().collect();
    let keep = || Some(".keep".to_owned());
    let records: BTreeSet<String> = ids.iter().map(|id| format!("{id}.json")).chain(keep()).collect();
    let temp_dirs: BTreeSet<String> = ids.iter().map(|id| format!("portalloc-{id}")).collect();
    let env_file = |info: &&EnvironmentInfo| {
        let path = info.record.as_ref()?.env_file.as_ref()?;
        Some(path.file_name()?.to_str()?.to_owned())
    };
    let env_files: BTreeSet<String> = living.values().filter_map(env_file).collect();
    if fault.ends_protection() {
        remove_orphaned_env_files(ground, &env_files)?;
        remove_unmarked_temp_dirs(ground, &temp_dirs)?;
    }
    let namespaces = namespace.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    expect("the registry", &names(&ground.stage().registry())?, &of(&[namespaces, ".keep"]))?;
    expect("its namespace", &names(&namespace)?, &of(&["ports", "envs", "sticky", ".keep"]))?;
    expect("the records", &names(&namespace.join("envs"))?, &records)?;
    expect("the temp dirs", &names(&ground.stage().temp())?, &temp_dirs)?;
    expect("the worktree", &names(&ground.stage().work())?, &env_files)?;
    let memory = namespace.join("sticky");
    let remembered = if memory.exists() { names(&memory)? } else { BTreeSet::new() };
    if remembered.iter().any(|name| name.contains(".new-")) {
        return Err("unfinished files are left in the memory of sticky ports".into());
    }
    // A thousand of a user, and what some who were killed could not count.
    if remembered.len() > 1100 {
        return Err(format!("{} sticky keys are remembered", remembered.len()).into());
    }
    Ok((stale + unfinished) as u64)
}

/// What a removed registry takes with it is the knowledge of env files, so nobody can clean them up; the next creator
/// replaces them. They are of environments without a record.
fn remove_orphaned_env_files(ground: &Ground, living: &BTreeSet<String>) -> Outcome<()> {
    for name in names(&ground.stage().work())?.iter().filter(|name| !living.contains(*name)) {
        let path = ground.stage().work().join(name);
        if name.starts_with(".env.isolation") {
            rustix::fs::unlink(&path).context(path.display())?;
        }
    }
    Ok(())
}

/// Whoever was killed between making a temp dir and marking it as the registry's has left an empty directory that only its
/// record says is portalloc's. If that is removed at the same moment, it could be anybody's, and stays.
fn remove_unmarked_temp_dirs(ground: &Ground, living: &BTreeSet<String>) -> Outcome<()> {
    for name in names(&ground.stage().temp())?.iter().filter(|name| !living.contains(*name)) {
        let path = ground.stage().temp().join(name);
        if rustix::fs::llistxattr(&path, &mut [0_u8; 0]).context(path.display())? == 0 {
            // Fails if there is anything in it.
            fs::remove_dir(&path).context(path.display())?;
        }
    }
    Ok(())
}

/// `cleanup --all` and `reconcile` leave an empty registry, and every port free.
fn remove_all(ground: &Ground, allocator: &Allocator) -> Outcome<()> {
    run(ground, &["cleanup", "--all"])?;
    run(ground, &["reconcile"])?;
    for directory in [ground.stage().namespace().join("envs"), ground.stage().temp(), ground.stage().work()] {
        let mut left = names(&directory)?;
        left.retain(|name| name != ".keep");
        if !left.is_empty() {
            return Err(
                format!("{} are left in {} after a cleanup of all", left.join(", "), directory.display()).into()
            );
        }
    }
    let all = allocator.lease(LeaseRequest::run(ground.ports().len())).context("the whole pool cannot be leased")?;
    drop(all);
    let labels = fs::read(ground.stage().namespace().join("ports")).context("the ports file")?;
    let Some((header, labels)) = labels.split_at_checked(64) else { return Err("the header is lost".into()) };
    if !header.starts_with(b"portalloc\n") {
        return Err(format!("the header is {header:?}").into());
    }
    if labels.len() == (4 << 20) - 64 && labels.iter().all(|byte| *byte == 0) {
        Ok(())
    } else {
        Err("labels are left".into())
    }
}

/// Whoever was killed while it wrote left an unfinished file, which is swept once it is surely not being written any
/// more. Instead of waiting, the files are made old. Says how many there are.
fn age_unfinished(directories: &[PathBuf]) -> Outcome<usize> {
    let mut count = 0;
    for directory in directories.iter().filter(|directory| directory.exists()) {
        for name in names(directory)?.iter().filter(|name| name.contains(".new-")) {
            let old = SystemTime::now() - Duration::from_secs(3600);
            File::open(directory.join(name)).and_then(|file| file.set_modified(old)).context(name)?;
            count += 1;
        }
    }
    Ok(count)
}

fn names(directory: &Path) -> Outcome<Vec<String>> {
    let entries =
        fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>).context(directory.display())?;
    Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Runs the command line, which must succeed.
fn run(ground: &Ground, arguments: &[&str]) -> Outcome<()> {
    let output = ground.command(Path::new("portalloc")).args(arguments).output().context("the command line")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("portalloc {} ended with {}: {said}", arguments.join(" "), output.status).into())
}
