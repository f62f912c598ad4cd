//! Requests of IAM and STS are read by the names that their shapes show.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use wire::{
    iam::{
        access_keys::*, account_details::*, accounts::*, group_policies::*, groups::*,
        instance_profiles::*, open_id_connect_providers::*, permissions_boundaries::*, policies::*,
        policy_versions::*, role_policies::*, roles::*, service_linked_roles::*, simulation::*,
        user_credentials::*, user_policies::*, users::*,
    },
    model::Request,
    query::decode,
    shape::{Member, MemberDescription, Rule, TypeDescription, Value, Visitor, describe},
    sts::{assume_role::*, authorization_messages::*, caller_identity::*, sessions::*},
};

/// Fills in every member that the shape shows, and looks whether all of them arrive: the names that
/// a request is read by are those that it is validated and recorded by.
fn read_whole<R: Request>() {
    let members = describe(&R::default());
    let mut form = String::new();
    for member in &members {
        fill(member.name, &member.kind, &mut form);
    }
    let request: R = decode(form.as_bytes()).unwrap();
    let mut whole = Whole { operation: R::OPERATION, members_count: 0 };
    request.members(&mut whole);
    assert_eq!(whole.members_count, count(&members), "{}", R::OPERATION);
}

/// Appends a value for the member with that name.
fn fill(name: &str, kind: &TypeDescription, form: &mut String) {
    match (kind.type_name, &kind.item, &kind.members) {
        ("list", Some(item), _) => fill(&format!("{name}.member.1"), item, form),
        ("structure", _, Some(members)) => {
            for member in members {
                fill(&format!("{name}.{}", member.name), &member.kind, form);
            }
        }
        ("boolean", _, _) => form.push_str(&format!("{name}=true&")),
        (_, _, _) => form.push_str(&format!("{name}=1&")),
    }
}

/// How many members there are, those of structures and of the items of lists among them.
fn count(members: &[MemberDescription]) -> usize {
    let inside = |kind: &TypeDescription| {
        let item = kind.item.as_deref().and_then(|item| item.members.as_deref());
        kind.members.as_deref().or(item).map_or(0, count)
    };
    members.iter().map(|member| 1 + inside(&member.kind)).sum()
}

/// Counts the members that are there, and fails for one that is not.
struct Whole {
    operation: &'static str,
    members_count: usize,
}

impl Visitor for Whole {
    fn member(&mut self, name: &'static str, member: &dyn Member, _: &'static Rule) {
        let Some(value) = member.value() else { panic!("{}: {name}", self.operation) };
        self.members_count += 1;
        self.inside(value);
    }
}

impl Whole {
    fn inside(&mut self, value: Value<'_>) {
        match value {
            Value::Structure(shape) => shape.members(self),
            Value::List(list) => list.each(&mut |item| self.inside(item)),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Boolean(_)
            | Value::Blob(_)
            | Value::Timestamp(_)
            | Value::Map(_) => {}
        }
    }
}

#[test]
fn requests_about_users_are_read_whole() {
    read_whole::<CreateUserRequest>();
    read_whole::<GetUserRequest>();
    read_whole::<UpdateUserRequest>();
    read_whole::<DeleteUserRequest>();
    read_whole::<ListUsersRequest>();
    read_whole::<TagUserRequest>();
    read_whole::<UntagUserRequest>();
    read_whole::<ListUserTagsRequest>();
}

#[test]
fn requests_about_access_keys_are_read_whole() {
    read_whole::<CreateAccessKeyRequest>();
    read_whole::<UpdateAccessKeyRequest>();
    read_whole::<DeleteAccessKeyRequest>();
    read_whole::<ListAccessKeysRequest>();
    read_whole::<GetAccessKeyLastUsedRequest>();
}

#[test]
fn requests_about_user_policies_are_read_whole() {
    read_whole::<PutUserPolicyRequest>();
    read_whole::<GetUserPolicyRequest>();
    read_whole::<DeleteUserPolicyRequest>();
    read_whole::<ListUserPoliciesRequest>();
    read_whole::<AttachUserPolicyRequest>();
    read_whole::<DetachUserPolicyRequest>();
    read_whole::<ListAttachedUserPoliciesRequest>();
}

#[test]
fn requests_about_group_policies_are_read_whole() {
    read_whole::<PutGroupPolicyRequest>();
    read_whole::<GetGroupPolicyRequest>();
    read_whole::<DeleteGroupPolicyRequest>();
    read_whole::<ListGroupPoliciesRequest>();
    read_whole::<AttachGroupPolicyRequest>();
    read_whole::<DetachGroupPolicyRequest>();
    read_whole::<ListAttachedGroupPoliciesRequest>();
}

#[test]
fn requests_about_role_policies_are_read_whole() {
    read_whole::<PutRolePolicyRequest>();
    read_whole::<GetRolePolicyRequest>();
    read_whole::<DeleteRolePolicyRequest>();
    read_whole::<ListRolePoliciesRequest>();
    read_whole::<AttachRolePolicyRequest>();
    read_whole::<DetachRolePolicyRequest>();
    read_whole::<ListAttachedRolePoliciesRequest>();
}

