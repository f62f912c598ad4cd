//! Simulations: SimulatePrincipalPolicy, SimulateCustomPolicy, GetContextKeysForCustomPolicy,
//! GetContextKeysForPrincipalPolicy.

use serde::{Deserialize, Serialize};

use super::{
    enums::{AttachmentType, ContextKeyType, PolicyIdentifierPolicyType},
    evaluation_results::EvaluationResult,
    rules::*,
};
use crate::{
    limits::{ORGANIZATION_LEVELS_MAX, POLICY_EXCLUSIONS_MAX},
    model::{answer, family},
    shape::{Kind, Range, Rule, Shape, Visitor},
    values::OneOf,
};

/// A condition key with its values, as the simulated request has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextEntry {
    /// The key, such as `aws:SourceIp`.
    pub context_key_name: Option<String>,
    /// Its values.
    pub context_key_values: Option<Vec<String>>,
    /// The type of its values.
    pub context_key_type: Option<OneOf<ContextKeyType>>,
}

impl Shape for ContextEntry {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("ContextKeyName", &self.context_key_name, &CONTEXT_KEY_NAME);
        visitor.member("ContextKeyValues", &self.context_key_values, &CONTEXT_KEY_VALUES);
        visitor.member("ContextKeyType", &self.context_key_type, &CONTEXT_KEY_TYPE);
    }
}

/// A policy that a simulation leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyIdentifier {
    /// The kind of policy.
    pub policy_type: Option<OneOf<PolicyIdentifierPolicyType>>,
    /// The policy's ARN, if it is a managed one.
    pub policy_arn: Option<String>,
    /// The policy, if it is an inline one.
    pub inline_policy_identifier: Option<InlinePolicyIdentifier>,
}

impl Shape for PolicyIdentifier {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyType", &self.policy_type, &POLICY_IDENTIFIER_POLICY_TYPE);
        visitor.member("PolicyArn", &self.policy_arn, &ARN);
        visitor.member(
            "InlinePolicyIdentifier",
            &self.inline_policy_identifier,
            &INLINE_POLICY_IDENTIFIER,
        );
    }
}

/// An inline policy by its name and whom it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlinePolicyIdentifier {
    /// The policy's name.
    pub policy_name: Option<String>,
    /// What kind of identity it belongs to.
    pub attachment_type: Option<OneOf<AttachmentType>>,
    /// The identity's name.
    pub attachment_name: Option<String>,
}

impl Shape for InlinePolicyIdentifier {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
        visitor.member("AttachmentType", &self.attachment_type, &REQUIRED_ATTACHMENT_TYPE);
        visitor.member("AttachmentName", &self.attachment_name, &REQUIRED_ATTACHMENT_NAME);
    }
}

/// The service control policies of one level of an organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderedOrganizationPolicy {
    /// The policies, as JSON.
    pub service_control_policy_input_list: Option<Vec<String>>,
}

impl Shape for OrderedOrganizationPolicy {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "ServiceControlPolicyInputList",
            &self.service_control_policy_input_list,
            &POLICY_DOCUMENTS,
        );
    }
}

const INLINE_POLICY_IDENTIFIER: Rule =
    Rule::of(Kind::Structure(|visitor| InlinePolicyIdentifier::default().members(visitor)));
const CONTEXT_ENTRIES: Rule = Rule::of(Kind::List {
    length: Range::ANY,
    item: &Kind::Structure(|visitor| ContextEntry::default().members(visitor)),
});
const POLICY_EXCLUSIONS: Rule = Rule::of(Kind::List {
    length: Range::at_most(POLICY_EXCLUSIONS_MAX),
    item: &Kind::Structure(|visitor| PolicyIdentifier::default().members(visitor)),
});
const ORDERED_ORGANIZATION_POLICIES: Rule = Rule::of(Kind::List {
    length: Range::at_most(ORGANIZATION_LEVELS_MAX),
    item: &Kind::Structure(|visitor| OrderedOrganizationPolicy::default().members(visitor)),
});

/// The request of SimulatePrincipalPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct SimulatePrincipalPolicyRequest {
    /// The ARN of the user, group or role.
    pub policy_source_arn: Option<String>,
    /// More policies of the principal, as JSON.
    pub policy_input_list: Option<Vec<String>>,
    /// The permissions boundary, as JSON; one at most.
    pub permissions_boundary_policy_input_list: Option<Vec<String>>,
    /// Policies to leave out.
    pub policy_exclusion_list: Option<Vec<PolicyIdentifier>>,
    /// The actions to decide, such as `kms:Decrypt`.
    pub action_names: Option<Vec<String>>,
    /// The resources to decide on; `*` unless given.
    pub resource_arns: Option<Vec<String>>,
    /// The resource's own policy, as JSON.
    pub resource_policy: Option<String>,
    /// The account that owns the resources, as an ARN.
    pub resource_owner: Option<String>,
    /// The user who asks in the simulation, as an ARN.
    pub caller_arn: Option<String>,
    /// The condition keys of the simulated request.
    pub context_entries: Option<Vec<ContextEntry>>,
    /// The scenario of an EC2 action.
    pub resource_handling_option: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
}

