//! Encoded authorization messages: what a refusal does not say in the open, for whom DecodeAuthorizationMessage is
//! allowed in the caller's account.
//!
//! A message tells of the caller's own account alone. Refusals about keys of other accounts bear none, for those about keys
//! that do not exist bear none either (threat T-11). See [`custody::AuthorizationMessages`] for the seal.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use custody::AuthorizationMessages;
use jiff::Timestamp;
use policy::{ConditionContext, Denial, Policies, PolicyKind, Query};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::error::ServiceError;

/// How long a message can be decoded, in seconds: 36 hours.
const LIFE_SECONDS: i64 = 129_600;
/// Bytes of a decoded message. Conditions that do not fit are left out, so that an encoded one stays well below the
/// 10,240 characters that the model admits.
const DECODED_BYTES_MAX: usize = 4_096;

/// The condition keys that are told where the request has them, as AWS writes them.
const KEYS: [&str; 68] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalType",
    "aws:userid",
    "aws:username",
    "aws:PrincipalOrgID",
    "aws:RequestedRegion",
    "aws:CurrentTime",
    "aws:SourceIp",
    "aws:SecureTransport",
    "aws:ViaAWSService",
    "aws:CalledVia",
    "aws:TokenIssueTime",
    "aws:MultiFactorAuthPresent",
    "aws:SourceIdentity",
    "aws:FederatedProvider",
    "aws:TagKeys",
    "kms:CallerAccount",
    "kms:ViaService",
    "kms:EncryptionAlgorithm",
    "kms:EncryptionContextKeys",
    "kms:SigningAlgorithm",
    "kms:MessageType",
    "kms:MacAlgorithm",
    "kms:KeyAgreementAlgorithm",
    "kms:DataKeyPairSpec",
    "kms:GrantOperations",
    "kms:GranteePrincipal",
    "kms:RetiringPrincipal",
    "kms:GrantConstraintType",
    "kms:GrantIsForAWSResource",
    "kms:BypassPolicyLockoutSafetyCheck",
    "kms:ScheduleKeyDeletionPendingWindowInDays",
    "kms:RotationPeriodInDays",
    "kms:ExpirationModel",
    "kms:ValidTo",
    "kms:WrappingAlgorithm",
    "kms:WrappingKeySpec",
    "kms:PrimaryRegion",
    "kms:ReplicaRegion",
    "iam:PolicyARN",
    "iam:PermissionsBoundary",
    "iam:AWSServiceName",
    "sts:ExternalId",
    "sts:RoleSessionName",
    "sts:SourceIdentity",
    "sts:TransitiveTagKeys",
    "aws:ResourceAccount",
    "kms:KeySpec",
    "kms:KeyUsage",
    "kms:KeyOrigin",
    "kms:MultiRegion",
    "kms:MultiRegionKeyType",
    "kms:RequestAlias",
    "kms:ResourceAliases",
    "kms:ReEncryptOnSameKey",
    "kms:CustomerMasterKeySpec",
    "kms:CustomerMasterKeyUsage",
    "kms:GranteeServicePrincipal",
    "kms:RetiringServicePrincipal",
    "kms:GrantConstraintSourceArn",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:EpochTime",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
];

/// Condition keys whose values name further ones, with what those begin with.
const NAMING: [(&str, &str); 2] =
    [("kms:EncryptionContextKeys", "kms:EncryptionContext:"), ("aws:TagKeys", "aws:RequestTag/")];

/// A decoded message, in the form of the AWS STS API Reference, "DecodeAuthorizationMessage".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    allowed: bool,
    explicit_deny: bool,
    matched_statements: Items<MatchedStatement<'a>>,
    failures: Items<()>,
    context: MessageContext<'a>,
}

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MatchedStatement<'a> {
    statement_id: &'a str,
    effect: &'static str,
}

#[derive(Serialize)]
struct MessageContext<'a> {
    principal: MessagePrincipal<'a>,
    action: &'a str,
    resource: &'a str,
    conditions: Items<ConditionItem>,
}

#[derive(Serialize)]
struct MessagePrincipal<'a> {
    id: &'a str,
    arn: &'a str,
}

#[derive(Serialize)]
struct ConditionItem {
    key: String,
    values: Items<ValueItem>,
}

