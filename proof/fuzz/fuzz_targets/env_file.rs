//! Env files, which anyone may have edited: never overwritten unless the environment that they name is gone, never removed
//! unless they name the very one.

#![no_main]
#![expect(clippy::disallowed_methods, reason = "files of the fuzzer's own, in its scratch directory")]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::{Allocator, Environment, EnvironmentRequest};
use portalloc_fuzz::{allocator, fair, scratch};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    before: Text<'a>,
    edited: Option<Text<'a>>,
    at: bool,
}

/// A file in pieces, so that it may name an environment that lives and one that does not.
#[derive(Arbitrary, Debug)]
struct Text<'a>(Vec<Piece<'a>>);

#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Bytes(&'a [u8]),
    First,
    Record,
    RecordOf(Whose),
    Named,
    Id(Whose),
    Line,
    Semicolon,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Whose {
    Own,
    Living,
    Gone,
}

struct World {
    allocator: Allocator,
    living: Environment,
    work: PathBuf,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let (allocator, work) = (allocator(), scratch().join("work"));
        fs::create_dir(&work).unwrap();
        let request = EnvironmentRequest::new().worktree(scratch()).env_file(EnvFile::None).ports(1).kept();
        World { living: allocator.create_environment(&request).unwrap(), allocator, work }
    })
}

impl Text<'_> {
    /// Its bytes; `own` is an ID once there is an environment.
    fn bytes(&self, own: Option<&Environment>) -> Vec<u8> {
        let living = &world().living.record().lock_file;
        let id = |whose: Whose| match (whose, own) {
            (Whose::Own, Some(own)) => own.id().to_string(),
            (Whose::Living, _) => world().living.id().to_string(),
            _ => "0123456789ab".to_owned(),
        };
        let mut bytes = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Bytes(raw) => bytes.extend_from_slice(raw),
                Piece::First => bytes.extend_from_slice(b"# Written by portalloc for environment "),
                Piece::Record => bytes.extend_from_slice(b"# Record: "),
                Piece::RecordOf(whose) => {
                    let path = living.with_file_name(format!("{}.json", id(*whose)));
                    bytes.extend_from_slice(path.to_str().unwrap().as_bytes());
                }
                Piece::Named => bytes.extend_from_slice(b"ISOLATION_ID="),
                Piece::Id(whose) => bytes.extend_from_slice(id(*whose).as_bytes()),
                Piece::Line => bytes.push(b'\n'),
                Piece::Semicolon => bytes.push(b';'),
            }
        }
        bytes
    }
}

/// The environment that a file names: in its first line and in its variable.
fn named(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let id: String = text.strip_prefix("# Written by portalloc for environment ")?.chars().take(12).collect();
    let after = text.chars().nth("# Written by portalloc for environment ".len() + 12);
    let lines: Vec<&str> = text.split('\n').collect();
    let variable = lines.iter().find_map(|line| line.strip_prefix("ISOLATION_ID="))?;
    let is_id = id.len() == 12 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_id && matches!(after, Some(';') | None) && variable.trim_end_matches('\r') == id).then_some(id)
}

fuzz_target!(|input: Input<'_>| {
    let World { allocator, living, work } = world();
    for entry in fs::read_dir(work).unwrap().flatten() {
        fs::remove_file(entry.path()).unwrap();
    }
    let before = input.before.bytes(None);
    let place = work.join(".env.isolation");
    let something = !before.is_empty();
    if something {
        fs::write(&place, &before).unwrap();
    }
    let env_file = if input.at { EnvFile::At(place.clone()) } else { EnvFile::Worktree };
    let request = EnvironmentRequest::new().worktree(work).ports(1).kept().env_file(env_file);
    let overwritable = !something || named(&before).is_some_and(|id| id != living.id().to_string());
    let environment = match allocator.create_environment(&request) {
        Ok(environment) => environment,
        Err(error) => {
            fair(&error);
            assert!(input.at && something, "{error}");
            assert_eq!(fs::read(&place).unwrap(), before);
            assert_eq!(fs::read_dir(work).unwrap().count(), 1, "something was left");
            return;
        }
    };
    let file = environment.record().env_file.clone().expect("it has an env file");
    if file == place {
        assert!(overwritable, "{:?} was overwritten", String::from_utf8_lossy(&before));
    } else {
        assert_eq!(fs::read(&place).unwrap(), before);
    }
    let id = environment.id();
    let genuine = fs::read(&file).unwrap();
    assert_eq!(named(&genuine), Some(id.to_string()));
    let edited = input.edited.map_or(genuine, |text| text.bytes(Some(&environment)));
    fs::write(&file, &edited).unwrap();
    let of_it = named(&edited) == Some(id.to_string());
    let validation = allocator.validate(id).unwrap();
    let check = validation.checks.iter().find(|check| check.name == "env_file").unwrap();
    assert_eq!(check.failure.is_none(), of_it, "{:?}: {:?}", check.failure, String::from_utf8_lossy(&edited));
    let report = allocator.cleanup(&Cleanup::new(Selection::Id(id))).unwrap();
    assert_eq!(report.removed.len(), 1);
    // One whose writing was interrupted is known by its name, which nobody else gives.
    let begun = file != place && {
        let started = format!("# Written by portalloc for environment {id}");
        started.as_bytes().starts_with(&edited) || edited.starts_with(started.as_bytes())
    };
    match fs::read(&file) {
        Ok(left) => assert!(left == edited && !of_it),
        Err(_) => assert!(of_it || begun, "{:?} was removed", String::from_utf8_lossy(&edited)),
    }
    if file != place {
        let of_it = named(&before) == Some(id.to_string());
        assert!(of_it || fs::read(&place).unwrap() == before, "the other file was touched");
    }
});
