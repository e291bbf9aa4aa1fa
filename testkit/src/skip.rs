//! Tests that cannot run everywhere: where they do not, they say so loudly, and in CI they fail.

#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

/// Says on standard error that a test does not run, and why; fails where `CI` is set.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}, but CI must run this test");
    eprintln!("SKIPPED: {why}");
}

/// Whether there is a program of that name in `PATH`; Calls [`skip()`] if not.
#[must_use]
pub fn has(program: &str) -> bool {
    let found = is_installed(program);
    if !found {
        skip(&format!("there is no {program} here"));
    }
    found
}

/// Whether there is a program of that name in `PATH`.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
