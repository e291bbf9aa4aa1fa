//! Where sticky keys were at last is remembered in a file each, and somebody may make new keys for ever.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use portalloc::LeaseRequest;
use portalloc_testkit::World;

#[test]
fn the_memory_of_sticky_keys_has_an_end_and_keeps_those_that_are_used() {
    let world = World::new(20);
    let allocator = world.allocator();
    let base = |key: &str| allocator.lease(LeaseRequest::run(1).sticky(key)).unwrap().base_port();

    // Where the key's hash puts it somebody else is, so only the memory can bring it back to where it goes then.
    let by_hash = base("in use");
    let other = allocator.lease(LeaseRequest::exact([by_hash])).unwrap();
    let remembered = base("in use");
    assert_ne!(remembered, by_hash);
    drop(other);

    // What is not portalloc's stays; a file of its own from the far future is no reason to stumble.
    let memory = world.namespace().join("sticky");
    fs::write(memory.join("notes"), "precious").unwrap();
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33);
    for (name, date) in [("notes", SystemTime::UNIX_EPOCH), ("0123456789abcdef", far), ("0123456789abcdee", far)] {
        let file = File::options().append(true).create(true).open(memory.join(name)).unwrap();
        file.set_modified(date).unwrap();
    }

    for number in 0..3000 {
        base(&format!("job {number}"));
        if number % 100 == 0 {
            assert_eq!(base("in use"), remembered, "after {number} other keys");
        }
    }
    let count = fs::read_dir(&memory).unwrap().count();
    assert!((300..=1001).contains(&count), "{count} files are there");
    assert_eq!(fs::read_to_string(memory.join("notes")).unwrap(), "precious");
}
