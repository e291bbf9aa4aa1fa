//! portalloc for Node: converts arguments, calls the core once, maps the error. What a call means is decided in the
//! crate `portalloc`; what only JavaScript has (classes, errors, iterables, `AbortSignal`) is in `js`.

// In a test's build, which only linters make, napi registers nothing, so that nothing would be used.
#![cfg(not(test))]
#![expect(unreachable_pub, reason = "napi exports nothing that is not `pub`, and JavaScript is who uses it")]

mod arguments;
mod background;
mod call;
mod command_line;
mod environment;
mod errors;
mod functions;
mod held;
mod held_ports;
mod hold;
mod lease;
mod listing;
mod node_process;
mod runners;
mod variables;
mod waits;
mod worktree;