#[derive(Serialize)]
struct ValueItem {
    value: String,
}

/// The message of a refusal, encoded; `query` names the resource as the refusal does. None for callers who have no
/// account to decode it in, about keys of other accounts, and when there is none to be had: a refusal stays a refusal.
pub(crate) fn encode(
    messages: &AuthorizationMessages,
    call: &Call<'_>,
    query: &Query<'_>,
    policies: &Policies<'_>,
    denial: Denial,
) -> Option<String> {
    let is_foreign = policies.resource_account.is_some_and(|owner| owner != call.account());
    if is_foreign || call.caller.service().is_some() || call.caller.web_identity().is_some() {
        return None;
    }
    seal(messages, call, &decoded(call, query, policies, denial)).unwrap_or_else(|cause| {
        let request_id = call.request_id;
        tracing::error!(%request_id, %cause, "a refusal goes out without its authorization message");
        None
    })
}

/// The decoded message, if it was made here for the caller's account and is not too old.
pub(crate) fn decode(
    messages: &AuthorizationMessages,
    call: &Call<'_>,
    encoded: &str,
) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let contents = messages.open(call.caller.account_text(), &sealed)?;
    let (issued_seconds, message) = contents.expose().split_first_chunk()?;
    let is_fresh = is_fresh(i64::from_be_bytes(*issued_seconds), call.now);
    is_fresh.then(|| str::from_utf8(message).map(str::to_owned).ok())?
}

fn is_fresh(issued_seconds: i64, now: Timestamp) -> bool {
    now.as_second().saturating_sub(issued_seconds) < LIFE_SECONDS
}

fn seal(
    messages: &AuthorizationMessages,
    call: &Call<'_>,
    message: &Message<'_>,
) -> Result<Option<String>, ServiceError> {
    let message = Zeroizing::new(serde_json::to_vec(message).map_err(ServiceError::internal)?);
    if message.len() > DECODED_BYTES_MAX {
        return Ok(None);
    }
    let mut contents = Zeroizing::new(call.now.as_second().to_be_bytes().to_vec());
    contents.extend_from_slice(&message);
    let sealed = messages.seal(call.caller.account_text(), &contents)?;
    Ok(sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)))
}

fn decoded<'a>(
    call: &'a Call<'_>,
    query: &Query<'a>,
    policies: &Policies<'a>,
    denial: Denial,
) -> Message<'a> {
    let (explicit_deny, matched) = match denial {
        Denial::Explicit { statement, policy } if is_of_account(policy) => {
            let statement_id = policies.sid(statement).unwrap_or_default();
            (true, Some(MatchedStatement { statement_id, effect: "DENY" }))
        }
        Denial::Explicit { .. } => (true, None),
        Denial::Implicit { .. } => (false, None),
    };
    let mut message = Message {
        allowed: false,
        explicit_deny,
        matched_statements: Items { items: matched.into_iter().collect() },
        failures: Items { items: Vec::new() },
        context: MessageContext {
            principal: MessagePrincipal { id: call.caller.user_id(), arn: &query.principal.arn },
            action: query.action,
            resource: query.resource,
            conditions: Items { items: Vec::new() },
        },
    };
    let taken_bytes = serde_json::to_vec(&message).map(|bytes| bytes.len()).unwrap_or_default();
    let room_bytes = DECODED_BYTES_MAX.saturating_sub(taken_bytes);
    message.context.conditions.items = conditions(query.context, room_bytes);
    message
}

/// Whether statements of such a policy are the account's own. What limits an organization or an endpoint is the
/// operator's.
fn is_of_account(policy: PolicyKind) -> bool {
    match policy {
        PolicyKind::Identity
        | PolicyKind::Boundary
        | PolicyKind::Session
        | PolicyKind::KeyPolicy
        | PolicyKind::RoleTrust => true,
        PolicyKind::ServiceControl | PolicyKind::ResourceControl | PolicyKind::Endpoint => false,
    }
}

