//! The canonical request: the one text that signer and verifier both make of a request.
//!
//! Source: IAM User Guide, "Create a signed AWS API request", step 1.

use crate::credential::is_unreserved;
use crate::key::{HASH_BYTES, write_hex};

/// How the path becomes canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathRule {
    /// Dot segments and repeated slashes are removed first. Every service but S3, KMS among them.
    #[default]
    Normalized,
    /// Nothing is removed, but each segment is encoded, for a path that is not encoded yet.
    AsGiven,
    /// As it stands on the wire, encoded once by the client and not again: what S3 does (Amazon S3
    /// API Reference, "Signature Calculations for the Authorization Header").
    AsSent,
}

/// What stands for the body.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    /// The hash of a body that is at hand.
    Hash([u8; HASH_BYTES]),
    /// What whoever has the body says of it.
    Said(&'a str),
}

/// The parts of a canonical request.
pub(crate) struct CanonicalRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) path_rule: PathRule,
    /// Already canonical.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    /// Sorted, joined by semicolons.
    pub(crate) signed_headers: &'a str,
    pub(crate) payload: Payload<'a>,
}

impl CanonicalRequest<'_> {
    /// Appends the text to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        write_path(self.path, self.path_rule, out);
        out.push(b'\n');
        out.extend_from_slice(self.query.as_bytes());
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            self.write_header(name, out);
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        match self.payload {
            Payload::Hash(hash) => write_hex(&hash, out),
            Payload::Said(text) => out.extend_from_slice(text.as_bytes()),
        }
    }

    /// `name:value,value` with the values in arrival order.
    fn write_header(&self, name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(name.as_bytes());
        let mut separator = b':';
        for (_, value) in self.headers.iter().filter(|(given, _)| *given == name) {
            out.push(separator);
            separator = b',';
            write_folded(value, out);
        }
        out.push(b'\n');
    }
}

/// Without spaces at the ends, and with one space where there were several.
fn write_folded(value: &[u8], out: &mut Vec<u8>) {
    let is_space = |byte: &u8| *byte == b' ';
    let start = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    let trimmed = value.get(start..end).unwrap_or_default();
    if !trimmed.windows(2).any(|pair| pair == b"  ") {
        return out.extend_from_slice(trimmed);
    }
    let mut words = trimmed.split(is_space).filter(|word| !word.is_empty());
    out.extend_from_slice(words.next().unwrap_or_default());
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

fn write_path(path: &str, rule: PathRule, out: &mut Vec<u8>) {
    match rule {
        PathRule::Normalized if path == "/" => out.push(b'/'),
        PathRule::Normalized => write_normalized(path, out),
        PathRule::AsGiven => write_segments(path.split('/'), out),
        PathRule::AsSent => write_sent(path, out),
    }
}

/// RFC 3986 5.2.4 without empty segments. The slash at the end stays where the path names a folder.
fn write_normalized(path: &str, out: &mut Vec<u8>) {
    let mut kept = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    let is_folder = matches!(path.rsplit('/').next(), Some("" | "." | ".."));
    out.push(b'/');
    let has_segments = !kept.is_empty();
    write_segments(kept.into_iter(), out);
    if is_folder && has_segments {
        out.push(b'/');
    }
}

/// Each segment encoded, though the path on the wire was encoded once already: AWS's rule for every
/// service but S3.
fn write_segments<'a>(segments: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    for (position, segment) in segments.enumerate() {
        if position > 0 {
            out.push(b'/');
        }
        write_encoded(segment.as_bytes(), out);
    }
}

/// The path without change, but for bytes that no path on the wire has: a line break would end the
/// line of the canonical request.
fn write_sent(path: &str, out: &mut Vec<u8>) {
    for byte in path.bytes() {
        if byte.is_ascii_graphic() {
            out.push(byte);
        } else {
            write_encoded(&[byte], out);
        }
    }
}

/// Percent-encodes every byte that RFC 3986 does not call unreserved, with upper-case digits.
pub(crate) fn write_encoded(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    for &byte in bytes {
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str, rule: PathRule) -> String {
        let mut out = Vec::new();
        write_path(text, rule, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_path_as_sent_is_not_encoded_again() {
        for given in ["/", "/bucket/a/report%201.txt", "/b//x/../%2F"] {
            assert_eq!(path(given, PathRule::AsSent), given);
        }
        assert_eq!(path("/a\nhost:b", PathRule::AsSent), "/a%0Ahost:b");
    }

    #[test]
    fn a_path_is_normalized_and_encoded() {
        for (given, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/./b", "/a/b"),
            ("/a//b/", "/a/b/"),
            ("/a b/%20/ä", "/a%20b/%2520/%C3%A4"),
            ("/-._~", "/-._~"),
        ] {
            assert_eq!(path(given, PathRule::Normalized), canonical, "{given}");
        }
        assert_eq!(path("/a//../b/", PathRule::AsGiven), "/a//../b/");
    }

    #[test]
    fn spaces_are_trimmed_and_folded() {
        for (given, canonical) in [
            ("", ""),
            ("   ", ""),
            (" a ", "a"),
            ("a b", "a b"),
            ("  a  b   c  ", "a b c"),
            ("\"a   b\"", "\"a b\""),
        ] {
            let mut out = Vec::new();
            write_folded(given.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), canonical, "{given:?}");
        }
    }
}
