//! ARNs of keys and aliases.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use super::{AccountId, AliasName, InvalidName, KeyId, Region, ascii, serialize_as_shown};
use crate::limits::REGION_BYTES_MAX;

const EXPECTED: &str = "an ARN of a KMS key or alias";

/// The ARN of a key: `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
///
/// The partition is not a member, because the Region settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyArn {
    /// The Region that the key lives in.
    pub region: Region,
    /// The account that owns the key.
    pub account: AccountId,
    /// The key's id.
    pub key_id: KeyId,
}

/// The ARN of an alias: `arn:PARTITION:kms:REGION:ACCOUNT:alias/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AliasArn {
    /// The Region that the alias lives in.
    pub region: Region,
    /// The account that owns the alias.
    pub account: AccountId,
    /// The alias's name.
    pub alias: AliasName,
}

/// The parts of a KMS ARN before the kind of its resource is known.
pub(super) struct Parts<'a> {
    pub(super) region: Region,
    pub(super) account: AccountId,
    pub(super) resource: &'a str,
}

impl<'a> Parts<'a> {
    /// Splits an ARN of the service `kms` whose partition is the one of its Region.
    pub(super) fn split(text: &'a str) -> Result<Parts<'a>, InvalidName> {
        let invalid = InvalidName::expected(EXPECTED);
        let mut fields = text.splitn(6, ':');
        let mut field = || fields.next().ok_or(invalid);
        let (arn, partition, service) = (field()?, field()?, field()?);
        let region: Region = field()?.parse()?;
        let account: AccountId = field()?.parse()?;
        let resource = field()?;
        if arn != "arn" || service != "kms" || partition != region.partition().as_str() {
            return Err(invalid);
        }
        Ok(Parts { region, account, resource })
    }

    /// The key that the resource names, if it names one.
    pub(super) fn key_arn(&self) -> Result<KeyArn, InvalidName> {
        let id = self.resource.strip_prefix("key/").ok_or(InvalidName::expected(EXPECTED))?;
        Ok(KeyArn { region: self.region, account: self.account, key_id: id.parse()? })
    }

    /// The alias that the resource names, if it names one.
    pub(super) fn alias_arn(&self) -> Result<AliasArn, InvalidName> {
        let alias = self.resource.parse()?;
        Ok(AliasArn { region: self.region, account: self.account, alias })
    }
}

impl FromStr for KeyArn {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<KeyArn, InvalidName> {
        Parts::split(text)?.key_arn()
    }
}

impl FromStr for AliasArn {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<AliasArn, InvalidName> {
        Parts::split(text)?.alias_arn()
    }
}

impl KeyArn {
    /// The text of the ARN, made on the stack: several are written in each request.
    fn text(&self) -> KeyArnText {
        let KeyArn { region, account, key_id } = self;
        let mut text = KeyArnText { bytes: [0; KEY_ARN_BYTES_MAX], length: 0 };
        text.push("arn:");
        text.push(region.partition().as_str());
        text.push(":kms:");
        text.push(region.as_str());
        text.push(":");
        text.push(account.as_str());
        text.push(":key/");
        text.push(key_id.as_str());
        text
    }
}

/// `arn:aws-us-gov:kms:`, a Region, `:`, an account, `:key/` and a key id.
const KEY_ARN_BYTES_MAX: usize = 19 + REGION_BYTES_MAX + 1 + 12 + 5 + 36;

struct KeyArnText {
    bytes: [u8; KEY_ARN_BYTES_MAX],
    length: usize,
}

impl KeyArnText {
    fn push(&mut self, part: &str) {
        let end = self.length + part.len();
        let place = self.bytes.get_mut(self.length..end);
        place.expect("the parts are no longer than their bounds").copy_from_slice(part.as_bytes());
        self.length = end;
    }

    fn as_str(&self) -> &str {
        ascii(self.bytes.get(..self.length).unwrap_or_default())
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.text().as_str())
    }
}

impl Serialize for KeyArn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl fmt::Display for AliasArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AliasArn { region, account, alias } = self;
        let partition = region.partition();
        write!(formatter, "arn:{partition}:kms:{region}:{account}:{alias}")
    }
}

serialize_as_shown!(AliasArn);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_shown_as_they_were_given() {
        for text in [
            "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
            "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-0987dcba09fe87dc65baab0987654321",
            "arn:aws-us-gov:kms:us-gov-abcdefghijklmnopqrstuv-12:111122223333:key/mrk-0987dcba09fe87dc65baab0987654321",
        ] {
            assert_eq!(text.parse::<KeyArn>().unwrap().to_string(), text);
        }
        for text in [
            "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a",
            "arn:aws:kms:eu-central-1:111122223333:alias/a:b",
        ] {
            assert_eq!(text.parse::<AliasArn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn foreign_arns_are_refused() {
        const ID: &str = "0987dcba-09fe-87dc-65ba-ab0987654321";
        for wrong in [
            format!("arn:aws:s3:eu-central-1:111122223333:key/{ID}"),
            format!("arn:aws-cn:kms:eu-central-1:111122223333:key/{ID}"),
            format!("arn:aws:kms:nowhere:111122223333:key/{ID}"),
            format!("arn:aws:kms:eu-central-1::key/{ID}"),
            format!("arn:aws:kms:eu-central-1:111122223333:{ID}"),
            format!("arn:aws:kms:eu-central-1:111122223333:key/{ID}/x"),
            format!("ARN:aws:kms:eu-central-1:111122223333:key/{ID}"),
            "arn:aws:kms:eu-central-1:111122223333:alias/a".to_owned(),
        ] {
            assert!(wrong.parse::<KeyArn>().is_err(), "{wrong}");
        }
    }
}
