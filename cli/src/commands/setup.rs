//! `portalloc setup`

use portalloc::registry::{SetUp, remove_set_up, set_up};

use crate::args::Setup;
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) fn run(args: &Setup) -> Result<Exit, Failure> {
    let SetUp { directory, not_at_boot, left } = if args.remove { remove_set_up()? } else { set_up()? };
    output::result(&format!("the registry of this machine is {}\n", output::plain(directory.display())))?;
    if let Some(why) = not_at_boot {
        output::warning(&format!(
            "after the next boot, the first user of portalloc will create and own the registry instead of root: {why}; \
             run `portalloc setup` at every boot"
        ));
    }
    if let Some(left) = left {
        output::warning(&format!(
            "{0} still has records of stale environments; remove them with `PORTALLOC_DIR={0} portalloc cleanup --stale`",
            left.display()
        ));
    }
    Ok(Exit::Success)
}
