//! The canonical bytes of an encryption context.
//!
//! ```text
//! EC = encode(k_1, v_1, ..., k_n, v_n),  k_1 < ... < k_n compared as UTF-8 bytes
//! ```
//!
//! with `encode` of [`crate::fields`] and no label; the empty context is the empty string. Case is
//! kept and text is not normalised: two contexts have equal bytes only if they are the same map, as
//! AWS's "exact, case-sensitive match" asks.

use std::collections::BTreeMap;

use crate::fields;

/// Encodes an encryption context; the map's order is the byte order of its keys.
#[must_use]
pub fn encode(context: &BTreeMap<String, String>) -> Vec<u8> {
    let texts = || context.iter().flat_map(|(key, value)| [key.as_bytes(), value.as_bytes()]);
    let mut encoded = Vec::with_capacity(texts().map(fields::encoded_bytes).sum());
    texts().for_each(|text| fields::append(&mut encoded, text));
    encoded
}

/// The encoding of the empty context, which a request without a context has.
#[must_use]
pub const fn encode_empty() -> Vec<u8> {
    Vec::new()
}
