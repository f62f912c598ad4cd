//! SimulateCustomPolicy, SimulatePrincipalPolicy: what policies would say to calls that nobody makes.
//!
//! Each question goes to [`policy::explain`] through [`authorize::put_for`](crate::authorize::put_for), as the operator's
//! explanations do; what is told of it is what IAM's policy simulator tells.

mod caller;
mod context;
mod exclusions;
mod outcome;
mod positions;
mod scenario;

use std::sync::Arc;

use policy::DocumentKind;
use wire::error_codes::ErrorCode;
use wire::iam::enums::PolicySource as SourceKind;
use wire::iam::simulation::{
    ContextEntry, OrderedOrganizationPolicy, SimulateCustomPolicyRequest, SimulatePolicyResponse,
    SimulatePrincipalPolicyRequest,
};
use wire::shape::required;

use self::caller::Supposed;
use self::context::Entries;
use self::exclusions::Exclusions;
use self::scenario::{Scenario, Source, only, read};
use super::READING;
use super::context_keys::PolicySource;
use super::paging::{Wanted, page};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::NOTHING;
use crate::operation::{Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Resources of one simulation at most.
const RESOURCES_MAX: usize = 1_000;
/// Decisions of one answer, if an action alone does not need more. What is left comes with the next page.
const DECISIONS_MAX: usize = 1_000;
/// What the simulator knows to be missing for some actions of EC2, which is not here.
const HANDLING_OPTIONS: [&str; 4] =
    ["EC2-VPC-InstanceStore", "EC2-VPC-InstanceStore-Subnet", "EC2-VPC-EBS", "EC2-VPC-EBS-Subnet"];

/// Tells what the given policies would let somebody do.
pub(crate) struct SimulateCustomPolicy;

impl Operation for SimulateCustomPolicy {
    type Request = SimulateCustomPolicyRequest;
    type Target = NoTarget;
    type Response = SimulatePolicyResponse;
    const SPEC: Spec =
        Spec { name: "SimulateCustomPolicy", actions: &["iam:SimulateCustomPolicy"], ..READING };

    fn names(_request: &SimulateCustomPolicyRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &SimulateCustomPolicyRequest,
    ) -> Result<Done<SimulatePolicyResponse>, ServiceError> {
        let asked = Asked {
            list: Self::SPEC.name,
            source_arn: None,
            action_names: required(&request.action_names)?,
            resource_arns: request.resource_arns.as_deref(),
            resource_policy: request.resource_policy.as_deref(),
            resource_owner: request.resource_owner.as_deref(),
            caller_arn: request.caller_arn.as_deref(),
            context_entries: request.context_entries.as_deref().unwrap_or_default(),
            resource_handling_option: request.resource_handling_option.as_deref(),
            max_items: request.max_items,
            marker: request.marker.as_deref(),
        };
        let mut scenario = asked.scenario(context)?;
        scenario.sources = given(required(&request.policy_input_list)?)?;
        let boundary = request.permissions_boundary_policy_input_list.as_deref();
        scenario.boundary = only("PermissionsBoundaryPolicyInputList", boundary)?;
        let levels = request.ordered_organization_policy_input_list.as_deref().unwrap_or_default();
        for OrderedOrganizationPolicy { service_control_policy_input_list } in levels {
            let texts = service_control_policy_input_list.iter().flatten();
            let level = texts.map(|text| read(DocumentKind::ServiceControl, text));
            scenario.service_control.push(level.collect::<Result<_, _>>()?);
        }
        answer(context, &asked, scenario).await
    }
}

/// Tells what the policies of a user, group or role would let it do.
pub(crate) struct SimulatePrincipalPolicy;

impl Operation for SimulatePrincipalPolicy {
    type Request = SimulatePrincipalPolicyRequest;
    type Target = PolicySource;
    type Response = SimulatePolicyResponse;
    const SPEC: Spec = Spec {
        name: "SimulatePrincipalPolicy",
        actions: &["iam:SimulatePrincipalPolicy"],
        ..READING
    };

    fn names(request: &SimulatePrincipalPolicyRequest) -> Result<&str, ServiceError> {
        Ok(required(&request.policy_source_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<PolicySource>,
        request: &SimulatePrincipalPolicyRequest,
    ) -> Result<Done<SimulatePolicyResponse>, ServiceError> {
        let identity = target.existing()?;
        let source_arn = request.policy_source_arn.as_deref();
        let asked = Asked {
            list: Self::SPEC.name,
            source_arn,
            action_names: required(&request.action_names)?,
            resource_arns: request.resource_arns.as_deref(),
            resource_policy: request.resource_policy.as_deref(),
            resource_owner: request.resource_owner.as_deref(),
            caller_arn: request.caller_arn.as_deref().or(source_arn),
            context_entries: request.context_entries.as_deref().unwrap_or_default(),
            resource_handling_option: request.resource_handling_option.as_deref(),
            max_items: request.max_items,
            marker: request.marker.as_deref(),
        };
        let mut scenario = asked.scenario(context)?;
        let (host, call) = (context.host(), context.call());
        let exclusions = request.policy_exclusion_list.as_deref().unwrap_or_default();
        let exclusions = Exclusions::read(exclusions, call.region.partition())?;
        let held = host.identities.held_policies(identity).into_iter();
        let held = held.filter(|policy| !exclusions.leave_out(&policy.name));
        scenario.sources = held.map(Source::of_identity).collect();
        scenario.sources.extend(given(request.policy_input_list.as_deref().unwrap_or_default())?);
        let boundary = request.permissions_boundary_policy_input_list.as_deref();
        let own = identity.row().permissions_boundary.as_deref();
        let own = own.filter(|_| !exclusions.leave_out_boundary()).map(|arn| {
            host.identities.policy(identity.account(), arn).unwrap_or_else(|| Arc::clone(&NOTHING))
        });
        scenario.boundary = only("PermissionsBoundaryPolicyInputList", boundary)?.or(own);
        if !exclusions.leave_out_service_control() {
            let account = scenario.caller.principal.account;
            scenario.service_control = call.guard_rails.service_control(account).to_vec();
        }
        answer(context, &asked, scenario).await
    }
}

/// What both requests say.
struct Asked<'r> {
    list: &'static str,
    source_arn: Option<&'r str>,
    action_names: &'r [String],
    resource_arns: Option<&'r [String]>,
    resource_policy: Option<&'r str>,
    resource_owner: Option<&'r str>,
    caller_arn: Option<&'r str>,
    context_entries: &'r [ContextEntry],
    resource_handling_option: Option<&'r str>,
    max_items: Option<i64>,
    marker: Option<&'r str>,
}

impl Asked<'_> {
    /// The scenario, still without the policies of the caller.
    fn scenario<'c>(&self, context: &'c Context<'_>) -> Result<Scenario<'c>, ServiceError> {
        self.check()?;
        let call = context.call();
        let caller = Supposed::new(context, self.caller_arn)?;
        if self.resource_policy.is_some() && !caller.is_named {
            return Err(invalid(
                "CallerArn must name a user or role when ResourcePolicy is given.",
            ));
        }
        let resource_policy = self.resource_policy.map(|text| {
            let document = read(DocumentKind::KeyPolicy, text)?;
            let (id, text) = ("ResourcePolicy".to_owned(), text.to_owned());
            Ok::<_, ServiceError>(Source { id, kind: SourceKind::Resource, text, document })
        });
        Ok(Scenario {
            host: context.host(),
            call,
            owner: self.resource_owner.map(caller::owner).transpose()?,
            caller,
            entries: Entries::read(self.context_entries)?,
            resource_policy: resource_policy.transpose()?,
            sources: Vec::new(),
            boundary: None,
            service_control: Vec::new(),
        })
    }

    fn check(&self) -> Result<(), ServiceError> {
        for action in self.action_names {
            let is_action = |(service, name): (&str, &str)| {
                !service.is_empty() && !name.is_empty() && !action.contains(['*', '?', ' '])
            };
            if !action.split_once(':').is_some_and(is_action) {
                return Err(invalid(format!("Invalid Action Name: {action}")));
            }
        }
        let resources = self.resource_arns.unwrap_or_default();
        if resources.len() > RESOURCES_MAX {
            let told = format!("ResourceArns: at most {RESOURCES_MAX} resources can be simulated.");
            return Err(invalid(told));
        }
        let is_resource = |arn: &&String| *arn == "*" || arn.splitn(6, ':').count() == 6;
        if let Some(arn) = resources.iter().find(|arn| !is_resource(arn)) {
            return Err(invalid(format!("Invalid Resource ARN: {arn}")));
        }
        match self.resource_handling_option {
            Some(option) if !HANDLING_OPTIONS.contains(&option) => {
                Err(invalid(format!("Invalid Resource Handling Option: {option}")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The policies of `PolicyInputList`.
fn given(texts: &[String]) -> Result<Vec<Source>, ServiceError> {
    let numbered = texts.iter().zip(1..);
    let sources = numbered.map(|(text, number): (_, u32)| {
        Ok(Source {
            id: format!("PolicyInputList.{number}"),
            kind: SourceKind::None,
            text: text.clone(),
            document: read(DocumentKind::Identity, text)?,
        })
    });
    sources.collect()
}

/// Simulates the actions of one page.
async fn answer(
    context: &Context<'_>,
    asked: &Asked<'_>,
    scenario: Scenario<'_>,
) -> Result<Done<SimulatePolicyResponse>, ServiceError> {
    let everything = ["*".to_owned()];
    let resources = asked.resource_arns.filter(|resources| !resources.is_empty());
    let resources = resources.unwrap_or(&everything);
    let actions_max = DECISIONS_MAX.checked_div(resources.len()).unwrap_or_default().max(1);
    let actions_max = i64::try_from(actions_max).map_err(ServiceError::internal)?;
    let wanted = Wanted {
        list: asked.list,
        filter: asked.source_arn.unwrap_or_default(),
        marker: asked.marker,
        items_max: Some(asked.max_items.unwrap_or(ITEMS_DEFAULT).min(actions_max)),
    };
    let actions: Vec<(usize, &String)> = asked.action_names.iter().enumerate().collect();
    // A marker says how many actions have been told.
    let listed = page(context, wanted, actions, |(place, _)| format!("{place:08}"))?;
    let keys = scenario.keys()?;
    let mut evaluation_results = Vec::new();
    for (_, action) in listed.items {
        let mut outcomes = Vec::new();
        for resource in resources {
            outcomes.push((resource.as_str(), scenario.decide(&keys, action, resource).await?));
            // A simulation may be long, and calls are waiting.
            tokio::task::yield_now().await;
        }
        evaluation_results.push(outcome::told(action, outcomes));
    }
    Ok(Done::read(SimulatePolicyResponse {
        evaluation_results,
        is_truncated: listed.is_truncated,
        marker: listed.marker,
    }))
}

/// Items of a page unless the request says otherwise.
const ITEMS_DEFAULT: i64 = 100;

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidInput, message)
}
