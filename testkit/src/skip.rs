//! Tests that cannot run everywhere: they report it if they are skipped, and fail in CI.

#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

/// Reports on standard error that a test is skipped, and why. Fails if `CI` is set.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}, but CI must run this test");
    eprintln!("SKIPPED: {why}");
}

/// Reports a skipped test of what only root can do. Fails if `CI` is set and root runs the test.
pub fn skip_unless_root(why: &str) {
    if rustix::process::geteuid().is_root() {
        skip("setpriv does not work here");
    } else {
        eprintln!("SKIPPED: {why}");
    }
}

/// Whether `PATH` contains a program of that name. Calls [`skip()`] if not.
#[must_use]
pub fn has(program: &str) -> bool {
    let found = is_installed(program);
    if !found {
        skip(&format!("there is no {program} here"));
    }
    found
}

/// Whether `PATH` contains a program of that name.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
