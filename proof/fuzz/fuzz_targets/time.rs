//! Points in time as records have them: read as they are written, and never beyond what can be written.

#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::registry::Timestamp;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    text: &'a str,
    ms: u64,
    later: Duration,
}

/// 9999-12-31T23:59:59.999Z.
const LAST_MS: u64 = 253_402_300_799_999;

fuzz_target!(|input: Input<'_>| {
    let json = serde_json::to_string(input.text).unwrap();
    if let Ok(time) = serde_json::from_str::<Timestamp>(&json) {
        assert!(time.unix_ms() <= LAST_MS, "{}", input.text);
        let again: Timestamp = serde_json::from_str(&format!("\"{time}\"")).unwrap();
        assert_eq!(again, time, "{}", input.text);
        assert!(time.age() <= Timestamp::from_unix_ms(0).age());
    }
    let time = Timestamp::from_unix_ms(input.ms);
    let again: Timestamp = serde_json::from_str(&format!("\"{time}\"")).unwrap();
    assert_eq!(again.unix_ms(), input.ms.min(LAST_MS));
    match time.after(input.later) {
        Some(later) => {
            assert_eq!(u128::from(later.unix_ms()), u128::from(input.ms) + input.later.as_millis());
            assert!(later.unix_ms() <= LAST_MS);
        }
        None => assert!(u128::from(input.ms) + input.later.as_millis() > u128::from(LAST_MS)),
    }
});
