//! Explanations for the operator: how policies and grants decide a call, and by which statement.
//!
//! Nobody calls. The caller is made up as a signature would have proved it, and its questions go to the documents,
//! conditions and grants through [`authorize::put`](crate::authorize::put), as those of real calls do; only at their end
//! stands [`policy::explain`] in place of the decision. A call can be supposed in two ways: as a [`request`], with every
//! question that it would ask, or as [one action](one_action) on one key or alias.

mod caller;
mod names;
mod one_action;
mod question;
mod request;
mod told;
mod users;

use self::question::Walked;
pub use self::told::{
    AnsweredQuestion, DecidingStatement, Explained, NamedDocument, Retirement, Verdict,
};
pub use self::users::{GrantToUse, KeyUser, KeyUsers};

pub(crate) use self::one_action::{OF_ALIASES, WITHOUT_KEY};
pub(crate) use self::request::{Told, explain as explain_request};
pub(crate) use self::users::who_can;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::names::Region;

use crate::api::Peer;
use crate::call::{Call, Caller};
use crate::error::ServiceError;
use crate::front;
use crate::host::Host;
use crate::operation::{Api, Spec};
use crate::operations;
use crate::services;
use crate::web_identity;

/// A call that nobody makes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupposedCall {
    /// Who calls: the ARN of a root user, a user, a role, a session of a role, a federated user or an OIDC provider (for
    /// somebody with a token of it), or the principal of a service.
    pub principal: String,
    /// What more is supposed of the caller.
    pub session: SupposedSession,
    /// The registered service that calls as this user, by its name.
    pub via_service: Option<String>,
    /// The action, such as `kms:Decrypt`, or the operation, such as `kms:ReEncrypt`, in any case.
    pub action: String,
    /// What it is about: a key, in any of the forms that the operation accepts, or an alias; of IAM and STS an ARN. None
    /// for operations on nothing.
    pub resource: Option<String>,
    /// The request, as JSON with AWS's names, in place of the resource and the encryption context. What it leaves out is
    /// only missed if policies are about it.
    pub request: Option<String>,
    /// The Region; that of the key's ARN when absent.
    pub region: Option<String>,
    /// The encryption context.
    pub encryption_context: BTreeMap<String, String>,
    /// Condition keys with their values. They count in place of what the call would say; what else is not said here is as
    /// in a request from this machine without TLS.
    pub context: Vec<(String, String)>,
}

/// What is supposed of the caller beyond its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupposedSession {
    /// The user or root user who federated a federated user, by ARN.
    pub issuer: Option<String>,
    /// The session policy, as a text.
    pub policy: Option<String>,
    /// The managed policies that are session policies, by ARN.
    pub policy_arns: Vec<String>,
    /// The tags of the session.
    pub tags: BTreeMap<String, String>,
    /// The source identity of the session.
    pub source_identity: Option<String>,
    /// Whether the user or root user calls with temporary credentials of GetSessionToken.
    pub is_temporary: bool,
    /// The claims of the token of somebody for whom an OIDC provider vouches, as JSON.
    pub claims: Option<String>,
}

