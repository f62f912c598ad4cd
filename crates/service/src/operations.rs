//! The operation table: the one list of what this server does.

use serde_json::Value;

use crate::cloudtrail::{events, trails};
use crate::forward_access;
use crate::iam::{
    absent, access_keys, account_aliases, account_details, accounts, context_keys, group_policies,
    groups, open_id_connect_provider_tags, open_id_connect_providers, permissions_boundaries,
    policies, policy_tags, policy_versions, role_policies, roles, service_linked_roles, simulation,
    user_policies, users,
};
use crate::kms::{
    aliases, encrypt, generate, grants, import, key_policies, keys, mac, multi_region, public_keys,
    rotation, shared_secrets, sign, tags,
};
use crate::operation::{Api, Erased, Row, Spec};
use crate::sts::{
    authorization_messages, caller_identity, roles as assumed_roles, sessions, web_identities,
};

/// Every operation, by family.
pub(crate) static OPERATIONS: &[&dyn Erased] = &[
    &Row::<keys::CreateKey>::new(),
    &Row::<keys::DescribeKey>::new(),
    &Row::<keys::ListKeys>::new(),
    &Row::<keys::UpdateKeyDescription>::new(),
    &Row::<keys::EnableKey>::new(),
    &Row::<keys::DisableKey>::new(),
    &Row::<keys::ScheduleKeyDeletion>::new(),
    &Row::<keys::CancelKeyDeletion>::new(),
    &Row::<keys::GetKeyLastUsage>::new(),
    &Row::<aliases::CreateAlias>::new(),
    &Row::<aliases::UpdateAlias>::new(),
    &Row::<aliases::DeleteAlias>::new(),
    &Row::<aliases::ListAliases>::new(),
    &Row::<tags::TagResource>::new(),
    &Row::<tags::UntagResource>::new(),
    &Row::<tags::ListResourceTags>::new(),
    &Row::<key_policies::GetKeyPolicy>::new(),
    &Row::<key_policies::PutKeyPolicy>::new(),
    &Row::<key_policies::ListKeyPolicies>::new(),
    &Row::<grants::CreateGrant>::new(),
    &Row::<grants::ListGrants>::new(),
    &Row::<grants::ListRetirableGrants>::new(),
    &Row::<grants::RetireGrant>::new(),
    &Row::<grants::RevokeGrant>::new(),
    &Row::<rotation::EnableKeyRotation>::new(),
    &Row::<rotation::DisableKeyRotation>::new(),
    &Row::<rotation::GetKeyRotationStatus>::new(),
    &Row::<rotation::RotateKeyOnDemand>::new(),
    &Row::<rotation::ListKeyRotations>::new(),
    &Row::<import::GetParametersForImport>::new(),
    &Row::<import::ImportKeyMaterial>::new(),
    &Row::<import::DeleteImportedKeyMaterial>::new(),
    &Row::<multi_region::ReplicateKey>::new(),
    &Row::<multi_region::UpdatePrimaryRegion>::new(),
    &Row::<encrypt::Encrypt>::new(),
    &Row::<encrypt::Decrypt>::new(),
    &Row::<encrypt::ReEncrypt>::new(),
    &Row::<generate::GenerateDataKey>::new(),
    &Row::<generate::GenerateDataKeyWithoutPlaintext>::new(),
    &Row::<generate::GenerateDataKeyPair>::new(),
    &Row::<generate::GenerateDataKeyPairWithoutPlaintext>::new(),
    &Row::<generate::GenerateRandom>::new(),
    &Row::<sign::Sign>::new(),
    &Row::<sign::Verify>::new(),
    &Row::<mac::GenerateMac>::new(),
    &Row::<mac::VerifyMac>::new(),
    &Row::<public_keys::GetPublicKey>::new(),
    &Row::<shared_secrets::DeriveSharedSecret>::new(),
    &Row::<shared_secrets::Encapsulate>::new(),
    &Row::<shared_secrets::Decapsulate>::new(),
    &Row::<trails::DescribeTrails>::new(),
    &Row::<trails::GetTrail>::new(),
    &Row::<trails::GetTrailStatus>::new(),
    &Row::<trails::GetEventSelectors>::new(),
    &Row::<trails::ListTrails>::new(),
    &Row::<trails::ListPublicKeys>::new(),
    &Row::<users::CreateUser>::new(),
    &Row::<users::GetUser>::new(),
    &Row::<users::UpdateUser>::new(),
    &Row::<users::DeleteUser>::new(),
    &Row::<users::ListUsers>::new(),
    &Row::<users::TagUser>::new(),
    &Row::<users::UntagUser>::new(),
    &Row::<users::ListUserTags>::new(),
    &Row::<access_keys::CreateAccessKey>::new(),
    &Row::<access_keys::UpdateAccessKey>::new(),
    &Row::<access_keys::DeleteAccessKey>::new(),
    &Row::<access_keys::ListAccessKeys>::new(),
    &Row::<access_keys::GetAccessKeyLastUsed>::new(),
    &Row::<user_policies::PutUserPolicy>::new(),
    &Row::<user_policies::GetUserPolicy>::new(),
    &Row::<user_policies::DeleteUserPolicy>::new(),
    &Row::<user_policies::ListUserPolicies>::new(),
    &Row::<user_policies::AttachUserPolicy>::new(),
    &Row::<user_policies::DetachUserPolicy>::new(),
    &Row::<user_policies::ListAttachedUserPolicies>::new(),
    &Row::<groups::CreateGroup>::new(),
    &Row::<groups::GetGroup>::new(),
    &Row::<groups::UpdateGroup>::new(),
    &Row::<groups::DeleteGroup>::new(),
    &Row::<groups::ListGroups>::new(),
    &Row::<groups::AddUserToGroup>::new(),
    &Row::<groups::RemoveUserFromGroup>::new(),
    &Row::<groups::ListGroupsForUser>::new(),
    &Row::<group_policies::PutGroupPolicy>::new(),
    &Row::<group_policies::GetGroupPolicy>::new(),
    &Row::<group_policies::DeleteGroupPolicy>::new(),
    &Row::<group_policies::ListGroupPolicies>::new(),
    &Row::<group_policies::AttachGroupPolicy>::new(),
    &Row::<group_policies::DetachGroupPolicy>::new(),
    &Row::<group_policies::ListAttachedGroupPolicies>::new(),
    &Row::<policies::CreatePolicy>::new(),
    &Row::<policies::GetPolicy>::new(),
    &Row::<policies::DeletePolicy>::new(),
    &Row::<policies::ListPolicies>::new(),
    &Row::<policies::ListEntitiesForPolicy>::new(),
    &Row::<policy_versions::CreatePolicyVersion>::new(),
    &Row::<policy_versions::GetPolicyVersion>::new(),
    &Row::<policy_versions::DeletePolicyVersion>::new(),
    &Row::<policy_versions::ListPolicyVersions>::new(),
    &Row::<policy_versions::SetDefaultPolicyVersion>::new(),
    &Row::<roles::CreateRole>::new(),
    &Row::<roles::GetRole>::new(),
    &Row::<roles::UpdateRole>::new(),
    &Row::<roles::UpdateRoleDescription>::new(),
    &Row::<roles::DeleteRole>::new(),
    &Row::<roles::ListRoles>::new(),
    &Row::<roles::UpdateAssumeRolePolicy>::new(),
    &Row::<roles::TagRole>::new(),
    &Row::<roles::UntagRole>::new(),
    &Row::<roles::ListRoleTags>::new(),
    &Row::<service_linked_roles::CreateServiceLinkedRole>::new(),
    &Row::<service_linked_roles::DeleteServiceLinkedRole>::new(),
    &Row::<service_linked_roles::GetServiceLinkedRoleDeletionStatus>::new(),
    &Row::<role_policies::PutRolePolicy>::new(),
    &Row::<role_policies::GetRolePolicy>::new(),
    &Row::<role_policies::DeleteRolePolicy>::new(),
    &Row::<role_policies::ListRolePolicies>::new(),
    &Row::<role_policies::AttachRolePolicy>::new(),
    &Row::<role_policies::DetachRolePolicy>::new(),
    &Row::<role_policies::ListAttachedRolePolicies>::new(),
    &Row::<permissions_boundaries::PutUserPermissionsBoundary>::new(),
    &Row::<permissions_boundaries::DeleteUserPermissionsBoundary>::new(),
    &Row::<permissions_boundaries::PutRolePermissionsBoundary>::new(),
    &Row::<permissions_boundaries::DeleteRolePermissionsBoundary>::new(),
    &Row::<policy_tags::TagPolicy>::new(),
    &Row::<policy_tags::UntagPolicy>::new(),
    &Row::<policy_tags::ListPolicyTags>::new(),
    &Row::<open_id_connect_providers::CreateOpenIDConnectProvider>::new(),
    &Row::<open_id_connect_providers::GetOpenIDConnectProvider>::new(),
    &Row::<open_id_connect_providers::ListOpenIDConnectProviders>::new(),
    &Row::<open_id_connect_providers::DeleteOpenIDConnectProvider>::new(),
    &Row::<open_id_connect_providers::AddClientIDToOpenIDConnectProvider>::new(),
    &Row::<open_id_connect_providers::RemoveClientIDFromOpenIDConnectProvider>::new(),
    &Row::<open_id_connect_providers::UpdateOpenIDConnectProviderThumbprint>::new(),
    &Row::<open_id_connect_provider_tags::TagOpenIDConnectProvider>::new(),
    &Row::<open_id_connect_provider_tags::UntagOpenIDConnectProvider>::new(),
    &Row::<open_id_connect_provider_tags::ListOpenIDConnectProviderTags>::new(),
    &Row::<account_aliases::CreateAccountAlias>::new(),
    &Row::<account_aliases::DeleteAccountAlias>::new(),
    &Row::<account_aliases::ListAccountAliases>::new(),
    &Row::<absent::GetLoginProfile>::new(),
    &Row::<absent::ListMFADevices>::new(),
    &Row::<absent::ListSigningCertificates>::new(),
    &Row::<absent::ListSSHPublicKeys>::new(),
    &Row::<absent::ListServiceSpecificCredentials>::new(),
    &Row::<absent::GetInstanceProfile>::new(),
    &Row::<absent::ListInstanceProfiles>::new(),
    &Row::<absent::ListInstanceProfilesForRole>::new(),
    &Row::<absent::GetAccountPasswordPolicy>::new(),
    &Row::<accounts::GetAccountSummary>::new(),
    &Row::<account_details::GetAccountAuthorizationDetails>::new(),
    &Row::<context_keys::GetContextKeysForCustomPolicy>::new(),
    &Row::<context_keys::GetContextKeysForPrincipalPolicy>::new(),
    &Row::<simulation::SimulateCustomPolicy>::new(),
    &Row::<simulation::SimulatePrincipalPolicy>::new(),
    &Row::<caller_identity::GetCallerIdentity>::new(),
    &Row::<caller_identity::GetAccessKeyInfo>::new(),
    &Row::<assumed_roles::AssumeRole>::new(),
    &Row::<web_identities::AssumeRoleWithWebIdentity>::new(),
    &Row::<sessions::GetSessionToken>::new(),
    &Row::<sessions::GetFederationToken>::new(),
    &Row::<authorization_messages::DecodeAuthorizationMessage>::new(),
    &Row::<events::LookupEvents>::new(),
    &Row::<forward_access::CreateForwardAccessSession>::new(),
];

