//! `portalloc down`

use super::stop::{exit, options, show};
use crate::args::Down;
use crate::exit::{Exit, Failure};
use crate::{output, wanted};

pub(crate) fn run(args: &Down) -> Result<Exit, Failure> {
    let environment = wanted::find(&args.which)?;
    let report = environment.down(&options(&args.how))?;
    show(&report, args.how.json)?;
    let (id, ports) = (environment.id(), output::ports(environment.ports()));
    if report.removed {
        output::note(format_args!("removed environment {id} with ports {ports}"));
    } else if args.how.dry_run && report.is_clear() {
        output::note(format_args!("would remove environment {id} with ports {ports}"));
    } else {
        let remedy = if report.has_foreign() { "; `portalloc env --repair` moves it to other ports" } else { "" };
        output::note(format_args!("environment {id} stays, because something is left on its ports{remedy}"));
    }
    Ok(exit(&report))
}
