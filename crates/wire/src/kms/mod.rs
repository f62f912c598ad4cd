//! The requests and answers of AWS KMS, family by family.
//!
//! Members of requests are optional all over: a missing one is told together with all other
//! violations by [`validate`](crate::shape::validate), after which
//! [`required`](crate::shape::required) takes it.

pub mod aliases;
pub mod encrypt;
pub mod generate;
pub mod import;
pub mod key_policies;
pub mod keys;
pub mod mac;
pub mod multi_region;
pub mod public_keys;
pub mod rotation;
mod rules;
pub mod shared_secrets;
pub mod sign;
pub mod tags;

use crate::model::{Answer, family};

/// The structures inside answers, by their names in the model, with their members.
pub(crate) const STRUCTURES: &[(&str, &[&str])] = &[
    ("KeyMetadata", keys::KeyMetadata::MEMBERS),
    ("MultiRegionConfiguration", keys::MultiRegionConfiguration::MEMBERS),
    ("MultiRegionKey", keys::MultiRegionKey::MEMBERS),
    ("XksKeyConfigurationType", keys::XksKeyConfiguration::MEMBERS),
    ("KeyListEntry", keys::KeyListEntry::MEMBERS),
    ("KeyLastUsageData", keys::KeyLastUsageData::MEMBERS),
    ("RotationsListEntry", rotation::RotationsListEntry::MEMBERS),
    ("AliasListEntry", aliases::AliasListEntry::MEMBERS),
    ("Tag", tags::Tag::MEMBERS),
];
