//! The binary `portalloc`: a call of the library.

use std::process::ExitCode;

/// musl's own allocator costs a short command a tenth of its time in calls to the kernel.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    portalloc_cli::run(std::env::args_os()).into()
}
