//! CreateRole, GetRole, UpdateRole, UpdateRoleDescription, DeleteRole, ListRoles, UpdateAssumeRolePolicy, TagRole,
//! UntagRole, ListRoleTags.

use jiff::{SignedDuration, Timestamp};
use policy::{Document, DocumentKind, PrincipalPattern};
use store::IdentityKind;
use wire::error_codes::ErrorCode;
use wire::iam::roles::{
    CreateRoleRequest, CreateRoleResponse, DeleteRoleRequest, GetRoleRequest, GetRoleResponse,
    ListRoleTagsRequest, ListRoleTagsResponse, ListRolesRequest, ListRolesResponse, Role,
    RoleLastUsed, TagRoleRequest, UntagRoleRequest, UpdateAssumeRolePolicyRequest,
    UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse, UpdateRoleRequest,
    UpdateRoleResponse,
};
use wire::names::Partition;
use wire::shape::required;

use super::paging::{self, Wanted};
use super::tagging::{self, tag_operations};
use super::target::{IdentityName, OneIdentity, Tree};
use super::users::{
    below, bound, boundary_of, create_unless, delete, new_record, refuse_if_policies,
};
use super::{
    CREATING, DEFAULT, READING, change, check_new_tags, counted_characters, put_tags, quotas,
    tags_of,
};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts};
use crate::identities::Identity;
use crate::last_used::{self, Use};
use crate::linked_roles::PATH_PREFIX;
use crate::operation::{Operation, Spec};
use crate::principals::{self, Named};
use crate::target::Target;
use crate::trail::Done;

/// How long a session may last unless the role says otherwise, in seconds.
const SESSION_SECONDS_DEFAULT: u32 = 3_600;

/// How long a use is told of (IAM API Reference, "RoleLastUsed").
const LAST_USED_TOLD: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Makes a role, which those whom its trust policy names can assume.
pub(crate) struct CreateRole;

impl Operation for CreateRole {
    type Request = CreateRoleRequest;
    type Target = OneIdentity;
    type Response = CreateRoleResponse;
    const SPEC: Spec = Spec {
        name: "CreateRole",
        actions: &["iam:CreateRole"],
        tagging_action: Some("iam:TagRole"),
        ..CREATING
    };

    fn check(request: &CreateRoleRequest) -> Result<(), ServiceError> {
        if request.path.as_deref().is_some_and(|path| path.starts_with(PATH_PREFIX)) {
            return Err(ServiceError::new(
                ErrorCode::InvalidInput,
                format!(
                    "Path prefix '{PATH_PREFIX}' can only be used for AWS Service linked Roles"
                ),
            ));
        }
        check_new_tags(request.tags.as_deref())
    }

    fn names(
        request: &CreateRoleRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        let name = required(&request.role_name)?;
        Ok(IdentityName::new(IdentityKind::Role, name, request.path.as_deref()))
    }

    fn facts(request: &CreateRoleRequest) -> Facts<'_> {
        Facts {
            iam: IamFacts {
                permissions_boundary: request.permissions_boundary.as_deref(),
                tags: request.tags.as_deref().unwrap_or_default(),
                ..IamFacts::default()
            },
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &CreateRoleRequest,
    ) -> Result<Done<CreateRoleResponse>, ServiceError> {
        target.refuse_existing()?;
        let trust = required(&request.assume_role_policy_document)?;
        let named = check_trust(context, trust)?;
        let count = context.host().identities.count(context.call().account(), IdentityKind::Role);
        quotas::check("RolesPerAccount", count + 1, quotas::ROLES_MAX)?;
        let name = required(&request.role_name)?;
        let mut record = new_record(context, IdentityKind::Role, name, request.path.as_deref())?;
        let boundary = bound(context, &mut record, request.permissions_boundary.as_deref())?;
        let row = &mut record.identity;
        row.assume_role_policy = Some(trust.clone());
        row.description.clone_from(&request.description);
        row.max_session_seconds = seconds(request.max_session_duration);
        put_tags(&mut record, request.tags.as_deref().unwrap_or_default())?;
        create_unless(
            context,
            record,
            move |transaction| {
                named.refuse_gone(transaction)?;
                boundary.map_or(Ok(()), |policy| policy.refuse_gone(transaction))
            },
            |role, partition| CreateRoleResponse { role: described(role, partition, true) },
        )
        .await
    }
}

/// Tells of a role.
pub(crate) struct GetRole;

