//! Truth table of principals, actions, resources and the two sides of a decision.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Facts, KEY, OTHER, OWNER, ask, key_policy, root, service, session, user};
use policy::{
    Decision, Denial, Document, Grounds, IdentityGrounds, Policies, PolicyKind, Principal, Query,
    StatementRef, decide, decide_at_best, default_key_policy,
};

const NO_KEY_POLICY_ALLOWS: Decision =
    Decision::Denied(Denial::Implicit { policy: PolicyKind::KeyPolicy });
const NO_IDENTITY_POLICY_ALLOWS: Decision =
    Decision::Denied(Denial::Implicit { policy: PolicyKind::Identity });

const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Sid":"Never","Effect":"Deny","Action":"*","Resource":"*"}}"#;

/// A key policy of one statement about the given principals.
fn naming(effect: &str, element: &str, principals: &str) -> String {
    key_policy(&[&format!(
        r#"{{"Effect":"{effect}","{element}":{principals},"Action":"kms:*","Resource":"*"}}"#
    )])
}

fn allow_naming(principals: &str) -> String {
    naming("Allow", "Principal", principals)
}

fn encrypt(caller: &Principal, key_policy: &str, identity: &[&str]) -> Decision {
    ask(caller, "kms:Encrypt", &Facts::default(), key_policy, identity)
}

fn key_statement(statement: usize) -> StatementRef {
    StatementRef { policy: PolicyKind::KeyPolicy, document: 0, statement }
}

fn identity_statement(document: usize, statement: usize) -> StatementRef {
    StatementRef { policy: PolicyKind::Identity, document, statement }
}

#[test]
fn the_default_policy_lets_the_root_user_and_delegates_to_its_account() {
    let policy = default_key_policy(OWNER.parse().unwrap(), wire::names::Partition::Aws);
    let both = |identity| Decision::Allowed {
        by: Grounds { resource_policy: Some(key_statement(0)), identity, grant: None },
    };
    assert_eq!(encrypt(&root(OWNER), &policy, &[]), both(None));
    let ann = user(OWNER, "ann");
    assert_eq!(encrypt(&ann, &policy, &[]), NO_IDENTITY_POLICY_ALLOWS);
    let by_identity = Some(IdentityGrounds::Statement(identity_statement(0, 0)));
    assert_eq!(encrypt(&ann, &policy, &[ALLOW_ALL]), both(by_identity));
    assert_eq!(encrypt(&session(OWNER, "app", "s"), &policy, &[ALLOW_ALL]), both(by_identity));
    for stranger in [root(OTHER), user(OTHER, "ann"), service("s3.amazonaws.com")] {
        assert_eq!(encrypt(&stranger, &policy, &[ALLOW_ALL]), NO_KEY_POLICY_ALLOWS);
    }
}

#[test]
fn the_default_policy_is_awss_text() {
    let text = default_key_policy(OWNER.parse().unwrap(), wire::names::Partition::Aws);
    let expected = [
        "{",
        "  \"Version\" : \"2012-10-17\",",
        "  \"Id\" : \"key-default-1\",",
        "  \"Statement\" : [ {",
        "    \"Sid\" : \"Enable IAM User Permissions\",",
        "    \"Effect\" : \"Allow\",",
        "    \"Principal\" : {",
        "      \"AWS\" : \"arn:aws:iam::111122223333:root\"",
        "    },",
        "    \"Action\" : \"kms:*\",",
        "    \"Resource\" : \"*\"",
        "  } ]",
        "}",
    ];
    assert_eq!(text, expected.join("\n"));
    let document = Document::parse(&text).unwrap();
    assert_eq!(document.id(), Some("key-default-1"));
    assert_eq!(document.sid(0), Some("Enable IAM User Permissions"));
    let china = default_key_policy(OWNER.parse().unwrap(), wire::names::Partition::AwsCn);
    assert!(china.contains("arn:aws-cn:iam::111122223333:root"));
}

