//! Forward access sessions: what lets a service call as the user whose request it serves
//! (docs/forward-access-sessions.md).
//!
//! A token names the access key and the session token with which the user signed. Both are looked up again at every
//! call, so that whatever ends the user's own calls ends these too.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::SecretBytes;
use custody::Keyring;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sigv4::Refusal;
use wire::names::Region;

use crate::call::Caller;
use crate::error::ServiceError;
use crate::host::Host;
use crate::services::{ForwardedAction, Forwarding, Part, RegisteredService};
use crate::sessions;

/// How long a session lasts.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_mins(5);
/// Characters of a token that are looked at; a longer one was not made here.
const TOKEN_CHARACTERS_MAX: usize = 16_384;

/// What a token says.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user's access key id.
    pub(crate) access_key_id: String,
    /// The session token that the user signed with, if it has one.
    pub(crate) session_token: Option<String>,
    /// The Region in which the session is good.
    pub(crate) region: String,
    /// What it is for.
    pub(crate) actions: Vec<String>,
    /// When it ends, in seconds since 1970.
    pub(crate) expires_seconds: i64,
}

/// Makes a token for one service.
pub(crate) fn seal(
    keyring: &Keyring,
    service: &RegisteredService,
    claims: &Claims,
) -> Result<String, ServiceError> {
    let contents = serde_json::to_vec(claims).map_err(ServiceError::internal)?;
    if contents.len() > crypto::wrap::SECRET_BYTES_MAX {
        return Err(ServiceError::packed_policy_too_large());
    }
    let sealed = keyring.seal_forward_access_token(&service.name, &SecretBytes::new(contents))?;
    Ok(STANDARD.encode(sealed))
}

/// The user as whom a service may call with a token, as the user stands now.
pub(crate) fn user_of(
    host: &Host,
    service: Arc<RegisteredService>,
    token: &str,
) -> Result<Caller, ServiceError> {
    let unknown = || ServiceError::from(Refusal::UnknownAccessKey);
    let claims = open(&host.keyring, &service, token).ok_or_else(unknown)?;
    let now = host.clock.now();
    if now.as_second() >= claims.expires_seconds {
        return Err(ServiceError::expired_token());
    }
    let credential = match &claims.session_token {
        None => host.credentials.find(&claims.access_key_id),
        Some(token) => sessions::find(host, &claims.access_key_id, token),
    };
    let user = credential.and_then(|credential| Caller::of(credential, &host.identities));
    let user = user.ok_or_else(unknown)?;
    if user.session().is_some_and(|session| session.is_expired(now)) {
        return Err(ServiceError::expired_token());
    }
    let region: Region = claims.region.parse().map_err(|_| unknown())?;
    let actions = claims.actions.iter().filter_map(|text| ForwardedAction::from_action(text));
    // What the registry has taken back since is not carried any more.
    let actions = actions.filter(|action| service.actions.contains(action)).collect();
    Ok(user.with_part(Part::Forwarding(Forwarding { service, region, actions })))
}

fn open(keyring: &Keyring, service: &RegisteredService, token: &str) -> Option<Claims> {
    if token.len() > TOKEN_CHARACTERS_MAX {
        return None;
    }
    let sealed = STANDARD.decode(token).ok()?;
    let contents = keyring.open_forward_access_token(&service.name, &sealed)?;
    serde_json::from_slice(contents.expose()).ok()
}

/// When a session that begins now ends: never after the user's own.
pub(crate) fn expiry(now: Timestamp, user: &Caller) -> Timestamp {
    let expires = now.checked_add(LIFE).unwrap_or(now);
    let own = user.session().map(|session| session.claims().expires_seconds);
    let own = own.and_then(|seconds| Timestamp::from_second(seconds).ok());
    own.map_or(expires, |own| own.min(expires))
}
