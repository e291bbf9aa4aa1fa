//! A process that a test drives: a command a line on standard input, an answer a line on standard output. It exists
//! because what portalloc promises is about processes: that one of them can be killed, stopped, forked, or run in
//! another namespace is the point, and threads of a test can be none of that. The commands are in `performer.rs`.

use std::io::{self, BufRead, Write};

use portalloc_tests::Performer;

fn main() -> io::Result<()> {
    let mut performer = Performer::default();
    for line in io::stdin().lock().lines() {
        let Some(answer) = performer.perform(&line?) else { break };
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
