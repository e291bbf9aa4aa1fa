//! Which library this is.

use std::ffi::c_char;

/// Returns the version of the library, such as "0.1.0"; PORTALLOC_VERSION is that of the header. Programs built for an older
/// header of the same major version (for 0.x: of the same minor version) work with it. The text lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
