//! `portalloc reconcile`

use portalloc::registry::RepairKind;
use portalloc::{Allocator, Settings};

use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) fn run() -> Result<Exit, Failure> {
    reconcile(&super::open(Settings::new())?, output::result)
}

/// Repairs, and tells by `tell` what was repaired.
pub(super) fn reconcile(allocator: &Allocator, tell: impl Fn(&str) -> std::io::Result<()>) -> Result<Exit, Failure> {
    let repairs = allocator.reconcile()?;
    let repaired = repairs.iter().filter(|repair| repair.kind.is_repaired()).count();
    let text: String = repairs.iter().map(|repair| format!("{repair}\n")).collect();
    tell(&format!("{text}{} repaired\n", output::count(repaired, "label")))?;
    let taken = repairs.iter().any(|repair| matches!(repair.kind, RepairKind::Taken(_)));
    Ok(if taken { Exit::Failure } else { Exit::Success })
}
