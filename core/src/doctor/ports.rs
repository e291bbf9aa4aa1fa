//! The pool, and what the kernel takes from it.

use super::report::Check;
use crate::check;
use crate::error::{Error, Result};
use crate::pool::{KernelPorts, LeftOutReason, Pool, PortRange, PortSet};
use crate::port_state::PortUsage;
use crate::registry::Registry;
use crate::settings::Chosen;
use crate::sys::doctor_words::{EPHEMERAL, RESERVED, UNPRIVILEGED};
use crate::sys::{self, words};

type Text = Chosen<Result<Option<String>>>;

/// The pool, and what was left out of it.
pub(super) fn pool(asked: Text, exclude: Text, kernel: &KernelPorts) -> (Check, Option<Pool>) {
    const CODE: &str = "pool";
    let (by, excluded_by) = (asked.by, exclude.by);
    match made(asked, exclude, kernel) {
        Ok(pool) => {
            let mut message = format!("{} ({by}): {} ports may be leased", pool.asked(), pool.ports().count());
            let left_out: Vec<_> =
                pool.left_out().iter().map(|left| format!("{} {}", left.ports.count(), phrase(left.reason))).collect();
            if !left_out.is_empty() {
                message += &format!("; left out: {}", left_out.join(", "));
            }
            let mut check = Check::ok(CODE, message)
                .fact("asked", pool.asked())
                .fact("asked_by", by)
                .fact("excluded_by", excluded_by)
                .fact("ports", pool.ports());
            for left in pool.left_out() {
                check = check.fact(left.reason.name(), &left.ports);
            }
            (check, Some(pool))
        }
        Err(error) => (Check::failed(CODE, &error), None),
    }
}

/// As in "3 excluded".
fn phrase(reason: LeftOutReason) -> &'static str {
    match reason {
        LeftOutReason::Ephemeral => "in the ephemeral range",
        LeftOutReason::Reserved => "reserved by the administrator",
        LeftOutReason::Excluded => "excluded",
        LeftOutReason::Known => "used by default by well-known services",
        LeftOutReason::Refused => "refused by browsers",
    }
}

fn verb(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn made(asked: Text, exclude: Text, kernel: &KernelPorts) -> Result<Pool, Error> {
    Pool::new(asked.value?.as_deref(), exclude.value?.as_deref(), kernel)
}

/// Whether the kernel itself may give out ports of the pool.
pub(super) fn ephemeral_range(pool: Option<&Pool>, kernel: &KernelPorts) -> Check {
    const CODE: &str = "ephemeral_range";
    let ephemeral: PortSet = kernel.ephemeral.into_iter().collect();
    let Some(pool) = pool else { return Check::skipped(CODE, "pool").fact("range", ephemeral) };
    let both = pool.ports().intersection(&ephemeral);
    let check = if both.is_empty() {
        Check::ok(CODE, format!("{ephemeral}: no port that may be leased is in it"))
    } else {
        Check::broken(
            CODE,
            format!(
                "{ephemeral} includes {} of the ports that may be leased: an outgoing connection or a bind(0) of any \
                 program may take a leased port before your server binds it",
                both.count()
            ),
            format!("set PORTALLOC_POOL to ports outside of {ephemeral}, or change {EPHEMERAL}"),
        )
    };
    check.fact("range", ephemeral)
}

/// Which ports the administrator has reserved.
pub(super) fn reserved_ports(pool: Option<&Pool>, kernel: &KernelPorts) -> Check {
    const CODE: &str = "reserved_ports";
    let Some(pool) = pool else { return Check::skipped(CODE, "pool").fact("reserved", &kernel.reserved) };
    // The text of a pool that was built.
    let asked = PortSet::parse(pool.asked()).unwrap_or_default();
    let both = asked.intersection(&kernel.reserved);
    let check = if kernel.reserved.is_empty() {
        Check::ok(CODE, format!("{RESERVED} reserves none"))
    } else if both.is_empty() {
        Check::ok(CODE, format!("{} are reserved, none of the pool", kernel.reserved))
    } else {
        Check::note(CODE, format!("{RESERVED} reserves {both} of the pool: they are never leased"))
    };
    check.fact("reserved", &kernel.reserved)
}

/// Whether this user may bind every port of the pool.
pub(super) fn low_ports(pool: Option<&Pool>, registry: Option<&Registry>) -> Check {
    const CODE: &str = "low_ports";
    let Some(pool) = pool else { return Check::skipped(CODE, "pool") };
    let first = sys::first_unprivileged_port();
    let low: PortSet = PortRange::new(1, first.saturating_sub(1)).into_iter().collect();
    let low = pool.ports().intersection(&low);
    // Only a bind tells: capabilities count in the user namespace that owns the network namespace.
    let is_denied = match (low.ports().next(), registry) {
        (None, _) => Ok(false),
        (Some(_), None) => return Check::skipped(CODE, "registry"),
        (Some(port), Some(registry)) => registry
            .ports()
            .and_then(|ports| check::occupied(&ports, port))
            .map(|usage| matches!(usage, Some(PortUsage::Denied))),
    };
    match is_denied {
        Ok(false) => Check::ok(CODE, "this user may bind every port of the pool"),
        Ok(true) => Check::broken(
            CODE,
            format!(
                "this user may bind only ports from {first} on ({UNPRIVILEGED}), and {} of the pool \
                 {} below",
                low.count(),
                verb(low.count())
            ),
            words::ALLOW_LOW_PORTS,
        ),
        Err(error) => Check::failed(CODE, &error),
    }
}
