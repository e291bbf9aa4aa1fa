//! What is promised, as questions to a state. Some ask what a fresh process would meet: that process is run to its end, by
//! the same steps as all others, in a copy of the world in which nobody else moves.

use crate::process::{Process, Program, Step};
use crate::protocol::Protocol;
use crate::world::{ENVS, Env, EnvFile, PORTS, Phase, Port, Ports, Slot, Socket, TempDir, World};

type Holds = fn(&Protocol, &World) -> bool;

/// The properties, each of which must hold in every state that can be reached.
pub(crate) const ALL: [(&str, Holds); 9] = [
    (EXCLUSIVE, exclusive),
    (WHOLE, whole),
    (FREE_WHEN_GIVEN, free_when_given),
    (UNDISTURBED, undisturbed),
    (REFUSED, refused),
    (NOT_LOST, not_lost),
    (RECLAIMABLE, reclaimable),
    (MENDABLE, mendable),
    (STRANGERS, strangers_file),
];

/// No port belongs to two live leases.
pub(crate) const EXCLUSIVE: &str = "exclusive";
/// What belongs to a living environment or lease stands: record, temp dir, env file, labels.
pub(crate) const WHOLE: &str = "nothing of the living removed";
/// No lease is given a port on which there was somebody's socket all the time.
pub(crate) const FREE_WHEN_GIVEN: &str = "free when given";
/// No holder's own bind fails because of somebody's probe.
pub(crate) const UNDISTURBED: &str = "holders undisturbed";
/// Whoever comes now is refused every port of a live lease.
pub(crate) const REFUSED: &str = "newcomers refused";
/// Whoever comes now is given every port that is nobody's, without a cleanup.
pub(crate) const NOT_LOST: &str = "no port lost";
/// A cleanup of what is stale, and the repetition of one that was asked for, leave nothing of the dead and all of the
/// living.
pub(crate) const RECLAIMABLE: &str = "every crash reclaimable";
/// A reconcile puts back what was lost, as far as nobody has the port, and leaves the rest alone.
pub(crate) const MENDABLE: &str = "mendable";
/// A file at the common path that portalloc did not write stays.
pub(crate) const STRANGERS: &str = "strangers' files stay";

/// Whether it has a lease that counts: one whose descriptor is gone does not.
fn holds(process: &Process) -> bool {
    process.at == Step::Holding && !process.has_lost
}

/// How many live leases have a port.
fn leases_of(world: &World, port: Port) -> usize {
    let holders = world.processes.iter().filter(|process| holds(process) && process.ports.has(port));
    // A lease that was passed on is the parent's, too, as long as that has not let go.
    let heirs = world.processes.iter().filter(|process| {
        let is_the_same = |parent: usize| world.processes[parent].at == Step::Holding;
        process.entitled.has(port) && process.description.is_some_and(|parent| !is_the_same(parent))
    });
    let kept = (0..ENVS).filter(|env| is_kept_live(world, *env) && claims(world, *env, port));
    holders.count() + heirs.count() + kept.count()
}

fn is_kept_live(world: &World, env: Env) -> bool {
    world.phases[env] == Phase::Live && !is_in_hand(world, env)
}

/// Whether a process holds it: then that counts.
fn is_in_hand(world: &World, env: Env) -> bool {
    world.processes.iter().any(|process| process.makes == Some(env) && process.at == Step::Holding)
}

fn claims(world: &World, env: Env, port: Port) -> bool {
    world.records[env].either().is_some_and(|record| record.ports.has(port))
}

fn exclusive(_: &Protocol, world: &World) -> bool {
    (0..PORTS).all(|port| leases_of(world, port) <= 1)
}

fn whole(rules: &Protocol, world: &World) -> bool {
    let untouched = |slot: Slot| slot == Slot::Damaged && rules.damages > 0 || slot == Slot::Empty && rules.loses > 0;
    let leases = world.processes.iter().enumerate().filter(|(_, process)| holds(process));
    let labelled = leases.flat_map(|(by, process)| process.ports.iter().map(move |port| (by, process, port))).all(
        |(by, process, port)| {
            let slot = world.files[process.file].slots[port];
            slot == Slot::Held { by, env: process.makes } || untouched(slot)
        },
    );
    labelled && (0..ENVS).all(|env| stands(world, env) && has_its_labels(rules, world, env))
}

fn stands(world: &World, env: Env) -> bool {
    let made = world.made[env];
    (!made.record || world.records[env].either().is_some())
        && (!made.temp_dir || world.temp_dirs[env] != TempDir::Absent)
        && (!made.env_file || world.env_files[env] != EnvFile::Absent)
}

fn has_its_labels(rules: &Protocol, world: &World, env: Env) -> bool {
    !is_kept_live(world, env)
        || world.records[env].either().is_some_and(|record| {
            record.ports.iter().all(|port| match world.file_of(env).slots[port] {
                Slot::Kept(by) => by == env,
                Slot::Damaged => rules.damages > 0,
                // What was wiped while it was being made is made up for.
                Slot::Empty => rules.loses > 0 && !(rules.loses_early && is_made(rules, world, env)),
                Slot::Held { .. } => false,
            })
        })
}

/// Whether its maker has done its work.
fn is_made(rules: &Protocol, world: &World, env: Env) -> bool {
    let is_maker = |program: &Program| matches!(program, Program::Maker { env: made, .. } if *made == env);
    world.processes.iter().zip(&rules.programs).any(|(it, program)| it.at == Step::Done && is_maker(program))
}

