//! A socket that is handed to a server.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd as Owned, RawFd};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, IntoRawSocket, OwnedSocket as Owned, RawSocket};

use socket2::Socket;

/// A socket bound to a leased port. Closed when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct ServerSocket(Socket);

impl ServerSocket {
    pub(crate) fn new(socket: Socket) -> Self {
        Self(socket)
    }

    /// What it is bound to.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The number by which the system knows it, for languages in which a socket is one. It stays open only as long as this
    /// value.
    #[must_use]
    pub fn number(&self) -> i64 {
        #[cfg(unix)]
        return self.0.as_raw_fd().into();
        #[cfg(windows)]
        return self.0.as_raw_socket() as i64;
    }

    /// The same, for whoever closes it from now on.
    #[must_use]
    pub fn into_number(self) -> i64 {
        #[cfg(unix)]
        return self.0.into_raw_fd().into();
        #[cfg(windows)]
        return self.0.into_raw_socket() as i64;
    }
}

/// Of a TCP socket, whether it listens already or not.
impl From<ServerSocket> for TcpListener {
    fn from(socket: ServerSocket) -> Self {
        socket.0.into()
    }
}

/// Of a UDP socket.
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
