//! Random requests with random policies, from words that meet each other often.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::common::{KEY, OTHER, OWNER};
use crate::naive::{Caller, CallerKind, Request};

/// A request with its policies.
pub(crate) fn requests() -> impl Strategy<Value = Request> {
    let names = vec![
        json!({"Principal": {"AWS": [OWNER, OTHER]}}),
        json!({"Principal": {"AWS": format!("arn:aws:iam::{OWNER}:role/app")}}),
        json!({"Principal": {"AWS": format!("arn:aws:iam::{OWNER}:user/ann")}}),
    ];
    let key_policy = select(names).prop_flat_map(|principal| {
        allowing(documents(key_statements().boxed(), 1..4), 0.6, principal)
    });
    let identity =
        vec(allowing(documents(identity_statements().boxed(), 1..3), 0.4, json!({})), 0..3);
    (
        callers(),
        select(vec!["kms:Encrypt", "kms:Decrypt", "KMS:PutKeyPolicy"]),
        facts(),
        key_policy,
        identity,
        (limits(), guard_rails()),
    )
        .prop_map(|(caller, action, facts, key_policy, identity, (limits, guard_rails))| {
            let ((boundary, session), (service_control, resource_control, endpoint)) =
                (limits, guard_rails);
            let has_policies = match caller.kind {
                CallerKind::User | CallerKind::RoleSession | CallerKind::FederatedUser => true,
                CallerKind::Root | CallerKind::FederatedRoot | CallerKind::Service => false,
            };
            let is_session = match caller.kind {
                CallerKind::RoleSession | CallerKind::FederatedUser | CallerKind::FederatedRoot => {
                    true
                }
                CallerKind::Root | CallerKind::User | CallerKind::Service => false,
            };
            Request {
                caller,
                action,
                key_arn: KEY,
                key_account: OWNER,
                facts,
                key_policy,
                identity: if has_policies { identity } else { Vec::new() },
                boundary: boundary.filter(|_| has_policies),
                session: if is_session { session } else { Vec::new() },
                service_control,
                resource_control,
                endpoint,
            }
        })
}

/// A permissions boundary and session policies.
fn limits() -> impl Strategy<Value = (Option<Value>, Vec<Value>)> {
    let document = || allowing(documents(identity_statements().boxed(), 1..3), 0.5, json!({}));
    (prop::option::weighted(0.4, document()), vec(document(), 0..3))
}

/// Service control policies by level, resource control policies, an endpoint policy.
fn guard_rails() -> impl Strategy<Value = (Vec<Vec<Value>>, Vec<Value>, Option<Value>)> {
    let everyone = json!({"Principal": "*"});
    let level = vec(allowing(documents(identity_statements().boxed(), 1..3), 0.8, json!({})), 1..3);
    let resource_control = documents(identity_denials().boxed(), 1..3).prop_map(|mut document| {
        for statement in document["Statement"].as_array_mut().unwrap() {
            statement["Principal"] = json!("*");
        }
        document
    });
    let endpoint = allowing(documents(naming_statements().boxed(), 1..3), 0.8, everyone);
    (
        prop_oneof![3 => Just(Vec::new()), 1 => vec(level, 1..3)],
        prop_oneof![9 => Just(Vec::new()), 1 => vec(resource_control, 1..2)],
        prop::option::weighted(0.2, endpoint),
    )
}

/// Documents of which a share has a statement that allows everything, with `elements`.
fn allowing(
    document: impl Strategy<Value = Value>,
    share: f64,
    elements: Value,
) -> impl Strategy<Value = Value> {
    (document, prop::bool::weighted(share)).prop_map(move |(mut document, allowing)| {
        if allowing {
            let mut everything = elements.clone();
            everything["Effect"] = json!("Allow");
            everything["Action"] = json!("*");
            everything["Resource"] = json!("*");
            document["Statement"].as_array_mut().unwrap().push(everything);
        }
        document
    })
}

/// A statement that denies something, for a policy that names principals.
pub(crate) fn naming_denials() -> impl Strategy<Value = Value> {
    naming_statements().prop_map(|mut statement| {
        statement["Effect"] = json!("Deny");
        statement
    })
}

/// A statement that denies something, for an identity policy.
pub(crate) fn identity_denials() -> impl Strategy<Value = Value> {
    identity_statements().prop_map(|mut statement| {
        statement["Effect"] = json!("Deny");
        statement
    })
}