/// The conditions that the request has, up to the first that does not fit.
fn conditions(context: &dyn ConditionContext, room_bytes: usize) -> Vec<ConditionItem> {
    let known = KEYS.into_iter().map(str::to_owned);
    let named = NAMING.into_iter().flat_map(|(naming, prefix)| {
        let names = values(context, naming).unwrap_or_default().into_iter();
        names.map(move |name| format!("{prefix}{}", name.value))
    });
    let mut left_bytes = room_bytes;
    let items = known.chain(named).filter_map(|key| {
        let items = values(context, &key)?;
        Some(ConditionItem { key, values: Items { items } })
    });
    items
        .take_while(|item| {
            // With the comma.
            let bytes = serde_json::to_vec(item).map_or(usize::MAX, |bytes| bytes.len() + 1);
            match left_bytes.checked_sub(bytes) {
                Some(left) => {
                    left_bytes = left;
                    true
                }
                None => false,
            }
        })
        .collect()
}

/// The values of a condition key, if there are any.
fn values(context: &dyn ConditionContext, key: &str) -> Option<Vec<ValueItem>> {
    let values = context.values(&key.to_ascii_lowercase())?;
    let items: Vec<ValueItem> = values
        .as_slice()
        .iter()
        .map(|value| ValueItem { value: value.as_text().into_owned() })
        .collect();
    (!items.is_empty()).then_some(items)
}

#[cfg(test)]
mod tests {
    use policy::ConditionValues;

    use super::*;

    struct Given(Vec<String>);

    impl ConditionContext for Given {
        fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
            match key {
                "kms:encryptioncontextkeys" => {
                    Some(ConditionValues::many(self.0.iter().map(String::as_str)))
                }
                "kms:keyspec" => Some("SYMMETRIC_DEFAULT".into()),
                "aws:tagkeys" => Some(ConditionValues::Many(Vec::new())),
                _ if key.starts_with("kms:encryptioncontext:") => Some("value".into()),
                _ => None,
            }
        }
    }

    #[test]
    fn keys_that_others_name_are_told_and_empty_ones_are_not() {
        let given = Given(vec!["Name".to_owned()]);
        let items = conditions(&given, DECODED_BYTES_MAX);
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        let expected = ["kms:EncryptionContextKeys", "kms:KeySpec", "kms:EncryptionContext:Name"];
        assert_eq!(keys, expected);
    }

    /// What decides is told, but for the keys that only services have, who are told nothing.
    #[test]
    fn every_key_that_decides_is_told() {
        const OF_SERVICES: [&str; 4] = [
            "aws:principalservicename",
            "aws:principalservicenameslist",
            "aws:sourceaccount",
            "aws:sourcearn",
        ];
        let told = KEYS.map(str::to_ascii_lowercase);
        let is_key = |text: &&str| {
            ["aws:", "iam:", "kms:", "sts:"].iter().any(|prefix| {
                text.strip_prefix(prefix).is_some_and(|name| {
                    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())
                })
            })
        };
        let deciding: Vec<&str> = include_str!("conditions.rs").split('"').filter(is_key).collect();
        assert!(deciding.len() > 60, "{deciding:?}");
        for key in deciding {
            assert!(told.iter().any(|told| told == key) || OF_SERVICES.contains(&key), "{key}");
        }
    }

    #[test]
    fn conditions_keep_to_the_room_there_is() {
        let given = Given((0..100).map(|number| format!("name{number}")).collect());
        for room_bytes in [0, 100, 2_000, DECODED_BYTES_MAX] {
            let items = conditions(&given, room_bytes);
            let bytes: usize =
                items.iter().map(|item| serde_json::to_vec(item).unwrap().len() + 1).sum();
            assert!(bytes <= room_bytes, "{bytes} bytes of {room_bytes}");
        }
        assert!(conditions(&given, usize::MAX).len() > 100);
    }

    #[test]
    fn statements_of_the_operator_are_not_told() {
        let of_operator =
            [PolicyKind::ServiceControl, PolicyKind::ResourceControl, PolicyKind::Endpoint];
        for policy in of_operator {
            assert!(!is_of_account(policy));
        }
        assert!(is_of_account(PolicyKind::Identity) && is_of_account(PolicyKind::KeyPolicy));
    }

    #[test]
    fn a_message_lives_for_36_hours() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(is_fresh(1_000, at(1_000 + LIFE_SECONDS - 1)));
        assert!(!is_fresh(1_000, at(1_000 + LIFE_SECONDS)));
    }
}
