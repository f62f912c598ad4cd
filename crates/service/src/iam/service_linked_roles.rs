//! CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus.

use std::sync::Arc;

use jiff::Timestamp;
use store::{IdentityKind, IdentityRow, RoleDeletionRow, Transaction};
use uuid::Uuid;
use wire::error_codes::ErrorCode;
use wire::iam::enums::DeletionTaskStatus;
use wire::iam::service_linked_roles::{
    CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse,
    DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse, DeletionTaskFailureReason,
    GetServiceLinkedRoleDeletionStatusRequest, GetServiceLinkedRoleDeletionStatusResponse,
    RoleUsage,
};
use wire::names::AccountId;
use wire::shape::required;

use super::roles::described;
use super::target::{IdentityName, OneIdentity, tree};
use super::{CREATING, READING};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts};
use crate::identities::{Changes, Identity, arn_of, in_partitions};
use crate::linked_roles::{self, LinkedRole, PATH_PREFIX};
use crate::operation::{Operation, Spec};
use crate::target::{ASKS_MAX, Ask, Lookup, Target};
use crate::trail::{Done, Resource};

/// Deletions of which an account is told; older ones are forgotten.
const DELETIONS_MAX: usize = 100;
/// Resources that are named as using a role.
const RESOURCES_NAMED_MAX: u32 = 50;
/// What the ids of deletions begin with, before the path of the role.
const TASK_PREFIX: &str = "task";

/// Makes the role of a service.
pub(crate) struct CreateServiceLinkedRole;

impl Operation for CreateServiceLinkedRole {
    type Request = CreateServiceLinkedRoleRequest;
    type Target = RoleOfService;
    type Response = CreateServiceLinkedRoleResponse;
    const SPEC: Spec = Spec {
        name: "CreateServiceLinkedRole",
        actions: &["iam:CreateServiceLinkedRole"],
        ..CREATING
    };

    fn names(
        request: &CreateServiceLinkedRoleRequest,
    ) -> Result<<RoleOfService as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.aws_service_name)?)
    }

    fn facts(request: &CreateServiceLinkedRoleRequest) -> Facts<'_> {
        let aws_service_name = request.aws_service_name.as_deref();
        Facts { iam: IamFacts { aws_service_name, ..IamFacts::default() }, ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<RoleOfService>,
        request: &CreateServiceLinkedRoleRequest,
    ) -> Result<Done<CreateServiceLinkedRoleResponse>, ServiceError> {
        let principal = required(&request.aws_service_name)?;
        let role = target.role.as_ref().ok_or_else(|| {
            invalid(format!("{principal} is no service that has a service-linked role."))
        })?;
        // None of them may have more than one in an account.
        if request.custom_suffix.is_some() {
            return Err(invalid(format!("Custom suffix is not allowed for {principal}")));
        }
        // AWS lets an account that has all the roles it may have these beside them.
        let (host, account) = (context.host(), context.call().account());
        let (description, now) = (request.description.as_deref(), context.now());
        let record = role.record(&*host.rng, account, description, now)?;
        let changes = Changes::new(host);
        let partition = context.call().region.partition();
        context
            .change(Vec::new(), move |transaction| {
                let row = &record.identity;
                if transaction.identity_named(row.account, row.kind, &row.name)?.is_some() {
                    return Err(taken(&row.name));
                }
                let role = changes.save(transaction, record)?;
                Ok(CreateServiceLinkedRoleResponse { role: described(&role, partition, true) })
            })
            .await
    }
}

/// Deletes the role of a service, unless something still uses it. It is done when this answers; how it ended is asked for.
pub(crate) struct DeleteServiceLinkedRole;

impl Operation for DeleteServiceLinkedRole {
    type Request = DeleteServiceLinkedRoleRequest;
    type Target = OneIdentity;
    type Response = DeleteServiceLinkedRoleResponse;
    const SPEC: Spec = Spec {
        name: "DeleteServiceLinkedRole",
        actions: &["iam:DeleteServiceLinkedRole"],
        ..CREATING
    };

