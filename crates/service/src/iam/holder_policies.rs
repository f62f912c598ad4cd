//! The policies of users, groups and roles, inline and attached: what the seven operations do that each of the three has.
//!
//! The operations themselves stand in `user_policies`, `group_policies` and `role_policies`. They differ in nothing but
//! the words for who holds the policy, so one macro states them.

use std::sync::Arc;

use policy::DocumentKind;
use store::{AttachmentRow, IdentityKind, IdentityPolicyRow, IdentityRecord};
use wire::error_codes::ErrorCode;
use wire::iam::policies::AttachedPolicy;
use wire::shape::required;

use super::paging::{self, Listed, Wanted};
use super::target::attachable;
use super::{change, check_document, counted_characters, quotas};
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts};
use crate::identities::{Identity, PolicyArn};
use crate::trail::Done;

/// Puts an inline policy, over the one of the same name.
pub(super) async fn put(
    context: &Context<'_>,
    holder: &Arc<Identity>,
    policy_name: &Option<String>,
    document: &Option<String>,
) -> Result<Done<()>, ServiceError> {
    let (policy_name, document) = (required(policy_name)?.clone(), required(document)?.clone());
    check_document(DocumentKind::Identity, &document)?;
    let row = IdentityPolicyRow {
        policy_name,
        document,
        created: super::users::whole_second(context.now()),
        is_default: false,
    };
    change(context, holder, move |record, _| {
        record.policies.retain(|other| other.policy_name != row.policy_name);
        record.policies.push(row);
        check_size(record)
    })
    .await
}

/// Refuses more inline policies than the holder may have, all together.
fn check_size(record: &IdentityRecord) -> Result<(), ServiceError> {
    let (kind, characters_max) = match record.identity.kind {
        IdentityKind::User => ("user", quotas::USER_POLICY_CHARACTERS_MAX),
        IdentityKind::Group => ("group", quotas::GROUP_POLICY_CHARACTERS_MAX),
        IdentityKind::Role | IdentityKind::Policy | IdentityKind::OidcProvider => {
            ("role", quotas::ROLE_POLICY_CHARACTERS_MAX)
        }
    };
    let documents = record.policies.iter().map(|row| counted_characters(&row.document));
    match documents.sum::<usize>() <= characters_max {
        true => Ok(()),
        false => Err(quotas::exceeded(format!(
            "Maximum policy size of {characters_max} bytes exceeded for {kind} {}",
            record.identity.name
        ))),
    }
}

/// The text of an inline policy.
pub(super) fn get(holder: &Identity, policy_name: &str) -> Result<String, ServiceError> {
    let row = holder.record().policies.iter().find(|row| row.policy_name == policy_name);
    row.map(|row| row.document.clone()).ok_or_else(|| no_such_inline_policy(holder, policy_name))
}

/// Deletes an inline policy.
pub(super) async fn delete(
    context: &Context<'_>,
    holder: &Arc<Identity>,
    policy_name: &Option<String>,
) -> Result<Done<()>, ServiceError> {
    let policy_name = required(policy_name)?.clone();
    get(holder, &policy_name)?;
    change(context, holder, move |record, _| {
        record.policies.retain(|row| row.policy_name != policy_name);
        Ok(())
    })
    .await
}

/// The names of the inline policies.
pub(super) fn list(
    context: &Context<'_>,
    holder: &Identity,
    (marker, items_max): (&Option<String>, Option<i64>),
) -> Result<Listed<String>, ServiceError> {
    let wanted = Wanted {
        list: "inline policies",
        filter: holder.id(),
        marker: marker.as_deref(),
        items_max,
    };
    let names = holder.record().policies.iter().map(|row| row.policy_name.clone()).collect();
    paging::page(context, wanted, names, String::clone)
}

