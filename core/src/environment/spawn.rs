//! Starts a program in a held environment, which then lives as long as the program and any process that inherits from
//! it.

use std::io;
use std::net::IpAddr;
use std::process::{Child, Command};

use super::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::lease::{Lease, SocketOptions};
use crate::sys::{self, Activation, ServerSocket, words};

/// How to start a program.
///
/// ```
/// use std::process::Command;
/// use portalloc::EnvironmentRequest;
/// use portalloc::environment::SpawnOptions;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new().names(["web"]))?;
/// let mut command = Command::new("sh");
/// command.args(["-c", "test -n \"$WEB_PORT\""]);
/// let status = environment.spawn(command, &SpawnOptions::new())?.wait().unwrap();
/// assert!(status.success());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct SpawnOptions {
    listen: Option<Listen>,
}

/// Where the passed sockets listen.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Listen {
    /// On 127.0.0.1 and, where the machine has it, on ::1.
    Loopback,
    On(Vec<IpAddr>),
}

impl SpawnOptions {
    /// Passes variables and lease, and no sockets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes listening sockets by systemd's protocol (`LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES`, starting at
    /// descriptor 3): for each port one on 127.0.0.1, in the order of the ports; then, where the machine has it, for
    /// each port one on ::1, in the same order. The sockets have the names of the ports.
    pub fn listen(mut self) -> Self {
        self.listen = Some(Listen::Loopback);
        self
    }

    /// As [`listen`](Self::listen), on these addresses: for each port one on the first address, then for each port one
    /// on the next. Use one address, such as 127.0.0.1, for servers that accept only one socket per port; otherwise
    /// clients of the other socket would hang.
    pub fn listen_on(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.listen = Some(Listen::On(addresses.into_iter().collect()));
        self
    }
}

impl Environment {
    /// Starts `command` with this environment's variables and lease, and with no signal blocked. The lease lives until
    /// this process and every process that inherited it have ended or released it.
    ///
    /// When sockets are passed, [`Command::env_clear`] and `arg0` have no effect, because they cannot be read from a
    /// command. Variables that are set or removed one by one do have one.
    ///
    /// # Errors
    /// `not_found` if there is no such program; `permission_denied` if it cannot be executed or its symbolic links form
    /// a loop; `port_in_use` if a foreign process is on a port to listen on; `invalid_argument` if this process does
    /// not hold the environment or if `LISTEN_FDS` is set already; `io`.
    pub fn spawn(&self, mut command: Command, options: &SpawnOptions) -> Result<Child> {
        let lease = self.held_lease()?;
        let activation = options.listen.as_ref().map(|listen| self.activation(&lease, listen)).transpose()?;
        let inherited = lease.pass_on()?;
        command.envs(self.variables());
        let program = command.get_program().to_string_lossy().into_owned();
        sys::spawn(command, &inherited, activation).map_err(|error| not_started(&program, error))
    }

    /// Makes the system keep the exit status of this process's children until it is read. Without this, waiting for a
    /// started program fails in a process that ignores SIGCHLD, for instance because it inherited that. This changes
    /// the whole process, so the application decides: [`spawn`](Self::spawn) does not do it.
    ///
    /// # Errors
    /// `io` if the system call fails.
    pub fn keep_exit_statuses() -> Result<()> {
        sys::keep_exit_statuses().map_err(|error| Error::os(words::NO_EXIT_STATUSES, error))
    }

    /// The sockets for systemd's protocol.
    fn activation(&self, lease: &Lease, listen: &Listen) -> Result<Activation> {
        if std::env::var_os("LISTEN_FDS").is_some() {
            return Err(Error::invalid_argument(
                "LISTEN_FDS is set already: this process itself received sockets",
                "unset LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, if they are not for the program",
            ));
        }
        let mut of_addresses: Vec<Vec<ServerSocket>> = Vec::new();
        for index in 0..self.ports().len() {
            let sockets: Vec<ServerSocket> = match listen {
                Listen::Loopback => lease.listeners(index)?.into_iter().map(ServerSocket::from).collect(),
                Listen::On(addresses) => addresses
                    .iter()
                    .map(|address| lease.socket(index, &SocketOptions::tcp().address(*address)))
                    .collect::<Result<_>>()?,
            };
            of_addresses.resize_with(sockets.len(), Vec::new);
            of_addresses.iter_mut().zip(sockets).for_each(|(of_address, socket)| of_address.push(socket));
        }
        let names = (0..self.ports().len()).map(|index| self.record.port_name(index));
        let names = of_addresses.iter().flat_map(|_| names.clone()).collect();
        Ok(Activation { sockets: of_addresses.into_iter().flatten().collect(), names })
    }
}

/// Why a program cannot be executed. The codes tell what shells tell by the statuses 127 and 126.
pub(super) fn not_started(program: &str, error: io::Error) -> Error {
    match error.kind() {
        // A component of the path may be a file.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::new(
            ErrorCode::NotFound,
            format!("there is no command {program:?}"),
            "check its name, or give its path",
        ),
        io::ErrorKind::PermissionDenied => Error::os(format!("cannot execute {program:?}"), error),
        // The program exists but cannot be executed, as in bash.
        _ if sys::leads_in_a_circle(&error) => Error::os(format!("cannot execute {program:?}"), error)
            .recast(ErrorCode::PermissionDenied, "")
            .with_remedy("fix the symbolic links in its path"),
        _ => Error::os(format!("cannot start {program:?}"), error),
    }
}