fn callers() -> impl Strategy<Value = Caller> {
    let kinds = vec![
        CallerKind::Root,
        CallerKind::User,
        CallerKind::User,
        CallerKind::RoleSession,
        CallerKind::RoleSession,
        CallerKind::FederatedUser,
        CallerKind::FederatedRoot,
        CallerKind::Service,
    ];
    (select(vec![OWNER, OTHER]), select(kinds), select(vec!["ann", "bob"])).prop_map(
        |(account, kind, name)| {
            let iam = |resource: &str| format!("arn:aws:iam::{account}:{resource}");
            let sts = |resource: &str| format!("arn:aws:sts::{account}:{resource}");
            let user_arn = iam(&format!("user/{name}"));
            let (arn, issuer_arn) = match kind {
                CallerKind::Root => (iam("root"), None),
                CallerKind::User => (user_arn, None),
                CallerKind::RoleSession => (sts("assumed-role/app/s1"), Some(iam("role/app"))),
                CallerKind::FederatedUser => {
                    (sts(&format!("federated-user/{name}")), Some(user_arn))
                }
                CallerKind::FederatedRoot => (sts("federated-user/root"), None),
                CallerKind::Service => ("s3.amazonaws.com".to_owned(), None),
            };
            Caller { kind, account, arn, issuer_arn }
        },
    )
}

const ADDRESSES: [&str; 3] = ["10.1.2.3", "10.9.9.9", "203.0.113.7"];
const ARNS: [&str; 3] =
    ["arn:aws:iam::1:role/app", "arn:aws:iam::1:user/a", "arn:aws:s3:::bucket:x"];
const DATES: [&str; 3] = ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "2027-01-01T00:00:00Z"];
const NUMBERS: [&str; 4] = ["-3", "7", "8", "30"];
const TEXTS: [&str; 6] = ["a", "A", "ab", "abc", "*", ""];

fn facts() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let single = |key: &'static str, values: &'static [&'static str]| {
        prop::option::weighted(0.7, select(values))
            .prop_map(move |value| (key, value.map(|v| json!(v))))
    };
    let set = prop::option::weighted(0.7, subsequence(TEXTS.to_vec(), 0..4))
        .prop_map(|values| ("aws:calledvia", values.map(|values| json!(values))));
    (
        single("aws:useragent", &TEXTS),
        single("aws:multifactorauthage", &NUMBERS),
        single("aws:tokenissuetime", &DATES),
        single("aws:securetransport", &["true", "false"]),
        single("aws:sourceip", &ADDRESSES),
        single("aws:sourcearn", &ARNS),
        set,
    )
        .prop_map(|(text, number, date, flag, address, arn, set)| {
            [text, number, date, flag, address, arn, set]
                .into_iter()
                .filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)))
                .collect()
        })
}

