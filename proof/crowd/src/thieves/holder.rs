//! Those who are robbed: the ways to have twenty ports until the server binds them. Knows portalloc, not the thieves.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use portalloc::pool::DEFAULT_POOL;
use portalloc::{Lease, LeaseRequest, ServerSocket, Settings, SocketOptions};

use super::EPHEMERAL;
use crate::fault::{Doing, Fallible};
use crate::sockets::{self, DUAL, LOOPBACK, LOOPBACK_6};

/// How many ports each has.
pub(super) const PORTS: usize = 20;

/// A pool in the middle of the ephemeral range.
fn ephemeral_pool() -> String {
    format!("{}-{}", EPHEMERAL.0 + 100, EPHEMERAL.0 + 199)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Nothing,
    Ephemeral,
    Default,
    SharedGuard,
    ExclusiveGuard,
    PassedSocket,
    BoundOnly,
    WidePassedSocket,
    RunGuard,
    RunListen,
}

impl Holder {
    /// With the thieves that it is promised to keep off (`docs/socket-activation.md`, README).
    pub(super) const ALL: [(Self, &'static str, &'static [&'static str]); 10] = [
        (Self::Nothing, "nothing: probed and closed, as others do", &[]),
        (Self::Ephemeral, "a lease, in the ephemeral range because somebody asked for that", &[]),
        (Self::Default, "a lease from the default pool", &["aW", "a4", "a6", "b", "eA"]),
        (Self::SharedGuard, "a shared guard, in the ephemeral range", &["aW", "a4", "a6", "b", "c"]),
        (
            Self::ExclusiveGuard,
            "an exclusive guard, in the ephemeral range",
            &["aW", "a4", "a6", "b", "c", "d", "e", "eA"],
        ),
        (
            Self::PassedSocket,
            "sockets for the server, of a guarded lease there",
            &["aW", "a4", "a6", "b", "c", "d", "e", "eA"],
        ),
        (Self::BoundOnly, "the same sockets, not listening yet", &["aW", "a4", "a6", "b", "c", "e", "eA"]),
        (
            Self::WidePassedSocket,
            "sockets on [::] for TCP and UDP, without a guard, there",
            &["aW", "a4", "a6", "b", "c", "d", "e", "eA"],
        ),
        (Self::RunGuard, "`portalloc run --guard`, there", &["aW", "a4", "a6", "b", "c"]),
        (Self::RunListen, "`portalloc run --listen`, there", &["aW", "a4", "a6", "b", "c", "d"]),
    ];

    /// Holds ports until the result is dropped. `directory` is for the registry.
    pub(super) fn hold(self, directory: &Path) -> Fallible<Held> {
        let open = |pool: &str| Settings::new().directory(directory.join("registry")).pool(pool).exclude("").open();
        let guarded = |guard| open(&ephemeral_pool())?.lease(LeaseRequest::run(PORTS).guard(guard));
        let held = match self {
            Self::Nothing => {
                let ports: Vec<u16> = (EPHEMERAL.0 + 100..).take(PORTS).collect();
                for port in &ports {
                    sockets::serve(*port).doing(|| format!("port {port} is not free to begin with"))?;
                }
                Held { ports, ..Held::default() }
            }
            Self::Ephemeral => Held::of(guarded(false)?),
            Self::Default => Held::of(open(DEFAULT_POOL)?.lease(PORTS)?),
            Self::ExclusiveGuard => Held::of(guarded(true)?),
            Self::SharedGuard => {
                let lease = guarded(true)?;
                lease.share_guard()?;
                Held::of(lease)
            }
            Self::PassedSocket => {
                let mut held = Held::of(guarded(true)?);
                held.listen()?;
                held
            }
            Self::BoundOnly => {
                let mut held = Held::of(guarded(true)?);
                held.bind_only()?;
                held
            }
            Self::WidePassedSocket => {
                let mut held = Held::of(guarded(false)?);
                held.listen_widely()?;
                held
            }
            Self::RunGuard => Held::by_run("--guard", directory)?,
            Self::RunListen => Held::by_run("--listen", directory)?,
        };
        if held.ports.len() == PORTS { Ok(held) } else { Err(format!("{self:?} has {:?}", held.ports).into()) }
    }
}

/// Ports, and whatever holds them.
#[derive(Default)]
pub(super) struct Held {
    pub(super) ports: Vec<u16>,
    listeners: Vec<TcpListener>,
    sockets: Vec<ServerSocket>,
    lease: Option<Lease>,
    _run: Option<Running>,
}

/// A command that waits for the end of its input, and gets it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Held {
    fn of(lease: Lease) -> Self {
        Self { ports: lease.ports().to_vec(), lease: Some(lease), ..Self::default() }
    }

    fn listen(&mut self) -> Fallible<()> {
        for (index, lease) in self.lease.iter().flat_map(|lease| (0..PORTS).map(move |index| (index, lease))) {
            self.listeners.extend(lease.listeners(index)?);
        }
        Ok(())
    }

    fn bind_only(&mut self) -> Fallible<()> {
        for (index, lease) in self.lease.iter().flat_map(|lease| (0..PORTS).map(move |index| (index, lease))) {
            for address in [LOOPBACK, LOOPBACK_6] {
                self.sockets.push(lease.socket(index, &SocketOptions::tcp().address(address).listen(false))?);
            }
        }
        Ok(())
    }

    fn listen_widely(&mut self) -> Fallible<()> {
        for (index, lease) in self.lease.iter().flat_map(|lease| (0..PORTS).map(move |index| (index, lease))) {
            self.sockets.push(lease.socket(index, &SocketOptions::tcp().address(DUAL))?);
            self.sockets.push(lease.socket(index, &SocketOptions::udp().address(DUAL))?);
        }
        Ok(())
    }

    /// A command that says its ports and waits for the end of its input.
    fn by_run(option: &str, directory: &Path) -> Fallible<Self> {
        let ports = PORTS.to_string();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["portalloc", "portalloc", "run", "--ports", &ports, option, "--"])
            .args(["sh", "-c", "echo \"$PORT_BASE\"; read -r _"])
            .env("PORTALLOC_DIR", directory.join("registry"))
            .env("PORTALLOC_POOL", ephemeral_pool())
            .env("TMPDIR", directory)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The warning that the pool lies inside the ephemeral range.
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        if let Some(stdout) = &mut child.stdout {
            BufReader::new(stdout).read_line(&mut said)?;
        }
        let Ok(base) = said.trim().parse::<u16>() else {
            let mut why = String::new();
            child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut why)).transpose()?;
            child.wait()?;
            return Err(format!("`portalloc run {option}` fails: {why}").into());
        };
        Ok(Self { ports: (base..).take(PORTS).collect(), _run: Some(Running(child)), ..Self::default() })
    }
}