impl Shape for SimulatePrincipalPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicySourceArn", &self.policy_source_arn, &REQUIRED_ARN);
        visitor.member("PolicyInputList", &self.policy_input_list, &POLICY_DOCUMENTS);
        visitor.member(
            "PermissionsBoundaryPolicyInputList",
            &self.permissions_boundary_policy_input_list,
            &POLICY_DOCUMENTS,
        );
        visitor.member("PolicyExclusionList", &self.policy_exclusion_list, &POLICY_EXCLUSIONS);
        visitor.member("ActionNames", &self.action_names, &REQUIRED_ACTION_NAMES);
        visitor.member("ResourceArns", &self.resource_arns, &RESOURCE_NAMES);
        visitor.member("ResourcePolicy", &self.resource_policy, &POLICY_DOCUMENT);
        visitor.member("ResourceOwner", &self.resource_owner, &RESOURCE_NAME);
        visitor.member("CallerArn", &self.caller_arn, &RESOURCE_NAME);
        visitor.member("ContextEntries", &self.context_entries, &CONTEXT_ENTRIES);
        visitor.member(
            "ResourceHandlingOption",
            &self.resource_handling_option,
            &RESOURCE_HANDLING_OPTION,
        );
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
        visitor.member("Marker", &self.marker, &MARKER);
    }
}

/// The answer of SimulatePrincipalPolicy and SimulateCustomPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SimulatePolicyResponse {
    /// The outcomes of this page.
    pub evaluation_results: Vec<EvaluationResult>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(SimulatePolicyResponse: "EvaluationResults", "IsTruncated", "Marker");

/// The request of SimulateCustomPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct SimulateCustomPolicyRequest {
    /// The policies of the principal, as JSON.
    pub policy_input_list: Option<Vec<String>>,
    /// The permissions boundary, as JSON; one at most.
    pub permissions_boundary_policy_input_list: Option<Vec<String>>,
    /// Service control policies from the organization's root down.
    pub ordered_organization_policy_input_list: Option<Vec<OrderedOrganizationPolicy>>,
    /// The actions to decide, such as `kms:Decrypt`.
    pub action_names: Option<Vec<String>>,
    /// The resources to decide on; `*` unless given.
    pub resource_arns: Option<Vec<String>>,
    /// The resource's own policy, as JSON.
    pub resource_policy: Option<String>,
    /// The account that owns the resources, as an ARN.
    pub resource_owner: Option<String>,
    /// The user who asks in the simulation, as an ARN.
    pub caller_arn: Option<String>,
    /// The condition keys of the simulated request.
    pub context_entries: Option<Vec<ContextEntry>>,
    /// The scenario of an EC2 action.
    pub resource_handling_option: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
}

impl Shape for SimulateCustomPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyInputList", &self.policy_input_list, &REQUIRED_POLICY_DOCUMENTS);
        visitor.member(
            "PermissionsBoundaryPolicyInputList",
            &self.permissions_boundary_policy_input_list,
            &POLICY_DOCUMENTS,
        );
        visitor.member(
            "OrderedOrganizationPolicyInputList",
            &self.ordered_organization_policy_input_list,
            &ORDERED_ORGANIZATION_POLICIES,
        );
        visitor.member("ActionNames", &self.action_names, &REQUIRED_ACTION_NAMES);
        visitor.member("ResourceArns", &self.resource_arns, &RESOURCE_NAMES);
        visitor.member("ResourcePolicy", &self.resource_policy, &POLICY_DOCUMENT);
        visitor.member("ResourceOwner", &self.resource_owner, &RESOURCE_NAME);
        visitor.member("CallerArn", &self.caller_arn, &RESOURCE_NAME);
        visitor.member("ContextEntries", &self.context_entries, &CONTEXT_ENTRIES);
        visitor.member(
            "ResourceHandlingOption",
            &self.resource_handling_option,
            &RESOURCE_HANDLING_OPTION,
        );
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
        visitor.member("Marker", &self.marker, &MARKER);
    }
}

/// The request of GetContextKeysForCustomPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetContextKeysForCustomPolicyRequest {
    /// The policies, as JSON.
    pub policy_input_list: Option<Vec<String>>,
}

impl Shape for GetContextKeysForCustomPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyInputList", &self.policy_input_list, &REQUIRED_POLICY_DOCUMENTS);
    }
}

/// The answer of GetContextKeysForCustomPolicy and GetContextKeysForPrincipalPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetContextKeysForPolicyResponse {
    /// The condition keys that the policies ask about.
    pub context_key_names: Vec<String>,
}
answer!(GetContextKeysForPolicyResponse: "ContextKeyNames");

/// The request of GetContextKeysForPrincipalPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetContextKeysForPrincipalPolicyRequest {
    /// The ARN of the user, group or role.
    pub policy_source_arn: Option<String>,
    /// More policies, as JSON.
    pub policy_input_list: Option<Vec<String>>,
}

impl Shape for GetContextKeysForPrincipalPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicySourceArn", &self.policy_source_arn, &REQUIRED_ARN);
        visitor.member("PolicyInputList", &self.policy_input_list, &POLICY_DOCUMENTS);
    }
}

family! {
    SimulatePrincipalPolicyRequest = "SimulatePrincipalPolicy" -> SimulatePolicyResponse;
    SimulateCustomPolicyRequest = "SimulateCustomPolicy" -> SimulatePolicyResponse;
    GetContextKeysForCustomPolicyRequest = "GetContextKeysForCustomPolicy"
        -> GetContextKeysForPolicyResponse;
    GetContextKeysForPrincipalPolicyRequest = "GetContextKeysForPrincipalPolicy"
        -> GetContextKeysForPolicyResponse;
}
