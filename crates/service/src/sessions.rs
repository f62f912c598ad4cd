//! Sessions: temporary credentials of users and roles, which carry all that is known of them in their token.
//!
//! A token is opened at its first request and remembered with the signing keys derived from it, bounded in number; what
//! is forgotten is opened again. What the role or user behind it may do is looked up at every request, so that a change
//! of either is obeyed by the next one. See [`custody::Keyring::seal_session_token`] for the seal.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::SecretBytes;
use custody::Keyring;
use jiff::Timestamp;
use policy::{Document, Principal, PrincipalKind};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sigv4::SecretAccessKey;
use store::IdentityKind;
use wire::names::{AccountId, Partition};
use zeroize::Zeroizing;

use crate::accounts::AccessKey;
use crate::credentials::Credential;
use crate::error::ServiceError;
use crate::host::Host;
use crate::identities::{Holder, Standing, in_partitions, of_partition};

/// Sessions whose opened tokens are remembered.
const SESSIONS_KEPT_MAX: usize = 4_096;
/// Characters of a token that are looked at; a longer one was not made here.
const TOKEN_CHARACTERS_MAX: usize = 16_384;
/// Characters of a secret access key, which stands before the rest of a token's contents.
const SECRET_CHARACTERS_COUNT: usize = 40;

/// The tokens that were opened.
pub(crate) struct Sessions {
    opened: Cache<Box<str>, Arc<Credential>>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions { opened: Cache::new(SESSIONS_KEPT_MAX) }
    }
}

/// What a session token says, beside the secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The account of the session.
    pub(crate) account: String,
    /// The unique id of the role or user behind it; none for a root user.
    pub(crate) identity_id: Option<String>,
    /// What kind of session it is.
    pub(crate) kind: SessionKind,
    /// When it began, in seconds since 1970.
    pub(crate) issued_seconds: i64,
    /// When it ends, in seconds since 1970.
    pub(crate) expires_seconds: i64,
    /// The session policy given as a text.
    pub(crate) policy: Option<String>,
    /// The managed policies given as session policies, as rows keep their ARNs.
    pub(crate) policy_arns: Vec<String>,
    /// The session's own tags.
    pub(crate) tags: BTreeMap<String, String>,
    /// The keys of those tags that go on to roles assumed from the session.
    pub(crate) transitive_tag_keys: Vec<String>,
    /// Who stands behind the session, as was said when it began.
    pub(crate) source_identity: Option<String>,
    /// The ARN of the OIDC provider that vouched for whom assumed the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) federated_provider: Option<String>,
}

/// Kinds of sessions.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum SessionKind {
    /// Of AssumeRole, with its name.
    Role(String),
    /// Of GetSessionToken: the user or root user itself.
    Same,
    /// Of GetFederationToken, with the federated user's name.
    Federated(String),
}

/// A session whose token was opened.
pub(crate) struct Session {
    claims: Claims,
    token: Box<str>,
    /// Who calls, if it is not the user itself.
    principals: Option<[Principal; 3]>,
    /// The ARN of the role or user behind it when the token was opened.
    issuer_arn: Box<str>,
    user_id: Option<Box<str>>,
    policies: Vec<Arc<Document>>,
}

impl Session {
    /// What the token says.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The token itself.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The caller in a partition, if it is not the user itself.
    pub(crate) fn principal(&self, partition: Partition) -> Option<&Principal> {
        self.principals.as_ref().map(|principals| of_partition(principals, partition))
    }

    /// The unique id with the session's name, if the caller is not the user itself.
    pub(crate) fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// The session policy that was given as a text.
    pub(crate) fn policies(&self) -> &[Arc<Document>] {
        &self.policies
    }

    /// When it began.
    pub(crate) fn issued(&self) -> Timestamp {
        Timestamp::from_second(self.claims.issued_seconds).unwrap_or_default()
    }

    /// Whether it has ended.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now.as_second() >= self.claims.expires_seconds
    }
}

