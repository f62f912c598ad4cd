//! Permissions boundaries: PutUserPermissionsBoundary, DeleteUserPermissionsBoundary,
//! PutRolePermissionsBoundary, DeleteRolePermissionsBoundary.

use serde::{Deserialize, Serialize};

use super::{enums::PermissionsBoundaryAttachmentType, rules::*};
use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
};

/// The permissions boundary of a user or a role.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPermissionsBoundary {
    /// Always a policy.
    pub permissions_boundary_type: PermissionsBoundaryAttachmentType,
    /// The ARN of the policy.
    pub permissions_boundary_arn: String,
}
answer!(AttachedPermissionsBoundary: "PermissionsBoundaryType", "PermissionsBoundaryArn");

/// The request of PutUserPermissionsBoundary.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct PutUserPermissionsBoundaryRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The ARN of the managed policy.
    pub permissions_boundary: Option<String>,
}

impl Shape for PutUserPermissionsBoundaryRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_USER_NAME);
        visitor.member("PermissionsBoundary", &self.permissions_boundary, &REQUIRED_ARN);
    }
}

/// The request of DeleteUserPermissionsBoundary.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteUserPermissionsBoundaryRequest {
    /// The user's name.
    pub user_name: Option<String>,
}

impl Shape for DeleteUserPermissionsBoundaryRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_USER_NAME);
    }
}

/// The request of PutRolePermissionsBoundary.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct PutRolePermissionsBoundaryRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The ARN of the managed policy.
    pub permissions_boundary: Option<String>,
}

impl Shape for PutRolePermissionsBoundaryRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PermissionsBoundary", &self.permissions_boundary, &REQUIRED_ARN);
    }
}

/// The request of DeleteRolePermissionsBoundary.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteRolePermissionsBoundaryRequest {
    /// The role's name.
    pub role_name: Option<String>,
}

impl Shape for DeleteRolePermissionsBoundaryRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
    }
}

family! {
    PutUserPermissionsBoundaryRequest = "PutUserPermissionsBoundary" -> ();
    DeleteUserPermissionsBoundaryRequest = "DeleteUserPermissionsBoundary" -> ();
    PutRolePermissionsBoundaryRequest = "PutRolePermissionsBoundary" -> ();
    DeleteRolePermissionsBoundaryRequest = "DeleteRolePermissionsBoundary" -> ();
}
