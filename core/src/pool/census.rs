//! The census of a pool: the figures in `pool_exhausted` and below `list`. Pure.

use std::fmt;

/// How many ports of a pool are in each state.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(3)?;
/// let census = allocator.census()?;
/// assert_eq!(census.held, 3);
/// println!("{census}");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Ports that may be given out.
    pub pool: usize,
    /// Ports of a live lease or a held environment.
    pub held: usize,
    /// Ports of a live kept environment.
    pub kept: usize,
    /// Ports of a kept environment that is stale. They are reclaimed when they are needed.
    pub stale: usize,
    /// Ports in use by foreign processes, which have no lease on them.
    pub foreign: usize,
    /// Ports that this user may not bind (below `ip_unprivileged_port_start`).
    pub denied: usize,
    /// Free ports.
    pub free: usize,
    /// The longest run of ports that could be leased now.
    pub longest_run: usize,
}

impl Census {
    /// All figures with their names.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, usize); 8] {
        let Self { pool, held, kept, stale, foreign, denied, free, longest_run } = *self;
        [
            ("pool", pool),
            ("held", held),
            ("kept", kept),
            ("stale", stale),
            ("foreign", foreign),
            ("denied", denied),
            ("free", free),
            ("longest_run", longest_run),
        ]
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, held, kept, stale, foreign, denied, free, longest_run } = self;
        write!(
            f,
            "of {pool} ports {held} are held, {kept} kept, {stale} stale, {foreign} in use by foreign processes"
        )?;
        if *denied > 0 {
            write!(f, ", {denied} denied to this user")?;
        }
        write!(f, ", {free} free")?;
        if *free + *stale > 0 {
            write!(f, " (longest run {longest_run})")?;
        }
        Ok(())
    }
}
