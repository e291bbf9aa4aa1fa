//! The project file through the library's own door: where it is found, what it declares, what goes before it, and
//! every way in which it can be wrong, with the line. The variables' level needs a process of its own: see the tests of
//! the command line.

#![expect(clippy::unwrap_used, reason = "in helpers of tests, too, a failure is a failed test")]
#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use portalloc::environment::EnvFile;
use portalloc::project::Project;
use portalloc::{Allocator, EnvironmentRequest, Error, ErrorCode, Settings};
use portalloc_testkit::Slice;
use tempfile::TempDir;

/// A directory with a project file of this text.
fn with_file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portalloc.toml");
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn read(text: &str) -> Project {
    let (_directory, path) = with_file(text);
    Project::read(path).unwrap()
}

fn refused(text: impl AsRef<[u8]>) -> (Error, PathBuf) {
    let (_directory, path) = with_file(text);
    (Project::read(&path).unwrap_err(), path)
}

fn open(directory: &Path, project: &Project, change: impl FnOnce(Settings) -> Settings) -> Allocator {
    change(Settings::new().directory(directory.join("registry")).project(project)).open().unwrap()
}

#[test]
fn everything_that_can_be_declared() {
    let project = read(
        "# a comment\nnames = [\"postgres\", 'redis']\nports = 0x4\npool = \"21350-21359, 21340-21349\"\nexclude = [21345, \"21350-21351,21341\"]\nsticky = true\nguard = false\ninstance_id = \"web\"\n",
    );
    assert_eq!(project.names, ["postgres", "redis"]);
    assert_eq!(project.ports, Some(4));
    assert_eq!(project.pool.as_deref(), Some("21340-21359"));
    assert_eq!(project.exclude.as_deref(), Some("21341,21345,21350-21351"));
    assert_eq!((project.sticky, project.guard), (Some(true), Some(false)));
    assert_eq!(project.instance_id.as_deref(), Some("web"));
    assert_eq!(read("pool = ['21340-21342', 21343]\nexclude = ''").pool.as_deref(), Some("21340-21343"));
    assert_eq!(read("exclude = []").exclude.as_deref(), Some(""));
}

#[test]
fn an_empty_file_declares_nothing() {
    for text in ["", "\n\n", "# nothing\r\n", "\u{feff}"] {
        let project = read(text);
        assert_eq!((project.names.len(), project.ports, project.pool, project.exclude), (0, None, None, None));
        assert_eq!((project.sticky, project.guard, project.instance_id), (None, None, None));
    }
}

#[test]
fn the_nearest_one_upwards_is_found() {
    let (directory, path) = with_file("ports = 2");
    let deep = directory.path().join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    let found = Project::nearest(&deep).unwrap().unwrap();
    let directory = directory.path().canonicalize().unwrap();
    assert_eq!(
        (found.ports, found.path.as_path(), found.directory()),
        (Some(2), &*path.canonicalize().unwrap(), &*directory)
    );

    fs::write(directory.join("a/b/portalloc.toml"), "ports = 3").unwrap();
    assert_eq!(Project::nearest(&deep).unwrap().unwrap().ports, Some(3));
    assert_eq!(Project::nearest(&directory.join("a")).unwrap().unwrap().ports, Some(2));
}

#[test]
fn through_a_link_to_a_directory_the_real_directories_count() {
    let (directory, _) = with_file("ports = 2");
    fs::create_dir(directory.path().join("inside")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    symlink(directory.path().join("inside"), &link).unwrap();
    assert_eq!(Project::nearest(&link).unwrap().unwrap().ports, Some(2));
}

#[test]
fn a_broken_one_is_not_passed_over_for_one_above() {
    let (directory, _) = with_file("ports = 2");
    let inner = directory.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("portalloc.toml"), "ports = ").unwrap();
    assert_eq!(Project::nearest(&inner).unwrap_err().code(), ErrorCode::InvalidArgument);

    let linked = directory.path().join("linked");
    fs::create_dir(&linked).unwrap();
    symlink("nowhere", linked.join("portalloc.toml")).unwrap();
    let error = Project::nearest(&linked).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(error.message().contains("link to nothing"), "{error}");
}

