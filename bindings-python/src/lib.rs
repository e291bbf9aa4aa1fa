//! portalloc for Python: converts arguments, calls the core once, maps the error. What a call means is decided in the
//! crate `portalloc`; what is nicer said in Python is in `python/portalloc`.

mod arguments;
mod call;
mod command_line;
mod environment;
mod errors;
mod functions;
mod inheritable;
mod interpreter;
mod lease;
mod listing;
mod origin;
mod port;
mod reports;
mod runners;
mod settings;
mod typed;
mod validation;
mod warnings;

/// The native part of portalloc; import `portalloc` instead.
#[pyo3::pymodule(gil_used = false)]
mod _portalloc {
    #[pymodule_export]
    use super::command_line::run_command_line;
    #[pymodule_export]
    use super::environment::Environment;
    #[pymodule_export]
    use super::errors::error_codes;
    #[pymodule_export]
    use super::functions::{is_free, parse_id, render, wait_for, wait_until_free, who};
    #[pymodule_export]
    use super::inheritable::Inheritable;
    #[pymodule_export]
    use super::lease::{Lease, lease};
    #[pymodule_export]
    use super::listing::{EnvironmentInfo, LeaseInfo, cleanup, cleanup_stale, environments, leases};
    #[pymodule_export]
    use super::port::{give_back, port};
    #[pymodule_export]
    use super::reports::{Holder, PortReport, SocketInfo};
    #[pymodule_export]
    use super::runners::{Leak, clash_in, culprits, leaks, ports_in};
    #[pymodule_export]
    use super::settings::{Settings, settings};
    #[pymodule_export]
    use super::validation::{Validation, validate};

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    // Without the module as an argument, so that the stubs are known to be complete.
    #[pymodule_init]
    fn init() -> pyo3::PyResult<()> {
        pyo3::Python::attach(super::interpreter::only_one)
    }
}
