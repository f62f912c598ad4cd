//! CreatePolicyVersion, GetPolicyVersion, DeletePolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion.

use store::{IdentityPolicyRow, IdentityRecord};
use wire::error_codes::ErrorCode;
use wire::iam::policy_versions::{
    CreatePolicyVersionRequest, CreatePolicyVersionResponse, DeletePolicyVersionRequest,
    GetPolicyVersionRequest, GetPolicyVersionResponse, ListPolicyVersionsRequest,
    ListPolicyVersionsResponse, PolicyVersion, SetDefaultPolicyVersionRequest,
};
use wire::shape::required;

use super::paging::{self, Wanted};
use super::policies::check_managed_document;
use super::target::OnePolicy;
use super::users::{refuse_if, whole_second};
use super::{CREATING, DEFAULT, READING, change, quotas};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::{ManagedPolicy, managed_policy};
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

/// Adds a version, and puts it in force if that is asked for.
pub(crate) struct CreatePolicyVersion;

impl Operation for CreatePolicyVersion {
    type Request = CreatePolicyVersionRequest;
    type Target = OnePolicy;
    type Response = CreatePolicyVersionResponse;
    const SPEC: Spec =
        Spec { name: "CreatePolicyVersion", actions: &["iam:CreatePolicyVersion"], ..CREATING };

    fn names(
        request: &CreatePolicyVersionRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &CreatePolicyVersionRequest,
    ) -> Result<Done<CreatePolicyVersionResponse>, ServiceError> {
        let document = required(&request.policy_document)?.clone();
        check_managed_document(&document)?;
        let is_default = request.set_as_default.unwrap_or_default();
        let now = whole_second(context.now());
        change(context, target.own()?, move |record, _| {
            if record.policies.len() >= quotas::VERSIONS_MAX {
                return Err(quotas::exceeded(format!(
                    "A managed policy can have up to {} versions. Before you create a new version, you must delete an existing version.",
                    quotas::VERSIONS_MAX
                )));
            }
            let number = record.identity.versions_made.unwrap_or_default().saturating_add(1);
            record.identity.versions_made = Some(number);
            record.identity.updated = now;
            record.policies.push(IdentityPolicyRow {
                policy_name: format!("v{number}"),
                document,
                created: now,
                is_default: false,
            });
            if is_default {
                put_in_force(record, &format!("v{number}"))?;
            }
            let row = record.policies.last().ok_or_else(|| no_such_version("", ""))?;
            let policy_version = PolicyVersion { document: None, ..described(row) };
            Ok(CreatePolicyVersionResponse { policy_version })
        })
        .await
    }
}

/// Tells a version with its document.
pub(crate) struct GetPolicyVersion;

impl Operation for GetPolicyVersion {
    type Request = GetPolicyVersionRequest;
    type Target = OnePolicy;
    type Response = GetPolicyVersionResponse;
    const SPEC: Spec =
        Spec { name: "GetPolicyVersion", actions: &["iam:GetPolicyVersion"], ..READING };

    fn names(
        request: &GetPolicyVersionRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        _context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &GetPolicyVersionRequest,
    ) -> Result<Done<GetPolicyVersionResponse>, ServiceError> {
        let version_id = required(&request.version_id)?;
        let found = versions(&target)?.into_iter().find(|row| row.version_id == *version_id);
        let policy_version =
            found.ok_or_else(|| no_such_version(&target.stored_arn, version_id))?;
        Ok(Done::read(GetPolicyVersionResponse { policy_version }))
    }
}

/// Deletes a version that is not in force.
pub(crate) struct DeletePolicyVersion;

impl Operation for DeletePolicyVersion {
    type Request = DeletePolicyVersionRequest;
    type Target = OnePolicy;
    type Response = ();
    const SPEC: Spec =
        Spec { name: "DeletePolicyVersion", actions: &["iam:DeletePolicyVersion"], ..DEFAULT };

