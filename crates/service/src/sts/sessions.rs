//! GetSessionToken, GetFederationToken, and what they share with AssumeRole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use policy::DocumentKind;
use wire::error_codes::ErrorCode;
use wire::iam::tags::Tag;
use wire::names::AccountId;
use wire::shape::required;
use wire::sts::credentials::{Credentials, PolicyDescriptor};
use wire::sts::sessions::{
    FederatedUser, GetFederationTokenRequest, GetFederationTokenResponse, GetSessionTokenRequest,
    GetSessionTokenResponse,
};

use super::DEFAULT;
use crate::accounts;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts};
use crate::iam::{check_document, counted_characters, existing_policy};
use crate::operation::{Operation, Spec};
use crate::sessions::{Claims, SessionKind, seal};
use crate::target::{ASKS_MAX, Ask, Lookup, NoTarget, Target};
use crate::trail::{Done, Resource};

/// How long sessions of users last unless the request says otherwise, in seconds.
const USER_SESSION_SECONDS_DEFAULT: i64 = 43_200;
/// How long sessions of root users last at most, in seconds.
const ROOT_SESSION_SECONDS_MAX: i64 = 3_600;
/// Managed session policies of one session (AWS STS API Reference).
const POLICY_ARNS_MAX: usize = 10;
/// Characters of a session policy and the ARNs of managed session policies together.
const SESSION_POLICY_CHARACTERS_MAX: usize = 2_048;

/// Answers temporary credentials of the user who calls. AWS asks nobody for permission.
pub(crate) struct GetSessionToken;

impl Operation for GetSessionToken {
    type Request = GetSessionTokenRequest;
    type Target = NoTarget;
    type Response = GetSessionTokenResponse;
    const SPEC: Spec = Spec {
        name: "GetSessionToken",
        actions: &["sts:GetSessionToken"],
        undeniable: true,
        read_only: true,
        records_answer: true,
        ..DEFAULT
    };

    fn names(_request: &GetSessionTokenRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GetSessionTokenRequest,
    ) -> Result<Done<GetSessionTokenResponse>, ServiceError> {
        refuse_mfa(request.serial_number.as_deref())?;
        refuse_sessions(context, "GetSessionToken")?;
        let asked = Asked {
            account: context.call().account(),
            identity_id: caller_id(context),
            kind: SessionKind::Same,
            seconds: user_seconds(context, request.duration_seconds),
            policy: None,
            policy_arns: &[],
            tags: BTreeMap::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            federated_provider: None,
        };
        Ok(Done::read(GetSessionTokenResponse {
            credentials: make(context, asked)?,
            session_token_utilization: None,
            session_token_size: None,
        }))
    }
}

/// Answers temporary credentials for somebody whom the user who calls vouches for, within session policies.
pub(crate) struct GetFederationToken;

impl Operation for GetFederationToken {
    type Request = GetFederationTokenRequest;
    type Target = Federated;
    type Response = GetFederationTokenResponse;
    const SPEC: Spec = Spec {
        name: "GetFederationToken",
        actions: &["sts:GetFederationToken"],
        tagging_action: Some("sts:TagSession"),
        read_only: true,
        records_answer: true,
        ..DEFAULT
    };

    fn check(request: &GetFederationTokenRequest) -> Result<(), ServiceError> {
        check_tags(request.tags.as_deref())
    }

    fn names(
        request: &GetFederationTokenRequest,
    ) -> Result<<Federated as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.name)?)
    }

    fn facts(request: &GetFederationTokenRequest) -> Facts<'_> {
        let tags = request.tags.as_deref().unwrap_or_default();
        Facts { iam: IamFacts { tags, ..IamFacts::default() }, ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<Federated>,
        request: &GetFederationTokenRequest,
    ) -> Result<Done<GetFederationTokenResponse>, ServiceError> {
        refuse_sessions(context, "GetFederationToken")?;
        let name = required(&request.name)?;
        let asked = Asked {
            account: context.call().account(),
            identity_id: caller_id(context),
            kind: SessionKind::Federated(name.clone()),
            seconds: user_seconds(context, request.duration_seconds),
            policy: request.policy.as_deref(),
            policy_arns: request.policy_arns.as_deref().unwrap_or_default(),
            tags: tag_map(request.tags.as_deref()),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            federated_provider: None,
        };
        Ok(Done::read(GetFederationTokenResponse {
            credentials: make(context, asked)?,
            federated_user: FederatedUser {
                federated_user_id: format!("{}:{name}", context.call().account()),
                arn: target.0.clone(),
            },
            packed_policy_size: None,
            session_token_utilization: None,
            session_token_size: None,
        }))
    }
}

/// A federated user, by ARN.
pub(crate) struct Federated(String);

impl Target for Federated {
    type Names<'r> = &'r str;

