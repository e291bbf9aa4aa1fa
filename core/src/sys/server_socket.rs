//! A socket that is passed to a server.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd as Owned, RawFd};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, IntoRawSocket, OwnedSocket as Owned, RawSocket};

use socket2::Socket;

/// A socket bound to a leased port. Closed when dropped.
///
/// ```
/// use std::net::UdpSocket;
/// use portalloc::SocketOptions;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let socket = UdpSocket::from(lease.socket(0, &SocketOptions::udp())?);
/// assert_eq!(socket.local_addr().unwrap().port(), lease.base_port());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct ServerSocket(Socket);

impl ServerSocket {
    pub(crate) fn new(socket: Socket) -> Self {
        Self(socket)
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// Any error of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The number of the socket's descriptor, for languages that use numbers. It is open only while this value exists.
    #[must_use]
    pub fn number(&self) -> i64 {
        #[cfg(unix)]
        return self.0.as_raw_fd().into();
        #[cfg(windows)]
        return self.0.as_raw_socket() as i64;
    }

    /// Returns the number and gives up ownership: the caller closes the descriptor.
    #[must_use]
    pub fn into_number(self) -> i64 {
        #[cfg(unix)]
        return self.0.into_raw_fd().into();
        #[cfg(windows)]
        return self.0.into_raw_socket() as i64;
    }
}

/// For a TCP socket, whether it listens already or not.
impl From<ServerSocket> for TcpListener {
    fn from(socket: ServerSocket) -> Self {
        socket.0.into()
    }
}

/// For a UDP socket.
impl From<ServerSocket> for UdpSocket {
    fn from(socket: ServerSocket) -> Self {
        socket.0.into()
    }
}

impl From<TcpListener> for ServerSocket {
    fn from(listener: TcpListener) -> Self {
        Self(listener.into())
    }
}

impl From<ServerSocket> for Owned {
    fn from(socket: ServerSocket) -> Self {
        socket.0.into()
    }
}

#[cfg(unix)]
impl AsFd for ServerSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(unix)]
impl AsRawFd for ServerSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(unix)]
impl IntoRawFd for ServerSocket {
    fn into_raw_fd(self) -> RawFd {
        self.0.into_raw_fd()
    }
}

#[cfg(windows)]
impl AsSocket for ServerSocket {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.0.as_socket()
    }
}

#[cfg(windows)]
impl AsRawSocket for ServerSocket {
    fn as_raw_socket(&self) -> RawSocket {
        self.0.as_raw_socket()
    }
}

#[cfg(windows)]
impl IntoRawSocket for ServerSocket {
    fn into_raw_socket(self) -> RawSocket {
        self.0.into_raw_socket()
    }
}
