//! Grants: whom they allow what, alone and beside policies, and constraints against a naive model.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeMap;

use common::*;
use policy::*;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use wire::enums::GrantOperation;
use wire::values::EncryptionContext;

const NOBODY: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Put*","Resource":"*"}"#;
const DENY: &str = r#"{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
const DENY_IDENTITY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}}"#;

const NO_KEY_POLICY: Decision =
    Decision::Denied(Denial::Implicit { policy: PolicyKind::KeyPolicy });
const GRANTED: Decision =
    Decision::Allowed { by: Grounds { resource_policy: None, identity: None, grant: Some(0) } };

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    EncryptionContext::from(pairs.collect::<BTreeMap<_, _>>())
}

fn permissions(operations: &[GrantOperation]) -> GrantPermissions {
    GrantPermissions { operations: operations.into(), ..GrantPermissions::default() }
}

fn equals(pairs: &[(&str, &str)]) -> GrantConstraints {
    GrantConstraints {
        encryption_context_equals: Some(context(pairs)),
        ..GrantConstraints::default()
    }
}

fn subset(pairs: &[(&str, &str)]) -> GrantConstraints {
    GrantConstraints {
        encryption_context_subset: Some(context(pairs)),
        ..GrantConstraints::default()
    }
}

fn grant_to(grantee: &str) -> Grant {
    let grantee = match PrincipalPattern::from_arn(grantee) {
        Some(pattern) => pattern,
        None => PrincipalPattern::Service(grantee.into()),
    };
    Grant { grantee, permissions: permissions(&[GrantOperation::Decrypt]) }
}

fn decrypt<'a>(encryption_context: Option<&'a EncryptionContext>) -> GrantedRequest<'a> {
    request(GrantOperation::Decrypt, encryption_context)
}

fn request(
    operation: GrantOperation,
    encryption_context: Option<&EncryptionContext>,
) -> GrantedRequest<'_> {
    GrantedRequest { operation, encryption_context, source_arn: None, child: None }
}

/// Decides a Decrypt on [`KEY`] under a key policy, identity policies and one grant.
fn decide_with(
    caller: &Principal,
    statements: &[&str],
    identity: &[&str],
    grant: &Grant,
) -> Decision {
    let key_policy = Document::parse(&key_policy(statements)).unwrap();
    let identity: Vec<Document> =
        identity.iter().map(|text| Document::parse_identity(text).unwrap()).collect();
    let identity: Vec<&Document> = identity.iter().collect();
    let policies = Policies {
        resource_account: OWNER.parse().ok(),
        resource_policy: Some(&key_policy),
        identity: &identity,
        grants: Some(Grants { request: decrypt(None), candidates: &[grant], alone: false }),
        ..Policies::default()
    };
    let facts = Facts::default();
    let query = Query { principal: caller, action: "kms:Decrypt", resource: KEY, context: &facts };
    decide(&query, &policies)
}

#[test]
fn a_grant_alone_allows_its_grantee_of_whatever_kind_and_account() {
    let ann = "arn:aws:iam::444455556666:user/ann";
    let role = "arn:aws:iam::444455556666:role/app";
    let one_session = "arn:aws:sts::444455556666:assumed-role/app/one";
    let account = "arn:aws:iam::444455556666:root";
    for (grantee, caller, expected) in [
        (ann, user(OTHER, "ann"), GRANTED),
        (ann, user(OTHER, "Ann"), NO_KEY_POLICY),
        (ann, user(OWNER, "ann"), NO_KEY_POLICY),
        (ann, root(OTHER), NO_KEY_POLICY),
        (role, session(OTHER, "app", "one"), GRANTED),
        (role, session(OTHER, "app", "two"), GRANTED),
        (role, session(OTHER, "other", "one"), NO_KEY_POLICY),
        (one_session, session(OTHER, "app", "one"), GRANTED),
        (one_session, session(OTHER, "app", "two"), NO_KEY_POLICY),
        (account, root(OTHER), GRANTED),
        (account, root(OWNER), NO_KEY_POLICY),
        (account, user(OTHER, "ann"), NO_KEY_POLICY),
        ("ec2.amazonaws.com", service("ec2.amazonaws.com"), GRANTED),
        ("ec2.amazonaws.com", service("s3.amazonaws.com"), NO_KEY_POLICY),
        ("ec2.amazonaws.com", root(OTHER), NO_KEY_POLICY),
    ] {
        let found = decide_with(&caller, &[NOBODY], &[], &grant_to(grantee));
        assert_eq!(found, expected, "{grantee} and {}", caller.arn);
    }
}