/// Makes the token of a session.
pub(crate) fn seal(
    keyring: &Keyring,
    access_key: &AccessKey,
    claims: &Claims,
) -> Result<String, ServiceError> {
    let claims = serde_json::to_vec(claims).map_err(ServiceError::internal)?;
    let secret = access_key.secret_access_key.as_bytes();
    let mut contents = Vec::with_capacity(secret.len() + claims.len());
    contents.extend_from_slice(secret);
    contents.extend_from_slice(&claims);
    if contents.len() > crypto::wrap::SECRET_BYTES_MAX {
        return Err(ServiceError::packed_policy_too_large());
    }
    let sealed =
        keyring.seal_session_token(&access_key.access_key_id, &SecretBytes::new(contents))?;
    Ok(STANDARD.encode(sealed))
}

/// The credential that a token stands for; none if it was not made here for that access key id.
pub(crate) fn find(host: &Host, access_key_id: &str, token: &str) -> Option<Arc<Credential>> {
    if token.len() > TOKEN_CHARACTERS_MAX {
        return None;
    }
    if let Some(found) = host.sessions.opened.get(token) {
        if found.access_key_id() != access_key_id {
            return None;
        }
        // A user may have been renamed since: then the session says so too.
        let standing = found.holder().standing()?;
        let arn = &standing.principal(Partition::Aws).arn;
        if found.session().is_some_and(|session| session.issuer_arn == *arn) {
            return Some(found);
        }
    }
    let sealed = STANDARD.decode(token).ok()?;
    let contents = host.keyring.open_session_token(access_key_id, &sealed)?;
    let (secret, claims) = contents.expose().split_at_checked(SECRET_CHARACTERS_COUNT)?;
    let secret = Zeroizing::new(str::from_utf8(secret).ok()?.to_owned());
    let claims: Claims = serde_json::from_slice(claims).ok()?;
    let account: AccountId = claims.account.parse().ok()?;
    let holder = match &claims.identity_id {
        Some(identity_id) => host.identities.holder(account, identity_id)?,
        None if host.credentials.has_account(account) => Arc::new(Holder::of_root(account)),
        None => return None,
    };
    let session = open(token, claims, &*holder.standing()?)?;
    let secret = SecretAccessKey::new(secret.to_string());
    let credential = Credential::of(access_key_id, account, holder, secret).of_session(session);
    let credential = Arc::new(credential);
    host.sessions.opened.insert(token.into(), Arc::clone(&credential));
    Some(credential)
}

/// The session of which a token says this; none if what stands behind it cannot have such a session.
pub(crate) fn open(token: &str, claims: Claims, standing: &Standing) -> Option<Session> {
    let account: AccountId = claims.account.parse().ok()?;
    let identity = standing.identity();
    let id = identity.map_or_else(|| account.to_string(), |identity| identity.id().to_owned());
    let (principals, user_id) = match &claims.kind {
        SessionKind::Same => (None, None),
        SessionKind::Role(session_name) => {
            let role = identity.filter(|identity| identity.kind() == IdentityKind::Role)?;
            let principals = in_partitions(|partition| Principal {
                account,
                arn: session_arn(
                    account,
                    partition,
                    "assumed-role",
                    &format!("{}/{session_name}", role.name()),
                ),
                kind: PrincipalKind::RoleSession { role_arn: role.arn(partition).into_boxed_str() },
            });
            (Some(principals), Some(format!("{id}:{session_name}")))
        }
        SessionKind::Federated(name) => {
            let principals = in_partitions(|partition| Principal {
                account,
                arn: session_arn(account, partition, "federated-user", name),
                kind: PrincipalKind::FederatedUser {
                    user_arn: identity.map(|user| user.arn(partition).into_boxed_str()),
                },
            });
            (Some(principals), Some(format!("{account}:{name}")))
        }
    };
    let policies = claims.policy.as_deref();
    let policies = policies.map(|text| Document::parse_identity(text).map(Arc::new)).transpose();
    let policies = policies.ok()?.into_iter().collect();
    let user_id = user_id.map(String::into_boxed_str);
    let issuer_arn = standing.principal(Partition::Aws).arn.clone();
    Some(Session { claims, token: token.into(), principals, issuer_arn, user_id, policies })
}

/// `arn:aws:sts::111122223333:assumed-role/ROLE/SESSION`, and the like.
fn session_arn(account: AccountId, partition: Partition, kind: &str, name: &str) -> Box<str> {
    format!("arn:{}:sts::{account}:{kind}/{name}", partition.as_str()).into_boxed_str()
}
