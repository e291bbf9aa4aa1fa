//! What the header says, seen by clients: by one process, by threads, by forked children; with memcheck and sanitizers
//! watching.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use portalloc_core::ErrorCode;
use portalloc_testkit::{World, can_unshare, has, names};

use crate::support::{Link, client, command, copied, here, library, root, soname, succeeds, told};

const CLIENTS: [&str; 9] = [
    "contract.c",
    "threads.c",
    "fork.c",
    "ports.c",
    "warnings.c",
    "descriptors.c",
    "plugin.c",
    "worktree.c",
    "owners.cpp",
];

/// More than ports.c has descriptors for.
const PORTS: usize = 160;

/// What a client is given.
fn argument(client: &str) -> Option<OsString> {
    match client {
        "contract.c" => Some(env!("CARGO_PKG_VERSION").into()),
        "threads.c" => Some("60".into()),
        "plugin.c" => Some(copied().into()),
        _ => None,
    }
}

/// Whatever a client did, nothing of it is left.
fn is_clean(world: &World) {
    let listing = world.allocator().list().unwrap();
    assert!(listing.environments.is_empty() && listing.leases.is_empty(), "{listing:?}");
    assert_eq!(names(world.temp()), [""; 0]);
    assert_eq!(names(world.work()), [""; 0]);
}

fn is_well(world: &World, command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("left well"), "{command:?}: {}", told(&output));
    is_clean(world);
}

fn run(name: &str, link: Link) {
    let world = World::new(PORTS);
    let program = client(&world, name, link);
    is_well(&world, command(&world, &program).args(argument(name)));
}

#[test]
fn what_the_header_says_holds() {
    run("contract.c", Link::Shared);
}

#[test]
fn no_two_threads_share_a_port() {
    run("threads.c", Link::Shared);
}

#[test]
fn a_forked_child_ends_nothing() {
    run("fork.c", Link::Shared);
}

#[test]
fn ports_are_held_until_the_process_ends() {
    run("ports.c", Link::Shared);
}

#[test]
fn warnings_are_told_once() {
    run("warnings.c", Link::Shared);
}

#[test]
fn no_descriptor_of_the_program_is_closed() {
    run("descriptors.c", Link::Shared);
}

#[test]
fn two_copies_of_the_library_get_along() {
    run("plugin.c", Link::Shared);
}

#[test]
fn the_environment_of_a_worktree_and_its_servers() {
    run("worktree.c", Link::Shared);
}

#[test]
fn a_forked_child_with_its_parent_s_pid_ends_nothing() {
    let flags = ["--pid", "--fork", "--mount-proc"];
    if !can_unshare(&flags) {
        return;
    }
    let world = World::new(PORTS);
    let program = client(&world, "namespaces.c", Link::Shared);
    is_well(&world, command(&world, "unshare").args(flags).arg(program));
}

#[test]
fn owners_in_cpp_17() {
    run("owners.cpp", Link::Shared);
}

#[test]
fn owners_in_cpp_20() {
    let world = World::new(40);
    let program = crate::support::compiled_as(&world, &here().join("tests/c/owners.cpp"), Link::Shared, "c++20");
    is_well(&world, &mut command(&world, &program));
}

#[test]
fn a_lease_that_nothing_keeps_is_warned_of() {
    let world = World::new(1);
    let source = world.path().join("lost.cpp");
    for lost in ["portalloc::lease(3)", "portalloc::environment()", "portalloc::environment::current()"] {
        std::fs::write(&source, format!("#include <portalloc.hpp>\nint main() {{ {lost}; }}\n")).unwrap();
        let mut compiler = Command::new("c++");
        compiler.args(["-std=c++17", "-fsyntax-only", "-I"]).arg(here().join("include")).arg(&source);
        let said = compiler.output().unwrap();
        assert!(told(&said).contains("-Wunused-result"), "{lost}: {}", told(&said));
    }
}

