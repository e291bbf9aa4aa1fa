//! The library as it is built now, programs compiled against it, and how they are run: never for ever.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use portalloc_testkit::World;
use serde_json::Value;

/// Seconds that a program has; far more than any needs.
const LIMIT: &str = "300";

pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn root() -> &'static Path {
    here().parent().unwrap()
}

/// Where shared and static library are, under all their names.
pub(crate) fn library() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // target/PROFILE/deps/clients-...
        let test = env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "-p", "portalloc-c", "--message-format", "json"]);
        cargo.arg("--target-dir").arg(profile.parent().unwrap()).current_dir(root());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.output().unwrap();
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        assert!(built.status.success(), "{messages}{}", String::from_utf8_lossy(&built.stderr));
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let files = messages.filter_map(|message| message.get("filenames").cloned()).flat_map(|files| {
            files.as_array().unwrap().iter().map(|file| PathBuf::from(file.as_str().unwrap())).collect::<Vec<_>>()
        });
        let files: Vec<PathBuf> = files.collect();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-library");
        fs::create_dir_all(&directory).unwrap();
        for (name, links) in [
            ("libportalloc.so", vec!["libportalloc.so".to_owned(), soname()]),
            ("libportalloc.a", vec!["libportalloc.a".to_owned()]),
        ] {
            let file = files.iter().find(|file| file.ends_with(name)).expect("cargo says where the library is");
            for link in links {
                // Another run of the tests may be doing the same.
                let fresh = directory.join(format!("{link}.{}", std::process::id()));
                symlink(file, &fresh).unwrap();
                fs::rename(fresh, directory.join(link)).unwrap();
            }
        }
        directory
    })
}

/// Another file with the shared library, so that the loader takes it for another library.
pub(crate) fn copied() -> &'static Path {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    COPY.get_or_init(|| {
        let copy = library().join("libplugin.so");
        // Another run of the tests may be using it.
        let fresh = library().join(format!("libplugin.so.{}", std::process::id()));
        fs::copy(library().join("libportalloc.so"), &fresh).unwrap();
        fs::rename(fresh, &copy).unwrap();
        copy
    })
}

/// The name that programs are bound to.
pub(crate) fn soname() -> String {
    match (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")) {
        ("0", minor) => format!("libportalloc.so.0.{minor}"),
        (major, _) => format!("libportalloc.so.{major}"),
    }
}

/// How a client is linked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Shared,
    /// With address and undefined-behaviour sanitizers, which see more of a library that is in the program.
    Sanitized,
}

/// Compiles a client of tests/c, each time anew: what is compiled is what is there.
pub(crate) fn client(world: &World, name: &str, link: Link) -> PathBuf {
    compiled(world, &here().join("tests/c").join(name), link)
}

pub(crate) fn compiled(world: &World, source: &Path, link: Link) -> PathBuf {
    let is_cpp = source.extension() == Some(OsStr::new("cpp"));
    compiled_as(world, source, link, if is_cpp { "c++17" } else { "c11" })
}

pub(crate) fn compiled_as(world: &World, source: &Path, link: Link, standard: &str) -> PathBuf {
    let program = world.path().join(source.file_stem().unwrap());
    let mut compiler = Command::new(if standard.starts_with("c++") { "c++" } else { "cc" });
    compiler.arg(format!("-std={standard}")).args(["-g", "-pthread"]);
    compiler.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    compiler.arg("-I").arg(here().join("include")).arg(source).arg("-o").arg(&program);
    match link {
        Link::Shared => {
            compiler.arg("-L").arg(library()).arg("-lportalloc");
            compiler.arg(format!("-Wl,-rpath,{}", library().display()));
        }
        Link::Sanitized => {
            compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]);
            compiler.arg(library().join("libportalloc.a")).args(["-lgcc_s", "-lutil", "-lrt", "-lm", "-ldl"]);
        }
    }
    succeeds(&mut compiler);
    program
}

/// `program` in this world; it is killed if it hangs.
pub(crate) fn command(world: &World, program: impl AsRef<OsStr>) -> Command {
    let mut command = world.program("timeout");
    command.args(["--kill-after=5", LIMIT]).arg(program);
    command
}

/// What it says, if it succeeds.
pub(crate) fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn told(output: &Output) -> String {
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    format!("{}\n{out}{error}", output.status)
}
