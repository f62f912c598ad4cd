//! IAM's quotas with AWS's numbers (IAM User Guide, "IAM and AWS STS quotas").

use wire::error_codes::ErrorCode;

use crate::error::ServiceError;

/// Access keys of a user.
pub(super) const ACCESS_KEYS_MAX: usize = 2;
/// Tags of a user or role.
pub(super) const TAGS_MAX: usize = 50;
/// Users of an account. AWS's number is 5,000; this server is made for twice as many.
pub(super) const USERS_MAX: usize = 10_000;
/// Groups of an account.
pub(super) const GROUPS_MAX: usize = 300;
/// Roles of an account.
pub(super) const ROLES_MAX: usize = 1_000;
/// Managed policies of an account.
pub(super) const POLICIES_MAX: usize = 1_500;
/// OIDC providers of an account.
pub(super) const OIDC_PROVIDERS_MAX: usize = 100;
/// Client ids of an OIDC provider.
pub(super) const CLIENT_IDS_MAX: usize = 100;
/// Thumbprints of an OIDC provider.
pub(super) const THUMBPRINTS_MAX: usize = 5;
/// Groups that a user is in.
pub(super) const GROUPS_FOR_USER_MAX: usize = 10;
/// Managed policies attached to a user, group or role.
pub(super) const ATTACHMENTS_MAX: usize = 10;
/// Versions of a managed policy.
pub(super) const VERSIONS_MAX: usize = 5;
/// Characters of a managed policy.
pub(super) const POLICY_CHARACTERS_MAX: usize = 6_144;
/// Characters of the inline policies of a user, all together.
pub(super) const USER_POLICY_CHARACTERS_MAX: usize = 2_048;
/// Characters of the inline policies of a group, all together.
pub(super) const GROUP_POLICY_CHARACTERS_MAX: usize = 5_120;
/// Characters of the inline policies of a role, all together.
pub(super) const ROLE_POLICY_CHARACTERS_MAX: usize = 10_240;
/// Characters of the trust policy of a role.
pub(super) const TRUST_POLICY_CHARACTERS_MAX: usize = 2_048;

/// Refuses what would be one too many. `name` is AWS's for the quota.
pub(super) fn check(name: &str, count: usize, max: usize) -> Result<(), ServiceError> {
    match count <= max {
        true => Ok(()),
        false => Err(exceeded(format!("Cannot exceed quota for {name}: {max}"))),
    }
}

/// More than AWS lets an account have.
pub(super) fn exceeded(message: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::LimitExceededException, message)
}