#[test]
fn nobody_has_access_that_the_key_policy_does_not_give() {
    let policy = allow_naming(r#"{"AWS":"arn:aws:iam::111122223333:user/ann"}"#);
    assert!(encrypt(&user(OWNER, "ann"), &policy, &[]).is_allowed());
    assert_eq!(encrypt(&root(OWNER), &policy, &[]), NO_KEY_POLICY_ALLOWS);
    assert_eq!(encrypt(&user(OWNER, "bob"), &policy, &[ALLOW_ALL]), NO_KEY_POLICY_ALLOWS);
}

#[test]
fn forms_of_principals() {
    let ann = user(OWNER, "ann");
    let app = session(OWNER, "app", "s1");
    let s3 = service("s3.amazonaws.com");
    let rows: &[(&str, &Principal, bool)] = &[
        (r#""*""#, &ann, true),
        (r#"{"AWS":"*"}"#, &app, true),
        (r#"{"AWS":"arn:aws:iam::111122223333:user/ann"}"#, &ann, true),
        (r#"{"AWS":"arn:aws:iam::111122223333:user/Ann"}"#, &ann, false),
        (r#"{"AWS":["444455556666","arn:aws:iam::111122223333:user/ann"]}"#, &ann, true),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/app"}"#, &app, true),
        (r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s1"}"#, &app, true),
        (r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s2"}"#, &app, false),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/ap"}"#, &app, false),
        (r#"{"AWS":"arn:aws:iam::444455556666:role/app"}"#, &app, false),
        (r#"{"Service":"s3.amazonaws.com"}"#, &s3, true),
        (r#"{"Service":["ec2.amazonaws.com","s3.amazonaws.com"]}"#, &s3, true),
        (r#"{"Service":"ec2.amazonaws.com"}"#, &s3, false),
        (r#"{"Service":"s3.amazonaws.com"}"#, &ann, false),
        (r#"{"AWS":"999999999999"}"#, &s3, false),
        (r#""*""#, &s3, true),
        (r#"{"AWS":"AIDAEXAMPLEEXAMPLE123"}"#, &ann, false),
        (r#"{"Federated":"accounts.example.com"}"#, &ann, false),
    ];
    for (principals, caller, expected) in rows {
        let decision = encrypt(caller, &allow_naming(principals), &[]);
        assert_eq!(decision.is_allowed(), *expected, "{principals} {}", caller.arn);
    }
}

#[test]
fn an_account_is_its_root_user_and_the_say_of_its_identity_policies() {
    for principals in [r#"{"AWS":"111122223333"}"#, r#"{"AWS":"arn:aws:iam::111122223333:root"}"#] {
        let policy = allow_naming(principals);
        assert!(encrypt(&root(OWNER), &policy, &[]).is_allowed());
        assert_eq!(encrypt(&user(OWNER, "ann"), &policy, &[]), NO_IDENTITY_POLICY_ALLOWS);
        assert!(encrypt(&user(OWNER, "ann"), &policy, &[ALLOW_ALL]).is_allowed());
        // A denial that names the account reaches all of it.
        let grant = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
        let denial =
            format!(r#"{{"Effect":"Deny","Principal":{principals},"Action":"*","Resource":"*"}}"#);
        let policy = key_policy(&[grant, &denial]);
        assert!(!encrypt(&user(OWNER, "ann"), &policy, &[ALLOW_ALL]).is_allowed());
        assert!(encrypt(&root(OTHER), &policy, &[]).is_allowed());
    }
    // The namesake in another partition is another account.
    let china = allow_naming(r#"{"AWS":"arn:aws-cn:iam::111122223333:root"}"#);
    assert_eq!(encrypt(&root(OWNER), &china, &[]), NO_KEY_POLICY_ALLOWS);
}

#[test]
fn delegation_is_as_narrow_as_its_statement() {
    let policy = key_policy(&[r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},
        "Action":"kms:Decrypt","Resource":"*","Condition":{"Bool":{"kms:Flag":true}}}"#]);
    let ann = user(OWNER, "ann");
    let flag = Facts::of("kms:flag", true);
    assert!(ask(&ann, "kms:Decrypt", &flag, &policy, &[ALLOW_ALL]).is_allowed());
    assert_eq!(ask(&ann, "kms:Encrypt", &flag, &policy, &[ALLOW_ALL]), NO_KEY_POLICY_ALLOWS);
    let none = Facts::default();
    assert_eq!(ask(&ann, "kms:Decrypt", &none, &policy, &[ALLOW_ALL]), NO_KEY_POLICY_ALLOWS);
}

#[test]
fn another_account_needs_both_sides() {
    let ann = user(OTHER, "ann");
    let sides: &[&str] =
        &[r#"{"AWS":"444455556666"}"#, r#"{"AWS":"arn:aws:iam::444455556666:user/ann"}"#, r#""*""#];
    for principals in sides {
        let policy = allow_naming(principals);
        assert_eq!(encrypt(&ann, &policy, &[]), NO_IDENTITY_POLICY_ALLOWS, "{principals}");
        let by = Grounds {
            resource_policy: Some(key_statement(0)),
            identity: Some(IdentityGrounds::Statement(identity_statement(0, 0))),
            grant: None,
        };
        assert_eq!(encrypt(&ann, &policy, &[ALLOW_ALL]), Decision::Allowed { by }, "{principals}");
        assert!(!encrypt(&ann, &policy, &[ALLOW_ALL, DENY_ALL]).is_allowed(), "{principals}");
    }
    let mine = allow_naming(r#"{"AWS":"111122223333"}"#);
    assert_eq!(encrypt(&ann, &mine, &[ALLOW_ALL]), NO_KEY_POLICY_ALLOWS);
}

#[test]
fn the_root_user_of_another_account_needs_the_key_policy_only() {
    let by = Grounds {
        resource_policy: Some(key_statement(0)),
        identity: Some(IdentityGrounds::RootUser),
        grant: None,
    };
    let policy = allow_naming(r#"{"AWS":"444455556666"}"#);
    assert_eq!(encrypt(&root(OTHER), &policy, &[]), Decision::Allowed { by });
    let policy = allow_naming(r#"{"AWS":"111122223333"}"#);
    assert_eq!(encrypt(&root(OTHER), &policy, &[]), NO_KEY_POLICY_ALLOWS);
}

#[test]
fn a_denial_wins_wherever_it_stands() {
    let ann = user(OWNER, "ann");
    let grant = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let denial = r#"{"Sid":"Not Ann","Effect":"Deny",
        "Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"*","Resource":"*"}"#;
    for statements in [[grant, denial], [denial, grant]] {
        let position = usize::from(statements[1] == denial);
        let expected = Decision::Denied(Denial::Explicit {
            policy: PolicyKind::KeyPolicy,
            statement: key_statement(position),
        });
        assert_eq!(encrypt(&ann, &key_policy(&statements), &[ALLOW_ALL]), expected);
        assert!(encrypt(&user(OWNER, "bob"), &key_policy(&statements), &[]).is_allowed());
    }
    let expected = Decision::Denied(Denial::Explicit {
        policy: PolicyKind::Identity,
        statement: identity_statement(1, 0),
    });
    assert_eq!(encrypt(&ann, &key_policy(&[grant]), &[ALLOW_ALL, DENY_ALL]), expected);
    // A denial that is not about this request does nothing.
    let elsewhere = r#"{"Version":"2012-10-17","Statement":
        {"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}}"#;
    assert!(encrypt(&ann, &key_policy(&[grant]), &[elsewhere]).is_allowed());
}

#[test]
fn a_decision_tells_the_sid_of_its_statement() {
    let key_policy = Document::parse(&key_policy(&[
        r#"{"Sid":"Allow use of the key","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#,
    ]));
    let key_policy = key_policy.unwrap();
    let identity = Document::parse_identity(DENY_ALL).unwrap();
    let policies = Policies {
        resource_account: OWNER.parse().ok(),
        resource_policy: Some(&key_policy),
        identity: &[&identity],
        ..Policies::default()
    };
    assert_eq!(policies.sid(key_statement(0)), Some("Allow use of the key"));
    assert_eq!(policies.sid(identity_statement(0, 0)), Some("Never"));
    assert_eq!(policies.sid(identity_statement(1, 0)), None);
}

#[test]
fn an_operation_without_a_key_asks_the_identity_side_only() {
    let facts = Facts::default();
    let ask = |caller: &Principal, identity: &[&str], resource_account| {
        let documents: Vec<Document> =
            identity.iter().map(|text| Document::parse_identity(text).unwrap()).collect();
        let documents: Vec<&Document> = documents.iter().collect();
        let policies = Policies { resource_account, identity: &documents, ..Policies::default() };
        let action = "kms:CreateKey";
        decide(&Query { principal: caller, action, resource: "*", context: &facts }, &policies)
    };
    let ann = user(OWNER, "ann");
    assert!(ask(&root(OWNER), &[], None).is_allowed());
    assert_eq!(ask(&ann, &[], None), NO_IDENTITY_POLICY_ALLOWS);
    assert!(ask(&ann, &[ALLOW_ALL], None).is_allowed());
    assert!(!ask(&ann, &[ALLOW_ALL, DENY_ALL], None).is_allowed());
    assert_eq!(ask(&service("s3.amazonaws.com"), &[ALLOW_ALL], None), NO_IDENTITY_POLICY_ALLOWS);
    // An alias of the caller's own account, and one of another.
    assert!(ask(&ann, &[ALLOW_ALL], OWNER.parse().ok()).is_allowed());
    assert_eq!(ask(&ann, &[ALLOW_ALL], OTHER.parse().ok()), NO_KEY_POLICY_ALLOWS);
}

#[test]
fn a_document_in_the_wrong_place_allows_nothing() {
    let identity = Document::parse_identity(ALLOW_ALL).unwrap();
    let key_policy = Document::parse(&allow_naming(r#""*""#)).unwrap();
    let ann = user(OWNER, "ann");
    let context = &Facts::default();
    let query = Query { principal: &ann, action: "kms:Encrypt", resource: KEY, context };
    let resource_account = OWNER.parse().ok();
    let swapped = Policies {
        resource_account,
        resource_policy: Some(&identity),
        identity: &[&key_policy],
        ..Policies::default()
    };
    assert_eq!(decide(&query, &swapped), NO_KEY_POLICY_ALLOWS);
    let keyless = Policies { resource_account, identity: &[&key_policy], ..Policies::default() };
    assert_eq!(decide(&query, &keyless), NO_IDENTITY_POLICY_ALLOWS);
}

#[test]
fn not_principal() {
    let spared = r#"{"AWS":["arn:aws:iam::111122223333:user/ann","111122223333"]}"#;
    let without_account = r#"{"AWS":"arn:aws:iam::111122223333:user/ann"}"#;
    let grant = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let denying = |names: &str| {
        key_policy(&[
            grant,
            &format!(r#"{{"Effect":"Deny","NotPrincipal":{names},"Action":"*","Resource":"*"}}"#),
        ])
    };
    let ann = user(OWNER, "ann");
    let bob = user(OWNER, "bob");
    assert!(encrypt(&ann, &denying(spared), &[]).is_allowed());
    assert!(!encrypt(&bob, &denying(spared), &[]).is_allowed());
    assert!(encrypt(&root(OWNER), &denying(spared), &[]).is_allowed());
    assert!(!encrypt(&root(OTHER), &denying(spared), &[]).is_allowed());
    // AWS asks that the account be listed too; without it the denial may reach ann, so it does.
    assert!(!encrypt(&ann, &denying(without_account), &[]).is_allowed());
    // Of a session the role must be listed as well as the session.
    let app = session(OWNER, "app", "s");
    let role = r#"{"AWS":["arn:aws:iam::111122223333:role/app","111122223333"]}"#;
    assert!(!encrypt(&app, &denying(role), &[]).is_allowed());
    let without_role = r#"{"AWS":["arn:aws:sts::111122223333:assumed-role/app/s","111122223333"]}"#;
    assert!(!encrypt(&app, &denying(without_role), &[]).is_allowed());
    let with_session = r#"{"AWS":["arn:aws:iam::111122223333:role/app","111122223333",
        "arn:aws:sts::111122223333:assumed-role/app/s"]}"#;
    assert!(encrypt(&app, &denying(with_session), &[]).is_allowed());
    let s3 = r#"{"Service":"s3.amazonaws.com"}"#;
    assert!(encrypt(&service("s3.amazonaws.com"), &denying(s3), &[]).is_allowed());
    assert!(!encrypt(&service("ec2.amazonaws.com"), &denying(s3), &[]).is_allowed());
    assert!(encrypt(&ann, &denying(r#""*""#), &[]).is_allowed());
    // An allowance leaves out everyone listed, also by account.
    let allowing = naming("Allow", "NotPrincipal", r#"{"AWS":"444455556666"}"#);
    assert!(encrypt(&bob, &allowing, &[]).is_allowed());
    assert_eq!(encrypt(&user(OTHER, "ann"), &allowing, &[ALLOW_ALL]), NO_KEY_POLICY_ALLOWS);
    // And a session of which anything is listed: itself, or its role.
    for listed in
        ["arn:aws:sts::111122223333:assumed-role/app/s", "arn:aws:iam::111122223333:role/app"]
    {
        let allowing = naming("Allow", "NotPrincipal", &format!(r#"{{"AWS":"{listed}"}}"#));
        assert_eq!(encrypt(&app, &allowing, &[]), NO_KEY_POLICY_ALLOWS, "{listed}");
        assert!(encrypt(&session(OWNER, "other", "s"), &allowing, &[]).is_allowed(), "{listed}");
    }
}

#[test]
fn actions() {
    let rows = [
        (r#""Action":"*""#, true),
        (r#""Action":"*:*""#, true),
        (r#""Action":"kms:*""#, true),
        (r#""Action":"KMS:ENCRYPT""#, true),
        (r#""Action":"kms:En*""#, true),
        (r#""Action":"kms:?ncrypt""#, true),
        (r#""Action":["kms:Decrypt","kms:encrypt"]"#, true),
        (r#""Action":"kms:Decrypt""#, false),
        (r#""Action":"kms:Encryp""#, false),
        (r#""Action":"s3:*""#, false),
        (r#""NotAction":"kms:Decrypt""#, true),
        (r#""NotAction":["kms:Decrypt","kms:En*"]"#, false),
    ];
    for (element, expected) in rows {
        let policy = key_policy(&[&format!(
            r#"{{"Effect":"Allow","Principal":"*",{element},"Resource":"*"}}"#
        )]);
        for action in ["kms:Encrypt", "KMS:encrypt"] {
            let decision = ask(&user(OWNER, "ann"), action, &Facts::default(), &policy, &[]);
            assert_eq!(decision.is_allowed(), expected, "{element} {action}");
        }
    }
}

#[test]
fn resources() {
    let this = format!(r#""Resource":"{KEY}""#);
    let not_this = format!(r#""NotResource":["{KEY}"]"#);
    let upper = format!(r#""Resource":"{}""#, KEY.replace("key/", "KEY/"));
    let rows = [
        (r#""Resource":"*""#, true),
        (this.as_str(), true),
        (r#""Resource":"arn:aws:kms:*:111122223333:key/*""#, true),
        (r#""Resource":"arn:aws:kms:*""#, true),
        (r#""Resource":"arn:aws:kms:us-east-1:111122223333:key/*""#, false),
        (r#""Resource":"arn:aws:kms:*:${kms:Account}:key/*""#, true),
        (r#""Resource":"arn:aws:kms:*:${kms:Absent}:key/*""#, false),
        (upper.as_str(), false),
        (not_this.as_str(), false),
        (r#""NotResource":"arn:aws:kms:us-east-1:111122223333:key/*""#, true),
    ];
    let facts = Facts::of("kms:Account", OWNER);
    for (element, expected) in rows {
        let policy = key_policy(&[&format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*",{element}}}"#
        )]);
        let decision = ask(&user(OWNER, "ann"), "kms:Encrypt", &facts, &policy, &[]);
        assert_eq!(decision.is_allowed(), expected, "{element}");
    }
}

#[test]
fn a_statement_without_resource_is_about_no_key() {
    let grant = r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#;
    let denial = r#"{"Effect":"Deny","Principal":"*","Action":"*"}"#;
    let everything = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let ann = user(OWNER, "ann");
    assert_eq!(encrypt(&ann, &key_policy(&[grant]), &[]), NO_KEY_POLICY_ALLOWS);
    assert!(encrypt(&ann, &key_policy(&[denial, everything]), &[]).is_allowed());
}

/// What is open is taken to be as the caller would wish: it holds where it allows, and not where it
/// denies. What is not open is decided as it stands.
#[test]
fn the_best_case_reads_open_keys_in_favour_of_the_caller() {
    let conditioned = |effect: &str, value: &str| {
        format!(
            r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"*",
            "Condition":{{"StringEquals":{{"kms:Open":"{value}"}}}}}}"#
        )
    };
    let (caller, facts) = (user(OWNER, "ann"), Facts::of("kms:open", "said"));
    let query = Query { principal: &caller, action: "kms:Encrypt", resource: KEY, context: &facts };
    let everybody = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    for (statements, as_it_stands) in [
        ([everybody.to_owned(), conditioned("Deny", "said")], false),
        ([conditioned("Allow", "other"), conditioned("Deny", "other")], false),
        ([conditioned("Allow", "said"), conditioned("Deny", "other")], true),
    ] {
        let text = key_policy(&[&statements[0], &statements[1]]);
        let document = Document::parse(&text).unwrap();
        let policies = Policies {
            resource_account: OWNER.parse().ok(),
            resource_policy: Some(&document),
            ..Policies::default()
        };
        let open = |key: &str| key == "kms:open";
        assert!(decide_at_best(&query, &policies, &open).is_allowed(), "{text}");
        let closed = decide_at_best(&query, &policies, &|_| false);
        assert_eq!(closed.is_allowed(), as_it_stands, "{text}");
        assert_eq!(closed, decide(&query, &policies), "{text}");
    }
}