/// Attaches a managed policy.
pub(super) async fn attach(
    context: &Context<'_>,
    holder: &Arc<Identity>,
    policy_arn: &Option<String>,
) -> Result<Done<()>, ServiceError> {
    let policy = attachable(context, context.call().account(), required(policy_arn)?)?;
    change(context, holder, move |record, transaction| {
        policy.refuse_gone(transaction)?;
        let policy_arn = policy.stored_arn;
        if record.attachments.iter().any(|row| row.policy_arn == policy_arn) {
            return Ok(());
        }
        record.attachments.push(AttachmentRow { policy_arn });
        let quota = match record.identity.kind {
            IdentityKind::User => "PoliciesPerUser",
            IdentityKind::Group => "PoliciesPerGroup",
            IdentityKind::Role | IdentityKind::Policy | IdentityKind::OidcProvider => {
                "PoliciesPerRole"
            }
        };
        quotas::check(quota, record.attachments.len(), quotas::ATTACHMENTS_MAX)
    })
    .await
}

/// Detaches a managed policy.
pub(super) async fn detach(
    context: &Context<'_>,
    holder: &Arc<Identity>,
    policy_arn: &Option<String>,
) -> Result<Done<()>, ServiceError> {
    let policy_arn = required(policy_arn)?;
    let partition = context.call().region.partition();
    let stored_arn = PolicyArn::parse(policy_arn).and_then(|arn| arn.stored(partition));
    let stored_arn = stored_arn.filter(|arn| holder.has_attached(arn)).ok_or_else(|| {
        ServiceError::new(ErrorCode::NoSuchEntity, format!("Policy {policy_arn} was not found."))
    })?;
    change(context, holder, move |record, _| {
        record.attachments.retain(|row| row.policy_arn != stored_arn);
        Ok(())
    })
    .await
}

/// The managed policies that are attached.
pub(super) fn attached(
    context: &Context<'_>,
    holder: &Identity,
    path_prefix: Option<&str>,
    (marker, items_max): (&Option<String>, Option<i64>),
) -> Result<Listed<AttachedPolicy>, ServiceError> {
    let filter = format!("{}{}", holder.id(), path_prefix.unwrap_or("/"));
    let wanted =
        Wanted { list: "attached policies", filter: &filter, marker: marker.as_deref(), items_max };
    let mut policies = all_attached(context, holder);
    policies.retain(|policy| {
        let path = policy.policy_arn.split_once(":policy").map_or("/", |(_, path)| path);
        path.starts_with(path_prefix.unwrap_or("/"))
    });
    paging::page(context, wanted, policies, |policy| policy.policy_name.clone())
}

/// All managed policies that are attached.
pub(super) fn all_attached(context: &Context<'_>, holder: &Identity) -> Vec<AttachedPolicy> {
    let rows = holder.record().attachments.iter();
    rows.map(|row| AttachedPolicy {
        policy_name: row.policy_arn.rsplit('/').next().unwrap_or_default().to_owned(),
        policy_arn: super::shown_arn(context, &row.policy_arn),
    })
    .collect()
}

/// What policies may ask about a request that attaches or detaches.
pub(super) fn facts(policy_arn: Option<&str>) -> Facts<'_> {
    Facts { iam: IamFacts { policy_arn, ..IamFacts::default() }, ..Facts::default() }
}

fn no_such_inline_policy(holder: &Identity, policy_name: &str) -> ServiceError {
    let kind = holder.kind().as_str();
    ServiceError::new(
        ErrorCode::NoSuchEntity,
        format!("The {kind} policy with name {policy_name} cannot be found."),
    )
}

