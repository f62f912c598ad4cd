//! The one encoding of a list of fields into bytes, for whatever is authenticated together.
//!
//! In the notation of NIST SP 800-108, with `[n]_64` the 64-bit big-endian form of `n`:
//!
//! ```text
//! encode(F_1, ..., F_m) = [len(F_1)]_64 || F_1 || ... || [len(F_m)]_64 || F_m
//! ```
//!
//! Each length stands before its field, so the encoding is injective: two lists have equal bytes
//! only if they are equal, and no byte can slide from one field into its neighbour. The first field
//! is a label that names the use and its version, so that no two uses share an input.

/// Builds the encoding of a list of fields.
///
/// ```
/// let aad = crypto::fields::Fields::new("example 1").text("eu-central-1").number(7).finish();
/// assert_eq!(aad.len(), (8 + 9) + (8 + 12) + (8 + 8));
/// ```
pub struct Fields(Vec<u8>);

impl Fields {
    /// Begins with the label of the use.
    #[must_use]
    pub fn new(label: &str) -> Fields {
        Fields(Vec::new()).text(label)
    }

    /// Appends the UTF-8 bytes of a text.
    #[must_use]
    pub fn text(self, text: &str) -> Fields {
        self.bytes(text.as_bytes())
    }

    /// Appends bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Fields {
        append(&mut self.0, bytes);
        self
    }

    /// Appends `[number]_64`.
    #[must_use]
    pub fn number(self, number: u64) -> Fields {
        self.bytes(&number.to_be_bytes())
    }

    /// The encoded bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Length of one encoded field, in bytes.
pub(crate) const fn encoded_bytes(field: &[u8]) -> usize {
    LENGTH_BYTES + field.len()
}

/// Appends `[len(field)]_64 || field`.
pub(crate) fn append(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(&length(field));
    out.extend_from_slice(field);
}

/// `[len(field)]_64`
pub(crate) fn length(field: &[u8]) -> [u8; LENGTH_BYTES] {
    u64::try_from(field.len()).expect("a length in memory has at most 64 bits").to_be_bytes()
}

/// Bytes of a length prefix.
const LENGTH_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::collection;
    use proptest::prelude::*;

    use super::*;

    fn encode(fields: &[Vec<u8>]) -> Vec<u8> {
        fields.iter().fold(Fields::new("test"), |encoded, field| encoded.bytes(field)).finish()
    }

    /// Reads the list back: that this is possible is what injective means.
    fn decode(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut fields = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
            let length = usize::try_from(u64::from_be_bytes(*length)).unwrap();
            fields.push(rest[..length].to_vec());
            bytes = &rest[length..];
        }
        assert!(bytes.is_empty());
        fields
    }

    #[test]
    fn fields_do_not_slide_into_their_neighbours() {
        let one = Fields::new("test").text("ab").text("c").finish();
        let other = Fields::new("test").text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_ne!(one, Fields::new("test").text("abc").finish());
        assert_ne!(one, Fields::new("test").text("ab").text("c").text("").finish());
    }

    proptest! {
        #[test]
        fn the_encoding_is_injective(
            fields in collection::vec(collection::vec(any::<u8>(), 0..20), 0..8),
        ) {
            let decoded = decode(&encode(&fields));
            prop_assert_eq!(&decoded[0], b"test");
            prop_assert_eq!(&decoded[1..], &fields[..]);
        }
    }
}
