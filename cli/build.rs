//! Links GCC's unwinder into the binary instead of loading `libgcc_s.so`: a command that lives a millisecond would spend
//! a fifteenth of it on that. Only where the linker's GCC has the static one; else nothing changes.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_gnu_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux")
        && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|environment| environment == "gnu");
    let is_cross = env::var("HOST").ok() != env::var("TARGET").ok();
    if !is_gnu_linux || is_cross || !has_static_unwinder() {
        return;
    }
    // What the linker takes for `libgcc_s` is a script of ours, which names the static libraries.
    let Ok(folder) = env::var("OUT_DIR") else { return };
    if fs::write(Path::new(&folder).join("libgcc_s.so"), "GROUP ( -lgcc_eh -lgcc )\n").is_ok() {
        println!("cargo:rustc-link-arg-bins=-L{folder}");
    }
}

fn has_static_unwinder() -> bool {
    let found = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    found.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute())
}
