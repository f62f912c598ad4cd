//! The front door: from a raw request to an authenticated call of a known operation.

use std::borrow::Cow;

use jiff::Timestamp;
use sigv4::{Claim, Expected, HttpRequest};
use uuid::Uuid;
use wire::error_codes::ErrorCode;
use wire::names::Region;

use crate::api::{Answer, Incoming};
use crate::call::{Call, Caller};
use crate::credentials::Scope;
use crate::error::ServiceError;
use crate::host::Host;
use crate::operation::{Api, Erased, Spec};
use crate::operations;
use crate::render;
use crate::services;
use crate::sessions::{self, SessionKind};
use crate::trail::Refused;
use crate::web_identity;

/// What stands before the operation's name in `X-Amz-Target`.
const TARGET_PREFIXES: [(Api, &str); 3] = [
    (Api::Kms, "TrentService."),
    (Api::CloudTrail, "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."),
    (Api::ForwardAccess, "KeysteadForwardAccess."),
];
/// The version of IAM's API, which every request to it names.
const IAM_VERSION: &str = "2010-05-08";
/// The operation that needs no signature.
const WEB_IDENTITY_OPERATION: &str = "AssumeRoleWithWebIdentity";
/// Characters of an unknown operation's name that are recorded.
const EVENT_NAME_CHARACTERS_MAX: usize = 64;

/// Answers one request. No answer leaves before its record is written.
pub(crate) async fn answer(host: &Host, incoming: &Incoming<'_>) -> Answer {
    let now = host.clock.now();
    let addressed = Addressed::of(incoming);
    let mut refused = Refused {
        incoming,
        event_id: Uuid::nil(),
        time: now,
        api: addressed.api,
        region: None,
        caller: None,
        claimed_access_key_id: None,
        event_name: addressed.event_name(),
    };
    let admitted = match addressed.is_for_web_identities() {
        // Boxed, so that calls of all other operations do not have the room of this one.
        true => Box::pin(admit_web_identity(host, incoming, &addressed, now, &mut refused)).await,
        false => admit(host, incoming, &addressed, now, &mut refused),
    };
    match admitted {
        Ok((row, call)) => row.run(host, &call).await,
        Err(error) => refuse(host, &refused, error).await,
    }
}

/// What a request addresses, before it is known who asks.
struct Addressed<'a> {
    api: Api,
    /// The operation's name as the caller wrote it; absent when the request names none.
    name: Option<Cow<'a, str>>,
    /// Where the members of the request are.
    body: &'a [u8],
}

