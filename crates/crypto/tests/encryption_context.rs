//! Two encryption contexts have equal bytes only if they are equal maps (threat T-4).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashSet};

use crypto::encryption_context::{encode, encode_empty};
use proptest::prelude::*;

type Context = BTreeMap<String, String>;

fn context(pairs: &[(&str, &str)]) -> Context {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

#[test]
fn the_encoding_is_what_the_specification_shows() {
    let encoded = encode(&context(&[("b", ""), ("a", "xy")]));
    let expected = [
        &[0, 0, 0, 0, 0, 0, 0, 1][..],
        b"a",
        &[0, 0, 0, 0, 0, 0, 0, 2],
        b"xy",
        &[0, 0, 0, 0, 0, 0, 0, 1],
        b"b",
        &[0, 0, 0, 0, 0, 0, 0, 0],
    ];
    assert_eq!(encoded, expected.concat());
    assert_eq!(encode(&Context::new()), encode_empty());
}

#[test]
fn confusable_contexts_differ() {
    let contexts = [
        context(&[]),
        context(&[("", "")]),
        context(&[("a", "b")]),
        context(&[("A", "b")]),
        context(&[("a", "B")]),
        context(&[("b", "a")]),
        context(&[("ab", "")]),
        context(&[("", "ab")]),
        context(&[("a", "b"), ("c", "d")]),
        context(&[("a", "d"), ("c", "b")]),
        context(&[("a", "bc"), ("d", "")]),
        context(&[("a", "b"), ("", "")]),
        // One letter in two Unicode forms is two texts.
        context(&[("\u{e9}", "")]),
        context(&[("e\u{301}", "")]),
        context(&[("a\0", "b")]),
        context(&[("a", "\0b")]),
    ];
    for (one, first) in contexts.iter().enumerate() {
        for second in &contexts[one + 1..] {
            assert_ne!(encode(first), encode(second), "{first:?} {second:?}");
        }
    }
}

/// Short texts over few letters, so that equal and nearly equal contexts are common.
fn near_contexts() -> impl Strategy<Value = Context> {
    prop::collection::btree_map("[ab\0]{0,3}", "[ab\0]{0,3}", 0..4)
}

/// Reads a context back from its bytes.
fn decode(mut bytes: &[u8]) -> Context {
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let (text, rest) = rest.split_at(usize::try_from(u64::from_be_bytes(*length)).unwrap());
        texts.push(String::from_utf8(text.to_vec()).unwrap());
        bytes = rest;
    }
    texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// Every text of at most two letters of three, NUL among them.
fn short_texts() -> Vec<String> {
    let letters = ["", "a", "b", "\0"];
    let mut texts: Vec<String> = letters
        .iter()
        .flat_map(|first| letters.iter().map(move |second| format!("{first}{second}")))
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

#[test]
fn no_two_of_all_small_contexts_share_their_bytes() {
    let texts = short_texts();
    let pairs: Vec<_> =
        texts.iter().flat_map(|key| texts.iter().map(move |value| (key, value))).collect();
    let mut contexts = HashSet::from([Context::new()]);
    for first in &pairs {
        // A pair with itself makes the contexts of one pair.
        for second in pairs.iter().filter(|second| first.0 < second.0 || first == *second) {
            let both = [*first, *second].into_iter();
            contexts.insert(both.map(|(key, value)| (key.clone(), value.clone())).collect());
        }
    }
    assert_eq!(contexts.len(), 1 + 13 * 13 + 78 * 13 * 13);
    let encodings: HashSet<_> = contexts.iter().map(encode).collect();
    // 89 million pairs of contexts, each pair of different bytes.
    assert_eq!(encodings.len(), contexts.len());
}

proptest! {
    #[test]
    fn the_encoding_is_injective(first in near_contexts(), second in near_contexts()) {
        prop_assert_eq!(encode(&first) == encode(&second), first == second);
    }
}

proptest! {
    #[test]
    fn any_context_is_read_back(
        context in prop::collection::btree_map(".{0,20}", ".{0,20}", 0..8),
    ) {
        prop_assert_eq!(decode(&encode(&context)), context);
    }
}
