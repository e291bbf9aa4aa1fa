//! The project file through the library's own door: where it is found, what it declares, what goes before it, and
//! every way in which it can be wrong, with the line. The variables' level needs a process of its own: see the tests of
//! the command line.

#![expect(clippy::disallowed_methods, reason = "files of the test are removed")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in helpers of tests, too, a failure is a failed test"
)]
#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

mod place;
mod schema;
mod wishes;

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
    assert_eq!(read("prefer = [3100, '3000-3001']").prefer, [3100, 3000, 3001], "in their order");
}

#[test]
fn names_with_options() {
    let project = read(
        "env = { B = '{api_2}', A = '' }\nnames = ['web', { name = 'hmr', offset = 1 }, { name = 'api', count = 3 }]",
    );
    assert_eq!(project.names, ["web", "hmr", "api", "api_1", "api_2"]);
    assert_eq!(project.offsets, None, "they are consecutive");
    let env: Vec<_> = project.env.iter().map(|template| (&*template.name, &*template.text, template.line)).collect();
    assert_eq!(env, [("B", "{api_2}", 1), ("A", "", 1)]);
    let project =
        read("names = [{ name = 'a', count = 2 }, { name = 'c', offset = 9 }, 'd', { name = 'e', offset = 4 }]");
    assert_eq!(project.offsets, Some(vec![0, 1, 9, 10, 4]));
}

/// Valid files.
const GOOD: &[&str] = &[
    "",
    "names = ['postgres', 'my-db']\nports = 4\npool = '20000-29999'\nexclude = [20005, '20006-20007,20009']",
    "sticky = true\nguard = false\ninstance_id = 'x'",
    "prefer = 3000",
    "prefer = []",
    "prefer = [3000, '3100-3102, 80']",
    "names = ['web', { name = 'hmr', offset = 1 }, { name = 'api', count = 3 }]",
    "names = [{ name = 'web' }, { name = 'bus', offset = 10000, count = 2 }]\nports = 5",
    "env = { A = '{port}' }",
    "names = ['web']\n[env]\nA = 'http://localhost:{web}/{{x}}${y}'\nB_1 = ''\n_ = \"a\\n\\tb\"\nNEXT_PORT = '{port:0}'",
    "names = ['web']\n[env]\nJSON = '{\"a\": {web}}'",
];

#[test]
fn valid_files_are_read() {
    for text in GOOD {
        read(text);
    }
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
    (1, "2 names for 1 port", "names = [\"a\", \"b\"]\nports = 1"),
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
    (1, "`prefer`: \"0\" in \"0\"", "prefer = '0'"),
    (1, "an item of `prefer` is a list", "prefer = [[3000]]"),
    (1, "`prefer`: \"65536\"", "prefer = 65536"),
    (1, "`prefer`: \"\"", "prefer = ''"),
    (1, "`prefer` has 101 ports", "prefer = '3000-3100'"),
    (3, "an item of `names` has no `name`", "names = [\n  'a',\n  { offset = 3 },\n]"),
    (
        2,
        "unknown key `cuont` in `names`; known keys are name, offset, count",
        "names = [\n  { name = 'a', cuont = 3 }]",
    ),
    (1, "`name` in `names` is a number, but must be a text", "names = [{ name = 3 }]"),
    (1, "`offset` in `names` is a text, but must be a distance", "names = ['a', { name = 'b', offset = '1' }]"),
    (1, "`offset` in `names` is -1, but must be from 0 to 65534", "names = ['a', { name = 'b', offset = -1 }]"),
    (1, "`count` in `names` is 0, but must be from 1 to 65535", "names = [{ name = 'b', count = 0 }]"),
    (1, "the first port of `names` has offset 1", "names = [{ name = 'b', offset = 1 }]"),
    (4, "would both be at offset 1", "names = [\n'a',\n'b',\n{ name = 'c', offset = 1 }]"),
    (1, "more than 65534 above", "names = ['a', { name = 'b', offset = 65534, count = 2 }]"),
    (1, "`names` has more than 65535 ports", "names = [{ name = 'b', count = 65535 }, 'a']"),
    (1, "`env` is a text, but must be a table", "env = 'A=1'"),
    (3, "A in `env` is a number, but must be a text", "[env]\nB = ''\nA = 3"),
    (2, "`env`: \"1A\" is not a name for a variable", "[env]\n1A = ''"),
    (2, "`env`: PORT_7 is a variable that portalloc sets itself", "[env]\nPORT_7 = ''"),
    (3, "`env`: WEB_PORT is a variable", "names = ['web']\n[env]\nWEB_PORT = '1'"),
    (2, "`env`: LD_PRELOAD is not for an environment", "[env]\nLD_PRELOAD = '/x'"),
    (2, "`env`: path is not for", "[env]\npath = '/x'"),
    (2, "`env`: the value of A has the control character '\\0'", "[env]\nA = \"\\u0000\""),
    (3, "A in `env` has {api}", "names = ['web']\n[env]\nA = '{web}{api}'"),
    (2, "A in `env` has {port:5}", "[env]\nA = '{port:5}'"),
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
fn variables_of_more_than_64_kib_are_refused() {
    let (error, _) = refused(format!("[env]\nA = '{}'\nB = ''", "x".repeat(65535)));
    assert!(error.message().contains(":3: `env` has more than 65536 bytes"), "{error}");
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
