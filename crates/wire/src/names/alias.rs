//! Alias names.

use std::str::FromStr;

use super::{InvalidName, show_as_str};
use crate::limits::ALIAS_NAME_CHARS_MAX;

const PREFIX: &str = "alias/";
const RESERVED_PREFIX: &str = "alias/aws/";

/// An alias name with its prefix, such as `alias/payroll`.
///
/// It follows the model's pattern `^[a-zA-Z0-9:/_-]+$`; CreateAlias is stricter about `:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AliasName(Box<str>);

impl AliasName {
    /// The whole name, with the prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is kept for AWS managed keys: `alias/aws/...`.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(RESERVED_PREFIX)
    }
}

/// `^[a-zA-Z0-9:/_-]+$`, the pattern of alias names in the model.
pub(crate) fn is_alias_text(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'_' | b'-');
    !text.is_empty() && text.bytes().all(allowed)
}

impl FromStr for AliasName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<AliasName, InvalidName> {
        let fits = u64::try_from(text.len()).is_ok_and(|length| length <= ALIAS_NAME_CHARS_MAX);
        match text.strip_prefix(PREFIX) {
            Some(rest) if fits && is_alias_text(rest) => Ok(AliasName(text.into())),
            Some(_) | None => Err(InvalidName::expected("an alias name such as alias/payroll")),
        }
    }
}

show_as_str!(AliasName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_names_keep_their_prefix() {
        let alias: AliasName = "alias/a-b_C/0".parse().unwrap();
        assert_eq!(alias.to_string(), "alias/a-b_C/0");
        assert!(!alias.is_reserved());
        assert!("alias/aws/s3".parse::<AliasName>().unwrap().is_reserved());
        assert!(!"alias/awsome".parse::<AliasName>().unwrap().is_reserved());
    }

    #[test]
    fn other_texts_are_refused() {
        let longest = format!("alias/{}", "a".repeat(250));
        assert!(longest.parse::<AliasName>().is_ok());
        let long = format!("{longest}a");
        for wrong in ["", "alias", "alias/", "Alias/a", "payroll", "alias/a b", "alias/ä", &long] {
            assert!(wrong.parse::<AliasName>().is_err(), "{wrong}");
        }
    }
}
