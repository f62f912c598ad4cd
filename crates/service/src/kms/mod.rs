//! The operations of AWS KMS, one file for each family.

pub(crate) mod aliases;
pub(crate) mod encrypt;
pub(crate) mod generate;
pub(crate) mod grants;
pub(crate) mod import;
pub(crate) mod key_policies;
pub(crate) mod keys;
pub(crate) mod mac;
mod materials;
pub(crate) mod multi_region;
pub(crate) mod public_keys;
pub(crate) mod rotation;
pub(crate) mod shared_secrets;
pub(crate) mod sign;
pub(crate) mod tags;

pub(crate) use self::materials::{fresh_for_all, other_regions, related_key, rotate_to_fresh};

use wire::enums::{KeySpec, KeyUsage};
use wire::error_codes::ErrorCode;
use wire::names::{Partition, Region};

use crate::key_state::KeyStateRule;
use crate::meter::Metering;
use crate::operation::{AnswerForm, Api, KeyForms, Spec};
use crate::quotas::RequestQuota;

/// Facts that most operations of KMS share; each row says only what differs.
const DEFAULT: Spec = Spec {
    name: "",
    api: Api::Kms,
    actions: &[],
    undeniable: false,
    tagging_action: None,
    key_forms: KeyForms::Key,
    key_state: KeyStateRule::Any,
    key_usage: None,
    invalid_arn: ErrorCode::InvalidArnException,
    cross_account: false,
    is_use: false,
    read_only: false,
    unrecorded: &[],
    records_answer: false,
    records_key: false,
    request_quota: RequestQuota::Own(5),
    metering: Metering::Plain,
    answer: AnswerForm::Json,
};

/// Facts that the operations share that use key material to encrypt and decrypt.
const CRYPTOGRAPHIC: Spec = Spec {
    key_forms: KeyForms::KeyOrAlias,
    key_state: KeyStateRule::Usable,
    key_usage: Some(KeyUsage::EncryptDecrypt),
    invalid_arn: ErrorCode::NotFoundException,
    cross_account: true,
    is_use: true,
    read_only: true,
    // Of a recipient the record tells the enclave (`additionalEventData`).
    unrecorded: &["GrantTokens", "Recipient"],
    request_quota: RequestQuota::Cryptographic,
    metering: Metering::ByKey,
    ..DEFAULT
};

/// Whether keys of the spec are made in the Region: SM2 in China alone, and by builds that have it ("Key spec reference").
fn is_made_in(key_spec: KeySpec, region: Region) -> bool {
    let is_here = key_spec != KeySpec::Sm2 || region.partition() == Partition::AwsCn;
    is_here && crypto::key_specs::is_built(key_spec)
}
