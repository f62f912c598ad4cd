//! PutGroupPolicy, GetGroupPolicy, DeleteGroupPolicy, ListGroupPolicies, AttachGroupPolicy, DetachGroupPolicy,
//! ListAttachedGroupPolicies.

use store::IdentityKind;
use wire::iam::group_policies::{
    AttachGroupPolicyRequest, DeleteGroupPolicyRequest, DetachGroupPolicyRequest,
    GetGroupPolicyRequest, GetGroupPolicyResponse, ListAttachedGroupPoliciesRequest,
    ListAttachedGroupPoliciesResponse, ListGroupPoliciesRequest, ListGroupPoliciesResponse,
    PutGroupPolicyRequest,
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
    Group, group_name;
    put PutGroupPolicy(PutGroupPolicyRequest), "iam:PutGroupPolicy";
    get GetGroupPolicy(GetGroupPolicyRequest, GetGroupPolicyResponse), "iam:GetGroupPolicy";
    delete DeleteGroupPolicy(DeleteGroupPolicyRequest), "iam:DeleteGroupPolicy";
    list ListGroupPolicies(ListGroupPoliciesRequest, ListGroupPoliciesResponse),
        "iam:ListGroupPolicies";
    attach AttachGroupPolicy(AttachGroupPolicyRequest), "iam:AttachGroupPolicy";
    detach DetachGroupPolicy(DetachGroupPolicyRequest), "iam:DetachGroupPolicy";
    attached ListAttachedGroupPolicies(
        ListAttachedGroupPoliciesRequest,
        ListAttachedGroupPoliciesResponse
    ), "iam:ListAttachedGroupPolicies";
}
