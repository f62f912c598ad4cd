//! Truth table of what limits a caller: boundaries, session policies, the guard rails of an
//! organization, endpoints; and of sessions, trust policies and explanations.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Facts, KEY, OTHER, OWNER, federated, key_policy, root, service, session, user};
use std::sync::Arc;

use policy::{
    Decision, Denial, Document, DocumentError, DocumentKind, Policies, PolicyKind, Principal,
    PrincipalKind, Query, Reach, StatementRef, decide, explain, lets_in,
};

const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const ALLOW_DECRYPT: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}"#;
const DENY_ENCRYPT: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"},
    {"Sid":"NoEncrypt","Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}"#;

/// The texts of the policies of one request for `kms:Encrypt` on [`KEY`].
#[derive(Clone, Copy, Default)]
struct Texts<'a> {
    identity: &'a [&'a str],
    boundary: Option<&'a str>,
    session: &'a [&'a str],
    service_control: &'a [&'a [&'a str]],
    resource_control: &'a [&'a str],
    endpoint: Option<&'a str>,
}

impl Texts<'_> {
    fn ask<T>(
        &self,
        caller: &Principal,
        key_policy: &str,
        ask: impl FnOnce(&Query<'_>, &Policies<'_>) -> T,
    ) -> T {
        let parse = |kind, text: &str| Document::parse_as(kind, text).expect(text);
        let all = |kind, texts: &[&str]| -> Vec<Document> {
            texts.iter().map(|text| parse(kind, text)).collect()
        };
        let key_policy = parse(DocumentKind::KeyPolicy, key_policy);
        let identity = all(DocumentKind::Identity, self.identity);
        let boundary = self.boundary.map(|text| parse(DocumentKind::Identity, text));
        let session = all(DocumentKind::Identity, self.session);
        let shared = |kind, texts: &[&str]| -> Vec<Arc<Document>> {
            all(kind, texts).into_iter().map(Arc::new).collect()
        };
        let levels = self.service_control.iter();
        let levels: Vec<_> =
            levels.map(|texts| shared(DocumentKind::ServiceControl, texts)).collect();
        let endpoint = self.endpoint.map(|text| parse(DocumentKind::Endpoint, text));
        let policies = Policies {
            resource_account: OWNER.parse().ok(),
            resource_policy: Some(&key_policy),
            identity: &identity.iter().collect::<Vec<_>>(),
            boundary: boundary.as_ref(),
            session: &session.iter().collect::<Vec<_>>(),
            service_control: &levels,
            resource_control: &shared(DocumentKind::ResourceControl, self.resource_control),
            endpoint: endpoint.as_ref(),
            grants: None,
        };
        let (action, context) = ("kms:Encrypt", &Facts::default());
        ask(&Query { principal: caller, action, resource: KEY, context }, &policies)
    }

    fn decide(&self, caller: &Principal, key_policy: &str) -> Decision {
        self.ask(caller, key_policy, decide)
    }
}

/// A key policy that allows all to those named.
fn naming(principals: &str) -> String {
    key_policy(&[&format!(
        r#"{{"Effect":"Allow","Principal":{principals},"Action":"kms:*","Resource":"*"}}"#
    )])
}

