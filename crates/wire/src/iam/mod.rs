//! The requests and answers of AWS IAM, family by family, in the AWS Query protocol.
//!
//! As in [`kms`](crate::kms), members of requests are optional all over. Names, paths, ids and ARNs
//! of answers are texts: the service writes what it has parsed.

pub mod access_keys;
pub mod account_details;
pub mod accounts;
pub mod enums;
pub mod evaluation_results;
pub mod group_policies;
pub mod groups;
pub mod instance_profiles;
pub mod open_id_connect_providers;
pub mod password_policies;
pub mod permissions_boundaries;
pub mod policies;
pub mod policy_versions;
pub mod role_policies;
pub mod roles;
mod rules;
pub mod service_linked_roles;
pub mod simulation;
pub mod tags;
pub mod user_credentials;
pub mod user_policies;
pub mod users;

pub(crate) use rules::TAG_KEYS;

use serde_json::Value;

use crate::model::{Answer, operation};

/// Describes each operation of IAM that has shapes here, by family.
pub(crate) const OPERATIONS: &[fn() -> (&'static str, Value)] = &[
    operation::<users::CreateUserRequest>,
    operation::<users::GetUserRequest>,
    operation::<users::UpdateUserRequest>,
    operation::<users::DeleteUserRequest>,
    operation::<users::ListUsersRequest>,
    operation::<users::TagUserRequest>,
    operation::<users::UntagUserRequest>,
    operation::<users::ListUserTagsRequest>,
    operation::<access_keys::CreateAccessKeyRequest>,
    operation::<access_keys::UpdateAccessKeyRequest>,
    operation::<access_keys::DeleteAccessKeyRequest>,
    operation::<access_keys::ListAccessKeysRequest>,
    operation::<access_keys::GetAccessKeyLastUsedRequest>,
    operation::<user_policies::PutUserPolicyRequest>,
    operation::<user_policies::GetUserPolicyRequest>,
    operation::<user_policies::DeleteUserPolicyRequest>,
    operation::<user_policies::ListUserPoliciesRequest>,
    operation::<user_policies::AttachUserPolicyRequest>,
    operation::<user_policies::DetachUserPolicyRequest>,
    operation::<user_policies::ListAttachedUserPoliciesRequest>,
    operation::<group_policies::PutGroupPolicyRequest>,
    operation::<group_policies::GetGroupPolicyRequest>,
    operation::<group_policies::DeleteGroupPolicyRequest>,
    operation::<group_policies::ListGroupPoliciesRequest>,
    operation::<group_policies::AttachGroupPolicyRequest>,
    operation::<group_policies::DetachGroupPolicyRequest>,
    operation::<group_policies::ListAttachedGroupPoliciesRequest>,
    operation::<role_policies::PutRolePolicyRequest>,
    operation::<role_policies::GetRolePolicyRequest>,
    operation::<role_policies::DeleteRolePolicyRequest>,
    operation::<role_policies::ListRolePoliciesRequest>,
    operation::<role_policies::AttachRolePolicyRequest>,
    operation::<role_policies::DetachRolePolicyRequest>,
    operation::<role_policies::ListAttachedRolePoliciesRequest>,
    operation::<groups::CreateGroupRequest>,
    operation::<groups::GetGroupRequest>,
    operation::<groups::UpdateGroupRequest>,
    operation::<groups::DeleteGroupRequest>,
    operation::<groups::ListGroupsRequest>,
    operation::<groups::AddUserToGroupRequest>,
    operation::<groups::RemoveUserFromGroupRequest>,
    operation::<groups::ListGroupsForUserRequest>,
    operation::<roles::CreateRoleRequest>,
    operation::<roles::GetRoleRequest>,
    operation::<roles::UpdateRoleRequest>,
    operation::<roles::UpdateRoleDescriptionRequest>,
    operation::<roles::DeleteRoleRequest>,
    operation::<roles::ListRolesRequest>,
    operation::<roles::UpdateAssumeRolePolicyRequest>,
    operation::<roles::TagRoleRequest>,
    operation::<roles::UntagRoleRequest>,
    operation::<roles::ListRoleTagsRequest>,
    operation::<service_linked_roles::CreateServiceLinkedRoleRequest>,
    operation::<service_linked_roles::DeleteServiceLinkedRoleRequest>,
    operation::<service_linked_roles::GetServiceLinkedRoleDeletionStatusRequest>,
    operation::<instance_profiles::GetInstanceProfileRequest>,
    operation::<instance_profiles::ListInstanceProfilesRequest>,
    operation::<instance_profiles::ListInstanceProfilesForRoleRequest>,
    operation::<policies::CreatePolicyRequest>,
    operation::<policies::GetPolicyRequest>,
    operation::<policies::DeletePolicyRequest>,
    operation::<policies::ListPoliciesRequest>,
    operation::<policies::TagPolicyRequest>,
    operation::<policies::UntagPolicyRequest>,
    operation::<policies::ListPolicyTagsRequest>,
    operation::<policies::ListEntitiesForPolicyRequest>,
    operation::<policy_versions::CreatePolicyVersionRequest>,
    operation::<policy_versions::GetPolicyVersionRequest>,
    operation::<policy_versions::DeletePolicyVersionRequest>,
    operation::<policy_versions::ListPolicyVersionsRequest>,
    operation::<policy_versions::SetDefaultPolicyVersionRequest>,
    operation::<permissions_boundaries::PutUserPermissionsBoundaryRequest>,
    operation::<permissions_boundaries::DeleteUserPermissionsBoundaryRequest>,
    operation::<permissions_boundaries::PutRolePermissionsBoundaryRequest>,
    operation::<permissions_boundaries::DeleteRolePermissionsBoundaryRequest>,
    operation::<open_id_connect_providers::CreateOpenIDConnectProviderRequest>,
    operation::<open_id_connect_providers::GetOpenIDConnectProviderRequest>,
    operation::<open_id_connect_providers::DeleteOpenIDConnectProviderRequest>,
    operation::<open_id_connect_providers::ListOpenIDConnectProvidersRequest>,
    operation::<open_id_connect_providers::AddClientIDToOpenIDConnectProviderRequest>,
    operation::<open_id_connect_providers::RemoveClientIDFromOpenIDConnectProviderRequest>,
    operation::<open_id_connect_providers::UpdateOpenIDConnectProviderThumbprintRequest>,
    operation::<open_id_connect_providers::TagOpenIDConnectProviderRequest>,
    operation::<open_id_connect_providers::UntagOpenIDConnectProviderRequest>,
    operation::<open_id_connect_providers::ListOpenIDConnectProviderTagsRequest>,
    operation::<accounts::CreateAccountAliasRequest>,
    operation::<accounts::DeleteAccountAliasRequest>,
    operation::<accounts::ListAccountAliasesRequest>,
    operation::<accounts::GetAccountSummaryRequest>,
    operation::<password_policies::GetAccountPasswordPolicyRequest>,
    operation::<account_details::GetAccountAuthorizationDetailsRequest>,
    operation::<simulation::SimulatePrincipalPolicyRequest>,
    operation::<simulation::SimulateCustomPolicyRequest>,
    operation::<simulation::GetContextKeysForCustomPolicyRequest>,
    operation::<simulation::GetContextKeysForPrincipalPolicyRequest>,
    operation::<user_credentials::GetLoginProfileRequest>,
    operation::<user_credentials::ListMFADevicesRequest>,
    operation::<user_credentials::ListSigningCertificatesRequest>,
    operation::<user_credentials::ListSSHPublicKeysRequest>,
    operation::<user_credentials::ListServiceSpecificCredentialsRequest>,
];

/// The structures inside answers, by their names in the model, with their members.
pub(crate) const STRUCTURES: &[(&str, &[&str])] = &[
    ("Tag", tags::Tag::MEMBERS),
    ("User", users::User::MEMBERS),
    ("AccessKey", access_keys::AccessKey::MEMBERS),
    ("AccessKeyMetadata", access_keys::AccessKeyMetadata::MEMBERS),
    ("AccessKeyLastUsed", access_keys::AccessKeyLastUsed::MEMBERS),
    ("Group", groups::Group::MEMBERS),
    ("Role", roles::Role::MEMBERS),
    ("RoleLastUsed", roles::RoleLastUsed::MEMBERS),
    ("SourceRoleTemplate", roles::SourceRoleTemplate::MEMBERS),
    ("DeletionTaskFailureReasonType", service_linked_roles::DeletionTaskFailureReason::MEMBERS),
    ("RoleUsageType", service_linked_roles::RoleUsage::MEMBERS),
    ("InstanceProfile", instance_profiles::InstanceProfile::MEMBERS),
    ("Policy", policies::Policy::MEMBERS),
    ("AttachedPolicy", policies::AttachedPolicy::MEMBERS),
    ("PolicyGroup", policies::PolicyGroup::MEMBERS),
    ("PolicyUser", policies::PolicyUser::MEMBERS),
    ("PolicyRole", policies::PolicyRole::MEMBERS),
    ("PolicyVersion", policy_versions::PolicyVersion::MEMBERS),
    ("AttachedPermissionsBoundary", permissions_boundaries::AttachedPermissionsBoundary::MEMBERS),
    ("ContextProvider", open_id_connect_providers::ContextProvider::MEMBERS),
    (
        "ContextProviderKeyDefinition",
        open_id_connect_providers::ContextProviderKeyDefinition::MEMBERS,
    ),
    (
        "OpenIDConnectProviderListEntry",
        open_id_connect_providers::OpenIDConnectProviderListEntry::MEMBERS,
    ),
    ("UserDetail", account_details::UserDetail::MEMBERS),
    ("GroupDetail", account_details::GroupDetail::MEMBERS),
    ("RoleDetail", account_details::RoleDetail::MEMBERS),
    ("ManagedPolicyDetail", account_details::ManagedPolicyDetail::MEMBERS),
    ("PolicyDetail", account_details::PolicyDetail::MEMBERS),
    ("PasswordPolicy", password_policies::PasswordPolicy::MEMBERS),
    ("EvaluationResult", evaluation_results::EvaluationResult::MEMBERS),
    ("ResourceSpecificResult", evaluation_results::ResourceSpecificResult::MEMBERS),
    ("Statement", evaluation_results::Statement::MEMBERS),
    ("Position", evaluation_results::Position::MEMBERS),
    ("OrganizationsDecisionDetail", evaluation_results::OrganizationsDecisionDetail::MEMBERS),
    (
        "PermissionsBoundaryDecisionDetail",
        evaluation_results::PermissionsBoundaryDecisionDetail::MEMBERS,
    ),
    ("LoginProfile", user_credentials::LoginProfile::MEMBERS),
    ("MFADevice", user_credentials::MFADevice::MEMBERS),
    ("SigningCertificate", user_credentials::SigningCertificate::MEMBERS),
    ("SSHPublicKeyMetadata", user_credentials::SSHPublicKeyMetadata::MEMBERS),
    (
        "ServiceSpecificCredentialMetadata",
        user_credentials::ServiceSpecificCredentialMetadata::MEMBERS,
    ),
];
