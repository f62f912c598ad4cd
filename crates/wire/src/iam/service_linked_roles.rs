//! Service-linked roles: CreateServiceLinkedRole, DeleteServiceLinkedRole,
//! GetServiceLinkedRoleDeletionStatus.

use serde::{Deserialize, Serialize};

use super::{enums::DeletionTaskStatus, roles::Role, rules::*};
use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
};

/// The request of CreateServiceLinkedRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateServiceLinkedRoleRequest {
    /// The service's principal, such as `kms.amazonaws.com`.
    #[serde(rename = "AWSServiceName")]
    pub aws_service_name: Option<String>,
    /// The description for people.
    pub description: Option<String>,
    /// What is added to the name of the role.
    pub custom_suffix: Option<String>,
}

impl Shape for CreateServiceLinkedRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AWSServiceName", &self.aws_service_name, &REQUIRED_AWS_SERVICE_NAME);
        visitor.member("Description", &self.description, &ROLE_DESCRIPTION);
        visitor.member("CustomSuffix", &self.custom_suffix, &CUSTOM_SUFFIX);
    }
}

/// The answer of CreateServiceLinkedRole.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateServiceLinkedRoleResponse {
    /// The role.
    pub role: Role,
}
answer!(CreateServiceLinkedRoleResponse: "Role");

/// The request of DeleteServiceLinkedRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteServiceLinkedRoleRequest {
    /// The role's name.
    pub role_name: Option<String>,
}

impl Shape for DeleteServiceLinkedRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
    }
}

/// The answer of DeleteServiceLinkedRole.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteServiceLinkedRoleResponse {
    /// What GetServiceLinkedRoleDeletionStatus asks with:
    /// `task/aws-service-role/PRINCIPAL/ROLE/UUID`.
    pub deletion_task_id: String,
}
answer!(DeleteServiceLinkedRoleResponse: "DeletionTaskId");

/// The request of GetServiceLinkedRoleDeletionStatus.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetServiceLinkedRoleDeletionStatusRequest {
    /// What DeleteServiceLinkedRole answered.
    pub deletion_task_id: Option<String>,
}

impl Shape for GetServiceLinkedRoleDeletionStatusRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("DeletionTaskId", &self.deletion_task_id, &REQUIRED_DELETION_TASK_ID);
    }
}

/// The answer of GetServiceLinkedRoleDeletionStatus.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetServiceLinkedRoleDeletionStatusResponse {
    /// How far the deletion is.
    pub status: DeletionTaskStatus,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeletionTaskFailureReason>,
}
answer!(GetServiceLinkedRoleDeletionStatusResponse: "Status", "Reason");

/// Why a role was not deleted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeletionTaskFailureReason {
    /// In words.
    pub reason: String,
    /// What still used the role.
    pub role_usage_list: Vec<RoleUsage>,
}
answer!(DeletionTaskFailureReason: "Reason", "RoleUsageList");

/// What used a role in one Region.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleUsage {
    /// The Region.
    pub region: String,
    /// The ARNs of the resources.
    pub resources: Vec<String>,
}
answer!(RoleUsage: "Region", "Resources");

family! {
    CreateServiceLinkedRoleRequest = "CreateServiceLinkedRole" -> CreateServiceLinkedRoleResponse;
    DeleteServiceLinkedRoleRequest = "DeleteServiceLinkedRole" -> DeleteServiceLinkedRoleResponse;
    GetServiceLinkedRoleDeletionStatusRequest = "GetServiceLinkedRoleDeletionStatus"
        -> GetServiceLinkedRoleDeletionStatusResponse;
}
