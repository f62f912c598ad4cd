//! The members of answers of IAM are those stated beside their structs.

use std::collections::BTreeMap;

use wire::iam::{
    access_keys::*, account_details::*, accounts::*, enums::*, group_policies::*, groups::*,
    instance_profiles::*, open_id_connect_providers::*, permissions_boundaries::*, policies::*,
    policy_versions::*, role_policies::*, roles::*, service_linked_roles::*, tags::*,
    user_credentials::*, user_policies::*, users::*,
};

use super::{stated, text, time};

fn tag() -> Tag {
    Tag { key: Some(text()), value: Some(text()) }
}

fn user() -> User {
    User {
        path: text(),
        user_name: text(),
        user_id: text(),
        arn: text(),
        create_date: time(),
        password_last_used: Some(time()),
        permissions_boundary: Some(attached_permissions_boundary()),
        tags: vec![tag()],
    }
}

fn access_key() -> AccessKey {
    AccessKey {
        user_name: text(),
        access_key_id: text(),
        status: Status::Active,
        secret_access_key: text().into(),
        create_date: time(),
    }
}

fn access_key_metadata() -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: text(),
        access_key_id: text(),
        status: Status::Active,
        create_date: time(),
    }
}

fn access_key_last_used() -> AccessKeyLastUsed {
    AccessKeyLastUsed { last_used_date: Some(time()), service_name: text(), region: text() }
}

fn group() -> Group {
    Group { path: text(), group_name: text(), group_id: text(), arn: text(), create_date: time() }
}

fn role() -> Role {
    Role {
        path: text(),
        role_name: text(),
        role_id: text(),
        arn: text(),
        create_date: time(),
        assume_role_policy_document: text().into(),
        description: Some(text()),
        max_session_duration: Some(1),
        max_signin_session_duration: Some(1),
        permissions_boundary: Some(attached_permissions_boundary()),
        tags: vec![tag()],
        role_last_used: Some(role_last_used()),
        source_role_template: Some(source_role_template()),
    }
}

fn role_last_used() -> RoleLastUsed {
    RoleLastUsed { last_used_date: Some(time()), region: Some(text()) }
}

fn source_role_template() -> SourceRoleTemplate {
    SourceRoleTemplate { template_arn: text(), template_minor_version: 1 }
}

fn instance_profile() -> InstanceProfile {
    InstanceProfile {
        path: text(),
        instance_profile_name: text(),
        instance_profile_id: text(),
        arn: text(),
        create_date: time(),
        roles: vec![role()],
        tags: vec![tag()],
    }
}

fn policy() -> Policy {
    Policy {
        policy_name: text(),
        policy_id: text(),
        arn: text(),
        path: text(),
        default_version_id: text(),
        attachment_count: 1,
        permissions_boundary_usage_count: 1,
        is_attachable: true,
        description: Some(text()),
        create_date: time(),
        update_date: time(),
        tags: vec![tag()],
    }
}

fn attached_policy() -> AttachedPolicy {
    AttachedPolicy { policy_name: text(), policy_arn: text() }
}

fn policy_group() -> PolicyGroup {
    PolicyGroup { group_name: text(), group_id: text() }
}

fn policy_user() -> PolicyUser {
    PolicyUser { user_name: text(), user_id: text() }
}

fn policy_role() -> PolicyRole {
    PolicyRole { role_name: text(), role_id: text() }
}

fn policy_version() -> PolicyVersion {
    PolicyVersion {
        document: Some(text().into()),
        version_id: text(),
        is_default_version: true,
        create_date: time(),
    }
}

fn attached_permissions_boundary() -> AttachedPermissionsBoundary {
    AttachedPermissionsBoundary {
        permissions_boundary_type: PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy,
        permissions_boundary_arn: text(),
    }
}

fn context_provider() -> ContextProvider {
    ContextProvider {
        key_definition_list: Some(vec![context_provider_key_definition()]),
        subject_source_key: Some(text()),
        subject_type_value: Some(text()),
        subject_type_source_key: Some(text()),
    }
}

fn context_provider_key_definition() -> ContextProviderKeyDefinition {
    ContextProviderKeyDefinition { source_key: Some(text()), target_key: Some(text()) }
}

fn open_id_connect_provider_list_entry() -> OpenIDConnectProviderListEntry {
    OpenIDConnectProviderListEntry { arn: text(), is_trusted_identity_propagation_enabled: true }
}

fn user_detail() -> UserDetail {
    UserDetail {
        path: text(),
        user_name: text(),
        user_id: text(),
        arn: text(),
        create_date: time(),
        user_policy_list: vec![policy_detail()],
        group_list: vec![text()],
        attached_managed_policies: vec![attached_policy()],
        permissions_boundary: Some(attached_permissions_boundary()),
        tags: vec![tag()],
    }
}