#[test]
fn a_directory_to_start_from_that_does_not_exist_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = Project::nearest(&directory.path().join("gone")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("gone"), "{error}");
}

/// Line, what the message must have, and the text.
const BAD: &[(usize, &str, &str)] = &[
    (3, "unknown key `prots`; known keys are names, ports, pool,", "# a\nports = 2\nprots = 3\n"),
    (2, "unknown key `zebra`", "ports = 1\nzebra = 1\nant = 2\n"),
    (1, "unknown key `project`", "[project]\nports = 3\n"),
    (1, "unknown key `a\\nb`", "\"a\\nb\" = 3\n"),
    (1, "", "ports = \n"),
    (2, "", "ports = 2\nnames = [\"a\"\n"),
    (2, "", "\nnames = [\"a]\n"),
    (2, "duplicate key", "ports = 2\nports = 3\n"),
    (1, "", "this is no TOML"),
    (1, "`ports` is a text, but must be a number", "ports = \"3\""),
    (1, "`ports` is a number with a fraction", "ports = 3.0"),
    (2, "`ports` is 0, but must be from 1 to 65535", "\nports = 0"),
    (1, "`ports` is -3", "ports = -3"),
    (1, "`ports` is 65536", "ports = 65_536"),
    (1, "`ports` is 99999999999999999999", "ports = 99999999999999999999"),
    (1, "`names` is a text, but must be a list", "names = \"a\""),
    (3, "an item of `names` is a number", "names = [\n  \"a\",\n  7,\n]"),
    (2, "`names`: \"1web\" is not a name", "ports = 2\nnames = [\"1web\"]"),
    (1, "would both be the variable A_B_PORT", "names = [\"a-b\", \"A_B\"]"),
    (1, "2 names for 1 ports", "names = [\"a\", \"b\"]\nports = 1"),
    (1, "`pool` is a table", "pool = { from = 1 }"),
    (1, "`pool`: \"9-5\" in \"9-5\" is reversed", "pool = \"9-5\""),
    (1, "`pool` has no ports", "pool = \"\""),
    (1, "`pool` has no ports", "pool = []"),
    (4, "`exclude`: \"0\" in \"0\" is not a port", "exclude = [\n  1,\n  2,\n  0,\n]"),
    (1, "`exclude`: \"70000\"", "exclude = 70000"),
    (1, "`exclude`: \"0x50\"", "exclude = [0x50]"),
    (1, "an item of `exclude` is a list", "exclude = [[1]]"),
    (1, "`exclude` is true or false", "exclude = false"),
    (1, "`sticky` is a text, but must be true or false", "sticky = \"yes\""),
    (2, "`guard` is a number, but must be true or false", "sticky = true\nguard = 1"),
    (1, "`guard` is a date or time", "guard = 2026-01-01"),
    (1, "`instance_id` is a number", "instance_id = 7"),
    (1, "`instance_id`: the instance ID", "instance_id = \"a\\u0007\""),
];

#[test]
fn whatever_is_wrong_is_told_with_its_line() {
    for (line, part, text) in BAD {
        let (error, path) = refused(text);
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text:?}");
        assert!(error.message().starts_with(&format!("{}:{line}: ", path.display())), "{text:?}: {error}");
        assert!(error.message().contains(part), "{text:?}: {part:?} is missing in {error}");
        assert!(!error.message().contains('\n') && !error.remedy().is_empty(), "{error:?}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_line() {
    let (error, path) = refused(b"ports = 2\n# \xff\n");
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert_eq!(error.message(), format!("{}:2: not valid UTF-8", path.display()));
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_refused() {
    let mut text = "#".repeat(1024 * 1024);
    assert_eq!(read(&text).ports, None);
    text.push('\n');
    let (error, _) = refused(&text);
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("larger than 1048576 bytes"), "{error}");
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let (error, _) = refused("names = ".to_owned() + &"[".repeat(100_000));
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
}

#[test]
fn a_cycle_of_links_is_told_as_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portalloc.toml");
    symlink("other", &path).unwrap();
    symlink("portalloc.toml", directory.path().join("other")).unwrap();
    for error in [Project::read(&path).unwrap_err(), Project::nearest(directory.path()).unwrap_err()] {
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains("leads back to itself"), "{error}");
        assert!(error.message().contains("portalloc.toml"), "{error}");
    }
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portalloc.toml");
    fs::create_dir(&path).unwrap();
    let error = Project::nearest(directory.path()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().ends_with("portalloc.toml is a directory"), "{error}");
    fs::remove_dir(&path).unwrap();

    // A pipe that nobody writes to: opening it must not wait for a writer.
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = Project::nearest(directory.path()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("not a regular file"), "{error}");
}