#[test]
fn requests_about_groups_are_read_whole() {
    read_whole::<CreateGroupRequest>();
    read_whole::<GetGroupRequest>();
    read_whole::<UpdateGroupRequest>();
    read_whole::<DeleteGroupRequest>();
    read_whole::<ListGroupsRequest>();
    read_whole::<AddUserToGroupRequest>();
    read_whole::<RemoveUserFromGroupRequest>();
    read_whole::<ListGroupsForUserRequest>();
}

#[test]
fn requests_about_roles_are_read_whole() {
    read_whole::<CreateRoleRequest>();
    read_whole::<GetRoleRequest>();
    read_whole::<UpdateRoleRequest>();
    read_whole::<UpdateRoleDescriptionRequest>();
    read_whole::<DeleteRoleRequest>();
    read_whole::<ListRolesRequest>();
    read_whole::<UpdateAssumeRolePolicyRequest>();
    read_whole::<TagRoleRequest>();
    read_whole::<UntagRoleRequest>();
    read_whole::<ListRoleTagsRequest>();
    read_whole::<CreateServiceLinkedRoleRequest>();
    read_whole::<DeleteServiceLinkedRoleRequest>();
    read_whole::<GetServiceLinkedRoleDeletionStatusRequest>();
}

#[test]
fn requests_about_instance_profiles_are_read_whole() {
    read_whole::<GetInstanceProfileRequest>();
    read_whole::<ListInstanceProfilesRequest>();
    read_whole::<ListInstanceProfilesForRoleRequest>();
}

#[test]
fn requests_about_policies_are_read_whole() {
    read_whole::<CreatePolicyRequest>();
    read_whole::<GetPolicyRequest>();
    read_whole::<DeletePolicyRequest>();
    read_whole::<ListPoliciesRequest>();
    read_whole::<TagPolicyRequest>();
    read_whole::<UntagPolicyRequest>();
    read_whole::<ListPolicyTagsRequest>();
    read_whole::<ListEntitiesForPolicyRequest>();
}

#[test]
fn requests_about_policy_versions_are_read_whole() {
    read_whole::<CreatePolicyVersionRequest>();
    read_whole::<GetPolicyVersionRequest>();
    read_whole::<DeletePolicyVersionRequest>();
    read_whole::<ListPolicyVersionsRequest>();
    read_whole::<SetDefaultPolicyVersionRequest>();
}

#[test]
fn requests_about_permissions_boundaries_are_read_whole() {
    read_whole::<PutUserPermissionsBoundaryRequest>();
    read_whole::<DeleteUserPermissionsBoundaryRequest>();
    read_whole::<PutRolePermissionsBoundaryRequest>();
    read_whole::<DeleteRolePermissionsBoundaryRequest>();
}

#[test]
fn requests_about_open_id_connect_providers_are_read_whole() {
    read_whole::<CreateOpenIDConnectProviderRequest>();
    read_whole::<GetOpenIDConnectProviderRequest>();
    read_whole::<DeleteOpenIDConnectProviderRequest>();
    read_whole::<ListOpenIDConnectProvidersRequest>();
    read_whole::<AddClientIDToOpenIDConnectProviderRequest>();
    read_whole::<RemoveClientIDFromOpenIDConnectProviderRequest>();
    read_whole::<UpdateOpenIDConnectProviderThumbprintRequest>();
    read_whole::<TagOpenIDConnectProviderRequest>();
    read_whole::<UntagOpenIDConnectProviderRequest>();
    read_whole::<ListOpenIDConnectProviderTagsRequest>();
}

#[test]
fn requests_about_accounts_are_read_whole() {
    read_whole::<CreateAccountAliasRequest>();
    read_whole::<DeleteAccountAliasRequest>();
    read_whole::<ListAccountAliasesRequest>();
    read_whole::<GetAccountSummaryRequest>();
}

#[test]
fn requests_about_account_details_are_read_whole() {
    read_whole::<GetAccountAuthorizationDetailsRequest>();
}

#[test]
fn requests_about_simulation_are_read_whole() {
    read_whole::<SimulatePrincipalPolicyRequest>();
    read_whole::<SimulateCustomPolicyRequest>();
    read_whole::<GetContextKeysForCustomPolicyRequest>();
    read_whole::<GetContextKeysForPrincipalPolicyRequest>();
}

#[test]
fn requests_about_user_credentials_are_read_whole() {
    read_whole::<GetLoginProfileRequest>();
    read_whole::<ListMFADevicesRequest>();
    read_whole::<ListSigningCertificatesRequest>();
    read_whole::<ListSSHPublicKeysRequest>();
    read_whole::<ListServiceSpecificCredentialsRequest>();
}

#[test]
fn requests_of_sts_are_read_whole() {
    read_whole::<GetCallerIdentityRequest>();
    read_whole::<GetAccessKeyInfoRequest>();
    read_whole::<AssumeRoleRequest>();
    read_whole::<AssumeRoleWithWebIdentityRequest>();
    read_whole::<GetSessionTokenRequest>();
    read_whole::<GetFederationTokenRequest>();
    read_whole::<DecodeAuthorizationMessageRequest>();
}
