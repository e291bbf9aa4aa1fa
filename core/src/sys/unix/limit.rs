//! How the system says that a limit is reached. Imports nothing, since errors are told by it.

/// Whether this is the limit on open descriptors, of the process or of the machine.
pub(crate) fn limit_reached(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