#[test]
fn sanitizers_find_nothing() {
    for name in CLIENTS {
        run(name, Link::Sanitized);
    }
}

fn memcheck(world: &World) -> Command {
    let mut valgrind = command(world, "valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite"]);
    valgrind
}

#[test]
fn memcheck_finds_nothing() {
    if !has("valgrind") {
        return;
    }
    for name in CLIENTS {
        let world = World::new(PORTS);
        let program = client(&world, name, Link::Shared);
        // What its parent has of the library's a forked child leaves alone, and what a thread had that the child does not
        // have is lost there: leaks of these clients are left to the sanitizers, which look at the parent only.
        let forks = ["fork.c", "ports.c", "warnings.c", "descriptors.c", "plugin.c", "worktree.c"].contains(&name);
        let leaks = if forks { "no" } else { "full" };
        let mut valgrind = memcheck(&world);
        valgrind.arg(format!("--leak-check={leaks}"));
        let argument = match name {
            "threads.c" => Some("5".into()),
            "worktree.c" => Some("ends no process".into()),
            _ => argument(name),
        };
        is_well(&world, valgrind.arg(&program).args(argument));
    }
}

/// That the two tests above can fail.
#[test]
fn sanitizers_and_memcheck_find_what_is_wrong() {
    let world = World::new(10);
    let program = client(&world, "careless.c", Link::Sanitized);
    let output = command(&world, &program).output().unwrap();
    assert!(!output.status.success() && told(&output).contains("LeakSanitizer"), "{}", told(&output));
    if has("valgrind") {
        let program = client(&world, "careless.c", Link::Shared);
        let output = memcheck(&world).arg("--leak-check=full").arg(program).output().unwrap();
        assert_eq!(output.status.code(), Some(99), "{}", told(&output));
    }
}

#[test]
fn error_codes_are_the_core_s() {
    let world = World::new(1);
    let source = world.path().join("codes.c");
    let program = "#include <portalloc.h>\n#include <stdio.h>\nint main(void) {\n    const char *code;\n    \
                   for (unsigned result = 1; (code = portalloc_error_code(result)) != NULL; result++) puts(code);\n}\n";
    std::fs::write(&source, program).unwrap();
    let program = crate::support::compiled(&world, &source, Link::Shared);
    let said = succeeds(&mut command(&world, program));
    assert_eq!(said.lines().collect::<Vec<_>>(), ErrorCode::ALL.map(|code| code.as_str()));
}

/// The names of a library that programs can be bound to.
fn exported(library: &Path) -> Vec<String> {
    let listed = succeeds(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(library));
    listed.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn exactly_what_the_header_declares_is_exported() {
    let mut exported = exported(&library().join("libportalloc.so"));
    exported.sort();
    let header = std::fs::read_to_string(here().join("include/portalloc.h")).unwrap();
    let mut declared: Vec<String> = header
        .split("extern \"C\" {")
        .nth(1)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with([' ', '/', '#']))
        .filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next().map(ToOwned::to_owned))
        .filter(|name| name.starts_with("portalloc_") && !name.ends_with("_default"))
        .collect();
    declared.sort();
    assert!(declared.len() > 45, "only {declared:?}");
    assert_eq!(exported, declared);
}

#[test]
fn the_shared_library_has_its_soname() {
    let dynamic = succeeds(Command::new("readelf").arg("-d").arg(library().join("libportalloc.so")));
    assert!(dynamic.contains(&format!("Library soname: [{}]", soname())), "{dynamic}");
}

#[test]
fn the_shared_library_is_never_unloaded() {
    let dynamic = succeeds(Command::new("readelf").arg("-d").arg(library().join("libportalloc.so")));
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[test]
fn the_headers_compile_without_a_warning() {
    let mut make = Command::new("make");
    make.args(["-f", "bindings-c/install.mk", "check-headers"]).current_dir(root());
    succeeds(&mut make);
}
