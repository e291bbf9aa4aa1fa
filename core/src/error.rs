//! The list of all error codes, and the error that every call returns.
//!
//! A message says what happened and includes the value; a remedy says what to do next. Bindings map the code and show
//! both texts unchanged; they never write texts of their own. Both go to terminals, so values in them (paths, parts of
//! files) are escaped here, wherever they came from.

use std::fmt;

use crate::pool::Census;
use crate::port_state::PortState;
use crate::text::printable_lines;

/// Stable codes: the same string in every language and on the command line. Codes are added, never renamed.
///
/// ```
/// use portalloc::ErrorCode;
///
/// assert_eq!(ErrorCode::PoolExhausted.as_str(), "pool_exhausted");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// An argument, or a `PORTALLOC_*` variable, is out of range or malformed.
    InvalidArgument,
    /// The pool has no free ports for the request.
    InvalidId,
    /// No free run of that size is left in the pool.
    PoolExhausted,
    /// One of the exact ports asked for is leased, or a socket is bound to it.
    PortInUse,
    /// There is no environment with that ID, or no such process.
    NotFound,
    /// The environment is held by a live process, so it cannot be cleaned up from outside.
    InUse,
    /// The env file exists, and portalloc did not write it, so it is not overwritten.
    EnvFileExists,
    /// 999 isolation IDs in a row were in use: the random source or the registry is broken.
    IdExhausted,
    /// The registry directory is missing, replaced, damaged, full, or not trustworthy.
    RegistryUnusable,
    /// The operating system denied permission.
    PermissionDenied,
    /// The deadline passed.
    Timeout,
    /// Not available on this platform or kernel.
    Unsupported,
    /// Any other failure of the operating system.
    Io,
    /// A defect in portalloc itself, caught where a binding calls it.
    Internal,
}

impl ErrorCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::InvalidArgument,
        Self::InvalidId,
        Self::PoolExhausted,
        Self::PortInUse,
        Self::NotFound,
        Self::InUse,
        Self::EnvFileExists,
        Self::IdExhausted,
        Self::RegistryUnusable,
        Self::PermissionDenied,
        Self::Timeout,
        Self::Unsupported,
        Self::Io,
        Self::Internal,
    ];

    /// The stable string, such as `pool_exhausted`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::InvalidId => "invalid_id",
            Self::PoolExhausted => "pool_exhausted",
            Self::PortInUse => "port_in_use",
            Self::NotFound => "not_found",
            Self::InUse => "in_use",
            Self::EnvFileExists => "env_file_exists",
            Self::IdExhausted => "id_exhausted",
            Self::RegistryUnusable => "registry_unusable",
            Self::PermissionDenied => "permission_denied",
            Self::Timeout => "timeout",
            Self::Unsupported => "unsupported",
            Self::Io => "io",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong: a stable [`code`](Error::code), what happened, and what to do next.
///
/// `Display` prints message and remedy on one line, without the code.
///
/// ```
/// use portalloc::ErrorCode;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let error = allocator.lease(0).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::InvalidArgument);
/// println!("{}; {}", error.message(), error.remedy());
/// # Ok::<(), portalloc::Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: ErrorCode,
    message: String,
    remedy: String,
    census: Option<Census>,
    ports: Vec<PortState>,
    source: Option<std::io::Error>,
    /// Whether the open registry is not the one that the call needs, so that the caller has to open that one and try
    /// again.
    is_outdated: bool,
    is_lease_lost: bool,
    other_user: Option<u32>,
}

