//! `portalloc setup`

use portalloc::registry::{SetUp, remove_set_up, set_up};

use crate::args::Setup;
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) fn run(args: &Setup) -> Result<Exit, Failure> {
    let SetUp { directory, not_at_boot, left } = if args.remove { remove_set_up()? } else { set_up()? };
    output::result(&format!("the registry of this machine is {}\n", directory.display()))?;
    if let Some(why) = not_at_boot {
        output::warning(&format!(
            "it will be made anew at the next boot by whoever leases first, and not as root's: {why}; run `portalloc setup` \
             at boot"
        ));
    }
    if let Some(left) = left {
        output::warning(&format!(
            "environments that are over have left records in {0}; `PORTALLOC_DIR={0} portalloc cleanup --stale` removes them",
            left.display()
        ));
    }
    Ok(Exit::Success)
}
