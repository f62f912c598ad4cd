//! CreateForwardAccessSession, the one operation that is not AWS's (docs/forward-access-sessions.md).

use std::sync::Arc;

use sigv4::{HttpRequest, PathRule};
use wire::error_codes::ErrorCode;
use wire::forward_access::{
    CreateForwardAccessSessionRequest, CreateForwardAccessSessionResponse, ForwardedRequest,
};
use wire::names::Region;
use wire::shape::required;

use crate::authorize::Authorized;
use crate::call::Caller;
use crate::context::Context;
use crate::error::ServiceError;
use crate::forwarding::{self, Claims};
use crate::front::{Body, Proof};
use crate::key_state::KeyStateRule;
use crate::meter::Metering;
use crate::operation::{AnswerForm, Api, KeyForms, Operation, Spec};
use crate::quotas::RequestQuota;
use crate::services::{self, ForwardedAction, RegisteredService, SYSTEM_ACCOUNT, refused};
use crate::target::NoTarget;
use crate::trail::Done;

/// S3 signs the path as it is sent; all other services sign it encoded once more (IAM User Guide, "Create a signed AWS
/// API request").
const SERVICE_OF_PATHS_AS_SENT: &str = "s3";

/// Makes the session with which a service calls as a user. The user asks for it, or the service shows a request that
/// the user signed.
pub(crate) struct CreateForwardAccessSession;

impl Operation for CreateForwardAccessSession {
    type Request = CreateForwardAccessSessionRequest;
    type Target = NoTarget;
    type Response = CreateForwardAccessSessionResponse;
    const SPEC: Spec = Spec {
        name: "CreateForwardAccessSession",
        api: Api::ForwardAccess,
        actions: &[],
        // It gives nobody more than the user has; what the session is used for is decided then.
        undeniable: true,
        tagging_action: None,
        key_forms: KeyForms::Key,
        key_state: KeyStateRule::Any,
        key_usage: None,
        invalid_arn: ErrorCode::InvalidArnException,
        cross_account: false,
        is_use: false,
        read_only: false,
        // It holds the user's signature, and perhaps a session token.
        unrecorded: &["Request"],
        records_answer: false,
        records_key: false,
        request_quota: RequestQuota::Unlimited,
        metering: Metering::Free,
        answer: AnswerForm::Json,
    };

    fn names(_request: &CreateForwardAccessSessionRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &CreateForwardAccessSessionRequest,
    ) -> Result<Done<CreateForwardAccessSessionResponse>, ServiceError> {
        let call = context.call();
        let (service, user, region) = match call.caller.service() {
            Some(itself) => {
                let service = Arc::clone(&itself.service);
                let (user, region) = user_of(context, &service, forwarded(request)?)?;
                (service, user, region)
            }
            None if request.request.is_some() => {
                return Err(ServiceError::validation(
                    "Request is for services; a user names the Service.",
                ));
            }
            None => {
                let name = request.service.as_deref().ok_or_else(|| {
                    ServiceError::validation("A user names the Service that is to call.")
                })?;
                let service = context.host().services.find(name).ok_or_else(|| {
                    ServiceError::validation(format!("No service {name} is registered."))
                })?;
                (service, call.caller.clone(), call.region)
            }
        };
        if !service.serves_account(user.account()) {
            return Err(refused(&service, "is not registered for this account"));
        }
        services::refuse_region(&service, region)?;
        let actions = actions(&service, request.actions.as_deref())?;
        let expiration = forwarding::expiry(call.now, &user);
        let claims = Claims {
            access_key_id: user.access_key_id().to_owned(),
            session_token: user.session().map(|session| session.token().to_owned()),
            region: region.as_str().to_owned(),
            actions,
            expires_seconds: expiration.as_second(),
        };
        let forward_access_token = forwarding::seal(&context.host().keyring, &service, &claims)?;
        Ok(Done::read(CreateForwardAccessSessionResponse { forward_access_token, expiration }))
    }
}

fn forwarded(
    request: &CreateForwardAccessSessionRequest,
) -> Result<&ForwardedRequest, ServiceError> {
    let missing = || ServiceError::validation("A service shows the Request that a user signed.");
    request.request.as_ref().ok_or_else(missing)
}

/// The user who signed a request to the service, and the Region of its scope.
fn user_of(
    context: &Context<'_>,
    service: &RegisteredService,
    forwarded: &ForwardedRequest,
) -> Result<(Caller, Region), ServiceError> {
    let unknown = || ServiceError::from(sigv4::Refusal::UnknownAccessKey);
    let headers = forwarded.headers.as_deref().unwrap_or_default().iter();
    let headers = headers
        .map(|header| {
            let name = required(&header.name)?.to_ascii_lowercase();
            Ok((name, required(&header.value)?.as_bytes()))
        })
        .collect::<Result<Vec<_>, ServiceError>>()?;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let request = HttpRequest {
        method: required(&forwarded.method)?,
        path: required(&forwarded.path)?,
        query: forwarded.query.as_deref(),
        headers: &headers,
        body: &[],
    };
    let claim = sigv4::parse(&request)?;
    let claim = match service.signing_name == SERVICE_OF_PATHS_AS_SENT {
        true => claim.with_path_rule(PathRule::AsSent),
        false => claim,
    };
    let proof = Proof {
        body: Body::Said(required(&forwarded.payload_hash)?),
        service: &service.signing_name,
        now: context.now(),
    };
    let user = proof.caller(context.host(), &claim)?;
    // A service is no user of another, and no user of itself.
    if user.account() == *SYSTEM_ACCOUNT {
        return Err(unknown());
    }
    let region = claim.region.parse().map_err(|_| unknown())?;
    Ok((user, region))
}

/// What the session is for: what was asked, or all that the service is registered for.
fn actions(
    service: &RegisteredService,
    asked: Option<&[String]>,
) -> Result<Vec<String>, ServiceError> {
    let Some(asked) = asked else {
        return Ok(service.actions.iter().map(|action| action.action()).collect());
    };
    let is_registered = |asked: &&String| {
        ForwardedAction::from_action(asked).is_some_and(|action| service.actions.contains(&action))
    };
    match asked.iter().find(|asked| !is_registered(asked)) {
        Some(action) => Err(refused(service, &format!("is not registered for {action}"))),
        None => Ok(asked.to_vec()),
    }
}
