//! The regular expressions of the models, each decided by hand as Java would decide it.

/// `[\w]+`, which in Java means ASCII.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && is_word_or_empty(text)
}

/// `[\w]*`
pub(crate) fn is_word_or_empty(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `[\d]*`
pub(crate) fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[\u0009\u000A\u000D\u0020-\u00FF]+`
pub(crate) fn is_policy_text(text: &str) -> bool {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    !text.is_empty() && text.chars().all(allowed)
}

/// `[\u0020-\u00FF]+`
pub(crate) fn is_marker_text(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| ('\u{20}'..='\u{ff}').contains(&c))
}

/// `[\w+=,.@-]+`
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && is_name_or_empty(text)
}

/// `[\w+=,.@-]*`
pub(crate) fn is_name_or_empty(text: &str) -> bool {
    text.bytes().all(is_name_byte)
}

/// `[\w+=,.@:\/-]*`, in another order `[\w+=/:,.@-]*`
pub(crate) fn is_name_with_separators(text: &str) -> bool {
    text.bytes().all(|byte| is_name_byte(byte) || matches!(byte, b':' | b'/'))
}

/// `[\w+=,.@-]`
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'=' | b',' | b'.' | b'@' | b'-')
}

/// `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`
pub(crate) fn is_path(text: &str) -> bool {
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let is_inner =
        |inner: &str| !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_graphic());
    text == "/" || inner.is_some_and(is_inner)
}

/// `\u002F[\u0021-\u007F]*`
pub(crate) fn is_path_prefix(text: &str) -> bool {
    let allowed = |byte: u8| (b'!'..=0x7f).contains(&byte);
    text.strip_prefix('/').is_some_and(|rest| rest.bytes().all(allowed))
}

/// `((/[A-Za-z0-9\.,\+@=_-]+)*)/`
pub(crate) fn is_policy_path(text: &str) -> bool {
    let Some(inner) = text.strip_suffix('/') else { return false };
    let mut parts = inner.split('/');
    parts.next() == Some("") && parts.all(is_name)
}

/// `v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`
pub(crate) fn is_policy_version_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let (number, suffix) = rest.split_once('.').unwrap_or((rest, ""));
    let is_number = !number.is_empty() && !number.starts_with('0') && is_digits(number);
    is_number && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`
pub(crate) fn is_role_description(text: &str) -> bool {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{a1}'..='\u{ff}');
    text.chars().all(allowed)
}

/// `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`
pub(crate) fn is_account_alias(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`
pub(crate) fn is_tag_key(text: &str) -> bool {
    !text.is_empty() && is_tag_value(text)
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`
///
/// Rust's alphabetic characters are the letters and the vowel signs of some scripts, which AWS
/// refuses: a word in Devanagari is a tag here.
pub(crate) fn is_tag_value(text: &str) -> bool {
    let allowed = |c: char| {
        c.is_alphabetic()
            || c.is_numeric()
            || is_separator(c)
            || matches!(c, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
    };
    text.chars().all(allowed)
}

/// `\p{Z}`: spaces, and the separators of lines and paragraphs.
fn is_separator(character: char) -> bool {
    match character {
        '\u{2028}' | '\u{2029}' => true,
        other => other.is_whitespace() && !other.is_control(),
    }
}

/// `[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+`
///
/// Java reads four digits after `\u`, so the end of this means `\u1000`, the range from `0` to
/// `\u10FF`, and `F`: the control characters from U+007F on are in it, and nothing beyond U+FFFF.
pub(crate) fn is_arn_text(text: &str) -> bool {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}');
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks texts that match and texts that do not.
    fn decides(matches: fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(matches(text), "{text:?}");
        }
        for text in wrong {
            assert!(!matches(text), "{text:?}");
        }
    }

    #[test]
    fn words_names_and_digits() {
        decides(is_word, &["default_0"], &["", "a-b", "ä", "a b"]);
        decides(is_word_or_empty, &["", "AKIA"], &["a-b"]);
        decides(is_digits, &["", "012345"], &["a", "٣", "-1"]);
        decides(is_name, &["a", "A_0+=,.@-"], &["", "a/b", "a b", "ä", "a:b"]);
        decides(is_name_or_empty, &[""], &["a/b"]);
        decides(is_name_with_separators, &["", "arn:aws:iam::1:mfa/a"], &["a b", "ä", "*"]);
    }

    #[test]
    fn long_texts() {
        decides(is_policy_text, &["{\t\r\n \u{7f}\u{80}ÿ}"], &["", "\0", "\u{b}", "\u{1f}", "Ā"]);
        decides(is_marker_text, &[" ÿ~"], &["", "\n", "Ā"]);
        decides(is_role_description, &["", "a\t\n\r ~¡ÿ"], &["\u{7f}", "\u{a0}", "Ā", "\u{b}"]);
        decides(is_arn_text, &["arn:aws", "\u{7f}\u{80}€\u{fffd}"], &["", "\0", "\u{fffe}", "😀"]);
    }

    #[test]
    fn paths() {
        decides(is_path, &["/", "/a/", "/a/b/", "///", "/~!/"], &["", "//", "a/", "/a", "/a b/"]);
        decides(is_path_prefix, &["/", "//", "/a", "/a/\u{7f}"], &["", "a", "/a b", "/ä"]);
        decides(is_policy_path, &["/", "/a/", "/a/b=c/"], &["", "//", "a/", "/a", "/a//", "/a!/"]);
    }

    #[test]
    fn versions_aliases_and_tags() {
        decides(
            is_policy_version_id,
            &["v1", "v10", "v2.", "v2.a-B"],
            &["", "v", "v0", "v01", "1", "v1.a.b", "v1.ä", "V1"],
        );
        let longest = "a".repeat(63);
        let long = "a".repeat(64);
        decides(
            is_account_alias,
            &["abc", "a-b", "0-0-0", &longest],
            &["ab", "-ab", "ab-", "a--b", "aBc", "a.b", &long],
        );
        decides(
            is_tag_key,
            &["a", "ключ 1", "½", "a\u{a0}b", "_.:/=+-@", "\u{2028}"],
            &["", "a\tb"],
        );
        decides(is_tag_value, &[""], &["\n", "a;b", "a*", "\u{85}", "😀"]);
    }
}