#[test]
fn a_grant_lets_its_grantee_in_though_the_key_policy_denies() {
    let key_policy = Document::parse(&key_policy(&[DENY])).unwrap();
    let grant = grant_to(&user(OTHER, "ann").arn);
    let grants = Grants { request: decrypt(None), candidates: &[&grant], alone: false };
    let policies = Policies {
        resource_account: OWNER.parse().ok(),
        resource_policy: Some(&key_policy),
        grants: Some(grants),
        ..Policies::default()
    };
    let context = &Facts::default();
    for (name, expected) in [("ann", true), ("ben", false)] {
        let principal = &user(OTHER, name);
        let query = Query { principal, action: "kms:Decrypt", resource: KEY, context };
        assert_eq!(lets_in(&query, &policies), expected, "{name}");
    }
}

#[test]
fn the_grant_that_allows_is_told_by_its_place() {
    let key_policy = Document::parse(&key_policy(&[NOBODY])).unwrap();
    let [ben, ann] = ["ben", "ann"].map(|name| grant_to(&user(OTHER, name).arn));
    let encrypting = Grant { permissions: permissions(&[GrantOperation::Encrypt]), ..ann.clone() };
    let policies = Policies {
        resource_account: OWNER.parse().ok(),
        resource_policy: Some(&key_policy),
        grants: Some(Grants {
            request: decrypt(None),
            candidates: &[&ben, &encrypting, &ann],
            alone: false,
        }),
        ..Policies::default()
    };
    let (caller, facts) = (user(OTHER, "ann"), Facts::default());
    let query = Query { principal: &caller, action: "kms:Decrypt", resource: KEY, context: &facts };
    let by = Grounds { resource_policy: None, identity: None, grant: Some(2) };
    assert_eq!(decide(&query, &policies), Decision::Allowed { by });
}

#[test]
fn a_grant_to_an_account_needs_the_identity_policy_of_its_other_principals() {
    let grant = grant_to("arn:aws:iam::444455556666:root");
    for caller in [user(OTHER, "ann"), session(OTHER, "app", "one")] {
        assert_eq!(decide_with(&caller, &[NOBODY], &[ALLOW], &grant), GRANTED);
        assert_eq!(decide_with(&caller, &[NOBODY], &[], &grant), NO_KEY_POLICY);
    }
    let stranger = user(OWNER, "ann");
    assert_eq!(decide_with(&stranger, &[NOBODY], &[ALLOW], &grant), NO_KEY_POLICY);
}

#[test]
fn a_denial_beats_a_grant() {
    let ann = user(OTHER, "ann");
    let grant = grant_to("arn:aws:iam::444455556666:user/ann");
    for (statements, identity) in
        [(&[NOBODY, DENY][..], &[][..]), (&[NOBODY][..], &[DENY_IDENTITY][..])]
    {
        let found = decide_with(&ann, statements, identity, &grant);
        assert!(matches!(found, Decision::Denied(Denial::Explicit { .. })), "{found:?}");
    }
}

#[test]
fn a_policy_that_allows_is_told_before_a_grant() {
    let everybody = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let found =
        decide_with(&root(OWNER), &[everybody], &[], &grant_to("arn:aws:iam::111122223333:root"));
    let Decision::Allowed { by } = found else { panic!("{found:?}") };
    assert_eq!((by.resource_policy.is_some(), by.grant), (true, None));
}

