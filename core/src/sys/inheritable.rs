//! A lease's descriptor for another process: a spawned program inherits it, and bindings return it as a number.

#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd as Owned, RawFd};
#[cfg(windows)]
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle as Owned, RawHandle};

/// A copy of the descriptor that holds a lease: a file descriptor on Unix, a handle on Windows. Closed when dropped.
///
/// ```
/// use std::process::Command;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// // The child has a part in the lease, because it is started while the copy is open.
/// let copy = lease.inheritable()?;
/// let mut child = Command::new("true").spawn().unwrap();
/// drop(copy);
/// child.wait().unwrap();
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Inheritable(Owned);

impl Inheritable {
    /// The number of the descriptor, for languages that use numbers. It is open only while this value exists.
    #[must_use]
    pub fn number(&self) -> i64 {
        #[cfg(unix)]
        return self.0.as_raw_fd().into();
        #[cfg(windows)]
        return self.0.as_raw_handle() as i64;
    }

    /// Returns the number and gives up ownership: the caller closes the descriptor.
    #[must_use]
    pub fn into_number(self) -> i64 {
        #[cfg(unix)]
        return self.0.into_raw_fd().into();
        #[cfg(windows)]
        return self.0.into_raw_handle() as i64;
    }
}

impl From<Owned> for Inheritable {
    fn from(owned: Owned) -> Self {
        Self(owned)
    }
}

impl From<Inheritable> for Owned {
    fn from(inheritable: Inheritable) -> Self {
        inheritable.0
    }
}

#[cfg(unix)]
impl AsFd for Inheritable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(unix)]
impl AsRawFd for Inheritable {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(unix)]
impl IntoRawFd for Inheritable {
    fn into_raw_fd(self) -> RawFd {
        self.0.into_raw_fd()
    }
}

#[cfg(windows)]
impl AsHandle for Inheritable {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

#[cfg(windows)]
impl AsRawHandle for Inheritable {
    fn as_raw_handle(&self) -> RawHandle {
        self.0.as_raw_handle()
    }
}

#[cfg(windows)]
impl IntoRawHandle for Inheritable {
    fn into_raw_handle(self) -> RawHandle {
        self.0.into_raw_handle()
    }
}
