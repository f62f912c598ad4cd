//! GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::DocumentKind;
use serde_json::Value;
use store::IdentityKind;
use wire::error_codes::ErrorCode;
use wire::iam::simulation::{
    GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse,
    GetContextKeysForPrincipalPolicyRequest,
};
use wire::shape::required;

use super::{READING, check_document};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::Identity;
use crate::operation::{Operation, Spec};
use crate::target::{ASKS_MAX, Ask, Lookup, NoTarget, Target};
use crate::trail::{Done, Resource};

/// Tells which condition keys the given policies ask for.
pub(crate) struct GetContextKeysForCustomPolicy;

impl Operation for GetContextKeysForCustomPolicy {
    type Request = GetContextKeysForCustomPolicyRequest;
    type Target = NoTarget;
    type Response = GetContextKeysForPolicyResponse;
    const SPEC: Spec = Spec {
        name: "GetContextKeysForCustomPolicy",
        actions: &["iam:GetContextKeysForCustomPolicy"],
        ..READING
    };

    fn names(_request: &GetContextKeysForCustomPolicyRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        _context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GetContextKeysForCustomPolicyRequest,
    ) -> Result<Done<GetContextKeysForPolicyResponse>, ServiceError> {
        answer(&[], required(&request.policy_input_list)?)
    }
}

/// Tells which condition keys the policies of a user, group or role ask for, and those given with them.
pub(crate) struct GetContextKeysForPrincipalPolicy;

impl Operation for GetContextKeysForPrincipalPolicy {
    type Request = GetContextKeysForPrincipalPolicyRequest;
    type Target = PolicySource;
    type Response = GetContextKeysForPolicyResponse;
    const SPEC: Spec = Spec {
        name: "GetContextKeysForPrincipalPolicy",
        actions: &["iam:GetContextKeysForPrincipalPolicy"],
        ..READING
    };

    fn names(request: &GetContextKeysForPrincipalPolicyRequest) -> Result<&str, ServiceError> {
        Ok(required(&request.policy_source_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<PolicySource>,
        request: &GetContextKeysForPrincipalPolicyRequest,
    ) -> Result<Done<GetContextKeysForPolicyResponse>, ServiceError> {
        let own = context.host().identities.held_policies(target.existing()?);
        let own: Vec<String> = own.into_iter().map(|policy| policy.text).collect();
        answer(&own, request.policy_input_list.as_deref().unwrap_or_default())
    }
}

fn answer(
    own: &[String],
    given: &[String],
) -> Result<Done<GetContextKeysForPolicyResponse>, ServiceError> {
    for document in given {
        check_document(DocumentKind::Identity, document)
            .map_err(|error| ServiceError::new(ErrorCode::InvalidInput, error.to_string()))?;
    }
    let mut keys = ContextKeys::default();
    for document in own.iter().chain(given) {
        keys.add_text(document)?;
    }
    let context_key_names = keys.0.into_values().collect();
    Ok(Done::read(GetContextKeysForPolicyResponse { context_key_names }))
}

/// A user, group or role whose policies a request is about.
pub(crate) struct PolicySource {
    arn: String,
    identity: Option<Arc<Identity>>,
}

impl PolicySource {
    /// The identity.
    pub(super) fn existing(&self) -> Result<&Arc<Identity>, ServiceError> {
        self.identity.as_ref().ok_or_else(|| {
            ServiceError::new(
                ErrorCode::NoSuchEntity,
                format!("The entity with ARN {} cannot be found.", self.arn),
            )
        })
    }
}

impl Target for PolicySource {
    type Names<'r> = &'r str;

    async fn resolve(
        lookup: &Lookup<'_>,
        arn: Self::Names<'_>,
    ) -> Result<PolicySource, ServiceError> {
        let (account, partition) = (lookup.call.account(), lookup.call.region.partition());
        let prefix = format!("arn:{}:iam::{account}:", partition.as_str());
        let named = arn.strip_prefix(prefix.as_str()).and_then(|rest| rest.split_once('/'));
        let kind = named.and_then(|(kind, _)| kind.parse().ok());
        let kind = kind.filter(|kind| {
            matches!(kind, IdentityKind::User | IdentityKind::Group | IdentityKind::Role)
        });
        let name = arn.rsplit('/').next().unwrap_or_default();
        let found = kind.and_then(|kind| lookup.host.identities.find(account, kind, name));
        let identity = found.filter(|found| found.arn(partition) == arn);
        Ok(PolicySource { arn: arn.to_owned(), identity })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Identity { arn: &self.arn, identity: self.identity.as_deref() }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// Condition keys as policies write them, each once whatever the case of its letters.
#[derive(Clone, Default)]
pub(super) struct ContextKeys(BTreeMap<String, String>);

impl ContextKeys {
    /// Each key in lower case, and as it is written first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, written)| (key.as_str(), written.as_str()))
    }

    /// Adds the keys of a policy's text that was read before.
    pub(super) fn add_text(&mut self, document: &str) -> Result<(), ServiceError> {
        self.add_document(&serde_json::from_str(document).map_err(ServiceError::internal)?);
        Ok(())
    }

    fn add(&mut self, key: &str) {
        self.0.entry(key.to_ascii_lowercase()).or_insert_with(|| key.to_owned());
    }

    /// Adds the keys of a policy that was read before.
    fn add_document(&mut self, document: &Value) {
        let has_variables = document.get("Version").and_then(Value::as_str) == Some("2012-10-17");
        let statements = document.get("Statement");
        let many = statements.and_then(Value::as_array).map(Vec::as_slice);
        for statement in
            many.unwrap_or_else(|| statements.map(std::slice::from_ref).unwrap_or_default())
        {
            let operators = statement.get("Condition").and_then(Value::as_object);
            for keys in operators.into_iter().flat_map(|operators| operators.values()) {
                for key in keys.as_object().into_iter().flat_map(|keys| keys.keys()) {
                    self.add(key);
                }
            }
            for element in ["Resource", "NotResource", "Condition"] {
                if let Some(value) = statement.get(element).filter(|_| has_variables) {
                    self.add_variables(value);
                }
            }
        }
    }

    /// Adds the policy variables in the texts of an element; `${*}`, `${?}` and `${$}` are none.
    fn add_variables(&mut self, element: &Value) {
        match element {
            Value::String(text) => {
                for rest in text.split("${").skip(1) {
                    let variable = rest.split_once('}').map(|(variable, _)| variable);
                    let key = variable.and_then(|variable| variable.split(',').next());
                    if let Some(key) = key.map(str::trim).filter(|key| key.contains(':')) {
                        self.add(key);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_variables(item)),
            Value::Object(members) => members.values().for_each(|item| self.add_variables(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_conditions_and_variables_each_once() {
        let document = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Resource": ["arn:aws:s3:::b/${aws:username}/${*}", "${aws:PrincipalTag/team, 'none'}"],
            "Condition": {
                "StringEquals": {"kms:KeySpec": ["a", "${aws:userid}"], "aws:UserName": "b"},
                "Null": {"KMS:keyspec": "true"},
            },
        }]});
        let mut keys = ContextKeys::default();
        keys.add_document(&document);
        let keys: Vec<String> = keys.0.into_values().collect();
        assert_eq!(keys, ["aws:PrincipalTag/team", "aws:userid", "aws:UserName", "KMS:keyspec"]);
    }

    #[test]
    fn the_older_version_has_no_variables() {
        let statement = serde_json::json!({"Resource": "${aws:username}"});
        let mut keys = ContextKeys::default();
        keys.add_document(&serde_json::json!({"Statement": statement}));
        assert!(keys.0.is_empty());
    }
}