/// The operations of AWS KMS that are not built yet, one to a line; a capability that builds one takes its line out.
pub const UNBUILT: &str = include_str!("kms/unbuilt.txt");
/// The same of AWS IAM.
#[cfg(test)]
const UNBUILT_IAM: &str = include_str!("iam/unbuilt.txt");
/// The same of AWS STS.
#[cfg(test)]
const UNBUILT_STS: &str = include_str!("sts/unbuilt.txt");

/// All that is built as plain data, to be compared with the models that AWS publishes.
pub fn model() -> Value {
    let of_kms = OPERATIONS.iter().filter(|row| row.spec().api == Api::Kms);
    let mut description = wire::model::description(of_kms.map(|row| row.describe()));
    for (api, member) in [(Api::Iam, "iam"), (Api::Sts, "sts")] {
        let built = OPERATIONS.iter().filter(|row| row.spec().api == api);
        let built: Vec<&str> = built.map(|row| row.spec().name).collect();
        if let Some(description) = description.get_mut(member).and_then(Value::as_object_mut) {
            description.insert("built".to_owned(), built.into());
        }
    }
    description
}

/// The row of an operation. The table is short enough to be searched.
pub(crate) fn find(api: Api, name: &str) -> Option<&'static dyn Erased> {
    OPERATIONS.iter().find(|row| row.spec().api == api && row.spec().name == name).copied()
}

