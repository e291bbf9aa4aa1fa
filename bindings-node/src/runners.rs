//! What the helpers for test runners ask when a test is over. Not for users: `index.js` does not show it.

use napi::Env;
use napi_derive::napi;
use portalloc::conflict::Clash;
use portalloc::who::PortSummary;

use crate::arguments::{Where, checked, ports};
use crate::reports::PortReport;
use crate::{call, held, held_ports};

/// Groups of ports that a text about an address in use may mean, the surest first; none if it tells of no such thing.
#[napi]
pub fn clash_in(text: String) -> Option<Vec<Vec<u16>>> {
    Clash::in_text(&text).map(|Clash { told, around }| vec![told, around])
}

/// Reports of those of the ports that can be what a clash was about.
#[napi]
pub fn culprits(env: &Env, numbers: Vec<f64>, place: Option<Where>) -> napi::Result<Vec<PortReport>> {
    let ports = checked(env, ports(numbers))?;
    let reports = call::here(env, &call::settings(place), |allocator| allocator.culprits(ports))?;
    Ok(reports.iter().map(|report| PortSummary::from(report).into()).collect())
}

/// A sentence for each port with a server, of those that are still leased, but about to be given back.
#[napi]
pub fn leaks(env: &Env, numbers: Vec<f64>, place: Option<Where>) -> napi::Result<Vec<String>> {
    let ports = checked(env, ports(numbers))?;
    let leaks = call::here(env, &call::settings(place), |allocator| allocator.leaks(&ports, true))?;
    Ok(leaks.into_iter().map(|leak| leak.message).collect())
}

/// A point in what this thread takes, for `give_back_since`.
#[napi]
pub fn mark() -> i64 {
    held::last_number()
}

/// Ends what this thread has taken since then and not given back: leases, held environments, and ports.
#[napi]
pub fn give_back_since(env: &Env, mark: i64) -> napi::Result<()> {
    call::without_allocator(env, || {
        held::end_since(mark);
        held_ports::give_back_since(mark);
        Ok(())
    })
}
