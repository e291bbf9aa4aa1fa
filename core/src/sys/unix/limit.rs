//! How the system reports that a limit is reached. Imports nothing, since the error module uses it.

/// Whether this is the limit on open descriptors, of the process or of the machine.
pub(crate) fn limit_reached(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
