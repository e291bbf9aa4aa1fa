//! Who is on a port.

use std::path::Path;

use napi_derive::napi;
use portalloc::{PortHolder, PortUsage, Timestamp};

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

impl From<portalloc::PortReport> for PortReport {
    fn from(report: portalloc::PortReport) -> Self {
        let nobody = (None, None, None, None);
        let (lifetime, leased_by, id, since) = match &report.usage {
            PortUsage::Held { holder, id, since } => (Some("held"), holder.as_ref().map(|by| by.pid), *id, *since),
            PortUsage::Kept { id, since } => (Some("kept"), None, Some(*id), Some(*since)),
            _ => nobody,
        };
        Self {
            port: report.port,
            message: report.to_string(),
            in_use: !report.sockets.is_empty(),
            leased: lifetime.is_some(),
            isolation_id: id.map(|id| id.to_string()),
            lifetime,
            leased_by,
            leased_since: since.map(time),
            sockets: report.sockets.iter().map(SocketInfo::from).collect(),
            holders: report.holders().into_iter().map(Holder::from).collect(),
            complete: report.complete,
        }
    }
}

impl From<PortHolder> for Holder {
    fn from(holder: PortHolder) -> Self {
        let PortHolder { pid, name, process, leased, listening, .. } = holder;
        let started_at = process.as_ref().map(|process| time(process.started_at));
        let user =
            process.as_ref().map(|process| process.user_name.clone().unwrap_or_else(|| process.user_id.to_string()));
        Self { pid, name, command: process.map(|process| process.command), user, started_at, leased, listening }
    }
}

impl From<&portalloc::SocketInfo> for SocketInfo {
    fn from(socket: &portalloc::SocketInfo) -> Self {
        Self {
            protocol: socket.protocol,
            local: socket.local.to_string(),
            remote: socket.remote.map(|remote| remote.to_string()),
            state: socket.state,
            pids: socket.processes.iter().map(|process| process.pid).collect(),
        }
    }
}
