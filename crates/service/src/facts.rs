//! What a request says that later steps and policies ask about.

use jiff::Timestamp;
use wire::enums::{
    DataKeyPairSpec, EncryptionAlgorithmSpec, ExpirationModel, KeyAgreementAlgorithmSpec, KeySpec,
    KeyUsage, MacAlgorithmSpec, MessageType, OriginType, SigningAlgorithmSpec, WrappingAlgorithm,
    WrappingKeySpec,
};
use wire::kms::encrypt::RecipientInfo;
use wire::kms::grants::CreateGrantRequest;
use wire::values::EncryptionContext;

use crate::error::ServiceError;
use crate::sessions::Session;

/// Bytes of all keys and values of one encryption context together: AWS's limit for external key stores, taken for all
/// keys here. It also bounds what a policy can be made to compare.
const ENCRYPTION_CONTEXT_BYTES_MAX: usize = 8192;

/// Facts taken from the members of a request, one hook for every operation.
#[derive(Default)]
pub(crate) struct Facts<'r> {
    /// The encryption context for each key of the target: `kms:EncryptionContext:KEY`.
    pub(crate) encryption_contexts: [Option<&'r EncryptionContext>; 2],
    /// `kms:EncryptionAlgorithm` for each key of the target.
    pub(crate) encryption_algorithms: [Option<EncryptionAlgorithmSpec>; 2],
    /// The attested recipient that alone is to read the answer: `kms:RecipientAttestation:…`.
    pub(crate) recipient: Option<&'r RecipientInfo>,
    /// What else the request says about the cryptography that it wants.
    pub(crate) cryptography: Cryptography,
    /// What the request says about the life of the key.
    pub(crate) lifecycle: Lifecycle<'r>,
    /// The key that is to be made.
    pub(crate) new_key: Option<NewKeyFacts>,
    /// What the request says about a grant that it is about.
    pub(crate) grant: GrantFacts<'r>,
    /// Tokens of grants that the caller wants considered.
    pub(crate) grant_tokens: &'r [String],
    /// The caller only asks whether the call would succeed.
    pub(crate) dry_run: bool,
    /// `kms:BypassPolicyLockoutSafetyCheck`.
    pub(crate) bypass_policy_lockout_safety_check: bool,
    /// `aws:RequestTag/KEY` and `aws:TagKeys`.
    pub(crate) tags: &'r [wire::kms::tags::Tag],
    /// `aws:TagKeys` of a request that names tags without values.
    pub(crate) tag_keys: &'r [String],
    /// What the request says about users, groups, roles and managed policies.
    pub(crate) iam: IamFacts<'r>,
    /// What the request says about the session that it wants.
    pub(crate) sts: StsFacts<'r>,
}

/// Facts of requests to IAM.
#[derive(Default)]
pub(crate) struct IamFacts<'r> {
    /// `iam:PolicyARN`.
    pub(crate) policy_arn: Option<&'r str>,
    /// `iam:PermissionsBoundary`.
    pub(crate) permissions_boundary: Option<&'r str>,
    /// `iam:AWSServiceName`.
    pub(crate) aws_service_name: Option<&'r str>,
    /// `aws:RequestTag/KEY` and `aws:TagKeys`.
    pub(crate) tags: &'r [wire::iam::tags::Tag],
}

/// Facts of requests for sessions; each is the condition key of its name.
#[derive(Default)]
pub(crate) struct StsFacts<'r> {
    /// `sts:ExternalId`.
    pub(crate) external_id: Option<&'r str>,
    /// `sts:RoleSessionName`.
    pub(crate) role_session_name: Option<&'r str>,
    /// `sts:SourceIdentity`.
    pub(crate) source_identity: Option<&'r str>,
    /// `sts:TransitiveTagKeys`.
    pub(crate) transitive_tag_keys: &'r [String],
}

