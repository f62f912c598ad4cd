//! A generated request put to the evaluator under test.

use std::sync::Arc;

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
    let shared = |kind, policies: &[Value]| -> Vec<Arc<Document>> {
        compile_all(kind, policies).into_iter().map(Arc::new).collect()
    };
    let levels = request.service_control.iter();
    let levels: Vec<_> = levels.map(|level| shared(DocumentKind::ServiceControl, level)).collect();
    let endpoint = request.endpoint.as_ref().map(compile(DocumentKind::Endpoint));
    let policies = Policies {
        resource_account: request.key_account.parse().ok(),
        resource_policy: Some(&key_policy),
        identity: &identity.iter().collect::<Vec<_>>(),
        boundary: boundary.as_ref(),
        session: &session.iter().collect::<Vec<_>>(),
        service_control: &levels,
        resource_control: &shared(DocumentKind::ResourceControl, &request.resource_control),
        endpoint: endpoint.as_ref(),
        grants: None,
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
