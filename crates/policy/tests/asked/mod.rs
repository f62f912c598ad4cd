//! A generated request put to the evaluator under test.

use policy::{ConditionValues, Document, DocumentKind, Policies, Principal, PrincipalKind, Query};
use serde_json::Value;

use crate::common::Facts;
use crate::naive::{Caller, CallerKind, Request};

/// Compiles everything and asks.
pub(crate) fn with_policies<T>(
    request: &Request,
    ask: impl FnOnce(&Query<'_>, &Policies<'_>) -> T,
) -> T {
    let principal = principal(&request.caller);
    let facts = request.facts.iter().map(|(key, value)| (key.clone(), values(value)));
    let facts = Facts(facts.collect());
    let compile = |kind: DocumentKind| {
        move |policy: &Value| Document::parse_as(kind, &policy.to_string()).unwrap()
    };
    let compile_all = |kind, policies: &[Value]| -> Vec<Document> {
        policies.iter().map(compile(kind)).collect()
    };
    let key_policy = compile(DocumentKind::KeyPolicy)(&request.key_policy);
    let identity = compile_all(DocumentKind::Identity, &request.identity);
    let boundary = request.boundary.as_ref().map(compile(DocumentKind::Identity));
    let session = compile_all(DocumentKind::Identity, &request.session);
    let levels: Vec<Vec<Document>> = request
        .service_control
        .iter()
        .map(|level| compile_all(DocumentKind::ServiceControl, level))
        .collect();
    let levels: Vec<Vec<&Document>> = levels.iter().map(|level| level.iter().collect()).collect();
    let levels: Vec<&[&Document]> = levels.iter().map(Vec::as_slice).collect();
    let resource_control = compile_all(DocumentKind::ResourceControl, &request.resource_control);
    let endpoint = request.endpoint.as_ref().map(compile(DocumentKind::Endpoint));
    let policies = Policies {
        resource_account: request.key_account.parse().ok(),
        resource_policy: Some(&key_policy),
        identity: &identity.iter().collect::<Vec<_>>(),
        boundary: boundary.as_ref(),
        session: &session.iter().collect::<Vec<_>>(),
        service_control: &levels,
        resource_control: &resource_control.iter().collect::<Vec<_>>(),
        endpoint: endpoint.as_ref(),
    };
    let (action, resource) = (request.action, request.key_arn);
    ask(&Query { principal: &principal, action, resource, context: &facts }, &policies)
}

fn principal(caller: &Caller) -> Principal {
    let issuer_arn = || caller.issuer_arn.as_deref().unwrap().into();
    let kind = match caller.kind {
        CallerKind::Root => PrincipalKind::Root,
        CallerKind::User => PrincipalKind::User,
        CallerKind::RoleSession => PrincipalKind::RoleSession { role_arn: issuer_arn() },
        CallerKind::FederatedUser => PrincipalKind::FederatedUser { user_arn: Some(issuer_arn()) },
        CallerKind::FederatedRoot => PrincipalKind::FederatedUser { user_arn: None },
        CallerKind::Service => PrincipalKind::Service { name: caller.arn.as_str().into() },
    };
    Principal { account: caller.account.parse().unwrap(), arn: caller.arn.as_str().into(), kind }
}

fn values(value: &Value) -> ConditionValues<'static> {
    match value {
        Value::Array(values) => {
            ConditionValues::many(values.iter().map(|value| value.as_str().unwrap().to_owned()))
        }
        single => single.as_str().unwrap().to_owned().into(),
    }
}
