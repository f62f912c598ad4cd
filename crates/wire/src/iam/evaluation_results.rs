//! What a simulation tells of each action and resource.

use std::collections::BTreeMap;

use serde::Serialize;

use super::enums::{PolicyEvaluationDecision, PolicySource};
use crate::model::answer;

/// The outcome of one action.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    /// The action.
    pub eval_action_name: String,
    /// The resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_resource_name: Option<String>,
    /// The decision.
    pub eval_decision: PolicyEvaluationDecision,
    /// The statements that decided.
    pub matched_statements: Vec<Statement>,
    /// Condition keys that the policies ask about and the request lacks.
    pub missing_context_values: Vec<String>,
    /// What the organization has to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations_decision_detail: Option<OrganizationsDecisionDetail>,
    /// What the permissions boundary has to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
    /// The decision of each kind of policy, where two accounts have a say; empty where one has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_decision_details: Option<BTreeMap<String, PolicyEvaluationDecision>>,
    /// The outcome on each resource.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_specific_results: Vec<ResourceSpecificResult>,
}
answer!(
    EvaluationResult: "EvalActionName", "EvalResourceName", "EvalDecision", "MatchedStatements",
    "MissingContextValues", "OrganizationsDecisionDetail", "PermissionsBoundaryDecisionDetail",
    "EvalDecisionDetails", "ResourceSpecificResults"
);

/// The outcome of one action on one resource.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceSpecificResult {
    /// The resource.
    pub eval_resource_name: String,
    /// The decision.
    pub eval_resource_decision: PolicyEvaluationDecision,
    /// The statements that decided.
    pub matched_statements: Vec<Statement>,
    /// Condition keys that the policies ask about and the request lacks.
    pub missing_context_values: Vec<String>,
    /// The decision of each kind of policy, where two accounts have a say; empty where one has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_decision_details: Option<BTreeMap<String, PolicyEvaluationDecision>>,
    /// What the permissions boundary has to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
}
answer!(
    ResourceSpecificResult: "EvalResourceName", "EvalResourceDecision", "MatchedStatements",
    "MissingContextValues", "EvalDecisionDetails", "PermissionsBoundaryDecisionDetail"
);

/// A statement that took part in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// The policy that it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_policy_id: Option<String>,
    /// The kind of that policy.
    pub source_policy_type: PolicySource,
    /// Where it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_position: Option<Position>,
    /// Where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_position: Option<Position>,
}
answer!(Statement: "SourcePolicyId", "SourcePolicyType", "StartPosition", "EndPosition");

/// A place in the text of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Position {
    /// The line, from 1.
    pub line: i64,
    /// The column, from 1.
    pub column: i64,
}
answer!(Position: "Line", "Column");

/// What the organization has to say.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationsDecisionDetail {
    /// Whether the service control policies allow the action.
    pub allowed_by_organizations: bool,
}
answer!(OrganizationsDecisionDetail: "AllowedByOrganizations");

/// What the permissions boundary has to say.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PermissionsBoundaryDecisionDetail {
    /// Whether the boundary allows the action.
    pub allowed_by_permissions_boundary: bool,
}
answer!(PermissionsBoundaryDecisionDetail: "AllowedByPermissionsBoundary");
