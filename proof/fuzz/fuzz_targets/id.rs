//! Isolation IDs: twelve lower-case hex digits and nothing else, so that an ID can never name a path.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portalloc::{ErrorCode, IsolationId};
use portalloc_fuzz::refused;

fuzz_target!(|text: &str| {
    let is_id = text.chars().count() == 12 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    match text.parse::<IsolationId>() {
        Ok(id) => {
            assert!(is_id, "{text:?}");
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<IsolationId>(&json).unwrap(), id);
        }
        Err(error) => {
            assert!(!is_id, "{text:?}");
            refused(&error, ErrorCode::InvalidId);
            assert!(error.message().len() < 600, "{error}");
        }
    }
});
