//! Regions and partitions.

use std::str::FromStr;

use super::{InvalidName, ascii, show_as_str};
use crate::limits::REGION_BYTES_MAX;

/// A group of Regions that shares accounts and ARNs: the second field of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Partition {
    /// The commercial Regions.
    Aws,
    /// The Regions in China, `cn-*`.
    AwsCn,
    /// AWS GovCloud (US), `us-gov-*`.
    AwsUsGov,
}

impl Partition {
    /// The name as it stands in an ARN.
    pub fn as_str(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::AwsCn => "aws-cn",
            Partition::AwsUsGov => "aws-us-gov",
        }
    }
}

impl FromStr for Partition {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Partition, InvalidName> {
        match text {
            "aws" => Ok(Partition::Aws),
            "aws-cn" => Ok(Partition::AwsCn),
            "aws-us-gov" => Ok(Partition::AwsUsGov),
            _ => Err(InvalidName::expected("a partition: aws, aws-cn or aws-us-gov")),
        }
    }
}

/// A Region such as `eu-central-1`, by the model's pattern `^([a-z]+-){2,3}\d+$`.
///
/// The name is held inline, so that a Region is `Copy` and costs no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region {
    // Unused bytes are zero, which keeps the derived order that of the text.
    bytes: [u8; REGION_BYTES_MAX],
    length: u8,
}

impl Region {
    /// The name, such as `eu-central-1`.
    pub fn as_str(&self) -> &str {
        ascii(self.bytes.get(..usize::from(self.length)).unwrap_or_default())
    }

    /// The partition that the Region is in.
    pub fn partition(&self) -> Partition {
        if self.bytes.starts_with(b"cn-") {
            Partition::AwsCn
        } else if self.bytes.starts_with(b"us-gov-") {
            Partition::AwsUsGov
        } else {
            Partition::Aws
        }
    }
}

impl FromStr for Region {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Region, InvalidName> {
        let invalid = InvalidName::expected("a Region such as eu-central-1");
        if !is_region_text(text) {
            return Err(invalid);
        }
        let mut bytes = [0; REGION_BYTES_MAX];
        let used = bytes.get_mut(..text.len()).ok_or(invalid)?;
        used.copy_from_slice(text.as_bytes());
        Ok(Region { bytes, length: u8::try_from(text.len()).map_err(|_| invalid)? })
    }
}

show_as_str!(Partition, Region);

/// `^([a-z]+-){2,3}\d+$`, the pattern of Regions in the model.
pub(crate) fn is_region_text(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let mut word_count = 0;
    for word in words.split('-') {
        word_count += 1;
        if word.is_empty() || !word.bytes().all(|b| b.is_ascii_lowercase()) {
            return false;
        }
    }
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    (2..=3).contains(&word_count) && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_follow_the_pattern() {
        for name in ["eu-central-1", "us-gov-west-1", "cn-north-1", "ap-southeast-12"] {
            let region: Region = name.parse().unwrap();
            assert_eq!(region.as_str(), name);
            assert_eq!(region.to_string(), name);
        }
        let long = format!("{}-b-1", "a".repeat(30));
        for wrong in [
            "",
            "-",
            "eu",
            "eu-1",
            "eu-central",
            "eu-central-",
            "EU-central-1",
            "eu--1",
            "a-b-c-d-1",
            "eu-central-1 ",
            "eu-central-1a",
            "eu_central-1",
            "eu-céntral-1",
            &long,
        ] {
            assert!(wrong.parse::<Region>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn regions_know_their_partition() {
        let partition = |name: &str| name.parse::<Region>().unwrap().partition();
        assert_eq!(partition("eu-central-1"), Partition::Aws);
        assert_eq!(partition("cn-north-1"), Partition::AwsCn);
        assert_eq!(partition("us-gov-west-1"), Partition::AwsUsGov);
        assert_eq!(partition("us-east-1"), Partition::Aws);
    }

    #[test]
    fn a_region_that_validation_lets_through_fits() {
        assert_eq!(u64::try_from(REGION_BYTES_MAX), Ok(crate::limits::REGION_CHARS_MAX));
        let longest = format!("{}-b-1", "a".repeat(28));
        assert!(longest.parse::<Region>().is_ok());
        assert!(format!("a{longest}").parse::<Region>().is_err());
    }

    #[test]
    fn regions_order_as_their_text() {
        let region = |name: &str| name.parse::<Region>().unwrap();
        assert!(region("eu-west-1") < region("eu-west-12"));
        assert!(region("eu-west-12") < region("eu-west-2"));
    }
}
