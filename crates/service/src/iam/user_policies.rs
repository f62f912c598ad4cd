//! PutUserPolicy, GetUserPolicy, DeleteUserPolicy, ListUserPolicies, AttachUserPolicy, DetachUserPolicy,
//! ListAttachedUserPolicies.

use store::IdentityKind;
use wire::iam::user_policies::{
    AttachUserPolicyRequest, DeleteUserPolicyRequest, DetachUserPolicyRequest,
    GetUserPolicyRequest, GetUserPolicyResponse, ListAttachedUserPoliciesRequest,
    ListAttachedUserPoliciesResponse, ListUserPoliciesRequest, ListUserPoliciesResponse,
    PutUserPolicyRequest,
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
    User, user_name;
    put PutUserPolicy(PutUserPolicyRequest), "iam:PutUserPolicy";
    get GetUserPolicy(GetUserPolicyRequest, GetUserPolicyResponse), "iam:GetUserPolicy";
    delete DeleteUserPolicy(DeleteUserPolicyRequest), "iam:DeleteUserPolicy";
    list ListUserPolicies(ListUserPoliciesRequest, ListUserPoliciesResponse),
        "iam:ListUserPolicies";
    attach AttachUserPolicy(AttachUserPolicyRequest), "iam:AttachUserPolicy";
    detach DetachUserPolicy(DetachUserPolicyRequest), "iam:DetachUserPolicy";
    attached ListAttachedUserPolicies(
        ListAttachedUserPoliciesRequest,
        ListAttachedUserPoliciesResponse
    ), "iam:ListAttachedUserPolicies";
}
