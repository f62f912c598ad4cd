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

mod asked;
mod cases;
mod common;
mod naive;

use std::cell::RefCell;
use std::collections::BTreeMap;

use asked::with_policies;
use common::{Facts, share};
use naive::{Request, Verdict};
use policy::{
    Decision, Denial, Document, Effect, Policies, Query, StatementExplanation, decide,
    decide_at_best, default_key_policy, explain,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

const CASES: u32 = 20_000;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases: share(cases), failure_persistence: None, ..ProptestConfig::default() }
}

fn verdict(request: &Request) -> Verdict {
    match with_policies(request, decide) {
        Decision::Allowed { .. } => Verdict::Allowed,
        Decision::Denied(Denial::Explicit { policy, .. }) => Verdict::DeniedBy(policy.as_str()),
        Decision::Denied(Denial::Implicit { policy }) => Verdict::NoneAllows(policy.as_str()),
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
    if share(CASES) < CASES {
        return;
    }
    // An agreement about nothing but refusals would prove little. Few cases are not asked for all.
    let kinds = [
        "service control policy",
        "VPC endpoint policy",
        "resource-based policy",
        "identity-based policy",
        "permissions boundary",
        "session policy",
    ];
    let denials = kinds.map(Verdict::DeniedBy).into_iter().chain(kinds.map(Verdict::NoneAllows));
    let rare = [Verdict::DeniedBy("resource control policy")].into_iter().chain(denials);
    for (verdict, least) in
        rare.map(|verdict| (verdict, CASES / 250)).chain([(Verdict::Allowed, CASES / 20)])
    {
        let count = seen.borrow().get(&verdict).copied().unwrap_or_default();
        assert!(count > least, "{verdict:?} came up {count} times: {seen:?}");
    }
}

proptest! {
    #![proptest_config(config(2_500))]

    #[test]
    fn a_denial_more_never_allows_more(
        request in cases::requests(),
        naming_denial in cases::naming_denials(),
        identity_denial in cases::identity_denials(),
    ) {
        let before = verdict(&request);
        let denying = |mut policy: Value, denial: &Value| {
            policy["Statement"].as_array_mut().unwrap().insert(0, denial.clone());
            policy
        };
        let each = |policies: &[Value]| -> Vec<Value> {
            policies.iter().map(|policy| denying(policy.clone(), &identity_denial)).collect()
        };
        let stricter = [
            Request { key_policy: denying(request.key_policy.clone(), &naming_denial), ..request.clone() },
            Request { identity: each(&request.identity), ..request.clone() },
            Request { session: each(&request.session), ..request.clone() },
            Request {
                service_control: request.service_control.iter().map(|level| each(level)).collect(),
                ..request.clone()
            },
            Request {
                boundary: request.boundary.clone().map(|policy| denying(policy, &identity_denial)),
                ..request.clone()
            },
            Request {
                endpoint: request.endpoint.clone().map(|policy| denying(policy, &naming_denial)),
                ..request.clone()
            },
        ];
        for stricter in stricter {
            let after = verdict(&stricter);
            prop_assert!(after == before || matches!(after, Verdict::DeniedBy(_)), "{after:?}");
        }
    }

    #[test]
    fn a_limit_more_never_allows_more(
        request in cases::requests(),
        limiting in cases::requests(),
    ) {
        let before = verdict(&request);
        let mut levels = request.service_control.clone();
        levels.extend(limiting.service_control.clone());
        let stricter = [
            Request { service_control: levels, ..request.clone() },
            Request { resource_control: limiting.resource_control, ..request.clone() },
            Request { boundary: request.boundary.clone().or(limiting.boundary), ..request.clone() },
        ];
        // Without resource control policies at first, so that there are only more of them.
        let freer = verdict(&Request { resource_control: Vec::new(), ..request.clone() });
        for (stricter, before) in stricter.iter().zip([before, freer, before]) {
            prop_assert!(before == Verdict::Allowed || verdict(stricter) != Verdict::Allowed);
        }
    }

    #[test]
    fn what_a_request_says_is_never_better_than_the_best(request in cases::requests()) {
        let [decision, nothing_open, all_open] = with_policies(&request, |query, policies| {
            let at_best = |is_open| decide_at_best(query, policies, &|_| is_open);
            [decide(query, policies), at_best(false), at_best(true)]
        });
        prop_assert_eq!(decision, nothing_open);
        prop_assert!(all_open.is_allowed() || !decision.is_allowed());
    }

    #[test]
    fn an_explanation_tells_what_decided(request in cases::requests()) {
        let (decision, explanation) = with_policies(&request, |query, policies| {
            (decide(query, policies), explain(query, policies))
        });
        prop_assert_eq!(explanation.decision, decision);
        let statements = || explanation.documents.iter().flat_map(|document| &document.statements);
        for statement in statements() {
            let parts = statement.principal.is_some() && statement.action && statement.resource;
            let holds = statement.conditions.iter().all(|condition| condition.holds);
            prop_assert_eq!(statement.applies, parts && holds);
        }
        // Whatever decides is there and applies, and what is refused for a denial has one.
        for deciding in &explanation.deciding {
            let found = statements().find(|statement| statement.statement == *deciding);
            prop_assert!(found.is_some_and(|statement| statement.applies));
        }
        let denies = |statement: &&StatementExplanation| {
            statement.effect == Effect::Deny && statement.applies
        };
        let first = statements().find(denies).map(|statement| statement.statement);
        let denial = match decision {
            Decision::Denied(Denial::Explicit { statement, .. }) => Some(statement),
            Decision::Denied(Denial::Implicit { .. }) | Decision::Allowed { .. } => None,
        };
        prop_assert_eq!(denial, first);
    }

    #[test]
    fn the_order_of_statements_does_not_matter(request in cases::requests()) {
        let mut reversed = request.clone();
        reversed.key_policy["Statement"].as_array_mut().unwrap().reverse();
        reversed.identity.reverse();
        reversed.session.reverse();
        reversed.service_control.reverse();
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
