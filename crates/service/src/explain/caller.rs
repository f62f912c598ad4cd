//! A caller without a signature.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::Document;
use sigv4::SecretAccessKey;
use store::IdentityKind;
use wire::names::{AccountId, Partition};

use super::{ExplainError, SupposedCall};
use crate::call::Caller;
use crate::credentials::Credential;
use crate::host::Host;
use crate::identities::{Holder, Identity};
use crate::sessions::{self, Claims, SessionKind};

/// The name of a role's session where only the role is named.
const SESSION_NAME: &str = "explain";
/// The length of a session, which no policy can ask about.
const SESSION_SECONDS: i64 = 3_600;

/// The caller whom a supposed call names.
pub(super) fn suppose(
    host: &Host,
    supposed: &SupposedCall,
    partition: Partition,
) -> Result<Caller, ExplainError> {
    let unknown = || ExplainError::Principal(supposed.principal.clone());
    let named = NamedCaller::parse(&supposed.principal, partition).ok_or_else(unknown)?;
    let account = named.account;
    let (holder, role_session) = match named.kind {
        NamedKind::Root if host.credentials.has_account(account) => {
            (Arc::new(Holder::of_root(account)), None)
        }
        NamedKind::Root => return Err(unknown()),
        NamedKind::Identity(kind) => {
            let name = supposed.principal.rsplit('/').next().unwrap_or_default();
            let found = host.identities.find(account, kind, name);
            let found = found.filter(|found| found.arn(partition) == supposed.principal);
            let identity = found.ok_or_else(unknown)?;
            let is_role = kind == IdentityKind::Role;
            (
                holder_of(host, &identity).ok_or_else(unknown)?,
                is_role.then_some((identity, SESSION_NAME)),
            )
        }
        NamedKind::Session { role, session } => {
            let found = host.identities.find(account, IdentityKind::Role, role);
            let role = found.filter(|found| found.name() == role).ok_or_else(unknown)?;
            (holder_of(host, &role).ok_or_else(unknown)?, Some((role, session)))
        }
    };
    let credential =
        Credential::of("", account, Arc::clone(&holder), SecretAccessKey::new(String::new()));
    let credential = match role_session {
        Some((role, session)) => {
            let claims = claims(host, supposed, &role, session)?;
            let standing = holder.standing().ok_or_else(unknown)?;
            credential.of_session(sessions::open("", claims, &standing).ok_or_else(unknown)?)
        }
        None if supposed.session_policy.is_some() => {
            let reason = "only the session of a role can be supposed to have one";
            return Err(ExplainError::SessionPolicy(reason.to_owned()));
        }
        None => credential,
    };
    Caller::of(Arc::new(credential), &host.identities).ok_or_else(unknown)
}

fn holder_of(host: &Host, identity: &Identity) -> Option<Arc<Holder>> {
    host.identities.holder(identity.account(), identity.id())
}

/// What the token of such a session would say.
fn claims(
    host: &Host,
    supposed: &SupposedCall,
    role: &Identity,
    session: &str,
) -> Result<Claims, ExplainError> {
    if let Some(policy) = &supposed.session_policy {
        Document::parse_identity(policy)
            .map_err(|error| ExplainError::SessionPolicy(error.to_string()))?;
    }
    let issued_seconds = host.clock.now().as_second();
    Ok(Claims {
        account: role.account().to_string(),
        identity_id: Some(role.id().to_owned()),
        kind: SessionKind::Role(session.to_owned()),
        issued_seconds,
        expires_seconds: issued_seconds.saturating_add(SESSION_SECONDS),
        policy: supposed.session_policy.clone(),
        policy_arns: Vec::new(),
        tags: BTreeMap::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
        federated_provider: None,
    })
}

/// The ARN of a caller, taken apart.
struct NamedCaller<'a> {
    account: AccountId,
    kind: NamedKind<'a>,
}

enum NamedKind<'a> {
    Root,
    Identity(IdentityKind),
    Session { role: &'a str, session: &'a str },
}

impl<'a> NamedCaller<'a> {
    fn parse(arn: &'a str, partition: Partition) -> Option<NamedCaller<'a>> {
        let rest = arn.strip_prefix("arn:")?.strip_prefix(partition.as_str())?.strip_prefix(':')?;
        let (service, rest) = rest.split_once("::")?;
        let (account, resource) = rest.split_once(':')?;
        let kind = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => NamedKind::Root,
            ("iam", Some(("user", _))) => NamedKind::Identity(IdentityKind::User),
            ("iam", Some(("role", _))) => NamedKind::Identity(IdentityKind::Role),
            ("sts", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/')?;
                NamedKind::Session { role, session }
            }
            (_, _) => return None,
        };
        Some(NamedCaller { account: account.parse().ok()?, kind })
    }
}
