//! Who is on a port.

use std::path::Path;

use napi_derive::napi;
use portalloc::registry::Timestamp;
use portalloc::who::{HolderSummary, PortSummary, SocketSummary};

/// A point in time as JavaScript counts: milliseconds since 1970.
pub(crate) fn time(at: Timestamp) -> f64 {
    at.unix_ms() as f64
}

/// A path as text. One that is not UTF-8, which Node's own calls cannot name either, is shown as near as it gets.
pub(crate) fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A process that has a socket on a port, or took its lease.
#[napi(object, object_from_js = false)]
pub struct Holder {
    pub pid: u32,
    pub name: Option<String>,
    pub command: Option<String>,
    pub user: Option<String>,
    /// Milliseconds since 1970.
    pub started_at: Option<f64>,
    pub leased: bool,
    pub listening: bool,
}

/// A socket on a port.
#[napi(object, object_from_js = false)]
pub struct SocketInfo {
    #[napi(ts_type = "'tcp' | 'udp'")]
    pub protocol: &'static str,
    pub local: String,
    pub remote: Option<String>,
    pub state: &'static str,
    pub pids: Vec<u32>,
}

/// Who is on a port.
#[napi(object, object_from_js = false)]
pub struct PortReport {
    pub port: u16,
    pub message: String,
    pub in_use: bool,
    pub leased: bool,
    pub isolation_id: Option<String>,
    #[napi(ts_type = "'held' | 'kept'")]
    pub lifetime: Option<&'static str>,
    pub leased_by: Option<u32>,
    /// Milliseconds since 1970.
    pub leased_since: Option<f64>,
    pub sockets: Vec<SocketInfo>,
    pub holders: Vec<Holder>,
    pub complete: bool,
}

impl From<PortSummary> for PortReport {
    fn from(report: PortSummary) -> Self {
        let claim = report.claim.as_ref();
        Self {
            port: report.port,
            message: report.message,
            in_use: report.in_use,
            leased: claim.is_some(),
            lifetime: claim.map(|claim| claim.lifetime),
            leased_by: claim.and_then(|claim| claim.holder_pid),
            leased_since: claim.and_then(|claim| claim.since).map(time),
            isolation_id: report.claim.and_then(|claim| claim.isolation_id),
            sockets: report.sockets.into_iter().map(SocketInfo::from).collect(),
            holders: report.holders.into_iter().map(Holder::from).collect(),
            complete: report.complete,
        }
    }
}

impl From<HolderSummary> for Holder {
    fn from(holder: HolderSummary) -> Self {
        Self {
            pid: holder.pid,
            name: holder.name,
            command: holder.command,
            user: holder.user,
            started_at: holder.started_at.map(time),
            leased: holder.leased,
            listening: holder.listening,
        }
    }
}

impl From<SocketSummary> for SocketInfo {
    fn from(socket: SocketSummary) -> Self {
        Self {
            protocol: socket.protocol,
            local: socket.local,
            remote: socket.remote,
            state: socket.state,
            pids: socket.pids,
        }
    }
}
