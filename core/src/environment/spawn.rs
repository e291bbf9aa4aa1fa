//! Starting a program in a held environment, which then lives as long as the program and whatever that leaves running.

use std::io;
use std::net::IpAddr;
use std::process::{Child, Command};

use super::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::lease::{Lease, SocketOptions};
use crate::sys::{self, Activation, ServerSocket, words};

/// How a program is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct SpawnOptions {
    listen: Option<Listen>,
}

/// Where the sockets listen that are passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Listen {
    /// On 127.0.0.1 and, where the machine has it, on ::1.
    Loopback,
    On(Vec<IpAddr>),
}

impl SpawnOptions {
    /// With variables and lease, and no more.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes listening sockets by systemd's protocol (`LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES`, from descriptor 3
    /// on): for each port one on 127.0.0.1, in the order of the ports; then, where the machine has it, for each port one
    /// on ::1, in the same order. They are named as the ports are.
    pub fn listen(mut self) -> Self {
        self.listen = Some(Listen::Loopback);
        self
    }

    /// As [`listen`](Self::listen), on these addresses: for each port one on the first, then for each port one on the
    /// next. One address, such as 127.0.0.1, is for servers that take no more than one socket a port: on one that nobody
    /// accepts from, clients would hang.
    pub fn listen_on(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.listen = Some(Listen::On(addresses.into_iter().collect()));
        self
    }
}

impl Environment {
    /// Starts `command` with this environment's variables and lease, with no signal blocked. The lease lives until this
    /// process and every one that inherited it have ended or let go of it.
    ///
    /// With sockets to pass on, what [`Command::env_clear`] and `arg0` have set does not count, since a command does not
    /// tell it; variables that are set and removed one by one do.
    ///
    /// # Errors
    /// `not_found` if there is no such program, `permission_denied` if it cannot be executed or its links lead in a circle,
    /// `port_in_use` if a stranger is on a port to listen on, `invalid_argument` if the environment is not held by this
    /// process or if `LISTEN_FDS` is set already, `io`.
    pub fn spawn(&self, mut command: Command, options: &SpawnOptions) -> Result<Child> {
        let lease = self.held_lease()?;
        let activation = options.listen.as_ref().map(|listen| self.activation(&lease, listen)).transpose()?;
        let inherited = lease.pass_on()?;
        command.envs(self.variables());
        let program = command.get_program().to_string_lossy().into_owned();
        sys::spawn(command, &inherited, activation).map_err(|error| match error.kind() {
            // Behind a file there is nothing, either.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::new(
                ErrorCode::NotFound,
                format!("there is no command {program:?}"),
                "check its name, or give its path",
            ),
            io::ErrorKind::PermissionDenied => Error::os(format!("cannot execute {program:?}"), error),
            // Something is there that cannot be executed, as bash has it.
            _ if sys::leads_in_a_circle(&error) => Error::os(format!("cannot execute {program:?}"), error)
                .recast(ErrorCode::PermissionDenied, "")
                .with_remedy("mend the links that it goes through"),
            _ => Error::os(format!("cannot start {program:?}"), error),
        })
    }

    /// Has the system keep the exit status of this process's children until it is asked for. Where it was told otherwise, as
    /// by an inherited SIGCHLD that is ignored, waiting for a started program would else fail. It is for the whole process, so whoever owns that
    /// decides: [`spawn`](Self::spawn) does not do it.
    ///
    /// # Errors
    /// `io` if the system refuses.
    pub fn keep_exit_statuses() -> Result<()> {
        sys::keep_exit_statuses().map_err(|error| Error::os(words::NO_EXIT_STATUSES, error))
    }

    /// The sockets for systemd's protocol.
    fn activation(&self, lease: &Lease, listen: &Listen) -> Result<Activation> {
        if std::env::var_os("LISTEN_FDS").is_some() {
            return Err(Error::invalid_argument(
                "LISTEN_FDS is set already: this process was itself given sockets",
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