/// What grants alone allow (RetireGrant) no policy allows, and any still denies.
#[test]
fn policies_only_deny_what_grants_alone_allow() {
    let everything = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let ann = "arn:aws:iam::444455556666:user/ann";
    let decide_alone = |caller: &Principal, statements: &[&str]| {
        let key_policy = Document::parse(&key_policy(statements)).unwrap();
        let policies = Policies {
            resource_account: OWNER.parse().ok(),
            resource_policy: Some(&key_policy),
            grants: Some(Grants {
                request: decrypt(None),
                candidates: &[&grant_to(ann)],
                alone: true,
            }),
            ..Policies::default()
        };
        let facts = Facts::default();
        let query =
            Query { principal: caller, action: "kms:Decrypt", resource: KEY, context: &facts };
        decide(&query, &policies)
    };
    let ann = user(OTHER, "ann");
    assert_eq!(decide_alone(&ann, &[NOBODY]), GRANTED);
    assert_eq!(decide_alone(&ann, &[everything]), GRANTED);
    assert!(!decide_alone(&ann, &[everything, DENY]).is_allowed());
    for caller in [root(OWNER), root(OTHER), user(OTHER, "ben"), user(OWNER, "ann")] {
        assert!(!decide_alone(&caller, &[everything]).is_allowed(), "{}", caller.arn);
    }
}

#[test]
fn a_grant_that_allows_is_told_in_an_explanation() {
    let key_policy = Document::parse(&key_policy(&[NOBODY])).unwrap();
    let grant = grant_to("arn:aws:iam::444455556666:user/ann");
    let policies = Policies {
        resource_account: OWNER.parse().ok(),
        resource_policy: Some(&key_policy),
        grants: Some(Grants { request: decrypt(None), candidates: &[&grant], alone: false }),
        ..Policies::default()
    };
    let (caller, facts) = (user(OTHER, "ann"), Facts::default());
    let query = Query { principal: &caller, action: "kms:Decrypt", resource: KEY, context: &facts };
    let explanation = explain(&query, &policies);
    assert_eq!(explanation.decision, GRANTED);
    let text = explanation.to_string();
    assert!(text.starts_with("allowed by grant 0 of those asked about\n"), "{text}");
}

#[test]
fn a_grant_permits_its_operations_and_no_others() {
    for granted in GrantOperation::ALL {
        let child = GrantPermissions::default();
        for asked in GrantOperation::ALL {
            let asked = GrantedRequest { child: Some(&child), ..request(*asked, None) };
            let covers = permissions(&[*granted]).cover(&asked);
            assert_eq!(covers, asked.operation == *granted, "{granted} for {}", asked.operation);
        }
    }
}

#[test]
fn the_names_of_a_caller_are_its_own_its_roles_and_its_accounts() {
    let names = |caller: &Principal| -> Vec<Box<str>> { caller.grantee_names().collect() };
    let account = "arn:aws:iam::444455556666:root";
    assert_eq!(names(&root(OTHER)), [account.into()]);
    let ann = "arn:aws:iam::444455556666:user/ann";
    assert_eq!(names(&user(OTHER, "ann")), [ann.into(), account.into()]);
    assert_eq!(
        names(&session(OTHER, "app", "one")),
        [
            "arn:aws:sts::444455556666:assumed-role/app/one".into(),
            "arn:aws:iam::444455556666:role/app".into(),
            account.into()
        ]
    );
    assert_eq!(names(&service("s3.amazonaws.com")), ["s3.amazonaws.com".into()]);
    let arn = "arn:aws-cn:iam::444455556666:user/ann".into();
    let ann = Principal { arn, ..user(OTHER, "ann") };
    assert_eq!(names(&ann)[1], "arn:aws-cn:iam::444455556666:root".into());
}

#[test]
fn constraints_compare_the_encryption_context_exactly() {
    let a = context(&[("a", "1")]);
    let a_and_b = context(&[("a", "1"), ("b", "2")]);
    let empty = EncryptionContext::default();
    let covers = |constraints: GrantConstraints, context: Option<&EncryptionContext>| {
        let operations = [GrantOperation::Decrypt].into();
        GrantPermissions { operations, constraints }.cover(&decrypt(context))
    };
    assert!(covers(equals(&[("a", "1")]), Some(&a)));
    assert!(!covers(equals(&[("a", "1")]), Some(&a_and_b)));
    assert!(covers(subset(&[("a", "1")]), Some(&a_and_b)));
    for constraints in [equals, subset] {
        for wrong in [("a", "2"), ("A", "1"), ("b", "1"), ("a", "")] {
            assert!(!covers(constraints(&[wrong]), Some(&a)), "{wrong:?}");
        }
        assert!(!covers(constraints(&[("a", "1")]), None));
        assert!(!covers(constraints(&[("a", "1")]), Some(&empty)));
        assert!(covers(constraints(&[]), None));
        assert!(covers(constraints(&[]), Some(&empty)));
    }
    assert!(!covers(equals(&[]), Some(&a)));
    assert!(covers(subset(&[]), Some(&a)));
}