    fn names(
        request: &DeleteServiceLinkedRoleRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &DeleteServiceLinkedRoleRequest,
    ) -> Result<Done<DeleteServiceLinkedRoleResponse>, ServiceError> {
        let role = Arc::clone(target.existing()?);
        let principal = linked_roles::principal_of(role.row()).ok_or_else(|| {
            let message = format!("The role with name {} is no service-linked role.", role.name());
            ServiceError::new(ErrorCode::NoSuchEntity, message)
        })?;
        let task =
            Task { path: format!("{principal}/{}", role.name()), id: context.host().uuid()? };
        let (changes, now) = (Changes::new(context.host()), context.now());
        context
            .change(Vec::new(), move |transaction| {
                let deletion = delete(transaction, &changes, &role, &task, now)?;
                let deletion_task_id = deletion.deletion_task_id.clone();
                remember(transaction, role.account(), deletion)?;
                Ok(DeleteServiceLinkedRoleResponse { deletion_task_id })
            })
            .await
    }
}

/// Tells how the deletion of a service-linked role ended.
pub(crate) struct GetServiceLinkedRoleDeletionStatus;

impl Operation for GetServiceLinkedRoleDeletionStatus {
    type Request = GetServiceLinkedRoleDeletionStatusRequest;
    type Target = RoleOfTask;
    type Response = GetServiceLinkedRoleDeletionStatusResponse;
    const SPEC: Spec = Spec {
        name: "GetServiceLinkedRoleDeletionStatus",
        actions: &["iam:GetServiceLinkedRoleDeletionStatus"],
        ..READING
    };

    fn names(
        request: &GetServiceLinkedRoleDeletionStatusRequest,
    ) -> Result<<RoleOfTask as Target>::Names<'_>, ServiceError> {
        let deletion_task_id = required(&request.deletion_task_id)?;
        Task::parse(deletion_task_id)
            .ok_or_else(|| invalid(format!("Invalid deletion task ID: {deletion_task_id}")))
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<RoleOfTask>,
        request: &GetServiceLinkedRoleDeletionStatusRequest,
    ) -> Result<Done<GetServiceLinkedRoleDeletionStatusResponse>, ServiceError> {
        let deletion_task_id = required(&request.deletion_task_id)?;
        let account = context.call().account();
        let record = context.host().store.read(move |snapshot| snapshot.account(account)).await?;
        let mut deletions = record.into_iter().flat_map(|record| record.role_deletions);
        let deletion = deletions.find(|row| row.deletion_task_id == *deletion_task_id);
        let deletion = deletion.ok_or_else(|| {
            let message = format!("Deletion task {deletion_task_id} cannot be found.");
            ServiceError::new(ErrorCode::NoSuchEntity, message)
        })?;
        Ok(Done::read(ended(deletion)))
    }
}

/// The role of a service that a request names by its principal.
pub(crate) struct RoleOfService {
    arn: String,
    /// What it is to be; none if no such service has a role.
    role: Option<LinkedRole>,
}

impl Target for RoleOfService {
    type Names<'r> = &'r str;

