//! `portalloc cleanup`

use std::fmt::Write as _;

use portalloc::cleanup::{CleanupReport, Reason, Removed, Selection};
use portalloc::{IsolationId, Settings};

use crate::args::Cleanup;
use crate::exit::{Exit, Failure};
use crate::{output, wanted};

pub(crate) fn run(args: &Cleanup) -> Result<Exit, Failure> {
    let selections = selections(args)?;
    let allocator = wanted::open(Settings::new())?;
    let mut exit = Exit::Success;
    let mut nothing = true;
    for selection in selections {
        let mut cleanup = portalloc::cleanup::Cleanup::new(selection.clone());
        if let Some(worktree) = &args.worktree {
            cleanup = cleanup.worktree(worktree);
        }
        match allocator.cleanup(&cleanup) {
            Ok(report) => {
                nothing &= report.removed.is_empty() && report.swept.is_empty() && report.skipped.is_empty();
                output::result(&human(&report))?;
                for skipped in report.skipped {
                    exit = Failure::Core(skipped.error).report();
                }
            }
            // The other selections still have to be removed.
            Err(error) => {
                nothing = false;
                exit = Failure::Core(error).report();
            }
        }
    }
    if nothing {
        output::note("nothing to remove");
    }
    Ok(exit)
}

fn selections(args: &Cleanup) -> Result<Vec<Selection>, Failure> {
    if !args.id.is_empty() {
        let ids: Result<Vec<IsolationId>, _> = args.id.iter().map(|id| id.parse()).collect();
        return Ok(ids?.into_iter().map(Selection::Id).collect());
    }
    Ok(vec![match args.older_than {
        Some(age) => Selection::OlderThan(age),
        None if args.all => Selection::All,
        None => Selection::Stale,
    }])
}

fn human(report: &CleanupReport) -> String {
    let mut text = String::new();
    for removed in &report.removed {
        let _ = writeln!(
            text,
            "removed {} ({}){}",
            removed.id,
            output::plain(reason(&removed.reason)),
            output::plain(parts(removed))
        );
        for left in &removed.traces.left {
            let _ = writeln!(text, "  left {}: it {}", output::plain(left.path.display()), output::plain(&left.why));
        }
    }
    for path in &report.swept {
        let _ = writeln!(text, "removed {} (belongs to no environment)", output::plain(path.display()));
    }
    text
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Stale(why) => format!("stale: {why}"),
        Reason::Older(age) => format!("older than {}", humantime::format_duration(*age)),
        _ => "as requested".to_owned(),
    }
}

fn parts(removed: &Removed) -> String {
    let mut parts = Vec::new();
    if !removed.ports.is_empty() {
        parts.push(format!("ports {}", output::ports(&removed.ports)));
    }
    parts.extend(removed.traces.temp_dir.iter().map(|path| format!("temp directory {}", path.display())));
    parts.extend(removed.traces.env_file.iter().map(|path| format!("env file {}", path.display())));
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}