#[test]
fn describing_and_retiring_know_no_encryption_context() {
    for operation in [GrantOperation::DescribeKey, GrantOperation::RetireGrant] {
        let constraints = equals(&[("a", "1")]);
        let permissions = GrantPermissions { constraints, ..permissions(&[operation]) };
        assert!(permissions.cover(&request(operation, None)), "{operation}");
    }
}

#[test]
fn a_source_arn_must_be_the_requests_own() {
    let arn = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";
    for (operation, asked, expected) in [
        (GrantOperation::Decrypt, Some(arn), true),
        (GrantOperation::Decrypt, Some("arn:aws:ec2:eu-west-1:111122223333:volume/vol-2"), false),
        (GrantOperation::Decrypt, None, false),
        (GrantOperation::DescribeKey, Some(arn), true),
        (GrantOperation::DescribeKey, None, false),
        (GrantOperation::RetireGrant, None, true),
    ] {
        let source_arn = Some(arn.into());
        let constraints = GrantConstraints { source_arn, ..GrantConstraints::default() };
        let permissions = GrantPermissions { constraints, ..permissions(&[operation]) };
        let asked = GrantedRequest { source_arn: asked, ..request(operation, None) };
        assert_eq!(permissions.cover(&asked), expected, "{operation} {:?}", asked.source_arn);
    }
}

#[test]
fn a_child_grant_is_a_part_of_its_parent() {
    use GrantOperation::{CreateGrant, Decrypt, Encrypt};
    let parent =
        |constraints| GrantPermissions { constraints, ..permissions(&[CreateGrant, Decrypt]) };
    let child = |constraints| GrantPermissions { constraints, ..permissions(&[Decrypt]) };
    let none = GrantConstraints::default();
    for (outer, inner, expected) in [
        (none.clone(), none.clone(), true),
        (none.clone(), equals(&[("a", "1")]), true),
        (subset(&[("a", "1")]), none.clone(), false),
        (subset(&[("a", "1")]), subset(&[("a", "1")]), true),
        (subset(&[("a", "1")]), subset(&[("a", "1"), ("b", "2")]), true),
        (subset(&[("a", "1")]), equals(&[("a", "1"), ("b", "2")]), true),
        (subset(&[("a", "1"), ("b", "2")]), subset(&[("a", "1")]), false),
        (subset(&[("a", "1")]), equals(&[("b", "2")]), false),
        (equals(&[("a", "1")]), equals(&[("a", "1")]), true),
        (equals(&[("a", "1")]), equals(&[("a", "1"), ("b", "2")]), false),
        (equals(&[("a", "1")]), subset(&[("a", "1")]), false),
        (equals(&[("a", "1")]), none.clone(), false),
    ] {
        let asked = child(inner.clone());
        let asked = GrantedRequest { child: Some(&asked), ..request(CreateGrant, None) };
        assert_eq!(parent(outer.clone()).cover(&asked), expected, "{outer:?} and {inner:?}");
    }
    let more = permissions(&[Decrypt, Encrypt]);
    let asked = GrantedRequest { child: Some(&more), ..request(CreateGrant, None) };
    assert!(!parent(none.clone()).cover(&asked), "an operation that the parent has not");
    assert!(!parent(none).cover(&request(CreateGrant, None)), "a grant without a child");
    let arn = |text: &str| GrantConstraints {
        source_arn: Some(text.into()),
        ..GrantConstraints::default()
    };
    assert!(parent(arn("x")).include(&child(arn("x"))));
    assert!(!parent(arn("x")).include(&child(arn("y"))));
    assert!(!parent(arn("x")).include(&child(GrantConstraints::default())));
}

type Pairs = Vec<(u8, u8)>;