impl<'a> Addressed<'a> {
    /// A target header names the API, KMS if it is none that is known; otherwise a form is for IAM if it names the version
    /// of IAM's API, and for STS if not.
    fn of(incoming: &Incoming<'a>) -> Addressed<'a> {
        if let Some(target) = optional_header(incoming, "x-amz-target") {
            let target = str::from_utf8(target).unwrap_or_default();
            let named = TARGET_PREFIXES
                .iter()
                .find_map(|(api, prefix)| Some((*api, target.strip_prefix(prefix)?)));
            let (api, name) = named.map_or((Api::Kms, None), |(api, name)| (api, Some(name)));
            return Addressed { api, name: name.map(Cow::Borrowed), body: incoming.body };
        }
        let content_type = header(incoming, "content-type");
        let is_form = content_type.starts_with(b"application/x-www-form-urlencoded");
        let form = match incoming.query {
            Some(query) if incoming.body.is_empty() => query.as_bytes(),
            Some(_) | None if is_form => incoming.body,
            Some(_) | None => return Addressed { api: Api::Kms, name: None, body: incoming.body },
        };
        // A form that cannot be read, or names no action, is still one for STS.
        let members = wire::query::parse_form(form).unwrap_or_default();
        let is_iam =
            members.iter().any(|(member, value)| member == "Version" && value == IAM_VERSION);
        let action = members.into_iter().find(|(member, _)| member == "Action");
        let api = if is_iam { Api::Iam } else { Api::Sts };
        Addressed { api, name: action.map(|(_, name)| Cow::Owned(name)), body: form }
    }

    /// Whether the caller shows a token in place of a signature.
    fn is_for_web_identities(&self) -> bool {
        self.api == Api::Sts && self.name.as_deref() == Some(WEB_IDENTITY_OPERATION)
    }

    /// The name for the record of a request that no operation sees.
    fn event_name(&self) -> &str {
        let is_plain = |name: &&str| {
            name.len() <= EVENT_NAME_CHARACTERS_MAX
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        self.name.as_deref().filter(is_plain).unwrap_or("Unknown")
    }
}

fn admit<'a>(
    host: &Host,
    incoming: &'a Incoming<'a>,
    addressed: &Addressed<'a>,
    now: Timestamp,
    refused: &mut Refused<'a>,
) -> Result<(&'static dyn Erased, Call<'a>), ServiceError> {
    refused.event_id = host.uuid()?;
    let request = HttpRequest {
        method: incoming.method,
        path: incoming.path,
        query: incoming.query,
        headers: incoming.headers,
        body: incoming.body,
    };
    let claim = sigv4::parse(&request)?;
    refused.claimed_access_key_id = Some(claim.access_key_id);
    let caller = authenticate(host, &request, &claim, addressed.api, now)?;
    refused.caller = Some(caller.clone());
    let region: Region = claim.region.parse().map_err(|_| out_of_scope())?;
    refused.region = Some(region);
    // IAM and STS are of no Region: SDKs name one that may be served here or not.
    let is_json = matches!(addressed.api, Api::Kms | Api::CloudTrail | Api::ForwardAccess);
    if is_json && !host.serves(region) {
        return Err(out_of_scope());
    }
    let caller = match caller.account() == *services::SYSTEM_ACCOUNT {
        true => services::admit(host, incoming, caller, region)?,
        false => caller,
    };
    refused.caller = Some(caller.clone());
    let is_post = incoming.method == "POST" || !is_json;
    let row = addressed
        .name
        .as_deref()
        .filter(|_| is_post && incoming.path == "/")
        .and_then(|name| operations::find(addressed.api, name))
        .ok_or_else(|| ServiceError::bare(ErrorCode::UnknownOperationException))?;
    refuse_session(&caller, addressed.api, row.spec().name)?;
    services::check(&caller, region, row.spec())?;
    Ok((row, call(host, incoming, addressed, refused.event_id, now, (region, caller))))
}

/// The same for the one operation that nobody signs; a signature that is there all the same says nothing.
async fn admit_web_identity<'a>(
    host: &Host,
    incoming: &'a Incoming<'a>,
    addressed: &Addressed<'a>,
    now: Timestamp,
    refused: &mut Refused<'a>,
) -> Result<(&'static dyn Erased, Call<'a>), ServiceError> {
    refused.event_id = host.uuid()?;
    let region = web_identity::region(host)?;
    refused.region = Some(region);
    let row = operations::find(Api::Sts, WEB_IDENTITY_OPERATION)
        .filter(|_| incoming.path == "/")
        .ok_or_else(|| ServiceError::bare(ErrorCode::UnknownOperationException))?;
    let identity =
        web_identity::authenticate(host, addressed.body, region.partition(), now).await?;
    let caller = Caller::of_web_identity(identity).ok_or_else(ServiceError::web_identity_denied)?;
    refused.caller = Some(caller.clone());
    Ok((row, call(host, incoming, addressed, refused.event_id, now, (region, caller))))
}

fn call<'a>(
    host: &Host,
    incoming: &'a Incoming<'a>,
    addressed: &Addressed<'a>,
    event_id: Uuid,
    now: Timestamp,
    (region, caller): (Region, Caller),
) -> Call<'a> {
    Call {
        request_id: incoming.request_id,
        event_id,
        now,
        region,
        caller,
        guard_rails: host.guard_rails.load_full(),
        peer: incoming.peer,
        user_agent: header(incoming, "user-agent"),
        host_header: header(incoming, "host"),
        body: addressed.body,
    }
}

/// Decides whether the claim is true.
fn authenticate(
    host: &Host,
    request: &HttpRequest<'_>,
    claim: &Claim<'_>,
    api: Api,
    now: Timestamp,
) -> Result<Caller, ServiceError> {
    let proof = Proof { body: Body::Whole(request), service: api.scope(), now };
    proof.caller(host, claim)
}

