//! Bytes that travel as base64.

use std::fmt;

use base64::{DecodeError, Engine, display::Base64Display, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::{Zeroize, Zeroizing};

/// Up to this length base64 is made on the stack and written at once: enough for a data key and for
/// the ciphertext of one.
const SMALL_BASE64_BYTES: usize = 256;

/// Bytes of a request or an answer, base64 (RFC 4648, section 4, padded) on the wire.
///
/// Most blobs are plaintexts, data keys or attestation documents, so none can be printed or cloned,
/// and all are overwritten when dropped.
#[derive(Default)]
pub struct Blob(Vec<u8>);

impl Blob {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Takes the bytes out. Overwriting them is then up to the caller.
    pub fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Blob {
        Blob(bytes)
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new([0; SMALL_BASE64_BYTES]);
        match STANDARD.encode_slice(&self.0, text.as_mut_slice()) {
            Ok(length) => {
                let text = text.get(..length).and_then(|text| str::from_utf8(text).ok());
                serializer.serialize_str(text.expect("base64 is ASCII"))
            }
            // Goes in pieces of a kilobyte into the answer itself, without a copy of the whole.
            Err(_) => serializer.collect_str(&Base64Display::new(&self.0, &STANDARD)),
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        deserializer.deserialize_bytes(BlobVisitor)
    }
}

struct BlobVisitor;

impl de::Visitor<'_> for BlobVisitor {
    type Value = Blob;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("base64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
        let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
        let length = STANDARD
            .decode_slice_unchecked(text, &mut bytes)
            .map_err(|error| E::custom(Refusal { text, error }))?;
        bytes.truncate(length);
        Ok(Blob(std::mem::take(&mut *bytes)))
    }
}

/// AWS's sentence for a text that is not strict base64.
///
/// The text itself is not repeated, as older AWS services did: it may be a plaintext with one
/// character wrong, and the sentence reaches logs and audit records.
struct Refusal<'a> {
    text: &'a str,
    error: DecodeError,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.text.len();
        let stranger = self.text.chars().find(|c| !is_base64_character(*c));
        if let Some(stranger) = stranger {
            write!(formatter, "Invalid Base64 character: '{stranger}'")
        } else if !length.is_multiple_of(4) {
            write!(
                formatter,
                "Base64 encoded length is expected a multiple of 4 bytes but found: {length}"
            )
        } else if matches!(self.error, DecodeError::InvalidByte(..)) {
            formatter.write_str("Invalid Base64 character: '='")
        } else {
            // The spelling is AWS's.
            formatter.write_str("Invalid last non-pad Base64 character dectected")
        }
    }
}

fn is_base64_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Result<Vec<u8>, String> {
        let deserializer = de::value::StrDeserializer::<de::value::Error>::new(text);
        Blob::deserialize(deserializer).map(Blob::into_bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn base64_is_strict() {
        assert_eq!(decode("AAEC/w==").unwrap(), [0, 1, 2, 255]);
        assert_eq!(decode("").unwrap(), [0; 0]);
        for (text, why) in [
            ("23456", "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
            ("AAE", "Base64 encoded length is expected a multiple of 4 bytes but found: 3"),
            ("AAEC_w==", "Invalid Base64 character: '_'"),
            ("AAEC/w==\n", "Invalid Base64 character: '\n'"),
            ("AA C", "Invalid Base64 character: ' '"),
            ("AA==AAAA", "Invalid Base64 character: '='"),
            ("AAF=AAAA", "Invalid Base64 character: '='"),
            ("/x==", "Invalid last non-pad Base64 character dectected"),
        ] {
            assert_eq!(decode(text).unwrap_err(), why, "{text:?}");
        }
        for text in ["=", "====", "A===", "=+/=", "ÄÄ"] {
            assert!(decode(text).is_err(), "{text:?}");
        }
    }
}
