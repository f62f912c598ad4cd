//! GetKeyPolicy, PutKeyPolicy, ListKeyPolicies.

use std::sync::Arc;

use policy::{Document, Policies, Query};
use wire::error_codes::ErrorCode;
use wire::kms::key_policies::{
    GetKeyPolicyRequest, GetKeyPolicyResponse, ListKeyPoliciesRequest, ListKeyPoliciesResponse,
    PutKeyPolicyRequest,
};
use wire::shape::required;

use super::DEFAULT;
use crate::authorize::Authorized;
use crate::conditions::Conditions;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::{AnswerForm, Operation, Spec};
use crate::page;
use crate::principals::{self, Named};
use crate::quotas::RequestQuota;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// AWS's limit for a key policy (developer guide, resource quotas).
const POLICY_BYTES_MAX: usize = 32_768;
/// The policy that every key has.
const DEFAULT_POLICY_NAME: &str = "default";
/// The policy that AWS RAM writes for keys that are shared; nothing can be shared here yet.
const RAM_POLICY_NAME: &str = "AWS_RAM";

/// Answers the policy of a key as it was written.
pub(crate) struct GetKeyPolicy;

impl Operation for GetKeyPolicy {
    type Request = GetKeyPolicyRequest;
    type Target = OneKey;
    type Response = GetKeyPolicyResponse;
    const SPEC: Spec = Spec {
        name: "GetKeyPolicy",
        actions: &["kms:GetKeyPolicy"],
        read_only: true,
        request_quota: RequestQuota::Own(1_000),
        ..DEFAULT
    };

    fn names(request: &GetKeyPolicyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        _context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &GetKeyPolicyRequest,
    ) -> Result<Done<GetKeyPolicyResponse>, ServiceError> {
        match request.policy_name.as_deref() {
            None | Some(DEFAULT_POLICY_NAME) => Ok(Done::read(GetKeyPolicyResponse {
                policy: target.key.record().policy.document.clone(),
                policy_name: DEFAULT_POLICY_NAME.to_owned(),
            })),
            Some(_) => Err(no_such_policy()),
        }
    }
}

/// Replaces the policy of a key.
pub(crate) struct PutKeyPolicy;

impl Operation for PutKeyPolicy {
    type Request = PutKeyPolicyRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "PutKeyPolicy",
        actions: &["kms:PutKeyPolicy"],
        answer: AnswerForm::Empty,
        request_quota: RequestQuota::Own(15),
        ..DEFAULT
    };

    fn check(request: &PutKeyPolicyRequest) -> Result<(), ServiceError> {
        check_size(required(&request.policy)?)
    }

    fn names(request: &PutKeyPolicyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &PutKeyPolicyRequest) -> Facts<'_> {
        Facts {
            bypass_policy_lockout_safety_check: request
                .bypass_policy_lockout_safety_check
                .unwrap_or_default(),
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &PutKeyPolicyRequest,
    ) -> Result<Done<()>, ServiceError> {
        match request.policy_name.as_deref() {
            None | Some(DEFAULT_POLICY_NAME) => {}
            Some(RAM_POLICY_NAME) => {
                return Err(ServiceError::validation(
                    "The AWS_RAM policy can only be managed by the RAM service.",
                ));
            }
            Some(_) => return Err(no_such_policy()),
        }
        let (document, named) = accept(
            context,
            Some(required(&request.policy)?),
            request.bypass_policy_lockout_safety_check.unwrap_or_default(),
        )?;
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                named.refuse_gone(transaction)?;
                record.policy.document = document;
                transaction.save_key(&record)?;
                Ok(())
            })
            .await
    }
}

/// Lists the names of a key's policies.
pub(crate) struct ListKeyPolicies;

impl Operation for ListKeyPolicies {
    type Request = ListKeyPoliciesRequest;
    type Target = OneKey;
    type Response = ListKeyPoliciesResponse;
    const SPEC: Spec = Spec {
        name: "ListKeyPolicies",
        actions: &["kms:ListKeyPolicies"],
        read_only: true,
        request_quota: RequestQuota::Own(100),
        ..DEFAULT
    };

    fn names(
        request: &ListKeyPoliciesRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &ListKeyPoliciesRequest,
    ) -> Result<Done<ListKeyPoliciesResponse>, ServiceError> {
        page::limit(request.limit, 100, 1000)?;
        let filter = target.key.key_id().to_string();
        let after: Option<String> =
            page::after(context, "ListKeyPolicies", &filter, request.marker.as_deref())?;
        let policy_names = match after {
            None => vec![DEFAULT_POLICY_NAME.to_owned()],
            Some(_) => Vec::new(),
        };
        Ok(Done::read(ListKeyPoliciesResponse {
            policy_names,
            next_marker: None,
            truncated: false,
        }))
    }
}

fn no_such_policy() -> ServiceError {
    ServiceError::new(ErrorCode::NotFoundException, "No such policy exists")
}

/// Refuses a policy above AWS's quota.
pub(super) fn check_size(document: &str) -> Result<(), ServiceError> {
    match document.len() > POLICY_BYTES_MAX {
        true => Err(ServiceError::new(
            ErrorCode::LimitExceededException,
            format!("Key policy document cannot exceed {POLICY_BYTES_MAX} bytes."),
        )),
        false => Ok(()),
    }
}

/// The text to store: the policy given if it is one, names principals that exist and does not lock its author out, or
/// the default policy; and the users and roles that it names.
pub(super) fn accept(
    context: &Context<'_>,
    given: Option<&str>,
    bypasses_lockout_check: bool,
) -> Result<(String, Named), ServiceError> {
    let call = context.call();
    let partition = call.region.partition();
    let Some(text) = given else {
        let text = policy::default_key_policy(call.account(), partition);
        return Ok((text, Named::of(partition, std::iter::empty())));
    };
    let malformed =
        |message: String| ServiceError::new(ErrorCode::MalformedPolicyDocumentException, message);
    let document = Document::parse(text).map_err(|error| malformed(error.to_string()))?;
    if !document
        .principals()
        .all(|principal| principals::exists(context.host(), partition, principal))
    {
        return Err(malformed(
            "Policy contains a statement with one or more invalid principals.".to_owned(),
        ));
    }
    if !bypasses_lockout_check && !may_put_policy(context, &document) {
        return Err(malformed(
            "The new key policy will not allow you to update the key policy in the future."
                .to_owned(),
        ));
    }
    Ok((text.to_owned(), Named::of(partition, document.principals())))
}

/// Whether the caller could call PutKeyPolicy under the new policy.
fn may_put_policy(context: &Context<'_>, document: &Document) -> bool {
    let call = context.call();
    let facts = Facts::default();
    let conditions = Conditions::new(call, None, &facts, 0);
    let own = call.documents();
    let query = Query {
        principal: call.principal(),
        action: "kms:PutKeyPolicy",
        // The key that the policy is for always matches the resource `*`, and has no other name a policy can know.
        resource: "*",
        context: &conditions,
    };
    let policies = Policies {
        resource_account: Some(call.account()),
        resource_policy: Some(document),
        ..own.policies()
    };
    policy::decide(&query, &policies).is_allowed()
}
