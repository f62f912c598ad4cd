//! A third opinion: `@cloud-copilot/iam-simulate`, in a process of its own, about random cases.
//!
//! `cargo test -p keystead-policy --test oracle -- --ignored` after `npm ci` in
//! `tests/policy_oracle`. What the two see differently stands in `docs/policy-oracle.md`, with
//! AWS's text on it, and is kept out of the cases by [`adapted`].

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod asked;
mod cases;
mod common;
mod naive;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use asked::with_policies;
use naive::{CallerKind, Request};
use policy::{Decision, Denial, decide};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const CASES: usize = 20_000;
/// The same cases in every run, so that a difference can be looked at again.
const SEED: [u8; 32] = *b"keystead: cases for the oracle 1";

#[test]
#[ignore = "needs Node and the packages of tests/policy_oracle; .ci/run runs it"]
fn another_implementation_agrees() {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy = cases::requests();
    let requests: Vec<Request> =
        (0..CASES).map(|_| adapted(strategy.new_tree(&mut runner).unwrap().current())).collect();
    let answers = ask_oracle(&requests);

    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    for (request, theirs) in requests.iter().zip(&answers) {
        let decision = with_policies(request, decide);
        let ours = outcome(decision);
        let row = if ours == theirs {
            format!("both {ours}")
        } else if theirs == "ImplicitlyDenied" && is_named_below_limits(request, decision) {
            "a session named by itself, below limits".to_owned()
        } else {
            unexplained.push(format!("ours {ours}, theirs {theirs}: {}", simulation(request)));
            continue;
        };
        *tally.entry(row).or_default() += 1;
    }
    println!("{tally:#?}");
    assert_eq!(answers.len(), CASES);
    for both in ["both Allowed", "both ImplicitlyDenied", "both ExplicitlyDenied"] {
        assert!(tally.get(both).is_some_and(|count| *count > CASES / 20), "{both}: {tally:?}");
    }
    assert!(
        unexplained.is_empty(),
        "{} differences, the first: {}",
        unexplained.len(),
        unexplained[..unexplained.len().min(5)].join("\n")
    );
}

/// Within an account, what names the session itself, or everyone, is not limited by the session's
/// boundary and policies; the oracle lets them limit it. AWS's text is in `docs/policy-oracle.md`.
fn is_named_below_limits(request: &Request, decision: Decision) -> bool {
    let is_limited = request.boundary.is_some() || !request.session.is_empty();
    let is_session = match request.caller.kind {
        CallerKind::RoleSession | CallerKind::FederatedUser | CallerKind::FederatedRoot => true,
        CallerKind::Root | CallerKind::User | CallerKind::Service => false,
    };
    let is_named = match decision {
        Decision::Allowed { by } => by.identity.is_none(),
        Decision::Denied(_) => false,
    };
    is_session && is_limited && is_named
}

fn outcome(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed { .. } => "Allowed",
        Decision::Denied(Denial::Explicit { .. }) => "ExplicitlyDenied",
        Decision::Denied(Denial::Implicit { .. }) => "ImplicitlyDenied",
    }
}

/// The case without what the oracle does not take, and without what it is known to see differently
/// (each has its paragraph in `docs/policy-oracle.md`), which is put in words that both read alike.
fn adapted(mut request: Request) -> Request {
    request.session.truncate(1);
    let federated =
        matches!(request.caller.kind, CallerKind::FederatedUser | CallerKind::FederatedRoot);
    if federated && request.session.is_empty() {
        request.session.push(json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}));
    }
    for statement in [&mut request.key_policy].into_iter().flat_map(statements) {
        if !statement.contains_key("Resource") && !statement.contains_key("NotResource") {
            statement.insert("Resource".to_owned(), json!("arn:aws:kms:*:111122223333:alias/*"));
        }
    }
    for statement in request.endpoint.iter_mut().flat_map(statements) {
        statement.remove("NotPrincipal");
        statement.insert("Principal".to_owned(), json!("*"));
    }
    for policy in &mut request.resource_control {
        policy["Version"] = json!("2012-10-17");
        for statement in statements(policy) {
            statement.remove("NotAction");
            statement.insert("Action".to_owned(), json!("kms:De*"));
        }
    }
    if request.caller.kind == CallerKind::Service {
        request.service_control.clear();
    }
    request.facts.retain(|_, value| *value != "" && *value != json!([]));
    let has_text = request.facts.contains_key("aws:useragent");
    for policy in all_policies(&mut request) {
        policy["Version"] = json!("2012-10-17");
    }
    for statement in statements(&mut request.key_policy) {
        if let Some(listed) = statement.remove("NotPrincipal") {
            statement.insert("Principal".to_owned(), listed);
        }
    }
    for statement in all_policies(&mut request).into_iter().flat_map(statements) {
        for element in ["Resource", "NotResource"] {
            if statement.get(element).is_some_and(|listed| listed.to_string().contains("${")) {
                statement.insert(element.to_owned(), json!("arn:aws:kms:*:111122223333:key/*"));
            }
        }
        if let Some(conditions) = statement.remove("Condition") {
            statement.insert("Condition".to_owned(), adapted_conditions(&conditions, has_text));
        }
    }
    request
}