#[test]
fn one_that_does_not_exist_cannot_be_read() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(Project::read(directory.path().join("portalloc.toml")).unwrap_err().code(), ErrorCode::NotFound);
}

/// Root may read everything, so there the fault cannot be made; the command line's tests do it as another user.
#[test]
fn an_unreadable_one_is_permission_denied() {
    let (directory, path) = with_file("ports = 2");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    match fs::read(&path) {
        Ok(_) => eprintln!("SKIPPED: this user may read everything"),
        Err(_) => assert_eq!(Project::nearest(directory.path()).unwrap_err().code(), ErrorCode::PermissionDenied),
    }
}

#[test]
fn settings_take_from_it_what_no_argument_sets() {
    let (directory, path) = with_file("pool = '21340-21349'\nexclude = [21342]");
    let project = Project::read(path).unwrap();
    let ports = |allocator: Allocator| allocator.pool().ports().to_string();
    assert_eq!(ports(open(directory.path(), &project, |settings| settings)), "21340-21341,21343-21349");
    assert_eq!(ports(open(directory.path(), &project, |settings| settings.exclude("21349"))), "21340-21348");
    assert_eq!(ports(open(directory.path(), &project, |settings| settings.pool("21350-21359"))), "21350-21359");
}

#[test]
fn a_request_takes_from_it_what_was_not_given() {
    let slice = Slice::new(8);
    let (directory, path) =
        with_file(format!("pool = '{}'\nnames = ['a', 'b']\nports = 4\ninstance_id = 'file'", slice.pool()));
    let project = Project::read(path).unwrap();
    let allocator = open(directory.path(), &project, |settings| settings);
    let made = |request: EnvironmentRequest| {
        let request = request.worktree(directory.path()).env_file(EnvFile::None);
        let environment = allocator.create_environment(&request).unwrap();
        let record = environment.record();
        (record.names.join(","), record.ports.count, record.instance_id.clone())
    };
    let case = |names: &str, count, instance: &str| (names.to_owned(), count, instance.to_owned());
    let new = EnvironmentRequest::new;
    assert_eq!(made(new().project(&project)), case("a,b", 4, "file"));
    // Whatever the order, what was given goes first.
    for request in [new().names(["x"]).project(&project), new().project(&project).names(["x"])] {
        assert_eq!(made(request), case("x", 1, "file"), "names that are given replace the number, too");
    }
    for request in [new().ports(3).project(&project), new().project(&project).ports(3)] {
        assert_eq!(made(request), case("a,b", 3, "file"));
    }
    for request in [new().instance_id("mine").project(&project), new().project(&project).instance_id("mine")] {
        assert_eq!(made(request), case("a,b", 4, "mine"));
    }
    for request in [new().instance_id("").project(&project), new().project(&project).instance_id("")] {
        assert_eq!(made(request), case("a,b", 4, ""), "none at all was given");
    }
}

#[test]
fn the_schema_for_editors_knows_the_same_keys() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/portalloc.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    let mut in_schema: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    in_schema.sort_unstable();

    let (error, _) = refused("unknown = 1");
    let (_, known) = error.message().split_once("known keys are ").unwrap();
    let mut in_parser: Vec<_> = known.split(", ").map(str::to_owned).collect();
    in_parser.sort_unstable();
    assert_eq!(in_schema, in_parser);
}
