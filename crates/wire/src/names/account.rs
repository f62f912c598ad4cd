//! AWS account ids.

use std::str::FromStr;

use super::{InvalidName, ascii, show_as_str};

/// An AWS account id: twelve decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

impl FromStr for AccountId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<AccountId, InvalidName> {
        match <[u8; 12]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(AccountId(digits)),
            Ok(_) | Err(_) => Err(InvalidName::expected("an account id: 12 digits")),
        }
    }
}

show_as_str!(AccountId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_twelve_digits() {
        let account: AccountId = "012345678901".parse().unwrap();
        assert_eq!(account.to_string(), "012345678901");
        for wrong in ["", "1", "12345678901", "1234567890123", "12345678901a", "12345678901٣"] {
            assert!(wrong.parse::<AccountId>().is_err(), "{wrong}");
        }
    }
}
