//! Managed blocks in real files, as far as every platform has them; `tests/blocks.rs` has the rest.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use tempfile::TempDir;

use super::*;
use crate::error::ErrorCode;
use crate::process::take_warnings;

const FIRST: &str = "3f9a0c71d2e4";
const SECOND: &str = "0123456789ab";

fn owner(id: &str, instance: &str) -> Owner {
    Owner::new(id.parse().unwrap(), instance, "/work/tree")
}

fn variables(port: &str) -> Vec<(String, String)> {
    vec![("WEB_PORT".to_owned(), port.to_owned())]
}

fn put(path: &Path) {
    write(path, &owner(FIRST, ""), &variables("20001")).unwrap();
}

fn take(path: &Path) -> Removal {
    remove(path, &owner(FIRST, ""))
}

fn place() -> (TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().canonicalize().unwrap().join(".env.local");
    (scratch, path)
}

fn names(scratch: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn refused(path: &Path, code: ErrorCode, words: &str) {
    let error = write(path, &owner(FIRST, ""), &variables("20001")).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(words), "{error}");
    assert!(error.message().contains(path.to_str().unwrap()), "{error}");
}

/// The warnings since the last call, which another test may not take.
fn warnings_about(path: &Path) -> Vec<String> {
    let all = take_warnings().into_iter().map(|warning| warning.message);
    all.filter(|message| message.contains(path.to_str().unwrap())).collect()
}

#[test]
fn a_file_that_was_not_there_is_gone_afterwards() {
    let (scratch, path) = place();
    put(&path);
    assert!(fs::read_to_string(&path).unwrap().contains("\nWEB_PORT=20001\n"));
    assert_eq!(names(&scratch), [".env.local"]);
    assert!(matches!(take(&path), Removal::Removed));
    assert_eq!(names(&scratch), [""; 0]);
    assert!(matches!(take(&path), Removal::Absent));
    fs::remove_dir(scratch.path()).unwrap();
    assert!(matches!(take(&path), Removal::Absent), "its directory is gone");
}

#[test]
fn an_equal_block_is_left_untouched() {
    let (_scratch, path) = place();
    fs::write(&path, "A=1\n").unwrap();
    put(&path);
    let before = sys::entry(&path).unwrap();
    put(&path);
    assert_eq!(sys::entry(&path).unwrap(), before);
    // No lock is needed for that, so nobody can be in the way.
    let lock = File::open(&path).unwrap();
    assert!(sys::try_lock_file(&lock).unwrap());
    put(&path);
    drop(lock);
    assert_eq!(sys::entry(&path).unwrap(), before);
    write(&path, &owner(FIRST, ""), &variables("20002")).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains("WEB_PORT=20002"));
    assert_eq!(warnings_about(&path), [""; 0]);
}

#[test]
fn a_link_stays_and_its_target_is_changed() {
    let (scratch, path) = place();
    let target = path.with_file_name("shared");
    fs::write(&target, "A=1\n").unwrap();
    sys::make_link(Path::new("shared"), &path);
    assert_eq!(locate(&path).unwrap(), target);
    put(&locate(&path).unwrap());
    assert!(path.is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains("WEB_PORT"));
    fs::rename(&target, path.with_file_name("elsewhere")).unwrap();
    let error = locate(&path).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("a link to a file that does not exist"), "{error}");
    assert_eq!(names(&scratch), [".env.local", "elsewhere"]);
}

#[test]
fn a_hard_link_is_given_up_and_said_so() {
    let (_scratch, path) = place();
    let other = path.with_file_name("other");
    fs::write(&path, "A=1\n").unwrap();
    fs::hard_link(&path, &other).unwrap();
    put(&path);
    assert_eq!(fs::read_to_string(&other).unwrap(), "A=1\n");
    let warnings = warnings_about(&path);
    assert!(warnings.len() == 1 && warnings[0].contains("2 names (hard links)"), "{warnings:?}");
}

#[test]
fn what_is_no_file_for_a_block_is_refused() {
    let (_scratch, path) = place();
    fs::create_dir(&path).unwrap();
    refused(&path, ErrorCode::InvalidArgument, "is a directory");
    assert!(matches!(take(&path), Removal::NotOurs(_)));
    fs::remove_dir(&path).unwrap();
    sys::make_link(Path::new("elsewhere"), &path);
    refused(&path, ErrorCode::InvalidArgument, "is a symbolic link");
    let large = path.with_file_name("large");
    File::create(&large).unwrap().set_len((1 << 20) + 1).unwrap();
    refused(&large, ErrorCode::InvalidArgument, "larger than 1 MiB");
    fs::write(&large, "A=1\n".repeat(1 << 18)).unwrap();
    let error = write(&large, &owner(FIRST, ""), &variables("20001")).unwrap_err();
    assert!(error.message().contains("larger than 1 MiB"), "{error}");
}

#[test]
fn paths_lead_to_a_file_in_a_directory_that_exists() {
    let (_scratch, path) = place();
    assert_eq!(locate(&path).unwrap(), path);
    let directory = path.parent().unwrap();
    assert_eq!(locate(Path::new("no-such-file")).unwrap(), Path::new(".").canonicalize().unwrap().join("no-such-file"));
    for (given, words) in [
        (PathBuf::new(), "not a path for a file"),
        (directory.join(".."), "not a path for a file"),
        (directory.join("new/"), "not a path for a file"),
        (directory.join("new/env"), "a directory that does not exist"),
        (directory.join("a\nb"), "control characters"),
    ] {
        let error = locate(&given).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(words), "{given:?}: {error}");
    }
}

