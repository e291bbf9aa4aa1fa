//! Allocators that stay open between calls go by the current directory, which is the whole process's: so this test is alone.

use std::fs;

use portalloc::Settings;
use portalloc::ffi::Allocators;
use tempfile::TempDir;

/// Nothing is leased of it.
const POOL: &str = "21360-21399";

#[test]
fn the_project_file_of_a_directory_is_read_when_a_call_first_meets_it() {
    let (one, other, registry) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let allocators = Allocators::new();
    let settings = Settings::new().directory(registry.path().join("registry"));
    let pool = || allocators.with(&settings, |allocator| Ok(allocator.pool().asked().to_owned())).unwrap();
    let declare =
        |directory: &TempDir| fs::write(directory.path().join("portalloc.toml"), format!("pool = {POOL:?}\n")).unwrap();
    std::env::set_current_dir(one.path()).unwrap();
    let default = pool();
    assert_ne!(default, POOL);
    declare(&one);
    declare(&other);
    assert_eq!(pool(), default, "it was read before the file was there");
    std::env::set_current_dir(other.path()).unwrap();
    assert_eq!(pool(), POOL);
    other.close().unwrap();
    assert_eq!(pool(), default, "a directory that is gone has no project file");
    std::env::set_current_dir("/").unwrap();
}
