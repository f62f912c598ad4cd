//! The members of answers of simulations are those stated beside their structs.

use std::collections::BTreeMap;

use wire::iam::{enums::*, evaluation_results::*, simulation::*};

use super::{stated, text};

fn evaluation_result() -> EvaluationResult {
    EvaluationResult {
        eval_action_name: text(),
        eval_resource_name: Some(text()),
        eval_decision: PolicyEvaluationDecision::Allowed,
        matched_statements: vec![statement()],
        missing_context_values: vec![text()],
        organizations_decision_detail: Some(organizations_decision_detail()),
        permissions_boundary_decision_detail: Some(permissions_boundary_decision_detail()),
        eval_decision_details: Some(BTreeMap::from([(text(), PolicyEvaluationDecision::Allowed)])),
        resource_specific_results: vec![resource_specific_result()],
    }
}

fn resource_specific_result() -> ResourceSpecificResult {
    ResourceSpecificResult {
        eval_resource_name: text(),
        eval_resource_decision: PolicyEvaluationDecision::Allowed,
        matched_statements: vec![statement()],
        missing_context_values: vec![text()],
        eval_decision_details: Some(BTreeMap::from([(text(), PolicyEvaluationDecision::Allowed)])),
        permissions_boundary_decision_detail: Some(permissions_boundary_decision_detail()),
    }
}

fn statement() -> Statement {
    Statement {
        source_policy_id: Some(text()),
        source_policy_type: PolicySource::User,
        start_position: Some(position()),
        end_position: Some(position()),
    }
}

fn position() -> Position {
    Position { line: 1, column: 1 }
}

fn organizations_decision_detail() -> OrganizationsDecisionDetail {
    OrganizationsDecisionDetail { allowed_by_organizations: true }
}

fn permissions_boundary_decision_detail() -> PermissionsBoundaryDecisionDetail {
    PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: true }
}

#[test]
fn the_members_of_simulation_are_stated() {
    stated(&SimulatePolicyResponse {
        evaluation_results: vec![evaluation_result()],
        is_truncated: true,
        marker: Some(text()),
    });
    stated(&GetContextKeysForPolicyResponse { context_key_names: vec![text()] });
}

#[test]
fn the_members_of_evaluation_results_are_stated() {
    stated(&evaluation_result());
    stated(&resource_specific_result());
    stated(&statement());
    stated(&position());
    stated(&organizations_decision_detail());
    stated(&permissions_boundary_decision_detail());
}
