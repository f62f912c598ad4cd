//! A policy in an answer of IAM.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A policy as its author wrote it, percent-encoded (RFC 3986, section 2.1) on the wire.
///
/// IAM encodes the policies of its answers, never those of requests, and SDKs know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument(String);

impl PolicyDocument {
    /// The policy, not encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PolicyDocument {
    fn from(text: String) -> PolicyDocument {
        PolicyDocument(text)
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&utf8_percent_encode(&self.0, RESERVED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        let encoded = |text: &str| {
            let written = serde_json::to_string(&PolicyDocument::from(text.to_owned())).unwrap();
            written.trim_matches('"').to_owned()
        };
        assert_eq!(
            encoded("{\"a\": [\"b*/+\"]}\n"),
            "%7B%22a%22%3A%20%5B%22b%2A%2F%2B%22%5D%7D%0A"
        );
        assert_eq!(encoded("aZ09-._~"), "aZ09-._~");
        assert_eq!(encoded("é"), "%C3%A9");
    }
}
