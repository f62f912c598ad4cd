//! CreatePolicy, GetPolicy, DeletePolicy, ListPolicies, ListEntitiesForPolicy.

use std::collections::HashMap;

use policy::DocumentKind;
use store::{IdentityKind, IdentityPolicyRow};
use wire::error_codes::ErrorCode;
use wire::iam::enums::{EntityType, PolicyScope, PolicyUsage};
use wire::iam::policies::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, GetPolicyRequest,
    GetPolicyResponse, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse,
    ListPoliciesRequest, ListPoliciesResponse, Policy, PolicyGroup, PolicyRole, PolicyUser,
};
use wire::names::Partition;
use wire::shape::required;

use super::paging::{self, Wanted};
use super::target::{IdentityName, OneIdentity, OnePolicy, Tree};
use super::users::{below, create, delete, new_record, refuse_if};
use super::{
    CREATING, DEFAULT, READING, check_document, check_new_tags, counted_characters, put_tags,
    quotas, shown_arn, tagging, tags_of,
};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::identities::{Identity, ManagedPolicy, managed_policies, managed_policy};
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

/// Makes a managed policy with its first version.
pub(crate) struct CreatePolicy;

impl Operation for CreatePolicy {
    type Request = CreatePolicyRequest;
    type Target = OneIdentity;
    type Response = CreatePolicyResponse;
    const SPEC: Spec = Spec {
        name: "CreatePolicy",
        actions: &["iam:CreatePolicy"],
        tagging_action: Some("iam:TagPolicy"),
        ..CREATING
    };

    fn check(request: &CreatePolicyRequest) -> Result<(), ServiceError> {
        check_new_tags(request.tags.as_deref())
    }

    fn names(
        request: &CreatePolicyRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        let name = required(&request.policy_name)?;
        Ok(IdentityName::new(IdentityKind::Policy, name, request.path.as_deref()))
    }

    fn facts(request: &CreatePolicyRequest) -> Facts<'_> {
        tagging::facts(request.tags.as_deref())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &CreatePolicyRequest,
    ) -> Result<Done<CreatePolicyResponse>, ServiceError> {
        target.refuse_existing_policy()?;
        let document = required(&request.policy_document)?;
        check_managed_document(document)?;
        let count = context.host().identities.count(context.call().account(), IdentityKind::Policy);
        quotas::check("PoliciesPerAccount", count + 1, quotas::POLICIES_MAX)?;
        let name = required(&request.policy_name)?;
        let mut record = new_record(context, IdentityKind::Policy, name, request.path.as_deref())?;
        record.identity.description.clone_from(&request.description);
        record.identity.versions_made = Some(1);
        record.policies.push(IdentityPolicyRow {
            policy_name: "v1".to_owned(),
            document: document.clone(),
            created: record.identity.created,
            is_default: true,
        });
        put_tags(&mut record, request.tags.as_deref().unwrap_or_default())?;
        create(context, record, |policy, partition| CreatePolicyResponse {
            policy: described(policy, partition, Usage::default(), true),
        })
        .await
    }
}

/// Tells of a managed policy.
pub(crate) struct GetPolicy;

impl Operation for GetPolicy {
    type Request = GetPolicyRequest;
    type Target = OnePolicy;
    type Response = GetPolicyResponse;
    const SPEC: Spec = Spec { name: "GetPolicy", actions: &["iam:GetPolicy"], ..READING };

    fn names(request: &GetPolicyRequest) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        _request: &GetPolicyRequest,
    ) -> Result<Done<GetPolicyResponse>, ServiceError> {
        let usage = Usages::of(context).of_policy(&target.stored_arn);
        let partition = context.call().region.partition();
        let policy = match (target.found(), managed_policy(&target.stored_arn)) {
            (Some(policy), _) => described(policy, partition, usage, true),
            (None, Some(policy)) => described_managed(context, policy, usage, true),
            (None, None) => return Err(target.missing()),
        };
        Ok(Done::read(GetPolicyResponse { policy }))
    }
}

/// Deletes a managed policy that is attached to nobody and has no second version.
pub(crate) struct DeletePolicy;

impl Operation for DeletePolicy {
    type Request = DeletePolicyRequest;
    type Target = OnePolicy;
    type Response = ();
    const SPEC: Spec = Spec { name: "DeletePolicy", actions: &["iam:DeletePolicy"], ..DEFAULT };

