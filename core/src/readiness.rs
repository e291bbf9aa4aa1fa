//! When a server counts as ready: once it accepts a connection, or once it answers a GET as expected. Knows HTTP, not
//! leases.
//!
//! A request is one GET on a connection of its own. No redirect is followed, and nothing after the headers is read. A
//! server that does not answer is asked again: it may have been started anew meanwhile.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::backoff::Deadline;
use crate::error::{Error, Result};
use crate::refusals;
use crate::sys;

/// How long a server may take for one answer before it is asked again.
const ANSWER: Duration = Duration::from_secs(10);

/// The longest time that passes before a caller who gave up is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// The longest status line and headers that are read.
const LONGEST: usize = 64 << 10;

/// The most headers that are counted; the status comes before them.
const HEADERS: usize = 100;

/// When a server counts as ready.
///
/// ```
/// use std::time::Duration;
/// use portalloc::Readiness;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let ready = Readiness::http("/health").status(204);
/// let error = allocator.wait_until_ready(&[1], &ready, Duration::ZERO).unwrap_err();
/// assert_eq!(error.code(), portalloc::ErrorCode::Timeout);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Readiness {
    path: Option<String>,
    status: Option<u16>,
}

impl Readiness {
    /// Once the server accepts a connection.
    pub fn open() -> Self {
        Self::default()
    }

    /// Once the server answers a GET of this path, such as `/health`, with a status below 400.
    pub fn http(path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), status: None }
    }

    /// Only with this status. Without a path, `/` is asked for.
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self.path.get_or_insert_with(|| "/".to_owned());
        self
    }

    /// Whether a path can be asked for, and a status can come.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(path) = &self.path {
            let shown: String = path.chars().take(80).collect();
            let unusable = |remedy| Err(Error::invalid_argument(format!("{shown:?} is not a path of a URL"), remedy));
            if !path.starts_with('/') {
                return unusable("give the part of the URL after the port, beginning with /, such as /health");
            }
            if !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') || path.len() > LONGEST / 16 {
                return unusable("write spaces and other special characters as %20 does, in at most 4096 characters");
            }
        }
        match self.status {
            Some(status) if !(200..600).contains(&status) => Err(refusals::no_status(status)),
            _ => Ok(()),
        }
    }

    /// Asks the server on a port that accepts connections. `None` if it is ready, else what it did. Takes no longer than
    /// `limit`; ends early once `is_cancelled`.
    pub(crate) fn ask(&self, port: u16, limit: Duration, is_cancelled: &dyn Fn() -> bool) -> Option<String> {
        let path = self.path.as_deref()?;
        let deadline = Deadline::new(limit.min(ANSWER));
        let mut said = Vec::new();
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            match get(SocketAddr::from((ip, port)), path, &deadline, is_cancelled) {
                Ok(status) if self.expects(status) => return None,
                Ok(status) => said.push(format!("GET {path} answered {status} on {ip}")),
                // There is no server on this address.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused) || is_missing(&error) => {}
                Err(error) => said.push(format!("GET {path} failed on {ip}: {error}")),
            }
        }
        if said.is_empty() {
            said.push(format!("GET {path} was refused"));
        }
        Some(said.join(", "))
    }

    fn expects(&self, status: u16) -> bool {
        self.status.map_or(status < 400, |expected| status == expected)
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || sys::is_no_such_family(error)
}

/// The status of the answer to a GET.
fn get(address: SocketAddr, path: &str, deadline: &Deadline, is_cancelled: &dyn Fn() -> bool) -> io::Result<u16> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let slice = || SLICE.min(deadline.left()).max(Duration::from_millis(1));
    let mut socket = sys::socket(Domain::for_address(address), Type::STREAM, None)?;
    // This machine answers at once, or its server's queue is full, and another attempt comes sooner than TCP's own.
    socket.connect_timeout(&address.into(), SLICE)?;
    refuse_itself(&socket, address)?;
    socket.set_write_timeout(Some(SLICE))?;
    // A host that development servers know; some answer no other.
    let port = address.port();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: portalloc\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 2048];
    loop {
        socket.set_read_timeout(Some(slice()))?;
        match socket.read(&mut chunk) {
            Ok(0) => return Err(io::Error::other("it closed the connection without an answer")),
            Ok(length) => answer.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The time of a read is over; the kernel has two names for that.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        if let Some(status) = status(&mut answer)? {
            return Ok(status);
        }
        if deadline.left().is_zero() || is_cancelled() {
            return Err(late());
        }
    }
}

/// A connection to a free port may have met itself: see `connect`.
fn refuse_itself(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if socket.local_addr()?.as_socket() == Some(address) {
        let _ = socket.set_linger(Some(Duration::ZERO));
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

/// The status in the answer so far; `None` until it is there. Removes interim answers, such as 103 Early Hints.
fn status(answer: &mut Vec<u8>) -> io::Result<Option<u16>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(answer);
        let code = response.code;
        match (parsed, code) {
            (Ok(httparse::Status::Complete(length)), Some(100..=199)) => {
                answer.drain(..length.min(answer.len()));
            }
            (Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders), Some(code)) => {
                return Ok(Some(code));
            }
            (Ok(_), _) if answer.len() > LONGEST => return Err(io::Error::other("its answer has endless headers")),
            (Ok(_), _) => return Ok(None),
            (Err(_), _) => return Err(io::Error::other("its answer is not HTTP")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answer: &str) -> Option<u16> {
        status(&mut answer.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_status_is_read_once_the_headers_are_there() {
        assert_eq!(of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Some(200));
        assert_eq!(of("HTTP/1.0 404 Not Found\r\n\r\n"), Some(404));
        assert_eq!(of("HTTP/1.1 204\r\n\r\n"), Some(204));
        for part in ["", "HTTP", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n"] {
            assert_eq!(of(part), None, "{part:?}");
        }
        assert_eq!(of("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 503 No\r\n\r\n"), Some(503));
        assert_eq!(of("HTTP/1.1 100 Continue\r\n\r\n"), None);
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(HEADERS + 1));
        assert_eq!(of(&many), Some(200));
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for answer in ["\u{15}\u{3}\u{1}", "SSH-2.0-OpenSSH\r\n", "-ERR unknown command\r\n", "HTTP/9 x\r\n"] {
            assert!(status(&mut answer.as_bytes().to_vec()).is_err(), "{answer:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(LONGEST));
        assert!(status(&mut endless.into_bytes()).is_err());
    }

    #[test]
    fn what_is_expected() {
        let any = Readiness::http("/");
        assert!(any.expects(200) && any.expects(302) && !any.expects(404) && !any.expects(500));
        let one = Readiness::open().status(404);
        assert!(one.expects(404) && !one.expects(200) && one.path.as_deref() == Some("/"));
        assert_eq!(Readiness::open().ask(1, Duration::ZERO, &|| false), None);
    }

    #[test]
    fn paths_and_statuses_that_cannot_be() {
        for bad in ["", "health", "/a b", "/a\r\nHost: x", "/é", "/a#b", "http://localhost/"] {
            assert!(Readiness::http(bad).check().is_err(), "{bad:?}");
        }
        for bad in [0, 99, 100, 199, 600, u16::MAX] {
            assert!(Readiness::open().status(bad).check().is_err(), "{bad}");
        }
        assert!(Readiness::http("/a%20b?c=d&e").status(301).check().is_ok());
    }
}
