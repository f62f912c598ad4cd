//! CreateGroup, GetGroup, UpdateGroup, DeleteGroup, ListGroups, AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser.

use std::sync::Arc;

use store::{IdentityKind, MembershipRow};
use wire::error_codes::ErrorCode;
use wire::iam::groups::{
    AddUserToGroupRequest, CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest,
    GetGroupRequest, GetGroupResponse, Group, ListGroupsForUserRequest, ListGroupsForUserResponse,
    ListGroupsRequest, ListGroupsResponse, RemoveUserFromGroupRequest, UpdateGroupRequest,
};
use wire::names::Partition;
use wire::shape::required;

use super::paging::{self, Wanted};
use super::target::{IdentityName, OneIdentity, Tree, no_such};
use super::users::{
    self, below, change_name, create, delete, new_record, refuse_if, refuse_if_policies,
};
use super::{CREATING, DEFAULT, READING, change, quotas};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::Identity;
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

/// Makes a group without members.
pub(crate) struct CreateGroup;

impl Operation for CreateGroup {
    type Request = CreateGroupRequest;
    type Target = OneIdentity;
    type Response = CreateGroupResponse;
    const SPEC: Spec = Spec { name: "CreateGroup", actions: &["iam:CreateGroup"], ..CREATING };

    fn names(
        request: &CreateGroupRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        let name = required(&request.group_name)?;
        Ok(IdentityName::new(IdentityKind::Group, name, request.path.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &CreateGroupRequest,
    ) -> Result<Done<CreateGroupResponse>, ServiceError> {
        target.refuse_existing()?;
        let count = context.host().identities.count(context.call().account(), IdentityKind::Group);
        quotas::check("GroupsPerAccount", count + 1, quotas::GROUPS_MAX)?;
        let name = required(&request.group_name)?;
        let record = new_record(context, IdentityKind::Group, name, request.path.as_deref())?;
        create(context, record, |group, partition| CreateGroupResponse {
            group: described(group, partition),
        })
        .await
    }
}

/// Tells of a group and lists its members.
pub(crate) struct GetGroup;

impl Operation for GetGroup {
    type Request = GetGroupRequest;
    type Target = OneIdentity;
    type Response = GetGroupResponse;
    const SPEC: Spec = Spec { name: "GetGroup", actions: &["iam:GetGroup"], ..READING };

    fn names(
        request: &GetGroupRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Group, required(&request.group_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &GetGroupRequest,
    ) -> Result<Done<GetGroupResponse>, ServiceError> {
        let group = target.existing()?;
        let partition = context.call().region.partition();
        let wanted = Wanted {
            list: "GetGroup",
            filter: group.id(),
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let mut members = below(context, IdentityKind::User, "/");
        members.retain(|user| user.is_member_of(group.id()));
        let page = paging::page(context, wanted, members, |user| user.name().to_owned())?;
        let users = page.items.iter().map(|user| users::described(user, partition, false));
        Ok(Done::read(GetGroupResponse {
            group: described(group, partition),
            users: users.collect(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

/// Gives a group another name or path.
pub(crate) struct UpdateGroup;

impl Operation for UpdateGroup {
    type Request = UpdateGroupRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec { name: "UpdateGroup", actions: &["iam:UpdateGroup"], ..DEFAULT };

    fn names(
        request: &UpdateGroupRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Group, required(&request.group_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &UpdateGroupRequest,
    ) -> Result<Done<()>, ServiceError> {
        let group = target.existing()?;
        let (new_name, new_path) = (request.new_group_name.clone(), request.new_path.clone());
        change_name(context, group, new_name, new_path).await
    }
}

/// Deletes a group that has neither members nor policies.
pub(crate) struct DeleteGroup;

impl Operation for DeleteGroup {
    type Request = DeleteGroupRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec { name: "DeleteGroup", actions: &["iam:DeleteGroup"], ..DEFAULT };

    fn names(
        request: &DeleteGroupRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Group, required(&request.group_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &DeleteGroupRequest,
    ) -> Result<Done<()>, ServiceError> {
        let group = target.existing()?;
        refuse_if_policies(group.record())?;
        let (account, group_id) = (group.account(), group.id().to_owned());
        delete(context, group, move |transaction| {
            refuse_if(
                transaction.has_members(account, &group_id)?,
                "Cannot delete entity, must remove users from group first.",
            )
        })
        .await
    }
}

/// Lists the groups below a path.
pub(crate) struct ListGroups;

impl Operation for ListGroups {
    type Request = ListGroupsRequest;
    type Target = Tree;
    type Response = ListGroupsResponse;
    const SPEC: Spec = Spec { name: "ListGroups", actions: &["iam:ListGroups"], ..READING };

    fn names(request: &ListGroupsRequest) -> Result<<Tree as Target>::Names<'_>, ServiceError> {
        Ok((IdentityKind::Group, request.path_prefix.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<Tree>,
        request: &ListGroupsRequest,
    ) -> Result<Done<ListGroupsResponse>, ServiceError> {
        let filter = request.path_prefix.as_deref().unwrap_or("/");
        let wanted = Wanted {
            list: "ListGroups",
            filter,
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let groups = below(context, IdentityKind::Group, filter);
        let page = paging::page(context, wanted, groups, |group| group.name().to_owned())?;
        let partition = context.call().region.partition();
        Ok(Done::read(ListGroupsResponse {
            groups: page.items.iter().map(|group| described(group, partition)).collect(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

/// Makes a user a member of a group: the group's policies become the user's.
pub(crate) struct AddUserToGroup;

impl Operation for AddUserToGroup {
    type Request = AddUserToGroupRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec { name: "AddUserToGroup", actions: &["iam:AddUserToGroup"], ..DEFAULT };

    fn names(
        request: &AddUserToGroupRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Group, required(&request.group_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &AddUserToGroupRequest,
    ) -> Result<Done<()>, ServiceError> {
        let group_id = target.existing()?.id().to_owned();
        let user = user(context, required(&request.user_name)?)?;
        change(context, &user, move |record, transaction| {
            if transaction.identity(record.identity.account, &group_id)?.is_none() {
                return Err(ServiceError::superseded());
            }
            if record.memberships.iter().any(|row| row.group_id == group_id) {
                return Ok(());
            }
            record.memberships.push(MembershipRow { group_id });
            let count = record.memberships.len();
            quotas::check("GroupsPerUser", count, quotas::GROUPS_FOR_USER_MAX)
        })
        .await
    }
}

/// Ends a user's membership of a group.
pub(crate) struct RemoveUserFromGroup;

impl Operation for RemoveUserFromGroup {
    type Request = RemoveUserFromGroupRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec =
        Spec { name: "RemoveUserFromGroup", actions: &["iam:RemoveUserFromGroup"], ..DEFAULT };

    fn names(
        request: &RemoveUserFromGroupRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Group, required(&request.group_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &RemoveUserFromGroupRequest,
    ) -> Result<Done<()>, ServiceError> {
        let group = target.existing()?;
        let user = user(context, required(&request.user_name)?)?;
        if !user.is_member_of(group.id()) {
            return Err(ServiceError::new(
                ErrorCode::NoSuchEntity,
                format!("User {} is not in group {}", user.name(), group.name()),
            ));
        }
        let group_id = group.id().to_owned();
        change(context, &user, move |record, _| {
            record.memberships.retain(|row| row.group_id != group_id);
            Ok(())
        })
        .await
    }
}

/// Lists the groups that a user is in.
pub(crate) struct ListGroupsForUser;

impl Operation for ListGroupsForUser {
    type Request = ListGroupsForUserRequest;
    type Target = OneIdentity;
    type Response = ListGroupsForUserResponse;
    const SPEC: Spec =
        Spec { name: "ListGroupsForUser", actions: &["iam:ListGroupsForUser"], ..READING };

    fn names(
        request: &ListGroupsForUserRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::User, required(&request.user_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &ListGroupsForUserRequest,
    ) -> Result<Done<ListGroupsForUserResponse>, ServiceError> {
        let user = target.existing()?;
        let wanted = Wanted {
            list: "ListGroupsForUser",
            filter: user.id(),
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let identities = &context.host().identities;
        let groups = user.groups().filter_map(|id| identities.with_id(user.account(), id));
        let page =
            paging::page(context, wanted, groups.collect(), |group| group.name().to_owned())?;
        let partition = context.call().region.partition();
        Ok(Done::read(ListGroupsForUserResponse {
            groups: page.items.iter().map(|group| described(group, partition)).collect(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

/// A user whom a request names beside its target.
fn user(context: &Context<'_>, name: &str) -> Result<Arc<Identity>, ServiceError> {
    let found = context.host().identities.find(context.call().account(), IdentityKind::User, name);
    found.ok_or_else(|| no_such(IdentityKind::User, name))
}

fn described(group: &Identity, partition: Partition) -> Group {
    let row = group.row();
    Group {
        path: row.path.clone(),
        group_name: row.name.clone(),
        group_id: row.identity_id.clone(),
        arn: group.arn(partition),
        create_date: row.created,
    }
}
