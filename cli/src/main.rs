//! The binary `portalloc`: a call of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    portalloc_cli::run(std::env::args_os()).into()
}
