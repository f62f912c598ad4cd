//! GetAccountSummary.

use std::collections::BTreeMap;

use store::IdentityKind;
use wire::iam::accounts::{GetAccountSummaryRequest, GetAccountSummaryResponse};
use wire::iam::enums::SummaryKey;

use super::{READING, quotas};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Tells how many identities there are and may be. What cannot be made here is counted as none.
pub(crate) struct GetAccountSummary;

impl Operation for GetAccountSummary {
    type Request = GetAccountSummaryRequest;
    type Target = NoTarget;
    type Response = GetAccountSummaryResponse;
    const SPEC: Spec =
        Spec { name: "GetAccountSummary", actions: &["iam:GetAccountSummary"], ..READING };

    fn names(_request: &GetAccountSummaryRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        _request: &GetAccountSummaryRequest,
    ) -> Result<Done<GetAccountSummaryResponse>, ServiceError> {
        let (identities, account) = (&context.host().identities, context.call().account());
        let policies = identities.all(account, IdentityKind::Policy);
        let versions_count: usize =
            policies.iter().map(|policy| policy.record().policies.len()).sum();
        let counts = [
            (SummaryKey::Users, identities.count(account, IdentityKind::User)),
            (SummaryKey::UsersQuota, quotas::USERS_MAX),
            (SummaryKey::Groups, identities.count(account, IdentityKind::Group)),
            (SummaryKey::GroupsQuota, quotas::GROUPS_MAX),
            (SummaryKey::Roles, identities.count(account, IdentityKind::Role)),
            (SummaryKey::RolesQuota, quotas::ROLES_MAX),
            (SummaryKey::Policies, policies.len()),
            (SummaryKey::PoliciesQuota, quotas::POLICIES_MAX),
            (SummaryKey::PolicySizeQuota, quotas::POLICY_CHARACTERS_MAX),
            (SummaryKey::PolicyVersionsInUse, versions_count),
            (SummaryKey::VersionsPerPolicyQuota, quotas::VERSIONS_MAX),
            (SummaryKey::UserPolicySizeQuota, quotas::USER_POLICY_CHARACTERS_MAX),
            (SummaryKey::GroupPolicySizeQuota, quotas::GROUP_POLICY_CHARACTERS_MAX),
            (SummaryKey::RolePolicySizeQuota, quotas::ROLE_POLICY_CHARACTERS_MAX),
            (SummaryKey::AssumeRolePolicySizeQuota, quotas::TRUST_POLICY_CHARACTERS_MAX),
            (SummaryKey::GroupsPerUserQuota, quotas::GROUPS_FOR_USER_MAX),
            (SummaryKey::AccessKeysPerUserQuota, quotas::ACCESS_KEYS_MAX),
            (SummaryKey::AttachedPoliciesPerUserQuota, quotas::ATTACHMENTS_MAX),
            (SummaryKey::AttachedPoliciesPerGroupQuota, quotas::ATTACHMENTS_MAX),
            (SummaryKey::AttachedPoliciesPerRoleQuota, quotas::ATTACHMENTS_MAX),
            // Root users sign with access keys here, and with nothing else.
            (SummaryKey::AccountAccessKeysPresent, 1),
            (SummaryKey::AccountPasswordPresent, 0),
            (SummaryKey::AccountMfaEnabled, 0),
            (SummaryKey::AccountSigningCertificatesPresent, 0),
            (SummaryKey::MfaDevices, 0),
            (SummaryKey::MfaDevicesInUse, 0),
            (SummaryKey::ServerCertificates, 0),
            (SummaryKey::InstanceProfiles, 0),
            (SummaryKey::Providers, identities.count(account, IdentityKind::OidcProvider)),
        ];
        let summary_map: BTreeMap<SummaryKey, i64> = counts
            .into_iter()
            .map(|(key, count)| (key, i64::try_from(count).unwrap_or(i64::MAX)))
            .collect();
        Ok(Done::read(GetAccountSummaryResponse { summary_map }))
    }
}