/// Few keys and values, so that contexts and constraints often touch.
fn pairs() -> impl Strategy<Value = Pairs> {
    proptest::collection::vec((0..4_u8, 0..2_u8), 0..4)
}

fn of_pairs(pairs: &Pairs) -> EncryptionContext {
    let pairs = pairs.iter().map(|(key, value)| (format!("k{key}"), format!("v{value}")));
    EncryptionContext::from(pairs.collect::<BTreeMap<_, _>>())
}

fn constraints() -> impl Strategy<Value = GrantConstraints> {
    let maybe = || proptest::option::of(pairs().prop_map(|pairs| of_pairs(&pairs)));
    (maybe(), maybe()).prop_map(|(encryption_context_equals, encryption_context_subset)| {
        GrantConstraints { encryption_context_equals, encryption_context_subset, source_arn: None }
    })
}

/// What the guide says, in its own words and without any cleverness.
fn naive(constraints: &GrantConstraints, context: &EncryptionContext) -> bool {
    let all: Vec<(&String, &String)> = context.iter().collect();
    if let Some(equals) = &constraints.encryption_context_equals {
        let wanted: Vec<(&String, &String)> = equals.iter().collect();
        if all != wanted {
            return false;
        }
    }
    if let Some(subset) = &constraints.encryption_context_subset {
        for pair in subset.iter() {
            if !all.contains(&pair) {
                return false;
            }
        }
    }
    true
}

