//! Names: whatever is accepted has one spelling, so that no two texts name one thing.
#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use wire::names::{AccountId, AliasName, KeyId, KeyMaterialId, KeyRef, Region};

fuzz_target!(|text: &str| {
    has_one_spelling::<KeyRef>(text);
    has_one_spelling::<KeyId>(text);
    has_one_spelling::<KeyMaterialId>(text);
    has_one_spelling::<AliasName>(text);
    has_one_spelling::<AccountId>(text);
    has_one_spelling::<Region>(text);
});

fn has_one_spelling<T: FromStr + Display>(text: &str) {
    if let Ok(name) = text.parse::<T>() {
        assert_eq!(name.to_string(), text);
    }
}
