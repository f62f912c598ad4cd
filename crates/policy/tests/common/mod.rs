//! What the policy tests share: accounts, callers, facts of a request.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use policy::{
    ConditionContext, ConditionValue, ConditionValues, Decision, Document, Policies, Principal,
    PrincipalKind, Query, decide,
};
use proptest::test_runner::Config;

/// The account of the key.
pub(crate) const OWNER: &str = "111122223333";
/// Another account.
pub(crate) const OTHER: &str = "444455556666";
/// The key of which all tests speak.
pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555";

/// Condition keys in lower case and their values.
#[derive(Clone, Default)]
pub(crate) struct Facts(pub(crate) Vec<(String, ConditionValues<'static>)>);

impl Facts {
    /// One condition key.
    pub(crate) fn of(key: &str, values: impl Into<ConditionValues<'static>>) -> Facts {
        Facts(vec![(key.to_ascii_lowercase(), values.into())])
    }
}

impl ConditionContext for Facts {
    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        assert_eq!(key, key.to_ascii_lowercase(), "keys are asked for in lower case");
        self.0.iter().find(|(known, _)| known == key).map(|(_, values)| values.clone())
    }
}

/// Values of a multivalued condition key.
pub(crate) fn many(texts: &[&str]) -> ConditionValues<'static> {
    let text = |text: &&str| ConditionValue::Text((*text).to_owned().into());
    ConditionValues::Many(texts.iter().map(text).collect())
}

pub(crate) fn root(account: &str) -> Principal {
    principal(account, format!("arn:aws:iam::{account}:root"), PrincipalKind::Root)
}

pub(crate) fn user(account: &str, name: &str) -> Principal {
    principal(account, format!("arn:aws:iam::{account}:user/{name}"), PrincipalKind::User)
}

pub(crate) fn session(account: &str, role: &str, name: &str) -> Principal {
    let role_arn = format!("arn:aws:iam::{account}:role/{role}").into();
    let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{name}");
    principal(account, arn, PrincipalKind::RoleSession { role_arn })
}

/// Whom a user, or without one the root user, federated.
pub(crate) fn federated(account: &str, name: &str, user: Option<&str>) -> Principal {
    let user_arn = user.map(|user| format!("arn:aws:iam::{account}:user/{user}").into());
    let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
    principal(account, arn, PrincipalKind::FederatedUser { user_arn })
}

pub(crate) fn service(name: &str) -> Principal {
    principal("999999999999", name.to_owned(), PrincipalKind::Service { name: name.into() })
}

fn principal(account: &str, arn: String, kind: PrincipalKind) -> Principal {
    Principal { account: account.parse().unwrap(), arn: arn.into(), kind }
}

/// Decides a call of `action` on [`KEY`].
pub(crate) fn ask(
    caller: &Principal,
    action: &str,
    facts: &Facts,
    key_policy: &str,
    identity: &[&str],
) -> Decision {
    let key_policy = Document::parse(key_policy).expect(key_policy);
    let identity: Vec<Document> =
        identity.iter().map(|text| Document::parse_identity(text).expect(text)).collect();
    let identity: Vec<&Document> = identity.iter().collect();
    let policies = Policies {
        resource_account: OWNER.parse().ok(),
        resource_policy: Some(&key_policy),
        identity: &identity,
        ..Policies::default()
    };
    decide(&Query { principal: caller, action, resource: KEY, context: facts }, &policies)
}

/// A key policy of the given statements, in the newer version.
pub(crate) fn key_policy(statements: &[&str]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// How many of so many cases to try: all, or the share that `PROPTEST_CASES` is of proptest's own
/// 256. Mutation testing, which runs the tests hundreds of times, asks for few.
pub(crate) fn share(cases: u32) -> u32 {
    cases * Config::default().cases.min(256) / 256
}
