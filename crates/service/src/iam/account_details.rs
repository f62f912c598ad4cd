//! GetAccountAuthorizationDetails.

use std::collections::HashMap;
use std::sync::Arc;

use store::IdentityKind;
use wire::iam::account_details::{
    GetAccountAuthorizationDetailsRequest, GetAccountAuthorizationDetailsResponse, GroupDetail,
    ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail,
};
use wire::iam::enums::EntityType;
use wire::iam::policies::Policy;
use wire::iam::policy_versions::PolicyVersion;
use wire::values::OneOf;

use super::holder_policies::all_attached;
use super::paging::{self, Wanted};
use super::policies::Usages;
use super::roles::told_last_used;
use super::users::{below, boundary_of};
use super::{READING, policies, policy_versions, tags_of};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::{Identity, ManagedPolicy, managed_policies};
use crate::last_used::{self, Use};
use crate::operation::{Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Tells all that decides what the users, groups and roles of an account may do.
pub(crate) struct GetAccountAuthorizationDetails;

impl Operation for GetAccountAuthorizationDetails {
    type Request = GetAccountAuthorizationDetailsRequest;
    type Target = NoTarget;
    type Response = GetAccountAuthorizationDetailsResponse;
    const SPEC: Spec = Spec {
        name: "GetAccountAuthorizationDetails",
        actions: &["iam:GetAccountAuthorizationDetails"],
        ..READING
    };

    fn names(_request: &GetAccountAuthorizationDetailsRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GetAccountAuthorizationDetailsRequest,
    ) -> Result<Done<GetAccountAuthorizationDetailsResponse>, ServiceError> {
        let wanted_types = wanted_types(request.filter.as_deref());
        let usages = Usages::of(context);
        let entities = wanted_types.iter().flat_map(|kind| entities(context, *kind, &usages));
        let filter = format!("{wanted_types:?}");
        let wanted = Wanted {
            list: "GetAccountAuthorizationDetails",
            filter: &filter,
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let page = paging::page(context, wanted, entities.collect(), Entity::stored_arn)?;
        let mut answer = GetAccountAuthorizationDetailsResponse {
            user_detail_list: Vec::new(),
            group_detail_list: Vec::new(),
            role_detail_list: Vec::new(),
            policies: Vec::new(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        };
        let role_ids = page.items.iter().filter_map(Entity::role_id).collect();
        let (host, account) = (context.host(), context.call().account());
        let last_uses = last_used::of_roles(host, account, role_ids).await?;
        let tell = |entity| tell(context, &mut answer, entity, (&usages, &last_uses));
        page.items.iter().for_each(tell);
        Ok(Done::read(answer))
    }
}

/// What is told of: an identity of the account, or a policy of AWS's that the account uses.
enum Entity {
    Own(Arc<Identity>),
    Aws(&'static ManagedPolicy),
}

impl Entity {
    fn stored_arn(&self) -> String {
        match self {
            Entity::Own(identity) => identity.stored_arn(),
            Entity::Aws(policy) => policy.stored_arn(),
        }
    }

    fn role_id(&self) -> Option<String> {
        match self {
            Entity::Own(identity) if identity.kind() == IdentityKind::Role => {
                Some(identity.id().to_owned())
            }
            Entity::Own(_) | Entity::Aws(_) => None,
        }
    }
}

/// The types that a request asks for, in one order and each once, so that a marker fits any spelling of the same filter.
fn wanted_types(filter: Option<&[OneOf<EntityType>]>) -> Vec<EntityType> {
    let asked: Vec<EntityType> =
        filter.unwrap_or_default().iter().filter_map(OneOf::known).collect();
    let mut all = vec![
        EntityType::User,
        EntityType::Group,
        EntityType::Role,
        EntityType::LocalManagedPolicy,
        EntityType::AwsManagedPolicy,
    ];
    all.retain(|kind| asked.is_empty() || asked.contains(kind));
    all
}

fn entities(context: &Context<'_>, entity_type: EntityType, usages: &Usages) -> Vec<Entity> {
    let own = |kind| below(context, kind, "/").into_iter().map(Entity::Own).collect();
    match entity_type {
        EntityType::User => own(IdentityKind::User),
        EntityType::Group => own(IdentityKind::Group),
        EntityType::Role => own(IdentityKind::Role),
        EntityType::LocalManagedPolicy => own(IdentityKind::Policy),
        EntityType::AwsManagedPolicy => managed_policies()
            .iter()
            .filter(|policy| usages.of_policy(&policy.stored_arn()).is_any())
            .map(Entity::Aws)
            .collect(),
    }
}

fn tell(
    context: &Context<'_>,
    answer: &mut GetAccountAuthorizationDetailsResponse,
    entity: &Entity,
    (usages, last_uses): (&Usages, &HashMap<String, Use>),
) {
    let usage = usages.of_policy(&entity.stored_arn());
    match entity {
        Entity::Own(identity) => match identity.kind() {
            IdentityKind::User => answer.user_detail_list.push(user(context, identity)),
            IdentityKind::Group => answer.group_detail_list.push(group(context, identity)),
            IdentityKind::Role => {
                let last = last_uses.get(identity.id());
                answer.role_detail_list.push(role(context, identity, last));
            }
            IdentityKind::Policy => {
                let partition = context.call().region.partition();
                let told = policies::described(identity, partition, usage, true);
                let versions = &identity.record().policies;
                let versions = versions.iter().map(policy_versions::described).collect();
                answer.policies.push(policy(told, versions));
            }
            // AWS's answer has no member for them.
            IdentityKind::OidcProvider => {}
        },
        Entity::Aws(managed) => {
            let told = policies::described_managed(context, managed, usage, true);
            let versions = vec![policy_versions::described_managed(managed)];
            answer.policies.push(policy(told, versions));
        }
    }
}

fn user(context: &Context<'_>, user: &Identity) -> UserDetail {
    let row = user.row();
    let identities = &context.host().identities;
    let groups = user.groups().filter_map(|id| identities.with_id(user.account(), id));
    UserDetail {
        path: row.path.clone(),
        user_name: row.name.clone(),
        user_id: row.identity_id.clone(),
        arn: user.arn(context.call().region.partition()),
        create_date: row.created,
        user_policy_list: inline_policies(user),
        group_list: groups.map(|group| group.name().to_owned()).collect(),
        attached_managed_policies: all_attached(context, user),
        permissions_boundary: boundary_of(row),
        tags: tags_of(user.record()),
    }
}

fn group(context: &Context<'_>, group: &Identity) -> GroupDetail {
    let row = group.row();
    GroupDetail {
        path: row.path.clone(),
        group_name: row.name.clone(),
        group_id: row.identity_id.clone(),
        arn: group.arn(context.call().region.partition()),
        create_date: row.created,
        group_policy_list: inline_policies(group),
        attached_managed_policies: all_attached(context, group),
    }
}

fn role(context: &Context<'_>, role: &Identity, last: Option<&Use>) -> RoleDetail {
    let row = role.row();
    RoleDetail {
        path: row.path.clone(),
        role_name: row.name.clone(),
        role_id: row.identity_id.clone(),
        arn: role.arn(context.call().region.partition()),
        create_date: row.created,
        assume_role_policy_document: row.assume_role_policy.clone().unwrap_or_default().into(),
        instance_profile_list: Vec::new(),
        role_policy_list: inline_policies(role),
        attached_managed_policies: all_attached(context, role),
        permissions_boundary: boundary_of(row),
        tags: tags_of(role.record()),
        role_last_used: Some(told_last_used(last, context.call().now)),
    }
}

fn policy(told: Policy, policy_version_list: Vec<PolicyVersion>) -> ManagedPolicyDetail {
    ManagedPolicyDetail {
        policy_name: told.policy_name,
        policy_id: told.policy_id,
        arn: told.arn,
        path: told.path,
        default_version_id: told.default_version_id,
        attachment_count: told.attachment_count,
        permissions_boundary_usage_count: told.permissions_boundary_usage_count,
        is_attachable: told.is_attachable,
        description: told.description,
        create_date: told.create_date,
        update_date: told.update_date,
        policy_version_list,
    }
}

fn inline_policies(holder: &Identity) -> Vec<PolicyDetail> {
    let rows = holder.record().policies.iter();
    rows.map(|row| PolicyDetail {
        policy_name: row.policy_name.clone(),
        policy_document: row.document.clone().into(),
    })
    .collect()
}