    fn names(
        request: &DeletePolicyRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        _request: &DeletePolicyRequest,
    ) -> Result<Done<()>, ServiceError> {
        let policy = target.own()?;
        refuse_if(
            policy.record().policies.len() > 1,
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        )?;
        let (account, stored_arn) = (policy.account(), target.stored_arn.clone());
        delete(context, policy, move |transaction| {
            refuse_if(
                transaction.is_policy_in_use(account, &stored_arn)?,
                "Cannot delete a policy attached to entities.",
            )
        })
        .await
    }
}

/// Lists managed policies: the account's, AWS's, or both.
pub(crate) struct ListPolicies;

impl Operation for ListPolicies {
    type Request = ListPoliciesRequest;
    type Target = Tree;
    type Response = ListPoliciesResponse;
    const SPEC: Spec = Spec { name: "ListPolicies", actions: &["iam:ListPolicies"], ..READING };

    fn names(request: &ListPoliciesRequest) -> Result<<Tree as Target>::Names<'_>, ServiceError> {
        Ok((IdentityKind::Policy, request.path_prefix.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<Tree>,
        request: &ListPoliciesRequest,
    ) -> Result<Done<ListPoliciesResponse>, ServiceError> {
        let prefix = request.path_prefix.as_deref().unwrap_or("/");
        let scope = request.scope.as_ref().and_then(wire::values::OneOf::known);
        let usage = request.policy_usage_filter.as_ref().and_then(wire::values::OneOf::known);
        let only_attached = request.only_attached.unwrap_or_default();
        let usages = Usages::of(context);
        let mut found = Vec::new();
        if scope != Some(PolicyScope::Aws) {
            let partition = context.call().region.partition();
            let own = below(context, IdentityKind::Policy, prefix);
            found.extend(own.iter().map(|policy| {
                described(policy, partition, usages.of_policy(&policy.stored_arn()), false)
            }));
        }
        if scope != Some(PolicyScope::Local) {
            let aws = managed_policies().iter().filter(|policy| policy.path.starts_with(prefix));
            found.extend(aws.map(|policy| {
                let usage = usages.of_policy(&policy.stored_arn());
                described_managed(context, policy, usage, false)
            }));
        }
        found.retain(|policy| match usage {
            Some(PolicyUsage::PermissionsBoundary) => policy.permissions_boundary_usage_count > 0,
            Some(PolicyUsage::PermissionsPolicy) | None => {
                !only_attached || policy.attachment_count > 0
            }
        });
        let filter = format!("{prefix} {scope:?} {usage:?} {only_attached}");
        let wanted = Wanted {
            list: "ListPolicies",
            filter: &filter,
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let page = paging::page(context, wanted, found, |policy| policy.arn.clone())?;
        Ok(Done::read(ListPoliciesResponse {
            policies: page.items,
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

/// Lists whom a managed policy is attached to.
pub(crate) struct ListEntitiesForPolicy;

impl Operation for ListEntitiesForPolicy {
    type Request = ListEntitiesForPolicyRequest;
    type Target = OnePolicy;
    type Response = ListEntitiesForPolicyResponse;
    const SPEC: Spec =
        Spec { name: "ListEntitiesForPolicy", actions: &["iam:ListEntitiesForPolicy"], ..READING };

    fn names(
        request: &ListEntitiesForPolicyRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &ListEntitiesForPolicyRequest,
    ) -> Result<Done<ListEntitiesForPolicyResponse>, ServiceError> {
        if target.found().is_none() && managed_policy(&target.stored_arn).is_none() {
            return Err(target.missing());
        }
        let usage = request.policy_usage_filter.as_ref().and_then(wire::values::OneOf::known);
        let kinds = kinds_of(request.entity_filter.as_ref().and_then(wire::values::OneOf::known));
        let prefix = request.path_prefix.as_deref().unwrap_or("/");
        let arn = target.stored_arn.as_str();
        let entities = kinds.iter().flat_map(|kind| below(context, *kind, prefix));
        let entities = entities.filter(|entity| match usage {
            Some(PolicyUsage::PermissionsBoundary) => is_bounded_by(entity, arn),
            Some(PolicyUsage::PermissionsPolicy) => entity.has_attached(arn),
            None => entity.names_policy(arn),
        });
        let filter = format!("{arn} {kinds:?} {prefix} {usage:?}");
        let wanted = Wanted {
            list: "ListEntitiesForPolicy",
            filter: &filter,
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let page =
            paging::page(context, wanted, entities.collect(), |entity| entity.id().to_owned())?;
        let mut answer = ListEntitiesForPolicyResponse {
            policy_groups: Vec::new(),
            policy_users: Vec::new(),
            policy_roles: Vec::new(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        };
        page.items.iter().for_each(|entity| tell(&mut answer, entity));
        Ok(Done::read(answer))
    }
}

fn kinds_of(filter: Option<EntityType>) -> &'static [IdentityKind] {
    match filter {
        None => &[IdentityKind::User, IdentityKind::Group, IdentityKind::Role],
        Some(EntityType::User) => &[IdentityKind::User],
        Some(EntityType::Group) => &[IdentityKind::Group],
        Some(EntityType::Role) => &[IdentityKind::Role],
        Some(EntityType::LocalManagedPolicy | EntityType::AwsManagedPolicy) => &[],
    }
}

fn tell(answer: &mut ListEntitiesForPolicyResponse, entity: &Identity) {
    let (name, id) = (entity.name().to_owned(), entity.id().to_owned());
    match entity.kind() {
        IdentityKind::User => {
            answer.policy_users.push(PolicyUser { user_name: name, user_id: id });
        }
        IdentityKind::Group => {
            answer.policy_groups.push(PolicyGroup { group_name: name, group_id: id });
        }
        IdentityKind::Role => {
            answer.policy_roles.push(PolicyRole { role_name: name, role_id: id });
        }
        IdentityKind::Policy | IdentityKind::OidcProvider => {}
    }
}

fn is_bounded_by(entity: &Identity, arn: &str) -> bool {
    entity.row().permissions_boundary.as_deref() == Some(arn)
}

/// How often a managed policy is used in an account.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    attachments_count: usize,
    boundaries_count: usize,
}

/// How often each managed policy is used in an account, by ARN.
pub(super) struct Usages(HashMap<String, Usage>);

impl Usage {
    /// Whether anybody has the policy.
    pub(super) fn is_any(self) -> bool {
        self.attachments_count > 0 || self.boundaries_count > 0
    }
}

impl Usages {
    /// Looks at everybody once.
    pub(super) fn of(context: &Context<'_>) -> Usages {
        let mut usages: HashMap<String, Usage> = HashMap::new();
        for entity in kinds_of(None).iter().flat_map(|kind| below(context, *kind, "/")) {
            for row in &entity.record().attachments {
                usages.entry(row.policy_arn.clone()).or_default().attachments_count += 1;
            }
            if let Some(arn) = &entity.row().permissions_boundary {
                usages.entry(arn.clone()).or_default().boundaries_count += 1;
            }
        }
        Usages(usages)
    }

    pub(super) fn of_policy(&self, stored_arn: &str) -> Usage {
        self.0.get(stored_arn).copied().unwrap_or_default()
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A policy of the account as it is told; lists leave out description and tags.
pub(super) fn described(
    policy: &Identity,
    partition: Partition,
    usage: Usage,
    is_whole: bool,
) -> Policy {
    let row = policy.row();
    let default = policy.record().policies.iter().find(|version| version.is_default);
    Policy {
        policy_name: row.name.clone(),
        policy_id: row.identity_id.clone(),
        arn: policy.arn(partition),
        path: row.path.clone(),
        default_version_id: default.map(|row| row.policy_name.clone()).unwrap_or_default(),
        attachment_count: count(usage.attachments_count),
        permissions_boundary_usage_count: count(usage.boundaries_count),
        is_attachable: true,
        description: row.description.clone().filter(|_| is_whole),
        create_date: row.created,
        update_date: row.updated,
        tags: if is_whole { tags_of(policy.record()) } else { Vec::new() },
    }
}

pub(super) fn described_managed(
    context: &Context<'_>,
    policy: &ManagedPolicy,
    usage: Usage,
    is_whole: bool,
) -> Policy {
    Policy {
        policy_name: policy.policy_name.to_string(),
        policy_id: policy.policy_id.to_string(),
        arn: shown_arn(context, &policy.stored_arn()),
        path: policy.path.to_string(),
        default_version_id: policy.default_version_id.to_string(),
        attachment_count: count(usage.attachments_count),
        permissions_boundary_usage_count: count(usage.boundaries_count),
        is_attachable: true,
        description: is_whole.then(|| policy.description.to_string()),
        create_date: policy.create_date,
        update_date: policy.update_date,
        tags: Vec::new(),
    }
}

/// Refuses a document that cannot be a version of a managed policy.
pub(super) fn check_managed_document(document: &str) -> Result<(), ServiceError> {
    check_document(DocumentKind::Identity, document)?;
    quotas::check("PolicySize", counted_characters(document), quotas::POLICY_CHARACTERS_MAX)
}

/// The name is another policy's, of any path.
pub(super) fn taken(name: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::EntityAlreadyExists,
        format!("A policy called {name} already exists. Duplicate names are not allowed."),
    )
}