#[test]
fn a_damaged_file_is_left_alone_and_named_with_its_line() {
    let (scratch, path) = place();
    put(&path);
    let cut = format!("A=1\n{}", fs::read_to_string(&path).unwrap()).replace("# <<< ", "# ");
    fs::write(&path, &cut).unwrap();
    refused(&path, ErrorCode::InvalidArgument, ".env.local:2: the managed block that begins here does not end");
    let Removal::NotOurs(why) = take(&path) else { panic!("it was not ours to change") };
    assert!(why.contains(".env.local:2: "), "{why}");
    assert_eq!(fs::read_to_string(&path).unwrap(), cut);
    assert_eq!(names(&scratch), [".env.local"]);
}

#[test]
fn what_is_lost_with_a_block_is_said() {
    let (_scratch, path) = place();
    put(&path);
    let text = fs::read_to_string(&path).unwrap();
    for (edited, words) in [
        (text.replace("20001", "3000"), ".env.local:1: somebody edited the managed block"),
        (format!("{text}{text}"), ".env.local:4: the managed block stood here a second time"),
        (
            text.replace("/work/tree", "/work/before"),
            ".env.local:1: the managed block was that of the worktree /work/before",
        ),
    ] {
        fs::write(&path, &edited).unwrap();
        put(&path);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let warnings = warnings_about(&path);
        assert!(warnings.len() == 1 && warnings[0].contains(words), "{warnings:?}");
    }
    fs::write(&path, text.replace("20001", "3000")).unwrap();
    assert!(matches!(take(&path), Removal::Removed));
    assert!(warnings_about(&path).concat().contains("portalloc removed it"));
}

#[test]
fn leftovers_of_the_dead_go_unless_they_have_what_the_file_has_not() {
    let (scratch, path) = place();
    fs::write(&path, "A=1\nB=2\n").unwrap();
    let leftover = |end: &str| path.with_file_name(format!(".env.local.new-{end}"));
    let (empty, cut, displaced) =
        (leftover("0000000000000000"), leftover("0000000000000001"), leftover("0000000000000002"));
    fs::write(&empty, "").unwrap();
    fs::write(&cut, "A=1\nB=2\n# >>> portal").unwrap();
    fs::write(&displaced, "A=1\nSECRET=3\n").unwrap();
    let (busy, other) = (leftover("0000000000000003"), leftover("notes"));
    fs::write(&busy, "").unwrap();
    fs::write(&other, "").unwrap();
    let lock = File::open(&busy).unwrap();
    assert!(sys::try_lock_file(&lock).unwrap());
    put(&path);
    assert_eq!(
        names(&scratch),
        [
            ".env.local",
            ".env.local.new-0000000000000001",
            ".env.local.new-0000000000000002",
            ".env.local.new-0000000000000003",
            ".env.local.new-notes",
        ]
    );
    let warnings = warnings_about(&path);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

/// Two environments write and remove their blocks, while an editor saves the file by renaming, each time with one more
/// line: every line of the editor's last file is there in the end, and no block is lost or left.
#[test]
fn writers_and_an_editor_lose_nothing_of_each_other() {
    let (scratch, path) = place();
    fs::write(&path, "EDITOR=0\n").unwrap();
    let (is_over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let writers: Vec<_> = [(FIRST, "one"), (SECOND, "two")]
            .into_iter()
            .map(|(id, instance)| {
                let (path, owner, rounds) = (&path, owner(id, instance), &rounds);
                scope.spawn(move || {
                    for round in 0..150 {
                        rounds.fetch_add(1, Ordering::Relaxed);
                        write(path, &owner, &variables(&round.to_string())).unwrap();
                        let text = fs::read_to_string(path).unwrap();
                        assert!(text.contains("EDITOR="), "round {round}: {text}");
                        if round % 3 == 0 {
                            assert!(matches!(remove(path, &owner), Removal::Removed | Removal::Absent));
                        }
                    }
                })
            })
            .collect();
        let editor = scope.spawn(|| {
            let (mut saved, mut seen) = (0, 0);
            while !is_over.load(Ordering::Relaxed) {
                // Once a round, at any moment of it: one that never stops lets nobody else save anything.
                let round = rounds.load(Ordering::Relaxed);
                if seen == round {
                    std::thread::yield_now();
                    continue;
                }
                seen = round;
                // As a person does it: what was on the screen when the file was saved, whatever it is by then.
                let text = fs::read_to_string(&path).unwrap();
                let (_, after) = text.split_once('\n').unwrap();
                let beside = path.with_file_name("editor");
                fs::write(&beside, format!("EDITOR={}\n{after}", saved + 1)).unwrap();
                fs::rename(&beside, &path).unwrap();
                saved += 1;
            }
            saved
        });
        let ended: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(std::result::Result::unwrap);
        let saved = editor.join().unwrap();
        assert!(saved > 0);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&format!("EDITOR={saved}\n")), "{saved}: {text}");
    });
    for (id, instance) in [(FIRST, "one"), (SECOND, "two")] {
        write(&path, &owner(id, instance), &variables("1")).unwrap();
        let Removal::Removed = remove(&path, &owner(id, instance)) else { panic!("it had just been written") };
    }
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    // Of what the editor saved twice within the moment in which a file is put back, the first stays for the user to see.
    for name in names(&scratch).iter().filter(|name| *name != ".env.local") {
        let left = fs::read_to_string(path.with_file_name(name)).unwrap();
        assert!(name.starts_with(".env.local.new-") && left.starts_with("EDITOR="), "{name}: {left}");
    }
}