impl Operation for GetRole {
    type Request = GetRoleRequest;
    type Target = OneIdentity;
    type Response = GetRoleResponse;
    const SPEC: Spec = Spec { name: "GetRole", actions: &["iam:GetRole"], ..READING };

    fn names(request: &GetRoleRequest) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &GetRoleRequest,
    ) -> Result<Done<GetRoleResponse>, ServiceError> {
        let (call, role) = (context.call(), target.existing()?);
        let ids = vec![role.id().to_owned()];
        let uses = last_used::of_roles(context.host(), role.account(), ids).await?;
        let role_last_used = Some(told_last_used(uses.get(role.id()), call.now));
        let described = described(role, call.region.partition(), true);
        Ok(Done::read(GetRoleResponse { role: Role { role_last_used, ..described } }))
    }
}

/// Changes the description of a role and how long its sessions may last.
pub(crate) struct UpdateRole;

impl Operation for UpdateRole {
    type Request = UpdateRoleRequest;
    type Target = OneIdentity;
    type Response = UpdateRoleResponse;
    const SPEC: Spec = Spec { name: "UpdateRole", actions: &["iam:UpdateRole"], ..DEFAULT };

    fn names(
        request: &UpdateRoleRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &UpdateRoleRequest,
    ) -> Result<Done<UpdateRoleResponse>, ServiceError> {
        let description = request.description.clone();
        let max_session_seconds = seconds(request.max_session_duration);
        let are_sessions_meant = request.max_session_duration.is_some()
            || request.max_signin_session_duration.is_some()
            || request.reset_max_signin_session_duration == Some(true);
        // "You can edit the description of any role" (IAM User Guide, "Update a service-linked role").
        let role = match are_sessions_meant {
            true => target.changeable()?,
            false => target.existing()?,
        };
        change(context, role, move |record, _| {
            let row = &mut record.identity;
            // What is left out goes back to its default (IAM API Reference, "UpdateRole").
            row.max_session_seconds = max_session_seconds;
            if description.is_some() {
                row.description = description;
            }
            Ok(UpdateRoleResponse {})
        })
        .await
    }
}

/// Changes the description of a role.
pub(crate) struct UpdateRoleDescription;

impl Operation for UpdateRoleDescription {
    type Request = UpdateRoleDescriptionRequest;
    type Target = OneIdentity;
    type Response = UpdateRoleDescriptionResponse;
    const SPEC: Spec =
        Spec { name: "UpdateRoleDescription", actions: &["iam:UpdateRoleDescription"], ..CREATING };

    fn names(
        request: &UpdateRoleDescriptionRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &UpdateRoleDescriptionRequest,
    ) -> Result<Done<UpdateRoleDescriptionResponse>, ServiceError> {
        let description = required(&request.description)?.clone();
        let partition = context.call().region.partition();
        change(context, target.existing()?, move |record, _| {
            record.identity.description = Some(description);
            let role = described(&Identity::new(record.clone())?, partition, true);
            Ok(UpdateRoleDescriptionResponse { role })
        })
        .await
    }
}

/// Deletes a role that has no policies; its sessions end with it.
pub(crate) struct DeleteRole;

impl Operation for DeleteRole {
    type Request = DeleteRoleRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec { name: "DeleteRole", actions: &["iam:DeleteRole"], ..DEFAULT };

    fn names(
        request: &DeleteRoleRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &DeleteRoleRequest,
    ) -> Result<Done<()>, ServiceError> {
        let role = target.changeable()?;
        refuse_if_policies(role.record())?;
        delete(context, role, |_| Ok(())).await
    }
}

/// Lists the roles below a path.
pub(crate) struct ListRoles;

impl Operation for ListRoles {
    type Request = ListRolesRequest;
    type Target = Tree;
    type Response = ListRolesResponse;
    const SPEC: Spec = Spec { name: "ListRoles", actions: &["iam:ListRoles"], ..READING };

