//! Properties that hold for all policies: two evaluators agree, a denial only takes away, and no
//! text makes the parser fail other than by saying so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod cases;
mod common;
mod naive;

use std::cell::RefCell;
use std::collections::BTreeMap;

use common::Facts;
use naive::{Request, Verdict};
use policy::{
    ConditionValues, Decision, Denial, Document, Policies, PolicyKind, Principal, PrincipalKind,
    Query, decide, default_key_policy,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

const CASES: u32 = 20_000;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn verdict(request: &Request) -> Verdict {
    let kind = match (&request.caller.role_arn, request.caller.is_root) {
        (Some(role_arn), _) => PrincipalKind::RoleSession { role_arn: role_arn.as_str().into() },
        (None, true) => PrincipalKind::Root,
        (None, false) => PrincipalKind::User,
    };
    let principal = Principal {
        account: request.caller.account.parse().unwrap(),
        arn: request.caller.arn.as_str().into(),
        kind,
    };
    let facts = request.facts.iter().map(|(key, value)| (key.clone(), values(value)));
    let facts = Facts(facts.collect());
    let key_policy = Document::parse(&request.key_policy.to_string()).unwrap();
    let identity: Vec<Document> = request
        .identity
        .iter()
        .map(|policy| Document::parse_identity(&policy.to_string()).unwrap())
        .collect();
    let identity: Vec<&Document> = identity.iter().collect();
    let policies = Policies {
        resource_account: request.key_account.parse().ok(),
        resource_policy: Some(&key_policy),
        identity: &identity,
        ..Policies::default()
    };
    let (action, resource) = (request.action, request.key_arn);
    match decide(&Query { principal: &principal, action, resource, context: &facts }, &policies) {
        Decision::Allowed { .. } => Verdict::Allowed,
        Decision::Denied(Denial::Explicit { policy: PolicyKind::KeyPolicy, .. }) => {
            Verdict::DeniedByKeyPolicy
        }
        Decision::Denied(Denial::Explicit { policy: PolicyKind::Identity, .. }) => {
            Verdict::DeniedByIdentityPolicy
        }
        Decision::Denied(Denial::Implicit { policy: PolicyKind::KeyPolicy }) => {
            Verdict::NoKeyPolicyAllows
        }
        Decision::Denied(Denial::Implicit { policy: PolicyKind::Identity }) => {
            Verdict::NoIdentityPolicyAllows
        }
        other => panic!("{other:?}"),
    }
}

fn values(value: &Value) -> ConditionValues<'static> {
    match value {
        Value::Array(values) => {
            ConditionValues::many(values.iter().map(|value| value.as_str().unwrap().to_owned()))
        }
        single => single.as_str().unwrap().to_owned().into(),
    }
}

#[test]
fn two_evaluators_agree() {
    let seen: RefCell<BTreeMap<Verdict, u32>> = RefCell::default();
    TestRunner::new(config(CASES))
        .run(&cases::requests(), |request| {
            let expected = naive::evaluate(&request);
            prop_assert_eq!(verdict(&request), expected);
            *seen.borrow_mut().entry(expected).or_default() += 1;
            Ok(())
        })
        .unwrap();
    // An agreement about nothing but refusals would prove little.
    for verdict in [
        Verdict::Allowed,
        Verdict::DeniedByKeyPolicy,
        Verdict::DeniedByIdentityPolicy,
        Verdict::NoKeyPolicyAllows,
        Verdict::NoIdentityPolicyAllows,
    ] {
        let count = seen.borrow().get(&verdict).copied().unwrap_or_default();
        assert!(count > CASES / 50, "{verdict:?} came up {count} times: {seen:?}");
    }
}

proptest! {
    #![proptest_config(config(2_500))]

    #[test]
    fn a_denial_more_never_allows_more(
        request in cases::requests(),
        key_denial in cases::key_denials(),
        identity_denial in cases::identity_denials(),
    ) {
        let before = verdict(&request);
        let mut stricter = request.clone();
        stricter.key_policy["Statement"].as_array_mut().unwrap().push(key_denial);
        let with_key_denial = verdict(&stricter);
        prop_assert!(with_key_denial == before || with_key_denial == Verdict::DeniedByKeyPolicy);
        if let Some(policy) = stricter.identity.first_mut() {
            policy["Statement"].as_array_mut().unwrap().insert(0, identity_denial);
        }
        let with_both = verdict(&stricter);
        prop_assert!(before == Verdict::Allowed || with_both != Verdict::Allowed);
    }

    #[test]
    fn the_order_of_statements_does_not_matter(request in cases::requests()) {
        let mut reversed = request.clone();
        reversed.key_policy["Statement"].as_array_mut().unwrap().reverse();
        reversed.identity.reverse();
        prop_assert_eq!(verdict(&reversed), verdict(&request));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        prop_assert!(Document::parse(&text).is_err());
        prop_assert!(Document::parse_identity(&text).is_err());
    }

    #[test]
    fn no_edit_of_a_policy_makes_the_parser_panic(
        request in cases::requests(),
        place in any::<prop::sample::Index>(),
        removed in 0_usize..4,
        inserted in "[\\{\\}\\[\\]\",:*?$'0-9a-zA-Z \u{e9}]{0,4}",
    ) {
        let text = request.key_policy.to_string();
        let start = place.index(text.len());
        let end = (start + removed).min(text.len());
        let edited = format!("{}{inserted}{}", &text[..start], &text[end..]);
        // Whatever comes out, a document that is accepted decides too.
        if let Ok(document) = Document::parse(&edited) {
            let principal = common::root(common::OWNER);
            let context = &Facts::default();
            let (action, resource) = ("kms:Encrypt", common::KEY);
            let query = Query { principal: &principal, action, resource, context };
            let policies = Policies { resource_policy: Some(&document), ..Policies::default() };
            let decision = decide(&query, &policies);
            prop_assert_eq!(decision, decide(&query, &policies));
        }
    }

    #[test]
    fn the_default_policy_of_any_account_parses(account in "[0-9]{12}") {
        let account: wire::names::AccountId = account.parse().unwrap();
        for partition in [
            wire::names::Partition::Aws,
            wire::names::Partition::AwsCn,
            wire::names::Partition::AwsUsGov,
        ] {
            let document = Document::parse(&default_key_policy(account, partition)).unwrap();
            let accounts: Vec<_> = document.principals().map(policy::PrincipalPattern::account).collect();
            prop_assert_eq!(accounts, [Some(account)]);
        }
    }
}