    fn names(
        request: &DeletePolicyVersionRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &DeletePolicyVersionRequest,
    ) -> Result<Done<()>, ServiceError> {
        let version_id = required(&request.version_id)?.clone();
        let arn = target.stored_arn.clone();
        change(context, target.own()?, move |record, _| {
            let row = record.policies.iter().find(|row| row.policy_name == version_id);
            let row = row.ok_or_else(|| no_such_version(&arn, &version_id))?;
            refuse_if(row.is_default, "Cannot delete the default version of a policy.")?;
            record.policies.retain(|row| row.policy_name != version_id);
            Ok(())
        })
        .await
    }
}

/// Lists the versions without their documents.
pub(crate) struct ListPolicyVersions;

impl Operation for ListPolicyVersions {
    type Request = ListPolicyVersionsRequest;
    type Target = OnePolicy;
    type Response = ListPolicyVersionsResponse;
    const SPEC: Spec =
        Spec { name: "ListPolicyVersions", actions: &["iam:ListPolicyVersions"], ..READING };

    fn names(
        request: &ListPolicyVersionsRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &ListPolicyVersionsRequest,
    ) -> Result<Done<ListPolicyVersionsResponse>, ServiceError> {
        let versions = versions(&target)?.into_iter();
        let versions = versions.map(|version| PolicyVersion { document: None, ..version });
        let wanted = Wanted {
            list: "ListPolicyVersions",
            filter: &target.stored_arn,
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        // Numbers of one width, so that v10 comes after v9.
        let page = paging::page(context, wanted, versions.collect(), |version| {
            format!("{:0>12}", version.version_id)
        })?;
        Ok(Done::read(ListPolicyVersionsResponse {
            versions: page.items,
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

/// Puts a version in force.
pub(crate) struct SetDefaultPolicyVersion;

impl Operation for SetDefaultPolicyVersion {
    type Request = SetDefaultPolicyVersionRequest;
    type Target = OnePolicy;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "SetDefaultPolicyVersion",
        actions: &["iam:SetDefaultPolicyVersion"],
        ..DEFAULT
    };

    fn names(
        request: &SetDefaultPolicyVersionRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &SetDefaultPolicyVersionRequest,
    ) -> Result<Done<()>, ServiceError> {
        let version_id = required(&request.version_id)?.clone();
        let now = whole_second(context.now());
        change(context, target.own()?, move |record, _| {
            record.identity.updated = now;
            put_in_force(record, &version_id)
        })
        .await
    }
}

fn put_in_force(record: &mut IdentityRecord, version_id: &str) -> Result<(), ServiceError> {
    if !record.policies.iter().any(|row| row.policy_name == version_id) {
        return Err(no_such_version(&record.identity.name, version_id));
    }
    for row in &mut record.policies {
        row.is_default = row.policy_name == version_id;
    }
    Ok(())
}

/// All versions; of a policy of AWS's only the one in force is known here.
fn versions(target: &OnePolicy) -> Result<Vec<PolicyVersion>, ServiceError> {
    if let Some(policy) = target.found() {
        return Ok(policy.record().policies.iter().map(described).collect());
    }
    let policy = managed_policy(&target.stored_arn).ok_or_else(|| target.missing())?;
    Ok(vec![described_managed(policy)])
}

/// The version of a policy of AWS's that is in force.
pub(super) fn described_managed(policy: &ManagedPolicy) -> PolicyVersion {
    PolicyVersion {
        document: Some(policy.text().to_owned().into()),
        version_id: policy.default_version_id.to_string(),
        is_default_version: true,
        create_date: policy.update_date,
    }
}

/// A version of a policy of the account.
pub(super) fn described(row: &IdentityPolicyRow) -> PolicyVersion {
    PolicyVersion {
        document: Some(row.document.clone().into()),
        version_id: row.policy_name.clone(),
        is_default_version: row.is_default,
        create_date: row.created,
    }
}

fn no_such_version(policy: &str, version_id: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::NoSuchEntity,
        format!("Policy {policy} version {version_id} does not exist or is not attachable."),
    )
}