fn run<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let config = ProptestConfig {
        cases: share(cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(strategy, |value| {
            test(value);
            Ok(())
        })
        .unwrap();
}

fn decrypting(constraints: GrantConstraints) -> GrantPermissions {
    GrantPermissions { constraints, ..permissions(&[GrantOperation::Decrypt]) }
}

#[test]
fn constraints_mean_what_the_guide_says() {
    run(100_000, &(constraints(), pairs()), |(constraints, pairs)| {
        let context = of_pairs(&pairs);
        let expected = naive(&constraints, &context);
        assert_eq!(decrypting(constraints).cover(&decrypt(Some(&context))), expected);
    });
}

#[test]
fn whatever_a_child_allows_its_parent_allows() {
    run(100_000, &(constraints(), constraints(), pairs()), |(outer, inner, pairs)| {
        let context = of_pairs(&pairs);
        let (outer, inner) = (decrypting(outer), decrypting(inner));
        if outer.include(&inner) && inner.cover(&decrypt(Some(&context))) {
            assert!(outer.cover(&decrypt(Some(&context))), "{outer:?} {inner:?} {context:?}");
        }
    });
}

#[test]
fn a_set_finds_a_grant_if_and_only_if_one_of_them_covers() {
    let many = proptest::collection::vec(constraints(), 0..12);
    run(20_000, &(many, pairs()), |(many, pairs)| {
        let context = of_pairs(&pairs);
        let grants: Vec<Grant> = many
            .into_iter()
            .map(|constraints| Grant {
                grantee: PrincipalPattern::Everyone,
                permissions: decrypting(constraints),
            })
            .collect();
        let expected = grants.iter().any(|grant| grant.permissions.cover(&decrypt(Some(&context))));
        let set = GrantSet::new(grants.clone());
        assert_eq!(set.len(), grants.len());
        let found = set.covering(&decrypt(Some(&context)));
        assert_eq!(found.is_some(), expected);
        if let Some((place, grant)) = found {
            assert_eq!(grant, &grants[place]);
            assert!(grant.permissions.cover(&decrypt(Some(&context))));
        }
        assert!(set.covering(&request(GrantOperation::Encrypt, Some(&context))).is_none());
    });
}

#[test]
fn a_set_weighs_its_grants_their_operations_and_twice_their_pairs() {
    let weight = |grants: &[Grant]| GrantSet::new(grants.iter().cloned()).weight_bytes();
    let grant = |operations: &[GrantOperation], constraints| Grant {
        grantee: PrincipalPattern::Everyone,
        permissions: GrantPermissions { constraints, ..permissions(operations) },
    };
    let none = GrantConstraints::default();
    let bare = grant(&[], none.clone());
    assert_eq!(weight(&[]), size_of::<GrantSet>());
    let one = weight(std::slice::from_ref(&bare));
    assert_eq!(one - weight(&[]), size_of::<Grant>());
    assert_eq!(weight(&[bare.clone(), bare]) - one, size_of::<Grant>());
    let more = |than: &Grant| weight(std::slice::from_ref(than)) - one;
    let operations = grant(&[GrantOperation::Decrypt, GrantOperation::Encrypt], none);
    assert_eq!(more(&operations), 2 * size_of::<GrantOperation>());
    // Its texts, and its place in a tree: once in the grant, once in the index.
    let pair = |texts: usize| 2 * (texts + 96);
    assert_eq!(more(&grant(&[], equals(&[("key", "value")]))), pair(8));
    assert_eq!(more(&grant(&[], subset(&[("key", "value"), ("a", "1")]))), pair(8) + pair(2));
    let both = GrantConstraints {
        encryption_context_equals: Some(context(&[("key", "value")])),
        ..subset(&[("a", "1")])
    };
    assert_eq!(more(&grant(&[], both)), pair(8) + pair(2));
}

#[test]
fn a_set_is_empty_without_a_grant_only() {
    let grant = grant_to("arn:aws:iam::444455556666:user/ann");
    assert!(GrantSet::new([]).is_empty());
    assert!(!GrantSet::new([grant]).is_empty());
}

/// Whatever the encryption context: these operations know none, so any grant may be the one.
#[test]
fn a_set_looks_at_every_grant_where_no_encryption_context_counts() {
    let grants = [GrantOperation::Decrypt, GrantOperation::DescribeKey].map(|operation| Grant {
        grantee: PrincipalPattern::Everyone,
        permissions: GrantPermissions {
            constraints: equals(&[("a", "1")]),
            ..permissions(&[operation])
        },
    });
    let set = GrantSet::new(grants);
    let place = |operation| set.covering(&request(operation, None)).map(|(place, _)| place);
    assert_eq!(place(GrantOperation::DescribeKey), Some(1));
    assert_eq!(place(GrantOperation::RetireGrant), None);
    assert_eq!(place(GrantOperation::Decrypt), None);
}

#[test]
fn either_constraint_is_about_the_encryption_context() {
    let source_arn = Some("arn:aws:s3:::bucket".into());
    let source = GrantConstraints { source_arn, ..GrantConstraints::default() };
    assert!(!source.constrain_encryption_context());
    assert!(equals(&[("a", "1")]).constrain_encryption_context());
    assert!(subset(&[("a", "1")]).constrain_encryption_context());
}

/// Run it alone and optimised; it tells what one of 50,000 grants of one grantee costs a decision.
#[test]
#[ignore = "a measurement: cargo test --release -p keystead-policy --test grants -- --ignored --nocapture"]
fn measure_a_decision_among_50_000_grants() {
    const GRANTS: usize = 50_000;
    const ROUNDS: u32 = 200_000;
    let grants = (0..GRANTS).map(|number| {
        let volume = format!("vol-{number}");
        let mut grant = grant_to("arn:aws:iam::444455556666:role/app");
        grant.permissions.constraints = subset(&[("aws:ebs:id", &volume)]);
        grant
    });
    let set = GrantSet::new(grants);
    let key_policy = Document::parse(&key_policy(&[NOBODY])).unwrap();
    let (caller, facts) = (session(OTHER, "app", "one"), Facts::default());
    let context = context(&[("aws:ebs:id", "vol-49999"), ("other", "pair")]);
    let query = Query { principal: &caller, action: "kms:Decrypt", resource: KEY, context: &facts };
    #[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
    let start = std::time::Instant::now();
    for _ in 0..ROUNDS {
        let (_, grant) = set.covering(&decrypt(Some(&context))).unwrap();
        let policies = Policies {
            resource_account: OWNER.parse().ok(),
            resource_policy: Some(&key_policy),
            identity: &[],
            grants: Some(Grants {
                request: decrypt(Some(&context)),
                candidates: &[grant],
                alone: false,
            }),
            ..Policies::default()
        };
        assert!(decide(&query, &policies).is_allowed());
    }
    println!("{:?} for one decision among {GRANTS} grants", start.elapsed() / ROUNDS);
    println!("{} bytes for each grant", set.weight_bytes() / GRANTS);
}