fn free_when_given(_: &Protocol, world: &World) -> bool {
    world.processes.iter().all(|process| process.at != Step::Holding || process.bound.is_empty())
}

fn undisturbed(_: &Protocol, world: &World) -> bool {
    !world.disturbed
}

fn strangers_file(rules: &Protocol, world: &World) -> bool {
    world.strangers_file == rules.strangers_file
}

/// Whether nobody is in the middle of anything.
fn is_quiet(rules: &Protocol, world: &World) -> bool {
    world.processes.iter().zip(&rules.programs).all(|(process, program)| {
        matches!(process.at, Step::Done | Step::Dead | Step::Unborn | Step::Holding | Step::HasCopy)
            || rules.is_idle(*process, *program)
    })
}

/// Runs a fresh process to its end, which comes after far fewer steps; or until it has its lease.
fn run(rules: &Protocol, world: &mut World, program: Program, choice: usize) -> Step {
    let who = world.processes.len();
    world.processes.push(rules.fresh(program));
    if rules.moves.is_some() && world.processes[who].at != Step::ChoosePlace {
        let place = world.place;
        let file = world.directories[place].ports.unwrap_or_else(|| world.new_file());
        world.directories[place].ports = Some(file);
        let process = &mut world.processes[who];
        (process.place, process.identity, process.file) = (place, file, file);
    }
    let mut has_tried = false;
    for _ in 0..500 {
        let at = world.processes[who].at;
        let refused = has_tried && rules.is_idle(world.processes[who], program);
        if refused || matches!(at, Step::Done | Step::Holding) {
            break;
        }
        let mut turn = rules.turn(world, who, program);
        if turn.choices() == 0 {
            break;
        }
        turn.step(if at == Step::Lock { choice } else { 0 });
        has_tried |= at == Step::Lock;
    }
    let at = world.processes[who].at;
    if at == Step::Holding {
        world.kill(who);
    }
    at
}

fn is_given(rules: &Protocol, world: &World, port: Port) -> bool {
    run(rules, &mut world.clone(), Program::Lessee { count: 1 }, port) == Step::Holding
}

/// Whether a newcomer is refused a port, and leaves everything as it was or better.
fn is_refused(rules: &Protocol, world: &World, port: Port) -> bool {
    let mut after = world.clone();
    run(rules, &mut after, Program::Lessee { count: 1 }, port) != Step::Holding && whole(rules, &after)
}

fn refused(rules: &Protocol, world: &World) -> bool {
    // Once labels are wiped by hand there is nothing left to refuse by.
    rules.loses > 0
        || !is_quiet(rules, world)
        || (0..PORTS).all(|port| leases_of(world, port) == 0 || is_refused(rules, world, port))
}

fn is_claimed(world: &World, port: Port) -> bool {
    let ending = (0..ENVS).any(|env| world.phases[env] == Phase::Ending && claims(world, env, port));
    leases_of(world, port) > 0 || ending || is_inherited(world, port) || world.sockets[port] != Socket::None
}

/// A process that died without giving back what it had locked leaves it to whom it had forked, until those end, too.
fn is_inherited(world: &World, port: Port) -> bool {
    world.here().locks[port].is_some_and(|by| world.processes[by].at == Step::Dead)
}

fn not_lost(rules: &Protocol, world: &World) -> bool {
    !is_quiet(rules, world) || (0..PORTS).all(|port| is_claimed(world, port) || is_given(rules, world, port))
}

fn reclaimable(rules: &Protocol, world: &World) -> bool {
    if !is_quiet(rules, world) {
        return true;
    }
    let mut after = world.clone();
    for env in (0..ENVS).filter(|env| world.phases[*env] == Phase::Ending) {
        run(rules, &mut after, Program::Cleaner { asked: Some(env) }, 0);
    }
    run(rules, &mut after, Program::Cleaner { asked: None }, 0);
    // What a setup leaves in the old place, it tells.
    let is_here = |env: &Env| after.records[*env].place == after.place;
    let gone = (0..ENVS).filter(|env| after.phases[*env] == Phase::None).filter(is_here).all(|env| {
        // It waits for the end of a process that was forked from its maker.
        let ports = after.records[env].either().map_or(Ports::NONE, |record| record.ports);
        let inherited = ports.iter().any(|port| is_inherited(&after, port));
        // Of a lock without a label nobody can tell whose it is, so it may be its own.
        let doubtful = ports.iter().any(|port| {
            let file = after.here();
            !file.slots[port].is_label() && file.locks[port].is_some()
        });
        inherited
            || doubtful
            || after.records[env].either().is_none()
                && after.temp_dirs[env] == TempDir::Absent
                && after.env_files[env] == EnvFile::Absent
    });
    let free = (0..PORTS).all(|port| is_claimed(&after, port) || is_given(rules, &after, port));
    gone && free && whole(rules, &after) && strangers_file(rules, &after)
}

fn mendable(rules: &Protocol, world: &World) -> bool {
    if !is_quiet(rules, world) {
        return true;
    }
    let mut after = world.clone();
    run(rules, &mut after, Program::Reconciler, 0);
    let mended = (0..ENVS).filter(|env| is_kept_live(world, *env)).all(|env| {
        let record = world.records[env].either();
        record.is_some_and(|record| record.ports.iter().all(|port| after.file_of(env).slots[port] == Slot::Kept(env)))
    });
    let unclaimed = |port: &Port| leases_of(world, *port) > 0 || after.here().slots[*port] != Slot::Damaged;
    mended && (0..PORTS).all(|port| unclaimed(&port)) && whole(rules, &after)
}