fn documents(
    statement: BoxedStrategy<Value>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Value> {
    (select(vec!["2012-10-17", "2012-10-17", "2008-10-17"]), vec(statement, count))
        .prop_map(|(version, statements)| json!({"Version": version, "Statement": statements}))
}

/// Key policies alone may have statements without `Resource`.
fn key_statements() -> impl Strategy<Value = Value> {
    (naming_statements(), prop::bool::weighted(0.05)).prop_map(
        |(mut statement, without_resource)| {
            if without_resource {
                let elements = statement.as_object_mut().unwrap();
                elements.remove("Resource");
                elements.remove("NotResource");
            }
            statement
        },
    )
}

fn naming_statements() -> impl Strategy<Value = Value> {
    let principals = vec![
        json!("*"),
        json!({"AWS": OWNER}),
        json!({"AWS": [OTHER]}),
        json!({"AWS": [OWNER, OTHER]}),
        json!({"AWS": format!("arn:aws:iam::{OWNER}:root")}),
        json!({"AWS": format!("arn:aws:iam::{OWNER}:user/ann")}),
        json!({"AWS": [format!("arn:aws:iam::{OTHER}:user/ann"), OTHER]}),
        json!({"AWS": [format!("arn:aws:iam::{OWNER}:role/app"), OWNER]}),
        json!({"AWS": format!("arn:aws:iam::{OWNER}:role/app")}),
        json!({"AWS": [
            format!("arn:aws:sts::{OWNER}:assumed-role/app/s1"),
            format!("arn:aws:iam::{OWNER}:role/app"),
            OWNER,
        ]}),
        json!({"AWS": format!("arn:aws:sts::{OTHER}:assumed-role/app/s1")}),
        json!({"AWS": format!("arn:aws:sts::{OWNER}:federated-user/ann")}),
        json!({"Service": "s3.amazonaws.com"}),
        json!({"AWS": OWNER, "Service": ["s3.amazonaws.com"]}),
    ];
    let element = select(vec!["Principal", "Principal", "Principal", "NotPrincipal"]);
    (identity_statements(), element, select(principals)).prop_map(
        |(mut statement, element, principals)| {
            statement[element] = principals;
            statement
        },
    )
}

fn identity_statements() -> impl Strategy<Value = Value> {
    let actions = ["*", "kms:*", "kms:encrypt", "KMS:De*", "kms:?ut*y", "s3:*", "kms:PutKeyPolicy"];
    let resources = [
        "*",
        KEY,
        "arn:aws:kms:*:111122223333:key/*",
        "arn:aws:kms:*:111122223333:alias/*",
        "arn:aws:kms:*:${aws:UserAgent, '111122223333'}:key/*",
        "arn:*${aws:UserAgent}*",
    ];
    let effect = select(vec!["Allow", "Allow", "Allow", "Allow", "Deny"]);
    let action = (
        select(vec!["Action", "Action", "Action", "NotAction"]),
        subsequence(actions.to_vec(), 1..3),
    );
    let resource = (
        select(vec!["Resource", "Resource", "Resource", "NotResource"]),
        subsequence(resources.to_vec(), 1..3),
    );
    (effect, action, resource, vec(conditions(), 0..3)).prop_map(
        |(effect, (action, actions), (resource, resources), conditions)| {
            let mut statement = Map::new();
            statement.insert("Effect".into(), json!(effect));
            statement.insert(action.into(), json!(actions));
            statement.insert(resource.into(), json!(resources));
            if !conditions.is_empty() {
                let conditions: BTreeMap<String, Value> = conditions.into_iter().collect();
                statement.insert("Condition".into(), json!(conditions));
            }
            Value::Object(statement)
        },
    )
}

/// An operator with its keys and values, all of the operator's type.
fn conditions() -> impl Strategy<Value = (String, Value)> {
    let text_patterns = [
        "a",
        "A",
        "a*",
        "?b*",
        "*c",
        "${aws:UserAgent}",
        "${aws:Referer}",
        "${aws:Referer, 'ab'}",
        "${*}",
        "a${aws:CalledVia}",
    ];
    let ordered = |prefix: &str, negative: &str| -> Vec<String> {
        ["Equals", negative, "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
            .iter()
            .map(|name| format!("{prefix}{name}"))
            .collect()
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let strings = owned(&[
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
    ]);
    let arn_names = owned(&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]);
    let arn_patterns = [
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::1:user/a",
        "arn:*:s3:::*",
        "arn:aws:iam::1:user/${aws:UserAgent}",
    ];
    let networks = ["10.0.0.0/8", "10.1.0.0/16", "203.0.113.7", "0.0.0.0/0"];
    let addresses = owned(&["IpAddress", "NotIpAddress"]);
    let flags = ["true", "false"];
    let any_key = ["aws:UserAgent", "aws:CalledVia", "aws:SecureTransport", "aws:Referer"];
    prop_oneof![
        4 => operator(strings, &["aws:UserAgent", "aws:CalledVia", "aws:MultiFactorAuthAge", "aws:Referer"], &text_patterns),
        1 => operator(ordered("Numeric", "NotEquals"), &["aws:MultiFactorAuthAge"], &NUMBERS),
        1 => operator(ordered("Date", "NotEquals"), &["aws:TokenIssueTime"], &DATES),
        1 => operator(arn_names, &["aws:SourceArn", "aws:UserAgent"], &arn_patterns),
        1 => operator(addresses, &["aws:SourceIp"], &networks),
        1 => operator(owned(&["Bool"]), &["aws:SecureTransport"], &flags),
        1 => btree_map(select(any_key.to_vec()), subsequence(flags.to_vec(), 1..=2), 1..3)
            .prop_map(|keys| ("Null".to_owned(), json!(keys))),
    ]
}

fn operator(
    names: Vec<String>,
    keys: &[&'static str],
    values: &[&'static str],
) -> impl Strategy<Value = (String, Value)> + use<> {
    let values = vec(select(values.to_vec()), 1..3);
    let set = select(vec!["", "", "ForAllValues:", "ForAnyValue:"]);
    (
        set,
        select(names),
        select(vec!["", "", "IfExists"]),
        btree_map(select(keys.to_vec()), values, 1..3),
    )
        .prop_map(|(set, name, if_exists, keys)| (format!("{set}{name}{if_exists}"), json!(keys)))
}
