//! Who is on a port.

use std::ffi::{CString, c_char};
use std::ptr;

use portalloc_core::who::{HolderSummary, PortSummary};
use portalloc_core::{Settings, ffi};

use crate::options::ALLOCATORS;
use crate::pointers::{borrow, free, give, write};
use crate::results::{ResultNumber, c_text, call, value};

/// Who is on a port: the processes that have sockets on it or took its lease.
pub struct Report {
    report: PortSummary,
    message: CString,
    holders: Vec<Seen>,
}

/// A process with what C reads of it.
struct Seen {
    holder: HolderSummary,
    name: Option<CString>,
    command: Option<CString>,
    user: Option<CString>,
}

/// A process that has a socket on a port, or took its lease. Its texts live as long as the report.
#[repr(C)]
pub struct Holder {
    /// Its process ID; of one that only has the lease, as seen from its own PID namespace.
    pub pid: u32,
    /// Whether it took the port's lease.
    pub leased: bool,
    /// Whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
    pub listening: bool,
    /// Its command name; NULL where it cannot be read from here.
    pub name: *const c_char,
    /// Its command line; NULL if it has no socket on the port.
    pub command: *const c_char,
    /// The user it runs as, by name or else by number; NULL if it has no socket on the port.
    pub user: *const c_char,
    /// When it started, in milliseconds since 1970 (UTC); 0 if it has no socket on the port.
    pub started_at_unix_ms: u64,
}

/// Who is on this port, in a report to be freed by `portalloc_report_free`. Nothing is locked, probed or changed. Processes
/// of other users can be seen by root only.
///
/// # Safety
/// `out` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_who(port: u16, out: *mut *mut Report) -> ResultNumber {
    call(|| {
        let reports = ALLOCATORS.with(&Settings::new(), |allocator| allocator.who([port]))?;
        let report = reports.into_iter().next().ok_or_else(|| ffi::no_port(port))?;
        let mut report = PortSummary::from(&report);
        let holders = std::mem::take(&mut report.holders).into_iter().map(|holder| Seen {
            name: holder.name.as_deref().map(c_text),
            command: holder.command.as_deref().map(c_text),
            user: holder.user.as_deref().map(c_text),
            holder,
        });
        let (holders, message) = (holders.collect(), c_text(&report.message));
        // SAFETY: as this function's caller promises.
        unsafe { give(out, Report { report, message, holders }) }
    })
}

/// One sentence: who is on it, since when, and the lease or environment that has it. NULL for NULL.
///
/// # Safety
/// `report` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_report_message(report: *const Report) -> *const c_char {
    // SAFETY: as this function's caller promises.
    value(ptr::null(), || Ok(unsafe { borrow(report, "report") }?.message.as_ptr()))
}

/// Whether there is a socket on the port.
///
/// # Safety
/// `report` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_report_in_use(report: *const Report) -> bool {
    // SAFETY: as this function's caller promises.
    value(false, || Ok(unsafe { borrow(report, "report") }?.report.in_use))
}

/// Whether a lease or an environment has the port.
///
/// # Safety
/// `report` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_report_leased(report: *const Report) -> bool {
    value(false, || {
        // SAFETY: as this function's caller promises.
        let report = unsafe { borrow(report, "report") }?;
        Ok(report.report.claim.is_some())
    })
}

/// How many processes there are.
///
/// # Safety
/// `report` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_report_holder_count(report: *const Report) -> usize {
    // SAFETY: as this function's caller promises.
    value(0, || Ok(unsafe { borrow(report, "report") }?.holders.len()))
}

/// The process at `index`. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT if there is none.
///
/// # Safety
/// `report` must be NULL or a live handle, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_report_holder(
    report: *const Report,
    index: usize,
    out: *mut Holder,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let holders = &unsafe { borrow(report, "report") }?.holders;
        let Seen { holder, name, command, user } =
            holders.get(index).ok_or_else(|| ffi::no_item(index, holders.len(), "processes"))?;
        let text = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let seen = Holder {
            pid: holder.pid,
            leased: holder.leased,
            listening: holder.listening,
            name: text(name),
            command: text(command),
            user: text(user),
            started_at_unix_ms: holder.started_at.map_or(0, |at| at.unix_ms()),
        };
        // SAFETY: as this function's caller promises.
        unsafe { write(out, seen) }
    })
}

/// Frees it. NULL does nothing.
///
/// # Safety
/// `report` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_report_free(report: *mut Report) {
    // SAFETY: as this function's caller promises.
    unsafe { free(report) };
}