    fn names(request: &ListRolesRequest) -> Result<<Tree as Target>::Names<'_>, ServiceError> {
        Ok((IdentityKind::Role, request.path_prefix.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<Tree>,
        request: &ListRolesRequest,
    ) -> Result<Done<ListRolesResponse>, ServiceError> {
        let filter = request.path_prefix.as_deref().unwrap_or("/");
        let wanted = Wanted {
            list: "ListRoles",
            filter,
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let roles = below(context, IdentityKind::Role, filter);
        let page = paging::page(context, wanted, roles, |role| role.name().to_owned())?;
        let partition = context.call().region.partition();
        Ok(Done::read(ListRolesResponse {
            roles: page.items.iter().map(|role| described(role, partition, false)).collect(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

/// Replaces the trust policy of a role.
pub(crate) struct UpdateAssumeRolePolicy;

impl Operation for UpdateAssumeRolePolicy {
    type Request = UpdateAssumeRolePolicyRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "UpdateAssumeRolePolicy",
        actions: &["iam:UpdateAssumeRolePolicy"],
        ..DEFAULT
    };

    fn names(
        request: &UpdateAssumeRolePolicyRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &UpdateAssumeRolePolicyRequest,
    ) -> Result<Done<()>, ServiceError> {
        let trust = required(&request.policy_document)?.clone();
        let role = target.changeable()?;
        let named = check_trust(context, &trust)?;
        change(context, role, move |record, transaction| {
            named.refuse_gone(transaction)?;
            record.identity.assume_role_policy = Some(trust);
            Ok(())
        })
        .await
    }
}

tag_operations! {
    Role, role_name;
    TagRole(TagRoleRequest), "iam:TagRole";
    UntagRole(UntagRoleRequest), "iam:UntagRole";
    ListRoleTags(ListRoleTagsRequest, ListRoleTagsResponse), "iam:ListRoleTags";
}

/// The last use of a role as it is told: empty if it was not used in the time that is told of.
pub(super) fn told_last_used(last: Option<&Use>, now: Timestamp) -> RoleLastUsed {
    let last = last.filter(|last| now.duration_since(last.used) <= LAST_USED_TOLD);
    RoleLastUsed {
        last_used_date: last.map(|last| last.used),
        region: last.map(|last| last.region.to_string()),
    }
}

/// A role as it is told; lists leave out tags and boundary. Its last use is for whoever asks for one role.
pub(super) fn described(role: &Identity, partition: Partition, is_whole: bool) -> Role {
    let row = role.row();
    let session_seconds = row.max_session_seconds.unwrap_or(SESSION_SECONDS_DEFAULT);
    Role {
        path: row.path.clone(),
        role_name: row.name.clone(),
        role_id: row.identity_id.clone(),
        arn: role.arn(partition),
        create_date: row.created,
        assume_role_policy_document: row.assume_role_policy.clone().unwrap_or_default().into(),
        description: row.description.clone(),
        max_session_duration: Some(i64::from(session_seconds)),
        max_signin_session_duration: None,
        permissions_boundary: boundary_of(row).filter(|_| is_whole),
        tags: if is_whole { tags_of(role.record()) } else { Vec::new() },
        role_last_used: None,
        source_role_template: None,
    }
}

/// Validation has bounded the number.
fn seconds(given: Option<i64>) -> Option<u32> {
    given.and_then(|seconds| u32::try_from(seconds).ok())
}

/// Refuses a trust policy that is none, is too long or names principals that do not exist; answers whom it names.
fn check_trust(context: &Context<'_>, text: &str) -> Result<Named, ServiceError> {
    let partition = context.call().region.partition();
    let malformed =
        |message: String| ServiceError::new(ErrorCode::MalformedPolicyDocumentException, message);
    let document = Document::parse_as(DocumentKind::RoleTrust, text)
        .map_err(|error| malformed(error.to_string()))?;
    // Providers of web identities are told apart when their tokens come.
    let unknown = document.principals().find(|principal| {
        !matches!(principal, PrincipalPattern::Federated(_))
            && !principals::exists(context.host(), partition, principal)
    });
    if let Some(unknown) = unknown {
        return Err(malformed(format!("Invalid principal in policy: {}", shown(unknown))));
    }
    let count = counted_characters(text);
    quotas::check("ACLSizePerRole", count, quotas::TRUST_POLICY_CHARACTERS_MAX)?;
    Ok(Named::of(partition, document.principals()))
}

/// A principal as AWS shows it in a refusal: `"AWS":"arn:…"`.
fn shown(principal: &PrincipalPattern) -> String {
    match principal {
        PrincipalPattern::Everyone => r#""AWS":"*""#.to_owned(),
        PrincipalPattern::Account { account, .. } => format!(r#""AWS":"{account}""#),
        PrincipalPattern::Arn { arn, .. } => format!(r#""AWS":"{arn}""#),
        PrincipalPattern::UniqueId(id) => format!(r#""AWS":"{id}""#),
        PrincipalPattern::Service(name) => format!(r#""SERVICE":"{name}""#),
        PrincipalPattern::Federated(name) => format!(r#""FEDERATED":"{name}""#),
        PrincipalPattern::CanonicalUser(id) => format!(r#""CANONICALUSER":"{id}""#),
    }
}