impl<'r> StsFacts<'r> {
    /// The source identity that the new session of a role will have: the one asked for, or the one that the caller's
    /// session hands on. Either is set only with `sts:SetSourceIdentity` (IAM User Guide, "Monitor and control actions
    /// taken with assumed roles").
    pub(crate) fn carried_source_identity(&self, caller: Option<&'r Session>) -> Option<&'r str> {
        let inherited = || caller?.claims().source_identity.as_deref();
        // Only requests for a role's session name it.
        self.source_identity.or_else(|| self.role_session_name.and_then(|_| inherited()))
    }
}

/// Facts of signing, MACs, key agreement and data key pairs; each is the condition key of its name.
#[derive(Default)]
pub(crate) struct Cryptography {
    /// `kms:SigningAlgorithm`.
    pub(crate) signing_algorithm: Option<SigningAlgorithmSpec>,
    /// `kms:MessageType`.
    pub(crate) message_type: Option<MessageType>,
    /// `kms:MacAlgorithm`.
    pub(crate) mac_algorithm: Option<MacAlgorithmSpec>,
    /// `kms:KeyAgreementAlgorithm`.
    pub(crate) key_agreement_algorithm: Option<KeyAgreementAlgorithmSpec>,
    /// `kms:DataKeyPairSpec`.
    pub(crate) data_key_pair_spec: Option<DataKeyPairSpec>,
}

/// Facts of CreateKey, with the defaults for what the request leaves out; each is the condition key of its name.
pub(crate) struct NewKeyFacts {
    /// `kms:KeySpec`, `kms:CustomerMasterKeySpec`.
    pub(crate) key_spec: KeySpec,
    /// `kms:KeyUsage`, `kms:CustomerMasterKeyUsage`.
    pub(crate) key_usage: KeyUsage,
    /// `kms:KeyOrigin`.
    pub(crate) origin: OriginType,
    /// `kms:MultiRegion`, and by it `kms:MultiRegionKeyType`.
    pub(crate) multi_region: bool,
}

/// Facts of the operations on grants.
#[derive(Default)]
pub(crate) struct GrantFacts<'r> {
    /// The grant that is asked for: `kms:GrantOperations` and the others of CreateGrant.
    pub(crate) asked: Option<&'r CreateGrantRequest>,
    /// `kms:GrantIsForAWSResource`.
    pub(crate) is_for_aws_resource: Option<bool>,
}

/// Facts of deletion, rotation, import and multi-Region keys; each is the condition key of its name.
#[derive(Default)]
pub(crate) struct Lifecycle<'r> {
    /// `kms:ScheduleKeyDeletionPendingWindowInDays`.
    pub(crate) pending_window_days: Option<i64>,
    /// `kms:RotationPeriodInDays`.
    pub(crate) rotation_period_days: Option<i64>,
    /// `kms:ExpirationModel`.
    pub(crate) expiration_model: Option<ExpirationModel>,
    /// `kms:ValidTo`.
    pub(crate) valid_to: Option<Timestamp>,
    /// `kms:WrappingAlgorithm`.
    pub(crate) wrapping_algorithm: Option<WrappingAlgorithm>,
    /// `kms:WrappingKeySpec`.
    pub(crate) wrapping_key_spec: Option<WrappingKeySpec>,
    /// `kms:ReplicaRegion`.
    pub(crate) replica_region: Option<&'r str>,
    /// `kms:PrimaryRegion`.
    pub(crate) primary_region: Option<&'r str>,
}

impl Facts<'_> {
    /// Refuses an encryption context that is too long.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        for context in self.encryption_contexts.into_iter().flatten() {
            let bytes_count: usize =
                context.iter().map(|(key, value)| key.len() + value.len()).sum();
            if bytes_count > ENCRYPTION_CONTEXT_BYTES_MAX {
                return Err(ServiceError::validation(format!(
                    "EncryptionContext must not be longer than {ENCRYPTION_CONTEXT_BYTES_MAX} bytes."
                )));
            }
        }
        Ok(())
    }
}
