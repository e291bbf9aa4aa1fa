//! Executes another program in this process.

use std::ffi::c_char;

/// As `execvp`, with an environment. Returns only on failure.
///
/// # Safety
/// `program` is a C string; `args` and `variables` are arrays of C strings that end with a null pointer.
pub(crate) unsafe fn execvpe(program: *const c_char, args: *const *const c_char, variables: *const *const c_char) {
    // SAFETY: as the caller promises.
    unsafe { libc::execvpe(program, args, variables) };
}
