//! The report of a port by process: who has sockets on the port, or its lease.

use super::{PortReport, ProcessInfo};
use crate::port_state::{Holder, PortUsage};

/// A process that has a socket on a port, or took its lease.
///
/// [`PortReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortHolder {
    /// Its process ID; that of a mere lease holder is from its own PID namespace.
    pub pid: u32,
    /// The name of its program, if this process can read it.
    pub name: Option<String>,
    /// Details of the process, if it has a socket on the port.
    pub process: Option<ProcessInfo>,
    /// Whether it took the lease.
    pub leased: bool,
    /// Whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
    pub listening: bool,
}

impl PortReport {
    /// Each process that has a socket on the port, by PID, those that clients can reach first; then the one that took
    /// its lease, if it is not among them.
    #[must_use]
    pub fn holders(&self) -> Vec<PortHolder> {
        let mut holders: Vec<PortHolder> = Vec::new();
        for socket in &self.sockets {
            let listening = socket.is_reachable();
            for process in &socket.processes {
                match holders.iter_mut().find(|holder| holder.pid == process.pid) {
                    Some(holder) => holder.listening |= listening,
                    None => holders.push(PortHolder {
                        pid: process.pid,
                        name: Some(process.name.clone()),
                        process: Some(process.clone()),
                        leased: false,
                        listening,
                    }),
                }
            }
        }
        holders.sort_by_key(|holder| (!holder.listening, holder.pid));
        if let PortUsage::Held { holder: Some(Holder { pid, name, .. }), .. } = &self.usage {
            match holders.iter_mut().find(|holder| holder.pid == *pid) {
                Some(holder) => holder.leased = true,
                None => holders.push(PortHolder {
                    pid: *pid,
                    name: name.clone(),
                    process: None,
                    leased: true,
                    listening: false,
                }),
            }
        }
        holders
    }
}
