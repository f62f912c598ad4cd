//! CreateUser, GetUser, UpdateUser, DeleteUser, ListUsers, TagUser, UntagUser, ListUserTags.

use std::sync::Arc;

use jiff::Timestamp;
use store::{IdentityKind, IdentityRecord, IdentityRow, Transaction};
use wire::error_codes::ErrorCode;
use wire::iam::enums::PermissionsBoundaryAttachmentType;
use wire::iam::permissions_boundaries::AttachedPermissionsBoundary;
use wire::iam::users::{
    CreateUserRequest, CreateUserResponse, DeleteUserRequest, GetUserRequest, GetUserResponse,
    ListUserTagsRequest, ListUserTagsResponse, ListUsersRequest, ListUsersResponse, TagUserRequest,
    UntagUserRequest, UpdateUserRequest, User,
};
use wire::names::{AccountId, Partition};
use wire::shape::required;

use super::paging::{self, Wanted};
use super::tagging::{self, tag_operations};
use super::target::{Attachable, IdentityName, OneIdentity, Tree, already_exists, attachable};
use super::{CREATING, DEFAULT, READING, check_new_tags, put_tags, quotas, tags_of};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts};
use crate::identities::{Changes, Identity, fresh_record};
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

/// Makes a user, who can do nothing yet.
pub(crate) struct CreateUser;

impl Operation for CreateUser {
    type Request = CreateUserRequest;
    type Target = OneIdentity;
    type Response = CreateUserResponse;
    const SPEC: Spec = Spec {
        name: "CreateUser",
        actions: &["iam:CreateUser"],
        tagging_action: Some("iam:TagUser"),
        ..CREATING
    };

    fn check(request: &CreateUserRequest) -> Result<(), ServiceError> {
        check_new_tags(request.tags.as_deref())
    }

    fn names(
        request: &CreateUserRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        let name = required(&request.user_name)?;
        Ok(IdentityName::new(IdentityKind::User, name, request.path.as_deref()))
    }

    fn facts(request: &CreateUserRequest) -> Facts<'_> {
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
        request: &CreateUserRequest,
    ) -> Result<Done<CreateUserResponse>, ServiceError> {
        target.refuse_existing()?;
        let count = context.host().identities.count(context.call().account(), IdentityKind::User);
        quotas::check("UsersPerAccount", count + 1, quotas::USERS_MAX)?;
        let name = required(&request.user_name)?;
        let mut record = new_record(context, IdentityKind::User, name, request.path.as_deref())?;
        let boundary = bound(context, &mut record, request.permissions_boundary.as_deref())?;
        put_tags(&mut record, request.tags.as_deref().unwrap_or_default())?;
        create_unless(
            context,
            record,
            move |transaction| boundary.map_or(Ok(()), |policy| policy.refuse_gone(transaction)),
            |user, partition| CreateUserResponse { user: described(user, partition, true) },
        )
        .await
    }
}

/// Tells of a user, or of the caller.
pub(crate) struct GetUser;

impl Operation for GetUser {
    type Request = GetUserRequest;
    type Target = OneIdentity;
    type Response = GetUserResponse;
    const SPEC: Spec = Spec { name: "GetUser", actions: &["iam:GetUser"], ..READING };

    fn names(request: &GetUserRequest) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &GetUserRequest,
    ) -> Result<Done<GetUserResponse>, ServiceError> {
        let partition = context.call().region.partition();
        let user = described(target.existing()?, partition, true);
        Ok(Done::read(GetUserResponse { user }))
    }
}

/// Gives a user another name or path. The unique id stays, and what was said of the name goes with it.
pub(crate) struct UpdateUser;

impl Operation for UpdateUser {
    type Request = UpdateUserRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec { name: "UpdateUser", actions: &["iam:UpdateUser"], ..DEFAULT };

