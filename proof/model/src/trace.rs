//! How a broken property came about, for people: who did what, by which step (`grep -r "step: NAME" core/src`), and what it changed.

use std::fmt::{Debug, Write};

use stateright::{Model, Path};

use crate::code;
use crate::protocol::{Action, Protocol};
use crate::world::World;

/// The steps of `path`, a line each.
pub(crate) fn tell(rules: &Protocol, path: Path<World, Action>) -> String {
    let mut told = String::new();
    for (number, (world, action)) in path.into_vec().into_iter().enumerate() {
        let Some(action) = action else { continue };
        let next = rules.next_state(&world, action).unwrap_or_else(|| world.clone());
        let _ = writeln!(told, "  {:>2}. {}{}", number + 1, words(rules, &world, action), changes(&world, &next));
    }
    told
}

fn words(rules: &Protocol, world: &World, action: Action) -> String {
    let name = |who: usize| format!("{who} ({:?})", rules.programs[who]);
    match action {
        Action::Step { who, .. } => {
            let step = world.processes[who].at;
            format!("{} {}  [step: {step:?}]", name(who), code::words(step).unwrap_or_default())
        }
        Action::Kill(who) => format!("{} is killed", name(who)),
        other => format!("{other:?}"),
    }
}

/// What is another in the world that all see.
fn changes(before: &World, after: &World) -> String {
    let mut told = String::new();
    for (file, (before, after)) in before.files.iter().zip(&after.files).enumerate() {
        note(&mut told, &format!("locks of file {file}"), &before.locks, &after.locks);
        note(&mut told, &format!("labels of file {file}"), &before.slots, &after.slots);
    }
    note(&mut told, "directories", &before.directories, &after.directories);
    note(&mut told, "place", &before.place, &after.place);
    note(&mut told, "sockets", &before.sockets, &after.sockets);
    note(&mut told, "temp dirs", &before.temp_dirs, &after.temp_dirs);
    note(&mut told, "env files", &before.env_files, &after.env_files);
    for (env, (before, after)) in before.records.iter().zip(&after.records).enumerate() {
        note(&mut told, &format!("record {env}"), before, after);
    }
    told
}

fn note<T: Debug + PartialEq>(told: &mut String, what: &str, before: &T, after: &T) {
    if before != after {
        let _ = write!(told, "\n        {what}: {after:?}");
    }
}
