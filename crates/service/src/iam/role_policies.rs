//! PutRolePolicy, GetRolePolicy, DeleteRolePolicy, ListRolePolicies, AttachRolePolicy, DetachRolePolicy,
//! ListAttachedRolePolicies.

use store::IdentityKind;
use wire::iam::role_policies::{
    AttachRolePolicyRequest, DeleteRolePolicyRequest, DetachRolePolicyRequest,
    GetRolePolicyRequest, GetRolePolicyResponse, ListAttachedRolePoliciesRequest,
    ListAttachedRolePoliciesResponse, ListRolePoliciesRequest, ListRolePoliciesResponse,
    PutRolePolicyRequest,
};
use wire::shape::required;

use super::holder_policies::{self, policy_operations};
use super::target::{IdentityName, OneIdentity};
use super::{DEFAULT, READING};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

policy_operations! {
    Role, role_name;
    put PutRolePolicy(PutRolePolicyRequest), "iam:PutRolePolicy";
    get GetRolePolicy(GetRolePolicyRequest, GetRolePolicyResponse), "iam:GetRolePolicy";
    delete DeleteRolePolicy(DeleteRolePolicyRequest), "iam:DeleteRolePolicy";
    list ListRolePolicies(ListRolePoliciesRequest, ListRolePoliciesResponse),
        "iam:ListRolePolicies";
    attach AttachRolePolicy(AttachRolePolicyRequest), "iam:AttachRolePolicy";
    detach DetachRolePolicy(DetachRolePolicyRequest), "iam:DetachRolePolicy";
    attached ListAttachedRolePolicies(
        ListAttachedRolePoliciesRequest,
        ListAttachedRolePoliciesResponse
    ), "iam:ListAttachedRolePolicies";
}