    fn names(
        request: &UpdateUserRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::User, required(&request.user_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &UpdateUserRequest,
    ) -> Result<Done<()>, ServiceError> {
        let user = target.existing()?;
        let (new_name, new_path) = (request.new_user_name.clone(), request.new_path.clone());
        change_name(context, user, new_name, new_path).await
    }
}

/// Deletes a user who has nothing left.
pub(crate) struct DeleteUser;

impl Operation for DeleteUser {
    type Request = DeleteUserRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec { name: "DeleteUser", actions: &["iam:DeleteUser"], ..DEFAULT };

    fn names(
        request: &DeleteUserRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::User, required(&request.user_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &DeleteUserRequest,
    ) -> Result<Done<()>, ServiceError> {
        let user = target.existing()?;
        let record = user.record();
        refuse_if(
            !record.access_keys.is_empty(),
            "Cannot delete entity, must delete access keys first.",
        )?;
        refuse_if_policies(record)?;
        refuse_if(
            !record.memberships.is_empty(),
            "Cannot delete entity, must remove users from group first.",
        )?;
        delete(context, user, |_| Ok(())).await
    }
}

/// Lists the users below a path.
pub(crate) struct ListUsers;

impl Operation for ListUsers {
    type Request = ListUsersRequest;
    type Target = Tree;
    type Response = ListUsersResponse;
    const SPEC: Spec = Spec { name: "ListUsers", actions: &["iam:ListUsers"], ..READING };