/// The result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: printable_lines(&message.into()),
            remedy: printable_lines(&remedy.into()),
            census: None,
            ports: Vec::new(),
            source: None,
            is_outdated: false,
            is_lease_lost: false,
            other_user: None,
        }))
    }

    pub(crate) fn invalid_argument(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message, remedy)
    }

    /// An operating system error while doing `what` (a phrase such as "cannot open /x/y").
    pub(crate) fn os(what: impl fmt::Display, source: impl Into<std::io::Error>) -> Self {
        let source = source.into();
        let (code, remedy) = explain(&source);
        let mut error = Self::new(code, format!("{what}: {source}"), remedy);
        error.0.source = Some(source);
        error
    }

    /// As [`Error::os`], for the registry's own files: for any reason but a few, the code is `registry_unusable`.
    pub(crate) fn registry(what: impl fmt::Display, source: impl Into<std::io::Error>) -> Self {
        let source = source.into();
        let (code, remedy) = explain(&source);
        let code = if code == ErrorCode::Io { ErrorCode::RegistryUnusable } else { code };
        let mut error = Self::new(
            code,
            format!("{what}: {source}"),
            format!("{remedy}, or set PORTALLOC_DIR to another directory"),
        );
        error.0.source = Some(source);
        error
    }

    /// The error of a process that got no memory to do `what` (a phrase such as "read the file /x/y").
    pub(crate) fn out_of_memory(what: impl fmt::Display) -> Self {
        Self::os(format!("cannot {what}"), std::io::Error::from(std::io::ErrorKind::OutOfMemory))
            .with_remedy("give this process more memory (see `ulimit -a`, and the limits of its container)")
    }

    /// The error of a thread that is in another network namespace than the open registry.
    pub(crate) fn netns_changed() -> Self {
        Self::new(
            ErrorCode::InvalidArgument,
            "this thread is not in the network namespace of these ports",
            "make this call in a thread of that network namespace",
        )
        .outdated()
    }

    /// The error of a registry whose files are no longer those at its path. The caller opens it again.
    pub(crate) fn registry_gone() -> Self {
        Self::new(
            ErrorCode::RegistryUnusable,
            "the registry was removed or replaced repeatedly while it was being opened",
            "find out which program does that; only portalloc should change its directory",
        )
        .outdated()
    }

    /// Marks the error of a call to retry after the registry of the calling thread has been opened again or restored.
    pub(crate) fn outdated(mut self) -> Self {
        self.0.is_outdated = true;
        self
    }

    /// Whether to retry the call after the registry of the calling thread has been opened again or restored.
    pub(crate) fn is_outdated(&self) -> bool {
        self.0.is_outdated
    }

    /// Whether the cause is a missing file or directory.
    pub(crate) fn is_of_something_absent(&self) -> bool {
        self.0.source.as_ref().is_some_and(|source| source.kind() == std::io::ErrorKind::NotFound)
    }

    /// Whether the cause is the limit on open descriptors.
    pub(crate) fn is_descriptor_limit(&self) -> bool {
        self.0.source.as_ref().is_some_and(crate::sys::limit_reached)
    }

    /// Marks the error of a lease that excludes nobody any more.
    pub(crate) fn of_lost_lease(mut self) -> Self {
        self.0.is_lease_lost = true;
        self
    }

    /// Marks the error of what belongs to this other user.
    pub(crate) fn of_user(mut self, user: u32) -> Self {
        self.0.other_user = Some(user);
        self
    }

    pub(crate) fn with_remedy(mut self, remedy: &str) -> Self {
        self.0.remedy = printable_lines(remedy);
        self
    }

    pub(crate) fn with_census(mut self, census: Census) -> Self {
        self.0.census = Some(census);
        self
    }

    pub(crate) fn with_ports(mut self, ports: Vec<PortState>) -> Self {
        self.0.ports = ports;
        self
    }

    /// The same error under another code, with a prefix before its message.
    pub(crate) fn recast(mut self, code: ErrorCode, prefix: &str) -> Self {
        self.0.code = code;
        self.0.message.insert_str(0, &printable_lines(prefix));
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What happened, with the value in it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> &str {
        &self.0.remedy
    }

    /// For `pool_exhausted` and `timeout`: how many ports of the pool were in which state.
    #[must_use]
    pub fn census(&self) -> Option<&Census> {
        self.0.census.as_ref()
    }

    /// Whether a lease was lost: somebody removed or replaced the registry, or this process closed the descriptor. Its
    /// ports may have been leased to others.
    #[must_use]
    pub fn is_lease_lost(&self) -> bool {
        self.0.is_lease_lost
    }

    /// For `permission_denied`: the other user to whom the environment belongs, if that is the reason.
    #[must_use]
    pub fn other_user(&self) -> Option<u32> {
        self.0.other_user
    }

    /// For `port_in_use`: the ports that were not free, and why.
    #[must_use]
    pub fn ports(&self) -> &[PortState] {
        &self.0.ports
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.0.message, self.0.remedy)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.code)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

/// Code and remedy for an operating system error.
fn explain(error: &std::io::Error) -> (ErrorCode, &'static str) {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => (ErrorCode::PermissionDenied, "check owner and mode of that path"),
        Kind::ReadOnlyFilesystem => (ErrorCode::PermissionDenied, "use a directory on a writable file system"),
        Kind::StorageFull | Kind::QuotaExceeded => (ErrorCode::Io, "free some space on that file system"),
        _ => match crate::sys::limit_reached(error) {
            true => (ErrorCode::Io, crate::sys::words::RAISE_LIMIT),
            false => (ErrorCode::Io, "fix the reported problem and try again"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_string() {
        let mut strings: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        strings.sort_unstable();
        strings.dedup();
        assert_eq!(strings.len(), ErrorCode::ALL.len());
        assert!(strings.iter().all(|s| s.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
    }

    #[test]
    fn an_operating_system_error_keeps_value_reason_and_source() {
        let error = Error::os("cannot open /x/y", std::io::Error::from(std::io::ErrorKind::PermissionDenied));
        assert_eq!(error.code(), ErrorCode::PermissionDenied);
        assert!(error.message().starts_with("cannot open /x/y: "));
        assert!(!error.remedy().is_empty());
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn no_value_in_it_commands_a_terminal() {
        let error = Error::invalid_argument("`a\u{1b}[2J` is unknown", "remove `\u{7}`");
        assert_eq!(error.message(), "`a\\u{1b}[2J` is unknown");
        assert_eq!(error.remedy(), "remove `\\u{7}`");
        let error = error.recast(ErrorCode::InvalidArgument, "/x\u{1b}y: ").with_remedy("remove \u{8}");
        assert_eq!(error.message(), "/x\\u{1b}y: `a\\u{1b}[2J` is unknown");
        assert_eq!(error.remedy(), "remove \\u{8}");
    }
}