/// The seven operations on the policies of one kind of holder.
macro_rules! policy_operations {
    (
        $kind:ident, $holder:ident;
        put $put:ident($put_request:ident), $put_action:literal;
        get $get:ident($get_request:ident, $get_response:ident), $get_action:literal;
        delete $delete:ident($delete_request:ident), $delete_action:literal;
        list $list:ident($list_request:ident, $list_response:ident), $list_action:literal;
        attach $attach:ident($attach_request:ident), $attach_action:literal;
        detach $detach:ident($detach_request:ident), $detach_action:literal;
        attached $attached:ident($attached_request:ident, $attached_response:ident), $attached_action:literal;
    ) => {
        policy_operations!(@change $kind, $holder, $put, $put_request, $put_action, |_request| Facts::default(),
            |context, holder, request| holder_policies::put(
                context, holder, &request.policy_name, &request.policy_document),
            "Puts an inline policy.");
        policy_operations!(@change $kind, $holder, $delete, $delete_request, $delete_action, |_request| Facts::default(),
            |context, holder, request| holder_policies::delete(context, holder, &request.policy_name),
            "Deletes an inline policy.");
        policy_operations!(@change $kind, $holder, $attach, $attach_request, $attach_action,
            |request| holder_policies::facts(request.policy_arn.as_deref()),
            |context, holder, request| holder_policies::attach(context, holder, &request.policy_arn),
            "Attaches a managed policy.");
        policy_operations!(@change $kind, $holder, $detach, $detach_request, $detach_action,
            |request| holder_policies::facts(request.policy_arn.as_deref()),
            |context, holder, request| holder_policies::detach(context, holder, &request.policy_arn),
            "Detaches a managed policy.");
        policy_operations!(@tell $kind, $holder, $get, $get_request, $get_response, $get_action,
            |_context, holder, request| {
                let policy_name = required(&request.policy_name)?;
                Ok($get_response {
                    $holder: holder.name().to_owned(),
                    policy_name: policy_name.clone(),
                    policy_document: holder_policies::get(holder, policy_name)?.into(),
                })
            },
            "Tells an inline policy.");
        policy_operations!(@tell $kind, $holder, $list, $list_request, $list_response, $list_action,
            |context, holder, request| {
                let page = (&request.marker, request.max_items);
                let page = holder_policies::list(context, holder, page)?;
                Ok($list_response {
                    policy_names: page.items,
                    is_truncated: page.is_truncated,
                    marker: page.marker,
                })
            },
            "Lists the names of the inline policies.");
        policy_operations!(@tell $kind, $holder, $attached, $attached_request, $attached_response, $attached_action,
            |context, holder, request| {
                let (prefix, page) = (request.path_prefix.as_deref(), (&request.marker, request.max_items));
                let page = holder_policies::attached(context, holder, prefix, page)?;
                Ok($attached_response {
                    attached_policies: page.items,
                    is_truncated: page.is_truncated,
                    marker: page.marker,
                })
            },
            "Lists the managed policies that are attached.");
    };
    (@change $kind:ident, $holder:ident, $name:ident, $request:ident, $action:literal,
        |$asked:ident| $facts:expr,
        |$context:ident, $target:ident, $given:ident| $work:expr, $doc:literal) => {
        #[doc = $doc]
        pub(crate) struct $name;

        impl Operation for $name {
            type Request = $request;
            type Target = OneIdentity;
            type Response = ();
            const SPEC: Spec = Spec { name: stringify!($name), actions: &[$action], ..DEFAULT };

            fn names(request: &$request) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
                Ok(IdentityName::existing(IdentityKind::$kind, required(&request.$holder)?))
            }

            fn facts($asked: &$request) -> Facts<'_> {
                $facts
            }

            async fn handle(
                $context: &Context<'_>,
                target: Authorized<OneIdentity>,
                $given: &$request,
            ) -> Result<Done<()>, ServiceError> {
                let $target = target.changeable()?;
                $work.await
            }
        }
    };
    (@tell $kind:ident, $holder:ident, $name:ident, $request:ident, $response:ident, $action:literal,
        |$context:ident, $target:ident, $given:ident| $work:expr, $doc:literal) => {
        #[doc = $doc]
        pub(crate) struct $name;

        impl Operation for $name {
            type Request = $request;
            type Target = OneIdentity;
            type Response = $response;
            const SPEC: Spec = Spec { name: stringify!($name), actions: &[$action], ..READING };

            fn names(request: &$request) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
                Ok(IdentityName::existing(IdentityKind::$kind, required(&request.$holder)?))
            }

            async fn handle(
                $context: &Context<'_>,
                target: Authorized<OneIdentity>,
                $given: &$request,
            ) -> Result<Done<$response>, ServiceError> {
                let $target = target.existing()?;
                let answer: Result<_, ServiceError> = $work;
                answer.map(Done::read)
            }
        }
    };
}
pub(super) use policy_operations;
