//! What a caller may write where a key is meant.
//!
//! Which forms an operation accepts, and whether the key exists, is decided by the service.

use std::{fmt, str::FromStr};

use super::{AliasArn, AliasName, KeyArn, KeyId, arn::Parts, serialize_as_shown};

/// A reference to a key in one of AWS's four forms.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyRef {
    /// A key id, meaning the caller's account and Region.
    KeyId(KeyId),
    /// A key ARN.
    KeyArn(KeyArn),
    /// An alias name, meaning the caller's account and Region.
    AliasName(AliasName),
    /// An alias ARN.
    AliasArn(AliasArn),
}

/// Why a text refers to no key. The service adds the text to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefError {
    /// Neither an id, nor an alias, nor an ARN; AWS says NotFoundException "Invalid keyId".
    #[error("not a key id")]
    InvalidKeyId,
    /// An ARN, but not of a KMS key or alias; AWS says InvalidArnException.
    #[error("not an ARN of a KMS key or alias")]
    InvalidArn,
}

impl KeyRef {
    /// Reads any of the four forms; each key has one spelling in each.
    ///
    /// # Errors
    /// [`KeyRefError::InvalidArn`] for a text that begins as an ARN, else
    /// [`KeyRefError::InvalidKeyId`].
    pub fn parse(text: &str) -> Result<KeyRef, KeyRefError> {
        if text.starts_with("arn:") {
            KeyRef::parse_arn(text).ok_or(KeyRefError::InvalidArn)
        } else if text.starts_with("alias/") {
            text.parse().map(KeyRef::AliasName).map_err(|_| KeyRefError::InvalidKeyId)
        } else {
            text.parse().map(KeyRef::KeyId).map_err(|_| KeyRefError::InvalidKeyId)
        }
    }

    fn parse_arn(text: &str) -> Option<KeyRef> {
        let parts = Parts::split(text).ok()?;
        if parts.resource.starts_with("alias/") {
            parts.alias_arn().ok().map(KeyRef::AliasArn)
        } else {
            parts.key_arn().ok().map(KeyRef::KeyArn)
        }
    }
}

impl FromStr for KeyRef {
    type Err = KeyRefError;

    fn from_str(text: &str) -> Result<KeyRef, KeyRefError> {
        KeyRef::parse(text)
    }
}

impl fmt::Display for KeyRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyRef::KeyId(key_id) => key_id.fmt(formatter),
            KeyRef::KeyArn(arn) => arn.fmt(formatter),
            KeyRef::AliasName(alias) => alias.fmt(formatter),
            KeyRef::AliasArn(arn) => arn.fmt(formatter),
        }
    }
}

serialize_as_shown!(KeyRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_decides_the_error() {
        for wrong in ["", "key", "0987DCBA-09fe-87dc-65ba-ab0987654321", "alias/", "alias/ä"] {
            assert_eq!(KeyRef::parse(wrong), Err(KeyRefError::InvalidKeyId), "{wrong}");
        }
        for wrong in ["arn:", "arn:aws:kms", "arn:aws:kms:eu-central-1:111122223333:alias/"] {
            assert_eq!(KeyRef::parse(wrong), Err(KeyRefError::InvalidArn), "{wrong}");
        }
    }
}
