//! The namespaces of this process, and what it can see of others.

use super::report::Check;
use crate::registry::Namespace;
use crate::sys::{self, ProcessStamp, doctor_words, words};

/// The line about `/proc`, from which most of these facts come.
pub(super) const PROC: &str = "proc";

/// Whose ports these are.
pub(super) fn network_namespace() -> Check {
    const CODE: &str = "network_namespace";
    let own = match sys::network_namespace() {
        Ok(own) => own,
        Err(_) => return Check::skipped(CODE, PROC),
    };
    let cookie = Namespace::current().ok().and_then(Namespace::number);
    let check = match sys::network_namespace_of_init() {
        Ok(inits) if inits != own => Check::note(
            CODE,
            format!(
                "net:[{own}], not that of process 1: its ports are its own, and leases exclude only processes in it"
            ),
        ),
        _ => Check::ok(CODE, format!("net:[{own}]: leases exclude every process in it")),
    };
    let check = check.fact("number", own);
    cookie.map_or(check.clone(), |cookie| check.fact("cookie", cookie))
}

/// Whether process IDs mean the same to this process and to `/proc`.
pub(super) fn pid_namespace() -> Check {
    const CODE: &str = "pid_namespace";
    let Some(own) = sys::namespaces().get("pid").copied() else {
        return Check::skipped(CODE, PROC);
    };
    let check = if sys::sees_own_processes() {
        Check::ok(CODE, format!("pid:[{own}], {}", doctor_words::OWN_PROCESSES))
    } else {
        Check::note(CODE, format!("pid:[{own}], {}", doctor_words::OTHER_PROCESSES))
            .remedy(doctor_words::SHOW_OWN_PROCESSES)
    };
    check.fact("number", own)
}

/// Whether file owners can be told apart.
pub(super) fn user_namespace() -> Check {
    const CODE: &str = "user_namespace";
    let Some(own) = sys::namespaces().get("user").copied() else {
        return Check::skipped(CODE, PROC);
    };
    let check = if sys::maps_all_users() {
        Check::ok(CODE, format!("user:[{own}], with every user of the machine"))
    } else {
        Check::note(
            CODE,
            format!("user:[{own}], without some users of the machine: their files seem to belong to nobody"),
        )
    };
    check.fact("number", own)
}

/// What `/proc` hides.
pub(super) fn process_list() -> Check {
    const CODE: &str = PROC;
    if let Err(error) = ProcessStamp::current() {
        return Check::broken(CODE, format!("{}: {error}", words::NO_PROCESS), words::MOUNT_PROC);
    }
    let hidden = sys::hidden();
    if hidden.is_empty() {
        return Check::ok(CODE, doctor_words::PROCESSES_SHOWN);
    }
    Check::note(CODE, hidden.join("; "))
}