    async fn resolve(
        lookup: &Lookup<'_>,
        name: Self::Names<'_>,
    ) -> Result<Federated, ServiceError> {
        let (partition, account) = (lookup.call.region.partition(), lookup.call.account());
        Ok(Federated(format!("arn:{}:sts::{account}:federated-user/{name}", partition.as_str())))
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Identity { arn: &self.0, identity: None }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// A session that is asked for.
pub(super) struct Asked<'r> {
    pub(super) account: AccountId,
    pub(super) identity_id: Option<String>,
    pub(super) kind: SessionKind,
    pub(super) seconds: i64,
    pub(super) policy: Option<&'r str>,
    pub(super) policy_arns: &'r [PolicyDescriptor],
    pub(super) tags: BTreeMap<String, String>,
    pub(super) transitive_tag_keys: Vec<String>,
    pub(super) source_identity: Option<String>,
    pub(super) federated_provider: Option<String>,
}

/// Makes the credentials of a session.
pub(super) fn make(context: &Context<'_>, asked: Asked<'_>) -> Result<Credentials, ServiceError> {
    let (policy, policy_arns) = session_policies(context, &asked)?;
    let issued_seconds = context.now().as_second();
    let expires_seconds = issued_seconds.saturating_add(asked.seconds);
    let claims = Claims {
        account: asked.account.to_string(),
        identity_id: asked.identity_id,
        kind: asked.kind,
        issued_seconds,
        expires_seconds,
        policy,
        policy_arns,
        tags: asked.tags,
        transitive_tag_keys: asked.transitive_tag_keys,
        source_identity: asked.source_identity,
        federated_provider: asked.federated_provider,
    };
    let access_key = accounts::generate_temporary(&*context.host().rng)?;
    let session_token = seal(&context.host().keyring, &access_key, &claims)?;
    Ok(Credentials {
        access_key_id: access_key.access_key_id.clone(),
        secret_access_key: access_key.secret_access_key.to_string().into(),
        session_token: session_token.into(),
        expiration: Timestamp::from_second(expires_seconds).map_err(ServiceError::internal)?,
    })
}

/// The session policies, checked: a text, and ARNs of managed policies of the session's account.
fn session_policies(
    context: &Context<'_>,
    asked: &Asked<'_>,
) -> Result<(Option<String>, Vec<String>), ServiceError> {
    if let Some(policy) = asked.policy {
        check_document(DocumentKind::Identity, policy)?;
    }
    if asked.policy_arns.len() > POLICY_ARNS_MAX {
        return Err(ServiceError::validation(format!(
            "The number of session policies cannot exceed {POLICY_ARNS_MAX}."
        )));
    }
    let given = asked.policy_arns.iter().filter_map(|descriptor| descriptor.arn.as_deref());
    let policy_arns = given
        .map(|arn| existing_policy(context, asked.account, arn).map(|policy| policy.stored_arn))
        .collect::<Result<Vec<_>, ServiceError>>()?;
    let characters_count = asked.policy.map_or(0, counted_characters)
        + policy_arns.iter().map(String::len).sum::<usize>();
    match characters_count <= SESSION_POLICY_CHARACTERS_MAX {
        true => Ok((asked.policy.map(str::to_owned), policy_arns)),
        false => Err(ServiceError::packed_policy_too_large()),
    }
}

/// Session tags; each key may stand there once.
pub(super) fn check_tags(tags: Option<&[Tag]>) -> Result<(), ServiceError> {
    crate::iam::check_new_tags(tags)
}

/// Session tags by their keys.
pub(super) fn tag_map(tags: Option<&[Tag]>) -> BTreeMap<String, String> {
    let tags = tags.unwrap_or_default().iter();
    tags.map(|tag| (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default()))
        .collect()
}

/// Nobody has an MFA device here, so that no code of one can be right.
pub(super) fn refuse_mfa(serial_number: Option<&str>) -> Result<(), ServiceError> {
    match serial_number {
        None => Ok(()),
        Some(_) => Err(ServiceError::new(
            ErrorCode::AccessDeniedException,
            "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
        )),
    }
}

/// Temporary credentials cannot make themselves last.
fn refuse_sessions(context: &Context<'_>, operation: &str) -> Result<(), ServiceError> {
    match context.call().caller.session() {
        None => Ok(()),
        Some(_) => Err(ServiceError::session_denied(format!(
            "Cannot call {operation} with session credentials"
        ))),
    }
}

fn caller_id(context: &Context<'_>) -> Option<String> {
    context.call().caller.identity().map(|identity| identity.id().to_owned())
}

/// AWS shortens what root users ask for and refuses nothing.
fn user_seconds(context: &Context<'_>, given: Option<i64>) -> i64 {
    let seconds = given.unwrap_or(USER_SESSION_SECONDS_DEFAULT);
    match context.call().caller.identity() {
        Some(_) => seconds,
        None => seconds.min(ROOT_SESSION_SECONDS_MAX),
    }
}