/// Why there is no explanation. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No such principal.
    #[error(
        "no principal {0:?} here; expected the ARN of a root user, a user, a role, a role's session, a federated user or \
         an OIDC provider, or a registered service, for example: arn:aws:iam::111122223333:user/ada"
    )]
    Principal(String),
    /// Something that such a caller cannot have.
    #[error("that caller cannot be supposed: {0}")]
    Caller(String),
    /// No such action and no such operation.
    #[error("no action or operation {action:?} here{}", names::told(near))]
    Action {
        /// As it was asked for.
        action: String,
        /// Those that are called almost so.
        near: Vec<String>,
    },
    /// It is not decided for a key alone.
    #[error(
        "no action {0:?} that policies decide for a key alone; expected one of AWS KMS, for example: kms:Decrypt"
    )]
    NoKeyAction(String),
    /// No Region.
    #[error("which Region? Say it, or name the key by its ARN")]
    Region,
    /// The Region is not served.
    #[error("no Region {0} is served here")]
    UnservedRegion(Region),
    /// The operation acts on a key.
    #[error("{0} acts on a key: say which")]
    NoKey(&'static str),
    /// The operation acts on no key.
    #[error("{0} acts on no key")]
    NeedlessKey(&'static str),
    /// No such key.
    #[error("no key {0:?} here; expected a key ID, a key ARN or an alias ARN")]
    Key(String),
    /// The operation acts on something else.
    #[error("{operation} by this caller is not about {resource:?}")]
    Resource {
        /// The operation.
        operation: &'static str,
        /// What it was supposed to be about.
        resource: String,
    },
    /// The request cannot be read.
    #[error("the request cannot be read: {0}")]
    Request(String),
    /// The request does not say what it is about.
    #[error("what is {operation} about? Say it as its request, whose members are: {members}")]
    Missing {
        /// The operation.
        operation: &'static str,
        /// What its request can say.
        members: String,
    },
    /// The session policy cannot be read, or there is no session.
    #[error("the session policy cannot be used: {0}")]
    SessionPolicy(String),
    /// A call would be refused before policies are asked, or the service failed.
    #[error("refused before policies are asked: {0}")]
    Service(#[from] ServiceError),
}

/// Explains how a supposed call would be decided.
pub(crate) async fn explain(
    host: &Host,
    supposed: &SupposedCall,
) -> Result<Explained, ExplainError> {
    if supposed.request.is_none()
        && let Some((spec, position)) = one_action::asked(&supposed.action)
    {
        let walked = one_action::answer(host, supposed, (spec, position)).await?;
        let Walked { principal, question, .. } = walked;
        return Ok(Explained::of(principal, spec.action(position).to_owned(), vec![question]));
    }
    let row = operations::called(&supposed.action).ok_or_else(|| ExplainError::Action {
        action: supposed.action.clone(),
        near: names::near(&supposed.action),
    })?;
    request::answer(host, supposed, row).await
}

/// The Region that a call of the API names.
fn region_of(host: &Host, supposed: &SupposedCall, api: Api) -> Result<Region, ExplainError> {
    let of_resource = || {
        let key = supposed.resource.as_deref().filter(|key| key.starts_with("arn:"))?;
        key.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
    };
    let of_request = || request::region(supposed.request.as_deref()?);
    let named = supposed.region.clone().or_else(of_resource).or_else(of_request);
    match named {
        Some(region) => region.parse().map_err(|_| ExplainError::Region),
        None if is_regional(api) => Err(ExplainError::Region),
        // They are of no Region, and SDKs name some.
        None => Ok(web_identity::region(host)?),
    }
}

/// Whether requests to the API name a Region that must be served.
fn is_regional(api: Api) -> bool {
    match api {
        Api::Kms | Api::CloudTrail | Api::ForwardAccess => true,
        Api::Iam | Api::Sts => false,
    }
}

/// A connection from this machine without TLS.
fn peer() -> Peer {
    Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None }
}

/// The call, with what is asked before its operation is.
fn call<'a>(
    host: &Host,
    supposed: &SupposedCall,
    spec: &Spec,
    peer: &'a Peer,
    body: &'a [u8],
) -> Result<Call<'a>, ExplainError> {
    let region = region_of(host, supposed, spec.api)?;
    if is_regional(spec.api) && !host.serves(region) {
        return Err(ExplainError::UnservedRegion(region));
    }
    let caller: Caller = caller::suppose(host, supposed, region)?;
    if caller.web_identity().is_some() != front::is_for_web_identities(spec) {
        let reason = "sts:AssumeRoleWithWebIdentity is for tokens of OIDC providers, and they are for nothing else";
        return Err(ExplainError::Caller(reason.to_owned()));
    }
    front::refuse_session(&caller, spec.api, spec.name)?;
    services::check(&caller, region, spec)?;
    Ok(Call {
        request_id: Uuid::nil(),
        event_id: Uuid::nil(),
        now: host.clock.now(),
        region,
        caller,
        guard_rails: host.guard_rails.load_full(),
        peer,
        user_agent: b"",
        host_header: b"",
        body,
    })
}
