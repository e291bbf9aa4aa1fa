//! Facts about the machine: none is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::sys::machine::Mount;

stubs! {
    { String::new() } {
        fn kernel_release() -> String;
    }
    { BTreeSet::new() } {
        fn sandboxes() -> BTreeSet<String>;
        fn process_names() -> BTreeSet<String>;
    }
    { BTreeMap::new() } {
        fn namespaces() -> BTreeMap<&'static str, u64>;
    }
    { true } {
        fn maps_all_users() -> bool;
        fn sees_own_processes() -> bool;
    }
    { false } {
        fn can_watch() -> bool;
    }
    { None } {
        fn mount_of(path: &Path) -> Option<Mount>;
        fn descriptor_limit() -> Option<u64>;
        fn file_size_limit() -> Option<u64>;
    }
    { Vec::new() } {
        fn hidden() -> Vec<String>;
    }
    { 1 } {
        fn first_unprivileged_port() -> u16;
    }
}
