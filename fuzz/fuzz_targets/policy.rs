//! Policies: parsing and deciding end, and a denial added to a policy never allows more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{
    ConditionContext, ConditionValue, ConditionValues, Decision, Denial, Document, Policies,
    Principal, PrincipalKind, Query, decide, root_arn,
};
use serde_json::{Value, json};
use wire::names::{AccountId, Partition};

const ACCOUNT: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A request with a value for some keys and none for the others.
struct Facts;

impl ConditionContext for Facts {
    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        match key {
            "kms:calleraccount" => Some(ConditionValues::One(ConditionValue::Text(ACCOUNT.into()))),
            "kms:encryptioncontextkeys" => Some(ConditionValues::many(["a", "b"])),
            "aws:securetransport" => Some(ConditionValues::One(ConditionValue::Bool(true))),
            "kms:scheduledkeydeletionpendingwindowindays" => {
                Some(ConditionValues::One(ConditionValue::Number(7)))
            }
            _ => None,
        }
    }
}

fuzz_target!(|text: &str| {
    let _ = Document::parse_identity(text);
    let Ok(document) = Document::parse(text) else { return };
    assert!(document.weight_bytes() > 0);
    let principals = document.principals().count();
    let before = decision(&document);

    let mut value: Value = serde_json::from_str(text).expect("a policy is JSON");
    deny_everything(&mut value);
    // The longer text may pass a bound; then there is nothing to compare.
    let Ok(stricter) = Document::parse(&value.to_string()) else { return };
    assert!(stricter.principals().count() > principals);
    assert!(
        matches!(decision(&stricter), Decision::Denied(Denial::Explicit { .. })),
        "{before:?} became {:?}",
        decision(&stricter)
    );
});

fn decision(document: &Document) -> Decision {
    let account: AccountId = ACCOUNT.parse().expect("an account id");
    let principal = Principal {
        account,
        arn: root_arn(account, Partition::Aws).into(),
        kind: PrincipalKind::Root,
    };
    let query =
        Query { principal: &principal, action: "kms:Encrypt", resource: KEY, context: &Facts };
    let policies = Policies {
        resource_account: Some(account),
        resource_policy: Some(document),
        ..Policies::default()
    };
    decide(&query, &policies)
}

fn deny_everything(policy: &mut Value) {
    let denial = json!({
        "Effect": "Deny", "Principal": { "AWS": "*" }, "Action": "kms:*", "Resource": "*",
    });
    let statements = policy.get_mut("Statement").expect("a policy has statements");
    match statements {
        Value::Array(statements) => statements.push(denial),
        other => *other = json!([other.take(), denial]),
    }
}
