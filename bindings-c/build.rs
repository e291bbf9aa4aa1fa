//! Gives the shared library its soname, the part of the version that stays as long as programs need not be built anew, and
//! keeps it loaded once it is.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let part = |name: &str| env::var(name).unwrap_or_default();
    let (major, minor) = (part("CARGO_PKG_VERSION_MAJOR"), part("CARGO_PKG_VERSION_MINOR"));
    let version = if major == "0" { format!("{major}.{minor}") } else { major };
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libportalloc.so.{version}");
    if part("CARGO_CFG_TARGET_OS") == "linux" {
        // The C library calls a function of this one in every forked child. Neither that nor the leases of
        // `portalloc_port` may go when a plugin that loaded the library is unloaded.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
