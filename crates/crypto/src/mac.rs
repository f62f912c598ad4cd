//! HMAC-SHA-256 over a list of fields.

use aws_lc_rs::hmac;

use crate::{SecretKey, fields};

/// Length of a tag, in bytes.
pub(crate) const TAG_BYTES: usize = 32;

/// An HMAC-SHA-256 key (FIPS 198-1) with both pads already absorbed. AWS-LC wipes it when dropped.
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    pub(crate) fn new(key: &SecretKey) -> MacKey {
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// `T = HMAC-SHA-256(K, encode(F_1, ..., F_m))`, with `encode` of [`fields`].
    pub(crate) fn tag<'f>(&self, fields: impl IntoIterator<Item = &'f [u8]>) -> [u8; TAG_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        for field in fields {
            context.update(&fields::length(field));
            context.update(field);
        }
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}
