//! `portalloc setup`

use portalloc::registry::{SetUp, remove_set_up, remove_set_up_at_next_boot, set_up};

use crate::args::Setup;
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) fn run(args: &Setup) -> Result<Exit, Failure> {
    if args.at_next_boot {
        let until_then = output::plain(remove_set_up_at_next_boot()?.display());
        output::result(&format!("until the next boot, the registry of this machine is {until_then}\n"))?;
        return Ok(Exit::Success);
    }
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