/// The operation that asks for an action, in any case of its letters, and the place of that question among its questions.
/// Where several ask for it, it is the one of the action's own name.
pub(crate) fn of_action(action: &str) -> Option<(&'static Spec, usize)> {
    let asking = || {
        OPERATIONS.iter().map(|row| row.spec()).filter_map(|spec| {
            let mut actions = spec.actions.iter();
            Some((spec, actions.position(|asked| asked.eq_ignore_ascii_case(action))?))
        })
    };
    let name = action.split_once(':').map(|(_, name)| name).unwrap_or_default();
    asking().find(|(spec, _)| spec.name.eq_ignore_ascii_case(name)).or_else(|| asking().next())
}

/// The operation that is called so, as in `kms:ReEncrypt`, or that asks for the action, in any case of the letters.
pub(crate) fn called(name: &str) -> Option<&'static dyn Erased> {
    let (service, operation) = name.split_once(':')?;
    let is_called = |spec: &Spec| {
        spec.api.scope().eq_ignore_ascii_case(service) && spec.name.eq_ignore_ascii_case(operation)
    };
    let called = OPERATIONS.iter().find(|row| is_called(row.spec())).copied();
    called.or_else(|| of_action(name).and_then(|(spec, _)| find(spec.api, spec.name)))
}

