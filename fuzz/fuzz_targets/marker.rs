//! Markers and other tokens: nothing that we did not seal opens, and what we sealed opens only for its purpose.
#![no_main]

use crypto::SecretKey;
use crypto::token::{PAYLOAD_BYTES_MAX, TokenKey};
use libfuzzer_sys::fuzz_target;

const PURPOSE: &str = "ListKeys";

fuzz_target!(|input: (&str, &[u8], &[u8], &str)| {
    let (token, binding, payload, purpose) = input;
    let key = TokenKey::new(&SecretKey::new([7; 32]));
    assert!(key.open(PURPOSE, binding, token).is_none(), "a forged token opened");
    let Ok(sealed) = key.seal(PURPOSE, binding, payload) else {
        assert!(payload.len() > PAYLOAD_BYTES_MAX);
        return;
    };
    assert_eq!(key.open(PURPOSE, binding, &sealed).as_deref(), Some(payload));
    if purpose != PURPOSE {
        assert!(key.open(purpose, binding, &sealed).is_none(), "a token of another purpose opened");
    }
    if payload != binding {
        assert!(key.open(PURPOSE, payload, &sealed).is_none(), "a token of another binding opened");
    }
});
