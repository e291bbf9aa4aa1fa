//! Allocators that stay open between calls go by the current folder, which is the whole process's: so this test is alone.

use std::fs;

use portalloc::Settings;
use portalloc::ffi::Allocators;

/// Nothing is leased of it.
const POOL: &str = "21360-21399";

#[test]
fn the_project_file_of_the_current_folder_counts_as_soon_as_it_is_there() {
    let (folder, registry) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let allocators = Allocators::new();
    let settings = Settings::new().directory(registry.path().join("registry"));
    let pool = || allocators.with(&settings, |allocator| Ok(allocator.pool().asked().to_owned())).unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    let before = pool();
    assert_ne!(before, POOL);
    fs::write(folder.path().join("portalloc.toml"), format!("pool = {POOL:?}\n")).unwrap();
    // It is looked for again after some milliseconds.
    assert!((0..10_000_000).any(|_| pool() == POOL));
    folder.close().unwrap();
    // A folder that is gone has no project file.
    assert!((0..10_000_000).any(|_| pool() == before));
    std::env::set_current_dir("/").unwrap();
}
