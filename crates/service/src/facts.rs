//! What a request says that later steps and policies ask about.

use wire::enums::EncryptionAlgorithmSpec;
use wire::values::EncryptionContext;

use crate::error::ServiceError;

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
    /// Tokens of grants that the caller wants considered.
    pub(crate) grant_tokens: &'r [String],
    /// The caller only asks whether the call would succeed.
    pub(crate) dry_run: bool,
    /// `kms:BypassPolicyLockoutSafetyCheck`.
    pub(crate) bypass_policy_lockout_safety_check: bool,
    /// `kms:ScheduleKeyDeletionPendingWindowInDays`.
    pub(crate) pending_window_days: Option<i64>,
    /// `aws:RequestTag/KEY` and `aws:TagKeys`.
    pub(crate) tags: &'r [wire::kms::tags::Tag],
    /// `aws:TagKeys` of a request that names tags without values.
    pub(crate) tag_keys: &'r [String],
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