    async fn resolve(
        lookup: &Lookup<'_>,
        principal: Self::Names<'_>,
    ) -> Result<RoleOfService, ServiceError> {
        let (account, partition) = (lookup.call.account(), lookup.call.region.partition());
        let role = LinkedRole::of(lookup.host, account, principal);
        let name = role.as_ref().map_or("", |role| role.name.as_str());
        let root = tree(account, partition, IdentityKind::Role);
        Ok(RoleOfService { arn: format!("{root}{PATH_PREFIX}{principal}/{name}"), role })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Identity { arn: &self.arn, identity: None }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// The role whose deletion a request asks about, which need not exist any more.
pub(crate) struct RoleOfTask(String);

impl Target for RoleOfTask {
    type Names<'r> = Task;

    async fn resolve(
        lookup: &Lookup<'_>,
        task: Self::Names<'_>,
    ) -> Result<RoleOfTask, ServiceError> {
        let (account, partition) = (lookup.call.account(), lookup.call.region.partition());
        let root = tree(account, partition, IdentityKind::Role);
        Ok(RoleOfTask(format!("{root}{PATH_PREFIX}{}", task.path)))
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Identity { arn: &self.0, identity: None }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// A deletion: `task/aws-service-role/PRINCIPAL/ROLE/UUID`.
pub(crate) struct Task {
    /// `PRINCIPAL/ROLE`.
    path: String,
    id: Uuid,
}

impl Task {
    fn parse(text: &str) -> Option<Task> {
        let rest = text.strip_prefix(TASK_PREFIX)?.strip_prefix(PATH_PREFIX)?;
        let (path, id) = rest.rsplit_once('/')?;
        let is_name = |name: &str| !name.is_empty() && !name.contains('/');
        let (principal, role_name) = path.split_once('/')?;
        let id = id.parse().ok()?;
        (is_name(principal) && is_name(role_name)).then(|| Task { path: path.to_owned(), id })
    }

    fn text(&self) -> String {
        format!("{TASK_PREFIX}{PATH_PREFIX}{}/{}", self.path, self.id)
    }
}

/// Deletes a role that nothing uses, and tells how it ended.
fn delete(
    transaction: &mut Transaction<'_>,
    changes: &Changes,
    role: &Identity,
    task: &Task,
    now: Timestamp,
) -> Result<RoleDeletionRow, ServiceError> {
    let resources = in_use(transaction, role.row())?;
    if resources.is_empty() {
        changes.delete(transaction, role)?;
    } else {
        Changes::same(transaction, role)?;
    }
    let failure = (!resources.is_empty())
        .then(|| format!("The role {} cannot be deleted: resources still use it.", role.name()));
    Ok(RoleDeletionRow { deletion_task_id: task.text(), created: now, failure, resources })
}

/// The keys that a service's role is there for: multi-Region keys, or those on which it has grants.
fn in_use(transaction: &Transaction<'_>, role: &IdentityRow) -> Result<Vec<String>, ServiceError> {
    let mut keys = Vec::new();
    if linked_roles::is_of_multi_region_keys(role) {
        keys.extend(transaction.multi_region_keys(role.account, RESOURCES_NAMED_MAX)?);
    }
    for arn in in_partitions(|partition| arn_of(role, partition)) {
        keys.extend(transaction.keys_granted_to(&arn, RESOURCES_NAMED_MAX)?);
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys.iter().map(ToString::to_string).collect())
}

/// Keeps a deletion with its account, and forgets the oldest if there are too many.
fn remember(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    deletion: RoleDeletionRow,
) -> Result<(), ServiceError> {
    let mut record = transaction
        .account(account)?
        .ok_or_else(|| ServiceError::internal("the account of the caller is not there"))?;
    keep(&mut record.role_deletions, deletion);
    transaction.save_account(&record)?;
    Ok(())
}

fn keep(deletions: &mut Vec<RoleDeletionRow>, newest: RoleDeletionRow) {
    deletions.sort_by_key(|row| row.created);
    deletions.push(newest);
    deletions.drain(..deletions.len().saturating_sub(DELETIONS_MAX));
}

/// How a deletion ended, as it is told.
fn ended(deletion: RoleDeletionRow) -> GetServiceLinkedRoleDeletionStatusResponse {
    let Some(reason) = deletion.failure else {
        let status = DeletionTaskStatus::Succeeded;
        return GetServiceLinkedRoleDeletionStatusResponse { status, reason: None };
    };
    let mut role_usage_list: Vec<RoleUsage> = Vec::new();
    // They are sorted by Region.
    for arn in deletion.resources {
        let region = arn.split(':').nth(3).unwrap_or_default().to_owned();
        match role_usage_list.last_mut().filter(|usage| usage.region == region) {
            Some(usage) => usage.resources.push(arn),
            None => role_usage_list.push(RoleUsage { region, resources: vec![arn] }),
        }
    }
    GetServiceLinkedRoleDeletionStatusResponse {
        status: DeletionTaskStatus::Failed,
        reason: Some(DeletionTaskFailureReason { reason, role_usage_list }),
    }
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidInput, message)
}

fn taken(role_name: &str) -> ServiceError {
    invalid(format!(
        "Service role name {role_name} has been taken in this account, please try a different suffix."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "task/aws-service-role/s3.amazonaws.com/AWSServiceRoleForS3/";

    #[test]
    fn only_the_newest_deletions_are_kept() {
        let seconds = |row: &RoleDeletionRow| row.created.as_second();
        let mut deletions = Vec::new();
        for second in 0..130 {
            // As the store has them: in the order of their ids, which are random.
            deletions.sort_by_key(|row| seconds(row) * 37 % 101);
            let created = Timestamp::from_second(second).unwrap();
            let deletion_task_id = format!("{PATH}{second}");
            let (failure, resources) = (None, Vec::new());
            keep(&mut deletions, RoleDeletionRow { deletion_task_id, created, failure, resources });
        }
        let kept: Vec<i64> = deletions.iter().map(seconds).collect();
        assert_eq!(kept, (30..130).collect::<Vec<_>>());
    }

    #[test]
    fn an_id_of_a_deletion_is_read_as_it_is_written() {
        let text = format!("{PATH}123e4567-e89b-12d3-a456-426614174000");
        let task = Task::parse(&text).unwrap();
        assert_eq!(task.text(), text);
        assert_eq!(task.path, "s3.amazonaws.com/AWSServiceRoleForS3");
    }
}
