//! Arguments of the command line: taken, or refused with status 2 and a message. Nothing is run.

#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libfuzzer_sys::fuzz_target;
use portalloc_cli::fuzzing::{Read, read};

fuzz_target!(|data: &[u8]| {
    let words = data.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let args: Vec<OsString> = std::iter::once("portalloc".into()).chain(words).collect();
    let found = read(args.clone());
    match &found {
        Read::Accepted => {}
        Read::Shown(text) => assert!(!text.trim().is_empty(), "{args:?}"),
        Read::Refused(status, message) => {
            assert_eq!(*status, 2, "{args:?}: {message}");
            assert!(!message.trim().is_empty(), "{args:?}");
        }
    }
    assert_eq!(read(args), found);
});