/// Set operators, without `IfExists`, on the one multivalued key and on no other; operators on keys of their own type;
/// a network that is none of all addresses; variables that have a value, or a default.
fn adapted_conditions(conditions: &Value, has_text: bool) -> Value {
    let mut adapted: BTreeMap<String, serde_json::Map<String, Value>> = BTreeMap::new();
    for (operator, keys) in conditions.as_object().unwrap() {
        for (key, values) in keys.as_object().unwrap() {
            let (set, base) = operator.split_once(':').unwrap_or(("ForAnyValue", operator));
            let key = match key.as_str() {
                "aws:MultiFactorAuthAge" if base.starts_with("String") => "aws:UserAgent",
                "aws:UserAgent" if base.starts_with("Arn") => "aws:SourceArn",
                fitting => fitting,
            };
            let multivalued = key.eq_ignore_ascii_case("aws:CalledVia") && base != "Null";
            let operator = if multivalued {
                format!("{set}:{}", base.trim_end_matches("IfExists"))
            } else {
                base.to_owned()
            };
            let mut values = values.to_string().replace("0.0.0.0/0", "192.0.0.0/2");
            for variable in ["${aws:Referer}", "a${aws:CalledVia}", "${*}"] {
                values = values.replace(variable, "ab");
            }
            if !has_text {
                values = values.replace("${aws:UserAgent}", "a");
            }
            let values = serde_json::from_str(&values).unwrap();
            adapted.entry(operator).or_default().insert(key.to_owned(), values);
        }
    }
    json!(adapted)
}

fn all_policies(request: &mut Request) -> Vec<&mut Value> {
    let Request {
        key_policy,
        identity,
        boundary,
        session,
        service_control,
        resource_control,
        endpoint,
        ..
    } = request;
    let mut policies = vec![key_policy];
    policies.extend(identity.iter_mut().chain(boundary).chain(session));
    policies.extend(service_control.iter_mut().flatten().chain(resource_control).chain(endpoint));
    policies
}

fn statements(policy: &mut Value) -> impl Iterator<Item = &mut serde_json::Map<String, Value>> {
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements.iter_mut().map(|statement| statement.as_object_mut().unwrap())
}

/// The case in the oracle's words.
fn simulation(request: &Request) -> Value {
    let named = |policies: &[Value]| -> Vec<Value> {
        policies.iter().map(|policy| json!({"name": "policy", "policy": policy})).collect()
    };
    let level = |(number, policies): (usize, &Vec<Value>)| json!({"orgIdentifier": format!("level-{number}"), "policies": named(policies)});
    let levels: Vec<Value> = request.service_control.iter().enumerate().map(level).collect();
    let resource_control: Vec<Value> = match request.resource_control.as_slice() {
        [] => Vec::new(),
        policies => vec![json!({"orgIdentifier": "account", "policies": named(policies)})],
    };
    // The oracle knows no root user, who may do what any identity policy could allow.
    let is_root = matches!(request.caller.kind, CallerKind::Root | CallerKind::FederatedRoot);
    let everything = json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let identity = if is_root { named(&[everything]) } else { named(&request.identity) };
    let mut simulation = json!({
        "request": {
            "principal": request.caller.arn,
            "action": request.action,
            "resource": {"resource": request.key_arn, "accountId": request.key_account},
            "contextVariables": request.facts,
        },
        "identityPolicies": identity,
        "serviceControlPolicies": levels,
        "resourceControlPolicies": resource_control,
        "resourcePolicy": request.key_policy,
    });
    if let Some(session) = request.session.first() {
        simulation["sessionPolicy"] = session.clone();
    }
    if let Some(boundary) = &request.boundary {
        simulation["permissionBoundaryPolicies"] = json!(named(std::slice::from_ref(boundary)));
    }
    if let Some(endpoint) = &request.endpoint {
        simulation["vpcEndpointPolicies"] = json!(named(std::slice::from_ref(endpoint)));
    }
    simulation
}

fn ask_oracle(requests: &[Request]) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/policy_oracle");
    let mut oracle = Command::new("node")
        .arg("oracle.js")
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut input = oracle.stdin.take().unwrap();
    let output = BufReader::new(oracle.stdout.take().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for request in requests {
                writeln!(input, "{}", simulation(request)).expect("the oracle reads");
            }
        });
        let answers = output.lines().map(|line| line.expect("the oracle writes text")).collect();
        assert!(oracle.wait().unwrap().success(), "the oracle failed");
        answers
    })
}