#[cfg(test)]
mod tests {
    use wire::enums::GrantOperation;

    use super::*;

    #[test]
    fn a_row_is_called_what_its_request_is_for() {
        for row in OPERATIONS {
            assert_eq!(row.spec().name, row.describe().0);
        }
    }

    #[test]
    fn every_grant_operation_permits_one_action_of_one_operation() {
        for operation in GrantOperation::ALL {
            let rows = OPERATIONS.iter().map(|row| row.spec());
            let places: Vec<_> = rows
                .flat_map(|spec| (0..spec.actions.len()).map(move |place| (spec, place)))
                .filter(|(spec, place)| spec.grant_operation(*place) == Some(*operation))
                .map(|(spec, _)| spec.name)
                .collect();
            // ReEncryptFrom and ReEncryptTo permit the two halves of one operation.
            let is_half = operation.as_str().starts_with("ReEncrypt");
            assert_eq!(places, [if is_half { "ReEncrypt" } else { operation.as_str() }]);
        }
    }

    #[test]
    fn nothing_is_built_twice_or_both_built_and_unbuilt() {
        let unbuilt = [UNBUILT, UNBUILT_IAM, UNBUILT_STS].into_iter().flat_map(str::lines);
        let mut names: Vec<&str> =
            OPERATIONS.iter().map(|row| row.spec().name).chain(unbuilt).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
