//! Writing JSON text straight into a byte buffer, so that one event is always one line.
//!
//! More is escaped than RFC 8259 section 7 demands: whatever moves a terminal's cursor, breaks a
//! line or reorders text in a viewer is written as a `\u` escape, since a caller chooses these bytes
//! and an operator looks at them.

const HEX: [u8; 16] = *b"0123456789abcdef";

/// Writes a JSON string. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn text(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    text_within(out, value);
    out.push(b'"');
}

/// Writes a JSON string of at most `bytes_max` bytes of input; what is longer is cut, at a
/// character's border where the input is UTF-8.
pub(crate) fn text_bounded(out: &mut Vec<u8>, value: &[u8], bytes_max: usize) {
    let Some((head, tail)) = value.split_at_checked(bytes_max) else {
        return text(out, value);
    };
    let Some(&next) = tail.first() else { return text(out, head) };
    out.push(b'"');
    // A continuation byte (10xxxxxx) after the cut means that the last character is incomplete.
    let whole = if next & 0xC0 == 0x80 { trim_last_character(head) } else { head };
    text_within(out, whole);
    out.push(b'"');
}

/// Copies JSON that someone else wrote. Control bytes can stand in valid JSON only as white space
/// between tokens; they become spaces, so that pretty-printed JSON still takes one line. Whatever else
/// is unseen can stand only in texts, and is escaped there as [`text`] does it.
pub(crate) fn raw(out: &mut Vec<u8>, value: &[u8]) {
    if value.iter().fold(true, |plain, byte| plain & (0x20..0x7F).contains(byte)) {
        return out.extend_from_slice(value);
    }
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\0'..'\u{20}' => out.push(b' '),
                unseen if is_unseen(unseen) => escape(out, unseen),
                seen => out.extend_from_slice(seen.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
}

fn text_within(out: &mut Vec<u8>, value: &[u8]) {
    // Without an early exit the compiler checks sixteen bytes at a time; nearly every text passes.
    if value.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
        return out.extend_from_slice(value);
    }
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            escape(out, character);
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
}

fn trim_last_character(value: &[u8]) -> &[u8] {
    let start = value.iter().rposition(|byte| byte & 0xC0 != 0x80).unwrap_or(0);
    value.get(..start).unwrap_or_default()
}

/// Printable ASCII other than the quote and the backslash.
fn is_plain(byte: u8) -> bool {
    (0x20..0x7F).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

fn escape(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        unseen if is_unseen(unseen) => {
            let mut units = [0; 2];
            for unit in unseen.encode_utf16(&mut units) {
                escape_unit(out, *unit);
            }
        }
        seen => out.extend_from_slice(seen.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// C0, DEL and C1 controls (a terminal obeys them), line and paragraph separators, and the marks
/// that set the direction of text (Unicode TR 9), with the byte order mark.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061C}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                | '\u{FEFF}'
        )
}

fn escape_unit(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        let nibble = usize::from((unit >> shift) & 0xF);
        out.push(HEX.get(nibble).copied().unwrap_or(b'0'));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        text(&mut out, value);
        out
    }

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(written(b"a\r\n\t\"\\b"), br#""a\r\n\t\"\\b""#);
        assert_eq!(written(b"\x1b[31m\x00\x7f"), br#""\u001b[31m\u0000\u007f""#);
        assert_eq!(written("\u{9b}2J\u{2028}\u{202e}".as_bytes()), br#""\u009b2J\u2028\u202e""#);
        assert_eq!(written("clé 鍵 \u{1F511}".as_bytes()), "\"clé 鍵 \u{1F511}\"".as_bytes());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(written(b"a\xff\xfeb"), "\"a\u{FFFD}\u{FFFD}b\"".as_bytes());
        // A lone surrogate in its three-byte form, as CESU-8 writers send it.
        let json: String = serde_json::from_slice(&written(b"\xed\xa0\x80")).unwrap();
        assert!(json.chars().all(|character| character == '\u{FFFD}'));
    }

    #[test]
    fn a_cut_falls_on_a_character() {
        let mut out = Vec::new();
        text_bounded(&mut out, "aéé".as_bytes(), 4);
        assert_eq!(out, "\"aé\"".as_bytes());
        out.clear();
        text_bounded(&mut out, "aéé".as_bytes(), 5);
        assert_eq!(out, "\"aéé\"".as_bytes());
    }

    #[test]
    fn raw_json_takes_one_line() {
        let mut out = b"\n".to_vec();
        raw(&mut out, b"{\r\n\t\"a\": 1\n}");
        assert_eq!(out, b"\n{   \"a\": 1 }");
    }

    #[test]
    fn raw_json_moves_no_cursor() {
        let mut out = Vec::new();
        raw(&mut out, "{\"k\u{e9}\":\"\u{7f}\u{9b}2J\u{202e}\\\"\u{1F511}\"}".as_bytes());
        let escaped = "{\"k\u{e9}\":\"\\u007f\\u009b2J\\u202e\\\"\u{1F511}\"}";
        assert_eq!(out, escaped.as_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_become_one_line_of_valid_json(value: Vec<u8>, bytes_max in 0_usize..64) {
            let whole = written(&value);
            let read: String = serde_json::from_slice(&whole).unwrap();
            prop_assert_eq!(read, String::from_utf8_lossy(&value).into_owned());
            prop_assert!(whole.iter().all(|byte| *byte >= 0x20 && *byte != 0x7F));
            let mut cut = Vec::new();
            text_bounded(&mut cut, &value, bytes_max);
            prop_assert!(serde_json::from_slice::<String>(&cut).is_ok());
        }

        #[test]
        fn raw_json_says_the_same_unseen(value: String) {
            let given = serde_json::to_vec(&value).unwrap();
            let mut out = Vec::new();
            raw(&mut out, &given);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), value);
            prop_assert!(!String::from_utf8(out).unwrap().chars().any(is_unseen));
        }

        #[test]
        fn text_comes_back_as_it_was(value: String) {
            let read: String = serde_json::from_slice(&written(value.as_bytes())).unwrap();
            prop_assert_eq!(read, value);
        }
    }
}