fn group_detail() -> GroupDetail {
    GroupDetail {
        path: text(),
        group_name: text(),
        group_id: text(),
        arn: text(),
        create_date: time(),
        group_policy_list: vec![policy_detail()],
        attached_managed_policies: vec![attached_policy()],
    }
}

fn role_detail() -> RoleDetail {
    RoleDetail {
        path: text(),
        role_name: text(),
        role_id: text(),
        arn: text(),
        create_date: time(),
        assume_role_policy_document: text().into(),
        instance_profile_list: vec![instance_profile()],
        role_policy_list: vec![policy_detail()],
        attached_managed_policies: vec![attached_policy()],
        permissions_boundary: Some(attached_permissions_boundary()),
        tags: vec![tag()],
        role_last_used: Some(role_last_used()),
    }
}

fn managed_policy_detail() -> ManagedPolicyDetail {
    ManagedPolicyDetail {
        policy_name: text(),
        policy_id: text(),
        arn: text(),
        path: text(),
        default_version_id: text(),
        attachment_count: 1,
        permissions_boundary_usage_count: 1,
        is_attachable: true,
        description: Some(text()),
        create_date: time(),
        update_date: time(),
        policy_version_list: vec![policy_version()],
    }
}

fn policy_detail() -> PolicyDetail {
    PolicyDetail { policy_name: text(), policy_document: text().into() }
}

fn login_profile() -> LoginProfile {
    LoginProfile {
        user_name: text(),
        create_date: time(),
        password_reset_required: true,
        max_signin_session_duration: Some(1),
    }
}

fn mfa_device() -> MFADevice {
    MFADevice { user_name: text(), serial_number: text(), enable_date: time() }
}

fn signing_certificate() -> SigningCertificate {
    SigningCertificate {
        user_name: text(),
        certificate_id: text(),
        certificate_body: text(),
        status: Status::Active,
        upload_date: Some(time()),
    }
}

fn ssh_public_key_metadata() -> SSHPublicKeyMetadata {
    SSHPublicKeyMetadata {
        user_name: text(),
        ssh_public_key_id: text(),
        status: Status::Active,
        upload_date: time(),
    }
}

fn service_specific_credential_metadata() -> ServiceSpecificCredentialMetadata {
    ServiceSpecificCredentialMetadata {
        user_name: text(),
        status: Status::Active,
        service_user_name: Some(text()),
        service_credential_alias: Some(text()),
        create_date: time(),
        expiration_date: Some(time()),
        service_specific_credential_id: text(),
        service_name: text(),
    }
}

#[test]
fn the_members_of_tags_are_stated() {
    stated(&tag());
}

#[test]
fn the_members_of_users_are_stated() {
    stated(&user());
    stated(&CreateUserResponse { user: user() });
    stated(&GetUserResponse { user: user() });
    stated(&ListUsersResponse { users: vec![user()], is_truncated: true, marker: Some(text()) });
    stated(&ListUserTagsResponse { tags: vec![tag()], is_truncated: true, marker: Some(text()) });
}