    fn names(request: &ListUsersRequest) -> Result<<Tree as Target>::Names<'_>, ServiceError> {
        Ok((IdentityKind::User, request.path_prefix.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<Tree>,
        request: &ListUsersRequest,
    ) -> Result<Done<ListUsersResponse>, ServiceError> {
        let filter = request.path_prefix.as_deref().unwrap_or("/");
        let wanted = Wanted {
            list: "ListUsers",
            filter,
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let page =
            paging::page(context, wanted, below(context, IdentityKind::User, filter), |user| {
                user.name().to_owned()
            })?;
        let partition = context.call().region.partition();
        let users = page.items.iter().map(|user| described(user, partition, false));
        Ok(Done::read(ListUsersResponse {
            users: users.collect(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

tag_operations! {
    User, user_name;
    TagUser(TagUserRequest), "iam:TagUser";
    UntagUser(UntagUserRequest), "iam:UntagUser";
    ListUserTags(ListUserTagsRequest, ListUserTagsResponse), "iam:ListUserTags";
}

/// A user as it is told; lists leave out the tags and the boundary.
pub(super) fn described(user: &Identity, partition: Partition, is_whole: bool) -> User {
    let row = user.row();
    User {
        path: row.path.clone(),
        user_name: row.name.clone(),
        user_id: row.identity_id.clone(),
        arn: user.arn(partition),
        create_date: row.created,
        password_last_used: None,
        permissions_boundary: boundary_of(row).filter(|_| is_whole),
        tags: if is_whole { tags_of(user.record()) } else { Vec::new() },
    }
}

/// The permissions boundary as it is told.
pub(super) fn boundary_of(row: &IdentityRow) -> Option<AttachedPermissionsBoundary> {
    row.permissions_boundary.as_ref().map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy,
        permissions_boundary_arn: arn.clone(),
    })
}

/// The rows of an identity that is to be made.
pub(super) fn new_record(
    context: &Context<'_>,
    kind: IdentityKind,
    name: &str,
    path: Option<&str>,
) -> Result<IdentityRecord, ServiceError> {
    let host = context.host();
    let (account, path) = (context.call().account(), path.unwrap_or("/"));
    fresh_record(&*host.rng, account, kind, (path, name), whole_second(context.now()))
}

/// Gives a new user or role its boundary, which must still be there when it is saved.
pub(super) fn bound(
    context: &Context<'_>,
    record: &mut IdentityRecord,
    policy_arn: Option<&str>,
) -> Result<Option<Attachable>, ServiceError> {
    let account = record.identity.account;
    let boundary = policy_arn.map(|arn| attachable(context, account, arn)).transpose()?;
    record.identity.permissions_boundary =
        boundary.as_ref().map(|policy| policy.stored_arn.clone());
    Ok(boundary)
}

/// IAM tells whole seconds.
pub(crate) fn whole_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Commits a new identity and answers it.
pub(super) async fn create<R>(
    context: &Context<'_>,
    record: IdentityRecord,
    answer: impl FnOnce(&Identity, Partition) -> R + Send + 'static,
) -> Result<Done<R>, ServiceError>
where
    R: serde::Serialize + Send + 'static,
{
    create_unless(context, record, |_| Ok(()), answer).await
}

/// The same, unless something is in the way that only the transaction can see.
pub(super) async fn create_unless<R>(
    context: &Context<'_>,
    record: IdentityRecord,
    refuse: impl FnOnce(&Transaction<'_>) -> Result<(), ServiceError> + Send + 'static,
    answer: impl FnOnce(&Identity, Partition) -> R + Send + 'static,
) -> Result<Done<R>, ServiceError>
where
    R: serde::Serialize + Send + 'static,
{
    let changes = Changes::new(context.host());
    let partition = context.call().region.partition();
    context
        .change(Vec::new(), move |transaction| {
            let row = &record.identity;
            if transaction.identity_named(row.account, row.kind, &row.name)?.is_some() {
                return Err(already_exists(row.kind, &row.name));
            }
            refuse(transaction)?;
            let identity = changes.save(transaction, record)?;
            Ok(answer(&identity, partition))
        })
        .await
}

/// Gives an identity another name or path.
pub(super) async fn change_name(
    context: &Context<'_>,
    identity: &Arc<Identity>,
    new_name: Option<String>,
    new_path: Option<String>,
) -> Result<Done<()>, ServiceError> {
    let (changes, checked) = (Changes::new(context.host()), Arc::clone(identity));
    context
        .change(Vec::new(), move |transaction| {
            let mut record = Changes::same(transaction, &checked)?;
            let row = &mut record.identity;
            if let Some(name) = new_name {
                let named = transaction.identity_named(row.account, row.kind, &name)?;
                if named.is_some_and(|identity_id| identity_id != row.identity_id) {
                    return Err(already_exists(row.kind, &name));
                }
                row.name = name;
            }
            row.path = new_path.unwrap_or_else(|| row.path.clone());
            let renamed = changes.save(transaction, record)?;
            changes.rename_principal(transaction, checked.row(), |partition| renamed.arn(partition))
        })
        .await
}

/// Deletes an identity, unless something is in the way that only the transaction can see.
pub(super) async fn delete(
    context: &Context<'_>,
    identity: &Arc<Identity>,
    refuse: impl FnOnce(&Transaction<'_>) -> Result<(), ServiceError> + Send + 'static,
) -> Result<Done<()>, ServiceError> {
    let (changes, checked) = (Changes::new(context.host()), Arc::clone(identity));
    context
        .change(Vec::new(), move |transaction| {
            refuse(transaction)?;
            changes.delete(transaction, &checked)
        })
        .await
}

/// Refuses to delete what still has something.
pub(super) fn refuse_if(is_so: bool, message: &str) -> Result<(), ServiceError> {
    match is_so {
        true => Err(ServiceError::new(ErrorCode::DeleteConflict, message)),
        false => Ok(()),
    }
}

/// Refuses to delete what still has policies.
pub(super) fn refuse_if_policies(record: &IdentityRecord) -> Result<(), ServiceError> {
    refuse_if(!record.policies.is_empty(), "Cannot delete entity, must delete policies first.")?;
    refuse_if(
        !record.attachments.is_empty(),
        "Cannot delete entity, must detach all policies first.",
    )
}

/// The identities of a kind whose paths begin so.
pub(super) fn below(
    context: &Context<'_>,
    kind: IdentityKind,
    path_prefix: &str,
) -> Vec<Arc<Identity>> {
    let account: AccountId = context.call().account();
    let mut found = context.host().identities.all(account, kind);
    found.retain(|identity| identity.row().path.starts_with(path_prefix));
    found
}
