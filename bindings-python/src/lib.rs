//! portalloc for Python: converts arguments, calls the core once, maps the result or the error. What a call means is
//! decided in the crate `portalloc`; what is better said in Python is in `python/portalloc`.

mod arguments;
mod call;
mod command_line;
mod environment;
mod errors;
mod hold;
mod inheritable;
mod interpreter;
mod lease;
mod listing;
mod origin;
mod port;
mod ports;
mod runners;
mod servers;
mod summaries;
mod tools;
mod typed;
mod warnings;
mod worktree;

/// The native part of portalloc; import `portalloc` instead.
#[pyo3::pymodule(gil_used = false)]
mod _portalloc {
    #[pymodule_export]
    use super::command_line::run_command_line;
    #[pymodule_export]
    use super::environment::{Environment, attach, current, environment};
    #[pymodule_export]
    use super::hold::Hold;
    #[pymodule_export]
    use super::inheritable::Inheritable;
    #[pymodule_export]
    use super::lease::{Lease, lease};
    #[pymodule_export]
    use super::listing::{cleanup, cleanup_stale, environments, leases, validate};
    #[pymodule_export]
    use super::port::{give_back, port};
    #[pymodule_export]
    use super::ports::{is_free, wait_until_free, wait_until_open, who};
    #[pymodule_export]
    use super::runners::{explain_candidates, explain_conflict, leaks, ports_in};
    #[pymodule_export]
    use super::tools::{Settings, doctor, error_codes, parse_id, render, settings};
    #[pymodule_export]
    use super::worktree::worktree_environment;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    // Without the module as an argument, so that the stubs are known to be complete.
    #[pymodule_init]
    fn init() -> pyo3::PyResult<()> {
        pyo3::Python::attach(|py| {
            super::interpreter::only_one(py).and_then(|()| super::lease::register_as_sequence(py))
        })
    }
}