#[test]
fn the_members_of_access_keys_are_stated() {
    stated(&access_key());
    stated(&access_key_metadata());
    stated(&access_key_last_used());
    stated(&CreateAccessKeyResponse { access_key: access_key() });
    stated(&ListAccessKeysResponse {
        access_key_metadata: vec![access_key_metadata()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&GetAccessKeyLastUsedResponse {
        user_name: Some(text()),
        access_key_last_used: access_key_last_used(),
    });
}

#[test]
fn the_members_of_user_policies_are_stated() {
    stated(&GetUserPolicyResponse {
        user_name: text(),
        policy_name: text(),
        policy_document: text().into(),
    });
    stated(&ListUserPoliciesResponse {
        policy_names: vec![text()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListAttachedUserPoliciesResponse {
        attached_policies: vec![attached_policy()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_group_policies_are_stated() {
    stated(&GetGroupPolicyResponse {
        group_name: text(),
        policy_name: text(),
        policy_document: text().into(),
    });
    stated(&ListGroupPoliciesResponse {
        policy_names: vec![text()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListAttachedGroupPoliciesResponse {
        attached_policies: vec![attached_policy()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_role_policies_are_stated() {
    stated(&GetRolePolicyResponse {
        role_name: text(),
        policy_name: text(),
        policy_document: text().into(),
    });
    stated(&ListRolePoliciesResponse {
        policy_names: vec![text()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListAttachedRolePoliciesResponse {
        attached_policies: vec![attached_policy()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_groups_are_stated() {
    stated(&group());
    stated(&CreateGroupResponse { group: group() });
    stated(&GetGroupResponse {
        group: group(),
        users: vec![user()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListGroupsResponse { groups: vec![group()], is_truncated: true, marker: Some(text()) });
    stated(&ListGroupsForUserResponse {
        groups: vec![group()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_roles_are_stated() {
    stated(&role());
    stated(&role_last_used());
    stated(&source_role_template());
    stated(&CreateRoleResponse { role: role() });
    stated(&GetRoleResponse { role: role() });
    stated(&UpdateRoleDescriptionResponse { role: role() });
    stated(&ListRolesResponse { roles: vec![role()], is_truncated: true, marker: Some(text()) });
    stated(&ListRoleTagsResponse { tags: vec![tag()], is_truncated: true, marker: Some(text()) });
    stated(&CreateServiceLinkedRoleResponse { role: role() });
    stated(&DeleteServiceLinkedRoleResponse { deletion_task_id: text() });
    let usage = RoleUsage { region: text(), resources: vec![text()] };
    let reason = DeletionTaskFailureReason { reason: text(), role_usage_list: vec![usage.clone()] };
    stated(&usage);
    stated(&reason);
    stated(&GetServiceLinkedRoleDeletionStatusResponse {
        status: DeletionTaskStatus::Failed,
        reason: Some(reason),
    });
}

#[test]
fn the_members_of_instance_profiles_are_stated() {
    stated(&instance_profile());
    stated(&GetInstanceProfileResponse { instance_profile: instance_profile() });
    stated(&ListInstanceProfilesResponse {
        instance_profiles: vec![instance_profile()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListInstanceProfilesForRoleResponse {
        instance_profiles: vec![instance_profile()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_policies_are_stated() {
    stated(&policy());
    stated(&attached_policy());
    stated(&policy_group());
    stated(&policy_user());
    stated(&policy_role());
    stated(&CreatePolicyResponse { policy: policy() });
    stated(&GetPolicyResponse { policy: policy() });
    stated(&ListPoliciesResponse {
        policies: vec![policy()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListPolicyTagsResponse { tags: vec![tag()], is_truncated: true, marker: Some(text()) });
    stated(&ListEntitiesForPolicyResponse {
        policy_groups: vec![policy_group()],
        policy_users: vec![policy_user()],
        policy_roles: vec![policy_role()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_policy_versions_are_stated() {
    stated(&policy_version());
    stated(&CreatePolicyVersionResponse { policy_version: policy_version() });
    stated(&GetPolicyVersionResponse { policy_version: policy_version() });
    stated(&ListPolicyVersionsResponse {
        versions: vec![policy_version()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_permissions_boundaries_are_stated() {
    stated(&attached_permissions_boundary());
}

#[test]
fn the_members_of_open_id_connect_providers_are_stated() {
    stated(&context_provider());
    stated(&context_provider_key_definition());
    stated(&open_id_connect_provider_list_entry());
    stated(&CreateOpenIDConnectProviderResponse {
        open_id_connect_provider_arn: text(),
        tags: vec![tag()],
    });
    stated(&GetOpenIDConnectProviderResponse {
        url: text(),
        client_id_list: vec![text()],
        thumbprint_list: vec![text()],
        create_date: time(),
        tags: vec![tag()],
        context_provider: Some(context_provider()),
        identity_center_instance_arn: Some(text()),
        identity_store_arn: Some(text()),
    });
    stated(&ListOpenIDConnectProvidersResponse {
        open_id_connect_provider_list: vec![open_id_connect_provider_list_entry()],
    });
    stated(&ListOpenIDConnectProviderTagsResponse {
        tags: vec![tag()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_accounts_are_stated() {
    stated(&ListAccountAliasesResponse {
        account_aliases: vec![text()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&GetAccountSummaryResponse { summary_map: BTreeMap::from([(SummaryKey::Users, 1)]) });
}

#[test]
fn the_members_of_account_details_are_stated() {
    stated(&user_detail());
    stated(&group_detail());
    stated(&role_detail());
    stated(&managed_policy_detail());
    stated(&policy_detail());
    stated(&GetAccountAuthorizationDetailsResponse {
        user_detail_list: vec![user_detail()],
        group_detail_list: vec![group_detail()],
        role_detail_list: vec![role_detail()],
        policies: vec![managed_policy_detail()],
        is_truncated: true,
        marker: Some(text()),
    });
}

#[test]
fn the_members_of_user_credentials_are_stated() {
    stated(&login_profile());
    stated(&mfa_device());
    stated(&signing_certificate());
    stated(&ssh_public_key_metadata());
    stated(&service_specific_credential_metadata());
    stated(&GetLoginProfileResponse { login_profile: login_profile() });
    stated(&ListMFADevicesResponse {
        mfa_devices: vec![mfa_device()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListSigningCertificatesResponse {
        certificates: vec![signing_certificate()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListSSHPublicKeysResponse {
        ssh_public_keys: vec![ssh_public_key_metadata()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&ListServiceSpecificCredentialsResponse {
        service_specific_credentials: vec![service_specific_credential_metadata()],
        marker: Some(text()),
        is_truncated: true,
    });
}
