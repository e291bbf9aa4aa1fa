//! Waits until the servers on an environment's ports are the environment's own. Does not say whose a process is: `ours`
//! does.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use super::facts::{Scene, Sight, listens, sockets};
use super::ours::Verdict;
use super::stop::ports as ports_of;
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::readiness::Readiness;
use crate::wait::until_ready;

/// How often processes are searched for while a listener that cannot be inspected stays the same: a search opens the
/// descriptors of every process.
const SEARCH: Duration = Duration::from_millis(250);

impl Environment {
    /// Waits until the server on each of `ports` is ready, and is this environment's own: see [`stop`](Self::stop) for
    /// what that means. An empty list stands for every port of the environment. Blocks for up to `limit`; a limit of
    /// zero checks once.
    ///
    /// Fails at once if the process that listens can be inspected and is not the environment's. One that cannot be
    /// inspected, such as root's or a container's, may still give way to the right one, so it is waited for.
    ///
    /// # Errors
    /// `port_in_use` for another one's server, with its name, PID and directory; `timeout`, whose message gives the last
    /// result for each port; `invalid_argument` for a port that is not the environment's; `io`.
    pub fn wait_until_ours(&self, ports: &[u16], readiness: &Readiness, limit: Duration) -> Result<()> {
        self.wait_until_ours_unless(ports, readiness, limit, &|| false)
    }

    /// As [`wait_until_ours`](Self::wait_until_ours), until `is_cancelled`.
    pub(crate) fn wait_until_ours_unless(
        &self,
        ports: &[u16],
        readiness: &Readiness,
        limit: Duration,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<()> {
        self.registry().check_netns()?;
        let asked = if ports.is_empty() { None } else { Some(ports) };
        let ports: Vec<u16> = ports_of(self, asked)?.into_iter().collect();
        let mut gate = Gate { sight: Sight::of(self), admitted: HashSet::new(), last: None };
        until_ready(&ports, readiness, limit, is_cancelled, |ports| gate.refused(ports))
    }
}

struct Gate {
    sight: Sight,
    /// The listeners that are ours.
    admitted: HashSet<u64>,
    /// When processes were last searched for, the listeners then, and why some did not count.
    last: Option<(Instant, BTreeSet<u64>, BTreeMap<u16, String>)>,
}

impl Gate {
    /// Why the listeners on some of `ports` do not count.
    fn refused(&mut self, ports: &[u16]) -> Result<BTreeMap<u16, String>> {
        let ports: BTreeSet<u16> = ports.iter().copied().collect();
        let found = sockets(&ports, listens)?;
        let listening: BTreeSet<u16> = found.iter().map(|socket| socket.local.port()).collect();
        let without = ports.difference(&listening);
        // A connection may have been accepted by a listener that is closed now.
        let mut refused: BTreeMap<u16, String> = without.map(|port| (*port, "nobody listens".to_owned())).collect();
        let new: BTreeSet<u64> = found.iter().map(|socket| socket.inode).collect();
        let new: BTreeSet<u64> = new.into_iter().filter(|inode| !self.admitted.contains(inode)).collect();
        if new.is_empty() {
            return Ok(refused);
        }
        match &self.last {
            Some((when, seen, why)) if *seen == new && when.elapsed() < SEARCH => refused.extend(why.clone()),
            _ => {
                let scene = self.sight.look(&ports, listens)?;
                let why = self.judge(&scene)?;
                refused.extend(why.clone());
                self.last = Some((Instant::now(), new, why));
            }
        }
        Ok(refused)
    }

    /// Admits what is ours; returns why other listeners do not count. Fails if one is somebody else's.
    fn judge(&mut self, scene: &Scene) -> Result<BTreeMap<u16, String>> {
        let mut refused = BTreeMap::new();
        for socket in &scene.sockets {
            let port = socket.local.port();
            let seats = scene.seats.values().filter(|seat| seat.sockets.contains(&socket.inode));
            let verdicts: Vec<_> =
                seats.map(|seat| (seat.pid, scene.people.judge(seat.pid, &self.sight.whose))).collect();
            // Several processes may share a listener, such as a server and whoever has started it.
            if verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Ours(_))) {
                self.admitted.insert(socket.inode);
                continue;
            }
            for (pid, verdict) in verdicts {
                match verdict {
                    Verdict::NotOurs(why) => return Err(foreign(scene, port, pid, &why)),
                    Verdict::Unknown(why) => {
                        refused.insert(port, format!("cannot tell whose server PID {pid} is: {why}"));
                    }
                    Verdict::Ours(_) => {}
                }
            }
            refused.entry(port).or_insert_with(|| {
                let hidden = scene.hidden.iter().find(|hidden| hidden.port == port);
                let why = hidden.map_or("its process has just ended", |hidden| &hidden.why);
                format!("cannot tell whose server listens: {why}")
            });
        }
        Ok(refused)
    }
}

/// The error of a server that is somebody else's.
fn foreign(scene: &Scene, port: u16, pid: u32, why: &str) -> Error {
    let told = scene.people.told(pid);
    Error::new(
        ErrorCode::PortInUse,
        format!("port {port} is in use by another one's server: {told}; {why}"),
        "end it where it belongs, then start yours; `portalloc who` shows more",
    )
}
