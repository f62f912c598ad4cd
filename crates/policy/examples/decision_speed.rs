//! How long a decision takes: `cargo run --release -p keystead-policy --example decision_speed`.
//!
//! A user's request is decided by a key policy of which the last statement allows it, so that every
//! statement is looked at; then by a key policy that delegates, an identity policy of as many
//! statements, a boundary and two levels of service control policies. Each number is the fastest of
//! many short runs, since whatever else the machine does only adds. Last, a grantee with very many
//! grants on the key, each for an encryption context of its own, is allowed by the one that fits,
//! after a key policy of 32 statements has not allowed it; finding that grant is counted too.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "it measures time and tells it"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::{
    ConditionContext, ConditionValues, Document, DocumentKind, Grant, GrantConstraints,
    GrantPermissions, GrantSet, GrantedRequest, Grants, Policies, Principal, PrincipalKind,
    PrincipalPattern, Query, decide,
};
use wire::enums::GrantOperation;
use wire::values::EncryptionContext;

const RUNS: usize = 2_000;
const DECISIONS: u32 = 50;
const STATEMENTS: [usize; 3] = [1, 10, 32];
const GRANTS: [usize; 3] = [1, 1_000, 50_000];
const GRANTEE: &str = "arn:aws:iam::111122223333:user/bob";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555";

struct Facts;

impl ConditionContext for Facts {
    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        match key {
            "kms:viaservice" => Some("s3.eu-west-1.amazonaws.com".into()),
            "kms:encryptioncontext:tenant" => Some("tenant-31".into()),
            "aws:principalaccount" => Some("111122223333".into()),
            _ => None,
        }
    }
}

/// A policy as they are written: actions by wildcard, a key, two conditions.
fn policy_text(statements: usize, principal: &str) -> String {
    let statement = |number: usize| {
        format!(
            r#"{{"Sid":"Tenant{number}","Effect":"Allow"{principal},
            "Action":["kms:Decrypt","kms:Encrypt","kms:GenerateDataKey*","kms:DescribeKey"],
            "Resource":"arn:aws:kms:*:111122223333:key/*",
            "Condition":{{"StringEquals":{{"aws:PrincipalAccount":"111122223333",
            "kms:EncryptionContext:tenant":"tenant-{number}"}},
            "StringLike":{{"kms:ViaService":"s3.*.amazonaws.com"}}}}}}"#
        )
    };
    // The last one is the tenant that the request names.
    let numbers = (32 - statements)..32;
    let statements: Vec<String> = numbers.map(statement).collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// The time of one decision.
fn measure(query: &Query<'_>, policies: &Policies<'_>) -> Duration {
    fastest(|| decide(black_box(query), black_box(policies)))
}

/// The time of one run of `work`.
fn fastest<T>(work: impl Fn() -> T) -> Duration {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        for _ in 0..DECISIONS {
            black_box(work());
        }
        start.elapsed() / DECISIONS
    });
    runs.min().unwrap_or_default()
}

/// A grantee's grants on a key, one for each tenant.
fn grants_for_tenants(count: usize) -> GrantSet {
    let grant = |number| Grant {
        grantee: PrincipalPattern::from_arn(GRANTEE).expect("the ARN of a user"),
        permissions: GrantPermissions {
            operations: Box::new([GrantOperation::Encrypt, GrantOperation::Decrypt]),
            constraints: GrantConstraints {
                encryption_context_subset: Some(tenant(number)),
                ..GrantConstraints::default()
            },
        },
    };
    GrantSet::new((0..count).map(grant))
}

fn tenant(number: usize) -> EncryptionContext {
    let pair = ("tenant".to_owned(), format!("tenant-{number}"));
    EncryptionContext::from(BTreeMap::from([pair]))
}

/// The time in which a grant out of `count` is found and allows.
fn measure_grants(count: usize) -> Result<Duration, Box<dyn Error>> {
    let set = grants_for_tenants(count);
    let principal = Principal {
        account: "111122223333".parse()?,
        arn: GRANTEE.into(),
        kind: PrincipalKind::User,
    };
    let naming = r#","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"}"#;
    let key_policy = Document::parse(&policy_text(32, naming))?;
    let context = tenant(count / 2);
    let request = GrantedRequest {
        operation: GrantOperation::Decrypt,
        encryption_context: Some(&context),
        source_arn: None,
        child: None,
    };
    let query =
        Query { principal: &principal, action: "kms:Decrypt", resource: KEY, context: &Facts };
    let decision = || {
        let found = black_box(&set).covering(black_box(&request));
        let candidates: Vec<_> = found.iter().map(|(_, grant)| *grant).collect();
        let grants = Grants { request, candidates: &candidates, alone: false };
        let policies = Policies {
            resource_account: Some(principal.account),
            resource_policy: Some(&key_policy),
            grants: Some(grants),
            ..Policies::default()
        };
        decide(black_box(&query), &policies)
    };
    if !decision().is_allowed() {
        return Err("the grant must allow".into());
    }
    Ok(fastest(decision))
}

fn main() -> Result<(), Box<dyn Error>> {
    let principal = Principal {
        account: "111122223333".parse()?,
        arn: "arn:aws:iam::111122223333:user/ann".into(),
        kind: PrincipalKind::User,
    };
    let query =
        Query { principal: &principal, action: "kms:Decrypt", resource: KEY, context: &Facts };
    let everything =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let boundary = Document::parse_identity(everything)?;
    let service_control = Arc::new(Document::parse_as(DocumentKind::ServiceControl, everything)?);
    let level = vec![service_control];
    let levels = [level.clone(), level];
    for statements in STATEMENTS {
        let naming = r#","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"}"#;
        let naming = Document::parse(&policy_text(statements, naming))?;
        let delegating = r#","Principal":{"AWS":"111122223333"}"#;
        let delegating = Document::parse(&policy_text(statements, delegating))?;
        let identity = Document::parse_identity(&policy_text(statements, ""))?;
        let alone = Policies {
            resource_account: Some(principal.account),
            resource_policy: Some(&naming),
            ..Policies::default()
        };
        let all = Policies {
            resource_policy: Some(&delegating),
            identity: &[&identity],
            boundary: Some(&boundary),
            service_control: &levels,
            ..alone
        };
        for (name, policies) in [("key policy alone", alone), ("all kinds", all)] {
            if !decide(&query, &policies).is_allowed() {
                return Err("the request must be allowed by the last statements".into());
            }
            let time = measure(&query, &policies);
            println!("{statements:>3} statements, {name}: {} ns", time.as_nanos());
        }
    }
    for count in GRANTS {
        println!("{count:>6} grants: {} ns", measure_grants(count)?.as_nanos());
    }
    Ok(())
}
