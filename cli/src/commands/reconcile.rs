//! `portalloc reconcile`

use portalloc::registry::RepairKind;
use portalloc::{Allocator, Settings};

use crate::exit::{Exit, Failure};
use crate::{output, wanted};

pub(crate) fn run() -> Result<Exit, Failure> {
    reconcile(&wanted::open(Settings::new())?, output::result)
}

/// Repairs, and reports each repair through `tell`.
pub(super) fn reconcile(allocator: &Allocator, tell: impl Fn(&str) -> std::io::Result<()>) -> Result<Exit, Failure> {
    let repairs = allocator.reconcile()?;
    let repaired = repairs.iter().filter(|repair| repair.kind.is_repaired()).count();
    let text: String = repairs.iter().map(|repair| format!("{}\n", output::plain(repair))).collect();
    tell(&format!("{text}{} repaired\n", output::count(repaired, "label")))?;
    let taken = repairs.iter().any(|repair| matches!(repair.kind, RepairKind::Taken(_)));
    Ok(if taken { Exit::LeaseLost } else { Exit::Success })
}