/// Whether a caller is let in has nothing to do with what its own account says, nor with what denies it besides.
#[test]
fn whoever_is_let_in_may_know_why_not() {
    let (ann, stranger) = (user(OTHER, "ann"), user("777788889999", "eve"));
    let account = format!(r#"{{"AWS":"{OTHER}"}}"#);
    let denying = key_policy(&[
        &format!(r#"{{"Effect":"Allow","Principal":{account},"Action":"kms:*","Resource":"*"}}"#),
        r#"{"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*"}"#,
    ]);
    let others = naming(r#"{"AWS":"111122223333"}"#);
    let another_action = key_policy(&[&format!(
        r#"{{"Effect":"Allow","Principal":{account},"Action":"kms:Decrypt","Resource":"*"}}"#
    )]);
    let denied = [r#"{"Version":"2012-10-17","Statement":
        {"Effect":"Deny","Action":"*","Resource":"*"}}"#];
    for identity in [&[][..], &[ALLOW_ALL], &denied] {
        let texts = Texts { identity, service_control: &[identity], ..Texts::default() };
        let lets_in = |caller, key_policy: &str| texts.ask(caller, key_policy, lets_in);
        assert!(lets_in(&ann, &naming(&account)));
        assert!(lets_in(&ann, &denying));
        assert!(!lets_in(&ann, &others));
        assert!(!lets_in(&ann, &another_action));
        assert!(!lets_in(&stranger, &naming(&account)));
    }
}

fn none_allows(policy: PolicyKind) -> Decision {
    Decision::Denied(Denial::Implicit { policy })
}

fn denied_by(decision: Decision) -> Option<PolicyKind> {
    match decision {
        Decision::Denied(Denial::Explicit { policy, .. }) => Some(policy),
        Decision::Denied(Denial::Implicit { .. }) | Decision::Allowed { .. } => None,
    }
}

/// The IAM User Guide's table "Resource-based policies and implicit denies in other policy types":
/// whether being named so is enough where the identity policies, the boundary or the session
/// policies do not allow.
#[test]
fn who_is_named_decides_what_limits() {
    let ann = user(OWNER, "ann");
    let app = session(OWNER, "app", "s1");
    let fay = federated(OWNER, "fay", Some("ann"));
    let user_arn = r#"{"AWS":"arn:aws:iam::111122223333:user/ann"}"#;
    let role_arn = r#"{"AWS":"arn:aws:iam::111122223333:role/app"}"#;
    let role_session = r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s1"}"#;
    let federated_user = r#"{"AWS":"arn:aws:sts::111122223333:federated-user/fay"}"#;
    let account = r#"{"AWS":"111122223333"}"#;
    let everyone = r#""*""#;
    // Named how; caller; without identity policy; below a boundary; below a session policy.
    let rows: &[(&str, &Principal, bool, bool, bool)] = &[
        (user_arn, &ann, true, true, true),
        (everyone, &ann, true, true, true),
        (account, &ann, false, false, false),
        (role_arn, &app, true, false, false),
        (role_session, &app, true, true, true),
        (everyone, &app, true, true, true),
        (account, &app, false, false, false),
        (user_arn, &fay, false, false, false),
        (federated_user, &fay, true, true, true),
        (everyone, &fay, true, true, true),
        (account, &fay, false, false, false),
    ];
    for (principals, caller, alone, below_boundary, below_session) in rows {
        let text = naming(principals);
        let unlimited = Texts::default();
        assert_eq!(unlimited.decide(caller, &text).is_allowed(), *alone, "{principals}");
        let identity: &[&str] = &[ALLOW_ALL];
        let session: &[&str] = &[ALLOW_ALL];
        let bounded = Texts { identity, session, boundary: Some(ALLOW_DECRYPT), ..unlimited };
        let decision = bounded.decide(caller, &text);
        assert_eq!(decision.is_allowed(), *below_boundary, "{principals} {decision:?}");
        if !below_boundary {
            assert_eq!(decision, none_allows(PolicyKind::Boundary), "{principals}");
        }
        let limited = Texts { identity, session: &[ALLOW_DECRYPT], ..unlimited };
        let decision = limited.decide(caller, &text);
        assert_eq!(decision.is_allowed(), *below_session, "{principals} {decision:?}");
        if !below_session {
            assert_eq!(decision, none_allows(PolicyKind::Session), "{principals}");
        }
        let within = Texts { boundary: Some(ALLOW_ALL), ..bounded };
        assert!(within.decide(caller, &text).is_allowed(), "{principals}");
    }
}

#[test]
fn another_account_keeps_all_its_limits() {
    let rows = [
        (user(OTHER, "ann"), r#"{"AWS":"arn:aws:iam::444455556666:user/ann"}"#),
        (session(OTHER, "app", "s"), r#"{"AWS":"arn:aws:sts::444455556666:assumed-role/app/s"}"#),
        (session(OTHER, "app", "s"), r#"{"AWS":"arn:aws:iam::444455556666:role/app"}"#),
        (federated(OTHER, "fay", Some("ann")), r#""*""#),
    ];
    for (caller, principals) in &rows {
        let text = naming(principals);
        let both: &[&str] = &[ALLOW_ALL];
        let allowed = Texts { identity: both, session: both, ..Texts::default() };
        assert!(allowed.decide(caller, &text).is_allowed(), "{principals}");
        let texts = Texts { identity: &[], ..allowed };
        assert_eq!(texts.decide(caller, &text), none_allows(PolicyKind::Identity), "{principals}");
        let texts = Texts { boundary: Some(ALLOW_DECRYPT), ..allowed };
        assert_eq!(texts.decide(caller, &text), none_allows(PolicyKind::Boundary), "{principals}");
        let texts = Texts { session: &[ALLOW_DECRYPT], ..allowed };
        assert_eq!(texts.decide(caller, &text), none_allows(PolicyKind::Session), "{principals}");
    }
}

#[test]
fn session_policies_add_up_and_a_federated_user_needs_one() {
    let text = naming(r#"{"AWS":"111122223333"}"#);
    let identity: &[&str] = &[ALLOW_ALL];
    let two = Texts { identity, session: &[ALLOW_DECRYPT, ALLOW_ALL], ..Texts::default() };
    let none = Texts { identity, ..Texts::default() };
    let app = session(OWNER, "app", "s");
    assert!(two.decide(&app, &text).is_allowed());
    assert!(none.decide(&app, &text).is_allowed());
    for fay in [federated(OWNER, "fay", Some("ann")), federated(OWNER, "fay", None)] {
        assert!(two.decide(&fay, &text).is_allowed());
        assert_eq!(none.decide(&fay, &text), none_allows(PolicyKind::Session));
    }
    // The root user needs no identity policy, nor does whom it federated; a user does.
    let without_identity = Texts { identity: &[], ..two };
    assert!(without_identity.decide(&federated(OWNER, "fay", None), &text).is_allowed());
    let of_user = without_identity.decide(&federated(OWNER, "fay", Some("ann")), &text);
    assert_eq!(of_user, none_allows(PolicyKind::Identity));
}

#[test]
fn every_level_of_the_organization_must_allow() {
    let text = naming(r#""*""#);
    let levels: &[(&[&[&str]], bool)] = &[
        (&[], true),
        (&[&[ALLOW_ALL], &[ALLOW_ALL]], true),
        (&[&[ALLOW_DECRYPT, ALLOW_ALL], &[ALLOW_ALL]], true),
        (&[&[ALLOW_DECRYPT], &[ALLOW_ALL]], false),
        (&[&[ALLOW_ALL], &[ALLOW_DECRYPT]], false),
        (&[&[ALLOW_ALL], &[]], false),
    ];
    for (service_control, allowed) in levels {
        let texts = Texts { service_control, ..Texts::default() };
        for caller in [user(OWNER, "ann"), root(OWNER), session(OWNER, "app", "s")] {
            let decision = texts.decide(&caller, &text);
            assert_eq!(decision.is_allowed(), *allowed, "{service_control:?}");
            if !allowed {
                assert_eq!(decision, none_allows(PolicyKind::ServiceControl));
            }
        }
        assert!(texts.decide(&service("s3.amazonaws.com"), &text).is_allowed());
    }
    let texts = Texts { service_control: &[&[ALLOW_ALL], &[DENY_ENCRYPT]], ..Texts::default() };
    // The statement is found by counting the documents through all levels.
    let statement = StatementRef { policy: PolicyKind::ServiceControl, document: 1, statement: 1 };
    let (decision, sid) = texts.ask(&root(OWNER), &text, |query, policies| {
        (decide(query, policies), policies.sid(statement).map(str::to_owned))
    });
    let policy = PolicyKind::ServiceControl;
    assert_eq!(decision, Decision::Denied(Denial::Explicit { policy, statement }));
    assert_eq!(sid.as_deref(), Some("NoEncrypt"));
    assert!(texts.decide(&service("s3.amazonaws.com"), &text).is_allowed());
}

#[test]
fn each_kind_of_policy_can_deny() {
    let text = naming(r#""*""#);
    let app = session(OWNER, "app", "s");
    let everyone = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*"}]}"#;
    let open = Texts::default();
    let deny: &[&str] = &[ALLOW_ALL, DENY_ENCRYPT];
    let rows = [
        (PolicyKind::ResourceControl, Texts { resource_control: &[everyone], ..open }),
        (PolicyKind::ServiceControl, Texts { service_control: &[deny], ..open }),
        (PolicyKind::Endpoint, Texts { endpoint: Some(everyone), ..open }),
        (PolicyKind::Identity, Texts { identity: deny, ..open }),
        (PolicyKind::Boundary, Texts { boundary: Some(DENY_ENCRYPT), ..open }),
        (PolicyKind::Session, Texts { session: deny, ..open }),
    ];
    for (kind, texts) in rows {
        assert_eq!(denied_by(texts.decide(&app, &text)), Some(kind));
    }
    assert_eq!(denied_by(open.decide(&app, everyone)), Some(PolicyKind::KeyPolicy));
}

#[test]
fn an_endpoint_allows_those_whom_it_names_by_account_too() {
    let text = naming(r#""*""#);
    let ann = user(OWNER, "ann");
    for principals in [r#""*""#, r#"{"AWS":"111122223333"}"#] {
        let endpoint = naming(principals);
        let texts = Texts { endpoint: Some(&endpoint), ..Texts::default() };
        assert!(texts.decide(&ann, &text).is_allowed(), "{principals}");
    }
    for principals in
        [r#"{"AWS":"444455556666"}"#, r#"{"AWS":"arn:aws:iam::111122223333:user/bob"}"#]
    {
        let endpoint = naming(principals);
        let texts = Texts { endpoint: Some(&endpoint), ..Texts::default() };
        assert_eq!(texts.decide(&ann, &text), none_allows(PolicyKind::Endpoint), "{principals}");
    }
}

#[test]
fn not_principal_denies_everyone_with_a_boundary() {
    let text = key_policy(&[
        r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/ann",
            "111122223333"]},"Action":"*","Resource":"*"}"#,
    ]);
    let ann = user(OWNER, "ann");
    let identity: &[&str] = &[ALLOW_ALL];
    assert!(Texts { identity, ..Texts::default() }.decide(&ann, &text).is_allowed());
    let bounded = Texts { identity, boundary: Some(ALLOW_ALL), ..Texts::default() };
    assert_eq!(denied_by(bounded.decide(&ann, &text)), Some(PolicyKind::KeyPolicy));
}

#[test]
fn a_trust_policy_is_decided_like_a_key_policy() {
    let role = "arn:aws:iam::111122223333:role/app";
    let ask = |caller: &Principal, trust: &str, identity: &[&str]| {
        let trust = Document::parse_as(DocumentKind::RoleTrust, trust).expect(trust);
        let identity: Vec<Document> =
            identity.iter().map(|text| Document::parse_identity(text).unwrap()).collect();
        let identity: Vec<&Document> = identity.iter().collect();
        let policies = Policies {
            resource_account: OWNER.parse().ok(),
            resource_policy: Some(&trust),
            identity: &identity,
            ..Policies::default()
        };
        let context = &Facts::default();
        let query = Query { principal: caller, action: "sts:AssumeRole", resource: role, context };
        decide(&query, &policies)
    };
    let trusting = |principals: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",
            "Principal":{principals},"Action":"sts:AssumeRole*"}}}}"#
        )
    };
    let ann = user(OWNER, "ann");
    let by_name = trusting(r#"{"AWS":"arn:aws:iam::111122223333:user/ann"}"#);
    assert!(ask(&ann, &by_name, &[]).is_allowed());
    assert_eq!(
        ask(&user(OWNER, "bob"), &by_name, &[ALLOW_ALL]),
        none_allows(PolicyKind::RoleTrust)
    );
    let by_account = trusting(r#"{"AWS":["111122223333","444455556666"]}"#);
    for caller in [&ann, &user(OTHER, "ann")] {
        assert_eq!(ask(caller, &by_account, &[]), none_allows(PolicyKind::Identity));
        assert!(ask(caller, &by_account, &[ALLOW_ALL]).is_allowed());
    }
    let provider = "arn:aws:iam::111122223333:oidc-provider/id.example.com";
    let token = |provider: &str| Principal {
        account: OWNER.parse().unwrap(),
        arn: provider.into(),
        kind: PrincipalKind::WebIdentity { provider: provider.into() },
    };
    let by_provider = trusting(&format!(r#"{{"Federated":"{provider}"}}"#));
    assert!(ask(&token(provider), &by_provider, &[]).is_allowed());
    for (caller, trust) in
        [(token("other.example.com"), &by_provider), (token(provider), &by_account)]
    {
        assert_eq!(ask(&caller, trust, &[ALLOW_ALL]), none_allows(PolicyKind::RoleTrust));
    }
    assert_eq!(ask(&ann, &by_provider, &[ALLOW_ALL]), none_allows(PolicyKind::RoleTrust));
    assert!(
        ask(&service("ec2.amazonaws.com"), &trusting(r#"{"Service":"ec2.amazonaws.com"}"#), &[])
            .is_allowed()
    );
}

#[test]
fn documents_of_each_kind_have_their_own_rules() {
    let with_resource = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole",
        "Resource":"*"}}"#;
    let refusal = Document::parse_as(DocumentKind::RoleTrust, with_resource).err();
    assert_eq!(refusal, Some(DocumentError::UnexpectedResource));
    assert_eq!(refusal.unwrap().to_string(), "Has prohibited field Resource");
    for kind in [DocumentKind::KeyPolicy, DocumentKind::RoleTrust, DocumentKind::Endpoint] {
        let refusal = Document::parse_as(kind, ALLOW_ALL).err();
        assert_eq!(refusal, Some(DocumentError::MissingPrincipal), "{kind:?}");
    }
    assert!(Document::parse_as(DocumentKind::ServiceControl, ALLOW_ALL).is_ok());
    let named = naming(r#""*""#);
    let refusal = Document::parse_as(DocumentKind::ServiceControl, &named).err();
    assert_eq!(refusal, Some(DocumentError::UnexpectedPrincipal));
    let denying = |elements: &str| {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Deny",{elements},"Action":"*","Resource":"*"}}}}"#
        );
        Document::parse_as(DocumentKind::ResourceControl, &text)
    };
    assert!(denying(r#""Principal":"*""#).is_ok());
    for elements in [r#""NotPrincipal":"*""#, r#""Principal":{"AWS":"111122223333"}"#] {
        assert!(matches!(denying(elements), Err(DocumentError::Syntax { .. })), "{elements}");
    }
    let refusal = Document::parse_as(DocumentKind::ResourceControl, &named).unwrap_err();
    assert!(refusal.cause().is_some_and(|cause| cause.contains("resource control policy")));
}

#[test]
fn an_explanation_names_the_level_the_parts_and_the_values() {
    let text = key_policy(&[r#"{"Sid":"Delegation","Effect":"Allow","Action":"kms:Encrypt",
        "Principal":{"AWS":"111122223333"},"Resource":"*",
        "Condition":{"ForAnyValue:StringNotLikeIfExists":{"kms:Colour":["red","gr*n"]}}}"#]);
    let texts = Texts {
        identity: &[ALLOW_DECRYPT, ALLOW_ALL],
        service_control: &[&[ALLOW_ALL, ALLOW_DECRYPT], &[ALLOW_ALL]],
        ..Texts::default()
    };
    let explanation = texts.ask(&user(OWNER, "ann"), &text, explain);
    assert!(explanation.decision.is_allowed());
    assert!(explanation.documents.iter().all(|document| document.in_place));
    let places: Vec<_> = explanation
        .documents
        .iter()
        .map(|document| (document.policy, document.document, document.level))
        .collect();
    let expected = [
        (PolicyKind::ServiceControl, 0, Some(0)),
        (PolicyKind::ServiceControl, 1, Some(0)),
        (PolicyKind::ServiceControl, 2, Some(1)),
        (PolicyKind::KeyPolicy, 0, None),
        (PolicyKind::Identity, 0, None),
        (PolicyKind::Identity, 1, None),
    ];
    assert_eq!(places, expected);
    let statement = &explanation.documents[3].statements[0];
    assert_eq!(statement.sid.as_deref(), Some("Delegation"));
    assert_eq!(statement.principal, Some(Reach::Account));
    let condition = &statement.conditions[0];
    assert_eq!(condition.operator, "ForAnyValue:StringNotLikeIfExists");
    assert_eq!(condition.key, "kms:colour");
    assert_eq!(condition.written, ["red", "gr*n"]);
    assert!(condition.requested.is_empty() && condition.holds);
    assert!(!explanation.documents[4].statements[0].action);
    let told = explanation.to_string();
    let expected = "allowed\n\
        service control policy 0 of level 0\n   \
        Allow 0: applies yes, principal caller, action yes, resource yes\n\
        service control policy 1 of level 0\n   \
        Allow 0: applies no, principal caller, action no, resource yes\n\
        service control policy 2 of level 1\n   \
        Allow 0: applies yes, principal caller, action yes, resource yes\n\
        resource-based policy 0\n\
        -> Allow 0 \"Delegation\": applies yes, principal account, action yes, resource yes\n     \
        ForAnyValue:StringNotLikeIfExists kms:colour: holds yes, \
        policy [\"red\", \"gr*n\"], request []\n\
        identity-based policy 0\n   \
        Allow 0: applies no, principal caller, action no, resource yes\n\
        identity-based policy 1\n\
        -> Allow 0: applies yes, principal caller, action yes, resource yes\n";
    assert_eq!(told, expected);
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["documents"][3]["statements"][0]["conditions"][0]["written"][1], "gr*n");

    let denied = Texts { session: &[DENY_ENCRYPT], ..texts };
    let told = denied.ask(&session(OWNER, "app", "s"), &text, explain).to_string();
    assert!(told.starts_with("denied by a statement of session policy\n"), "{told}");
    assert!(told.contains("-> Deny 1 \"NoEncrypt\": applies yes"), "{told}");
    let missing = Texts { identity: &[], ..texts };
    let told = missing.ask(&user(OWNER, "ann"), &text, explain).to_string();
    assert!(told.starts_with("denied: identity-based policy does not allow it\n"), "{told}");
}

/// An identity policy names nobody, so in the place of a key policy it would allow everybody.
#[test]
fn a_document_out_of_place_only_denies() {
    let facts = Facts::default();
    let caller = root(OWNER);
    let query = Query { principal: &caller, action: "kms:Encrypt", resource: KEY, context: &facts };
    for (text, denies) in [(ALLOW_ALL, false), (DENY_ENCRYPT, true)] {
        let identity = Document::parse_identity(text).unwrap();
        let policies = Policies {
            resource_account: OWNER.parse().ok(),
            resource_policy: Some(&identity),
            ..Policies::default()
        };
        let explanation = explain(&query, &policies);
        assert!(!explanation.decision.is_allowed(), "{text}");
        assert_eq!(denied_by(explanation.decision).is_some(), denies, "{text}");
        assert!(explanation.documents.iter().all(|document| !document.in_place), "{text}");
    }
}

/// Service control policies are not about services, so they are not told of; all the others are.
#[test]
fn what_does_not_concern_a_caller_is_not_told() {
    let text = key_policy(&[r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#]);
    let texts = Texts { service_control: &[&[ALLOW_ALL]], ..Texts::default() };
    for (caller, kinds) in [(service("s3.amazonaws.com"), 1), (user(OWNER, "ann"), 2)] {
        let explanation = texts.ask(&caller, &text, explain);
        let told: Vec<_> = explanation.documents.iter().map(|document| document.policy).collect();
        assert_eq!(told.len(), kinds, "{told:?}");
        assert!(told.contains(&PolicyKind::KeyPolicy), "{told:?}");
    }
}