/// What a claim is proved with.
pub(crate) struct Proof<'a> {
    /// The body of what was signed.
    pub(crate) body: Body<'a>,
    /// The service that must stand in the scope.
    pub(crate) service: &'a str,
    /// The present time.
    pub(crate) now: Timestamp,
}

/// The body of what was signed.
pub(crate) enum Body<'a> {
    /// The request with its body.
    Whole(&'a HttpRequest<'a>),
    /// What whoever has the body says stands for it.
    Said(&'a str),
}

impl Proof<'_> {
    /// Who signed. An access key that does not exist costs the same work as one that does.
    pub(crate) fn caller(&self, host: &Host, claim: &Claim<'_>) -> Result<Caller, ServiceError> {
        let Proof { body, service, now } = self;
        let services = [*service];
        let expected = Expected { services: &services, now: *now };
        // What needs no key is refused before one is derived.
        claim.check(&expected)?;
        let credential = match &claim.session_token {
            None => host.credentials.find(claim.access_key_id),
            Some(token) => sessions::find(host, claim.access_key_id, token),
        };
        let scope = Scope { date: claim.date, region: claim.region, service };
        host.credentials.verify(credential.as_deref(), scope, |key| match body {
            Body::Whole(request) => claim.verify(request, key, &expected),
            Body::Said(payload) => claim.verify_without_body(payload, key, &expected),
        })?;
        let caller = credential.and_then(|credential| Caller::of(credential, &host.identities));
        let caller = caller.ok_or_else(|| ServiceError::from(sigv4::Refusal::UnknownAccessKey))?;
        if caller.session().is_some_and(|session| session.is_expired(*now)) {
            return Err(ServiceError::expired_token());
        }
        // Whatever comes of the call: a use is that somebody had the secret.
        caller.note_use(*now, service, claim.region);
        Ok(caller)
    }
}

/// Sessions of users cannot manage identities, nor make further sessions (AWS STS API Reference, "GetSessionToken" and
/// "GetFederationToken"; there with MFA, which is not to be had here).
pub(crate) fn refuse_session(
    caller: &Caller,
    api: Api,
    operation: &str,
) -> Result<(), ServiceError> {
    let Some(session) = caller.session() else { return Ok(()) };
    let is_allowed = match (&session.claims().kind, api) {
        (SessionKind::Role(_), _) | (_, Api::Kms | Api::CloudTrail | Api::ForwardAccess) => true,
        (SessionKind::Same, Api::Sts) => true,
        (SessionKind::Federated(_), Api::Sts) => operation == "GetCallerIdentity",
        (SessionKind::Same | SessionKind::Federated(_), Api::Iam) => false,
    };
    match is_allowed {
        true => Ok(()),
        false => Err(ServiceError::from(sigv4::Refusal::UnknownAccessKey)),
    }
}

/// Whether the operation is for who shows a token in place of a signature.
pub(crate) fn is_for_web_identities(spec: &Spec) -> bool {
    spec.api == Api::Sts && spec.name == WEB_IDENTITY_OPERATION
}

/// The scope names no Region that is served here; said as AWS says it of any other part of the scope.
fn out_of_scope() -> ServiceError {
    ServiceError::new(
        ErrorCode::InvalidSignatureException,
        "Credential should be scoped to a valid region.",
    )
}

async fn refuse(host: &Host, refused: &Refused<'_>, error: ServiceError) -> Answer {
    let error = match refused.append_record(host, &error).await {
        Ok(()) => error,
        Err(unwritten) => ServiceError::from(unwritten),
    };
    render::error(refused.api, "Unknown", refused.incoming.request_id, &error)
}

/// The first value of a header; empty when it is absent.
pub(crate) fn header<'a>(incoming: &Incoming<'a>, name: &str) -> &'a [u8] {
    optional_header(incoming, name).unwrap_or_default()
}

/// The first value of a header.
pub(crate) fn optional_header<'a>(incoming: &Incoming<'a>, name: &str) -> Option<&'a [u8]> {
    incoming.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| *value)
}
