//! What `make install` gives: to whom it is told where, and to nobody else. docs/c.md against it, as it stands there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portalloc_testkit::{World, has, names};

use crate::support::{command, here, root, soname, succeeds, told};

/// The tasks of install.mk, which is a part of the Makefile, at the repository's root.
fn make(arguments: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let mut shell = Command::new("sh");
    shell.arg("-euc").arg(format!("make -f bindings-c/install.mk {arguments}")).current_dir(root());
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PREFIX", "DESTDIR"] {
        shell.env_remove(name);
    }
    shell.env("CARGO", env!("CARGO")).env("CARGO_TARGET_DIR", target);
    shell
}

/// Where a user would have it.
fn home(world: &World) -> PathBuf {
    let home = world.path().join("home");
    fs::create_dir(&home).unwrap();
    succeeds(make(r#"install PREFIX="$HOME/.local""#).env("HOME", &home));
    home
}

/// A program of a user who has installed it, and set nothing but what the page says.
fn users(world: &World, home: &Path, program: &str) -> Command {
    let mut command = command(world, program);
    for name in
        ["LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS"]
    {
        command.env_remove(name);
    }
    command.env("HOME", home);
    command
}

/// Files and links below a directory, sorted.
fn files(directory: &Path) -> Vec<String> {
    let found = succeeds(Command::new("find").arg(".").args(["!", "-type", "d"]).current_dir(directory));
    let mut found: Vec<String> = found.lines().map(|line| line.trim_start_matches("./").to_owned()).collect();
    found.sort();
    found
}

#[test]
fn install_and_uninstall() {
    let world = World::new(10);
    let stage = world.path().join("a stage");
    let prefix = stage.join("opt/tools");
    let arguments = format!("PREFIX=/opt/tools DESTDIR='{}'", stage.display());
    succeeds(&mut make(&format!("install {arguments}")));
    // Again, over what is there.
    succeeds(&mut make(&format!("install {arguments}")));
    let mut expected = vec![
        "bin/portalloc".to_owned(),
        "include/portalloc.h".to_owned(),
        "include/portalloc.hpp".to_owned(),
        "lib/cmake/portalloc/portalloc-config-version.cmake".to_owned(),
        "lib/cmake/portalloc/portalloc-config.cmake".to_owned(),
        "lib/libportalloc.a".to_owned(),
        "lib/libportalloc.so".to_owned(),
        format!("lib/{}", soname()),
        format!("lib/libportalloc.so.{}.{}", env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")),
        "lib/pkgconfig/portalloc-static.pc".to_owned(),
        "lib/pkgconfig/portalloc.pc".to_owned(),
        "share/bash-completion/completions/portalloc".to_owned(),
        "share/fish/vendor_completions.d/portalloc.fish".to_owned(),
        "share/man/man1/portalloc.1".to_owned(),
        "share/zsh/site-functions/_portalloc".to_owned(),
    ];
    expected.sort();
    expected.dedup();
    assert_eq!(files(&prefix), expected);
    for file in &expected {
        let text = fs::read(prefix.join(file)).unwrap();
        assert!(text.len() > 100, "{file} is nearly empty");
        assert!(!String::from_utf8_lossy(&text).contains("@VERSION@"), "{file} is not filled in");
    }
    let dynamic = succeeds(Command::new("readelf").arg("-d").arg(prefix.join("lib/libportalloc.so")));
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    let version = succeeds(Command::new(prefix.join("bin/portalloc")).arg("version"));
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let told = fs::read_to_string(prefix.join("lib/pkgconfig/portalloc.pc")).unwrap();
    assert!(
        told.contains("prefix=/opt/tools\n") && told.contains(concat!("Version: ", env!("CARGO_PKG_VERSION"), "\n"))
    );

    fs::write(prefix.join("lib/other"), "somebody else's").unwrap();
    succeeds(&mut make(&format!("uninstall {arguments}")));
    assert_eq!(files(&prefix), ["lib/other"]);
    assert!(!prefix.join("lib/cmake/portalloc").exists());
}

#[test]
fn gnus_directories() {
    let world = World::new(10);
    let stage = world.path().join("stage");
    let arguments = format!(
        "DESTDIR='{}' prefix=/usr exec_prefix=/usr/arch libdir=/usr/lib/triplet includedir=/usr/include/leases \
         datarootdir=/usr/data mandir=/usr/man",
        stage.display()
    );
    succeeds(&mut make(&format!("install {arguments}")));
    let found = files(&stage.join("usr"));
    for expected in [
        "arch/bin/portalloc",
        "include/leases/portalloc.h",
        "lib/triplet/libportalloc.a",
        "lib/triplet/cmake/portalloc/portalloc-config.cmake",
        "man/man1/portalloc.1",
        "data/zsh/site-functions/_portalloc",
    ] {
        assert!(found.iter().any(|file| file == expected), "{expected} is not in {found:?}");
    }
    let packages = stage.join("usr/lib/triplet");
    let told = succeeds(
        Command::new("pkg-config")
            .args(["--cflags", "--libs", "portalloc-static"])
            .env("PKG_CONFIG_PATH", packages.join("pkgconfig")),
    );
    assert!(told.starts_with("-I/usr/include/leases /usr/lib/triplet/libportalloc.a "), "{told}");
    let of_cmake = fs::read_to_string(packages.join("cmake/portalloc/portalloc-config.cmake")).unwrap();
    assert!(of_cmake.contains("\"/usr/include/leases\""), "{of_cmake}");
    succeeds(&mut make(&format!("uninstall {arguments}")));
    assert_eq!(files(&stage), [""; 0]);
}

#[test]
fn a_prefix_that_is_no_path_is_refused() {
    let output = make("install PREFIX=usr").output().unwrap();
    assert!(!output.status.success());
    assert!(told(&output).contains("PREFIX must begin with /"), "{}", told(&output));
}

#[test]
fn cmake_refuses_another_version() {
    if !has("cmake") {
        return;
    }
    let world = World::new(1);
    let home = home(&world);
    let configure = |wanted: &str| {
        let project = format!("cmake_minimum_required(VERSION 3.16)\nproject(x C)\nfind_package(portalloc {wanted})\n");
        fs::write(
            world.work().join("CMakeLists.txt"),
            format!("{project}message(STATUS \"found ${{portalloc_FOUND}}\")\n"),
        )
        .unwrap();
        let mut cmake = users(&world, &home, "cmake");
        let said = succeeds(
            cmake
                .args(["-S", ".", "-B"])
                .arg(world.path().join(wanted))
                .arg(format!("-DCMAKE_PREFIX_PATH={}", home.join(".local").display())),
        );
        said.contains("found 1")
    };
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    assert!(configure(&format!("{major}.{minor}")));
    assert!(configure(env!("CARGO_PKG_VERSION")));
    assert!(!configure(&format!("{major}.{minor}.999")));
    assert!(!configure(&format!("{major}.{minor}9")));
    assert!(!configure("9.0"));
}

#[test]
fn a_static_program_needs_no_library_of_ours() {
    let world = World::new(1);
    let home = home(&world);
    let source = here().join("examples/server.c");
    let mut shell = users(&world, &home, "sh");
    shell.arg("-euc").arg(
        r#"export PKG_CONFIG_PATH="$HOME/.local/lib/pkgconfig"
        cc "$0" -o static $(pkg-config --cflags --libs portalloc-static)
        cc "$0" -o shared $(pkg-config --cflags --libs portalloc)
        readelf -d static shared"#,
    );
    let said = succeeds(shell.arg(source));
    let (of_static, of_shared) = said.split_once("File: shared").unwrap();
    assert!(!of_static.contains("libportalloc"), "{said}");
    assert!(of_shared.contains(&format!("[{}]", soname())), "{said}");
}

/// The unwinder, too, is in the program then: in C++ the same one for the program's exceptions and the library's panics.
#[test]
fn a_program_that_needs_no_library_at_all() {
    let world = World::new(10);
    let home = home(&world);
    let mut shell = users(&world, &home, "sh");
    shell.arg("-euxc").arg(
        r#"export PKG_CONFIG_PATH="$HOME/.local/lib/pkgconfig"
        cc -static "$0/server.c" -o all $(pkg-config --cflags --libs portalloc-static)
        ./all
        cc -static "$0/server.c" -o found $(pkg-config --static --cflags --libs portalloc)
        ./found
        c++ -static -std=c++17 "$0/server.cpp" -o all-cpp $(pkg-config --cflags --libs portalloc-static)
        ./all-cpp
        for program in all found all-cpp; do readelf -d "$program"; done"#,
    );
    let said = succeeds(shell.arg(here().join("examples")));
    assert_eq!(said.matches("hello on port").count(), 3, "{said}");
    assert_eq!(said.matches("no dynamic section").count(), 3, "{said}");
}

#[test]
fn cmake_links_either_library() {
    if !has("cmake") {
        return;
    }
    let world = World::new(10);
    let home = home(&world);
    fs::write(
        world.work().join("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.16)\nproject(servers C)\nfind_package(portalloc REQUIRED)\n\
         foreach(library portalloc portalloc-static)\n\
         add_executable(with_${library} server.c)\n\
         target_link_libraries(with_${library} PRIVATE portalloc::${library})\nendforeach()\n\
         target_link_options(with_portalloc-static PRIVATE -static)\n",
    )
    .unwrap();
    fs::copy(here().join("examples/server.c"), world.work().join("server.c")).unwrap();
    let mut shell = users(&world, &home, "sh");
    let said = succeeds(shell.arg("-euc").arg(
        r#"cmake -S . -B built -DCMAKE_PREFIX_PATH="$HOME/.local"
        cmake --build built
        built/with_portalloc
        built/with_portalloc-static
        readelf -d built/with_portalloc-static"#,
    ));
    assert_eq!(said.matches("hello on port").count(), 2, "{said}");
    assert!(said.contains("no dynamic section"), "{said}");
}

/// A fenced block of the page.
struct Block {
    language: String,
    file: Option<String>,
    needs: Option<String>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut needs = None;
    let mut open: Option<Block> = None;
    for line in page.lines() {
        if let Some(mut block) = open.take() {
            if line == "```" {
                blocks.push(block);
            } else {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        } else if let Some(info) = line.strip_prefix("```") {
            let mut words = info.split_whitespace().map(str::to_owned);
            let (language, file) = (words.next().unwrap_or_default(), words.next());
            open = Some(Block { language, file, needs: needs.take(), text: String::new() });
        } else if let Some(rest) = line.strip_prefix("<!-- needs: ") {
            needs = rest.strip_suffix(" -->").map(str::to_owned);
        }
    }
    assert!(open.is_none() && needs.is_none(), "a block is not closed, or none follows its needs");
    blocks
}

/// What a piece of a program needs around it.
const AROUND_C: &str = "#define _POSIX_C_SOURCE 200809L\n#include <portalloc.h>\n#include <assert.h>\n\
                        #include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
                        #include <sys/wait.h>\n#include <unistd.h>\nint main(void) {\n";
const AROUND_CPP: &str = "#include <portalloc.hpp>\n#include <cassert>\n#include <iostream>\nint main() {\n";

#[test]
fn the_page() {
    let world = World::new(40);
    let home = home(&world);
    let page = fs::read_to_string(root().join("docs/c.md")).unwrap();
    assert!(page.contains(r#"`make install PREFIX="$HOME/.local"`"#), "the page does not install what is tested");
    let blocks = blocks(&page);
    let mut script = "set -eu\n".to_owned();
    let mut pieces = 0;
    for block in &blocks {
        if let Some(name) = &block.file {
            fs::write(world.work().join(name), &block.text).unwrap();
            let example = here().join("examples").join(name);
            if example.exists() {
                assert!(fs::read_to_string(example).unwrap() == block.text, "examples/{name} and the page differ");
            }
            continue;
        }
        let (around, compiler, standard) = match block.language.as_str() {
            "c" => (AROUND_C, "cc", "c11"),
            "cpp" => (AROUND_CPP, "c++", "c++17"),
            "sh" if block.needs.as_deref().is_none_or(|needs| possible(&world, needs)) => {
                script.push_str(&block.text);
                continue;
            }
            _ => continue,
        };
        pieces += 1;
        let language = &block.language;
        let source = format!("piece{pieces}.{language}");
        fs::write(world.work().join(&source), format!("{around}{}return 0;\n}}\n", block.text)).unwrap();
        script.push_str(&format!(
            "{compiler} -std={standard} -Wall -Wextra -Werror {source} -o piece $(PKG_CONFIG_PATH=\"$HOME/.local/lib/pkgconfig\" \
             pkg-config --cflags --libs portalloc-static)\n./piece\n"
        ));
    }
    assert!(pieces > 8, "only {pieces} pieces were found");
    succeeds(users(&world, &home, "sh").arg("-xc").arg(script));
    let listing = world.allocator().list().unwrap();
    assert!(listing.environments.is_empty() && listing.leases.is_empty(), "{listing:?}");
    assert_eq!(names(world.temp()), [""; 0]);
}

fn possible(world: &World, needs: &str) -> bool {
    if needs != "gtest" {
        return has(needs);
    }
    let found = command(world, "pkg-config").args(["--exists", "gtest_main"]).status().unwrap().success();
    // Named as a program that there cannot be, so that it is skipped as loudly.
    found || has("GoogleTest (libgtest-dev)")
}

#[test]
fn every_example_is_on_the_page() {
    let page = fs::read_to_string(root().join("docs/c.md")).unwrap();
    let named: Vec<String> = blocks(&page).into_iter().filter_map(|block| block.file).collect();
    for example in files(&here().join("examples")) {
        assert!(named.contains(&example), "examples/{example} is not on the page");
    }
}

#[test]
fn the_page_has_every_error_code() {
    let page = fs::read_to_string(root().join("docs/c.md")).unwrap();
    for (index, code) in portalloc_core::ErrorCode::ALL.into_iter().enumerate() {
        let row = format!("| {} | `{code}` |", index + 1);
        assert!(page.contains(&row), "{row} is not on the page");
    }
}
