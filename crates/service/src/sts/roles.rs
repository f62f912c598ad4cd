//! AssumeRole.

use std::collections::BTreeMap;
use std::sync::Arc;

use store::IdentityKind;
use wire::error_codes::ErrorCode;
use wire::names::AccountId;
use wire::shape::required;
use wire::sts::assume_role::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser};

use super::DEFAULT;
use super::sessions::{self, Asked};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts, StsFacts};
use crate::identities::Identity;
use crate::operation::{Operation, Spec};
use crate::sessions::{Session, SessionKind};
use crate::target::{ASKS_MAX, Ask, Lookup, Target};
use crate::trail::{Done, Resource};

/// How long a session lasts unless the request says otherwise, and at most if the role does not say otherwise or was
/// assumed by a session of a role, in seconds.
const SESSION_SECONDS_DEFAULT: i64 = 3_600;

/// Answers temporary credentials of a role to somebody whom its trust policy names.
pub(crate) struct AssumeRole;

impl Operation for AssumeRole {
    type Request = AssumeRoleRequest;
    type Target = OneRole;
    type Response = AssumeRoleResponse;
    const SPEC: Spec = Spec {
        name: "AssumeRole",
        actions: &["sts:AssumeRole"],
        tagging_action: Some("sts:TagSession"),
        cross_account: true,
        // CloudTrail's records of AssumeRole say so.
        read_only: true,
        records_answer: true,
        ..DEFAULT
    };

    fn check(request: &AssumeRoleRequest) -> Result<(), ServiceError> {
        sessions::check_tags(request.tags.as_deref())
    }

    fn names(request: &AssumeRoleRequest) -> Result<<OneRole as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.role_arn)?)
    }

    fn facts(request: &AssumeRoleRequest) -> Facts<'_> {
        Facts {
            iam: IamFacts {
                tags: request.tags.as_deref().unwrap_or_default(),
                ..IamFacts::default()
            },
            sts: StsFacts {
                external_id: request.external_id.as_deref(),
                role_session_name: request.role_session_name.as_deref(),
                source_identity: request.source_identity.as_deref(),
                transitive_tag_keys: request.transitive_tag_keys.as_deref().unwrap_or_default(),
            },
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneRole>,
        request: &AssumeRoleRequest,
    ) -> Result<Done<AssumeRoleResponse>, ServiceError> {
        sessions::refuse_mfa(request.serial_number.as_deref())?;
        let role = target.role()?;
        let caller = &context.call().caller;
        let chained = caller.session().filter(|session| is_role_session(session));
        let seconds = duration_seconds(role, chained.is_some(), request.duration_seconds)?;
        let session_name = required(&request.role_session_name)?;
        let (tags, transitive_tag_keys) = tags(chained, request)?;
        let source_identity = source_identity(caller.session(), request)?;
        let asked = Asked {
            account: role.account(),
            identity_id: Some(role.id().to_owned()),
            kind: SessionKind::Role(session_name.clone()),
            seconds,
            policy: request.policy.as_deref(),
            policy_arns: request.policy_arns.as_deref().unwrap_or_default(),
            tags,
            transitive_tag_keys,
            source_identity: source_identity.clone(),
            federated_provider: None,
        };
        let credentials = sessions::make(context, asked)?;
        let partition = context.call().region.partition().as_str();
        let (account, name) = (role.account(), role.name());
        Ok(Done::read(AssumeRoleResponse {
            credentials,
            assumed_role_user: AssumedRoleUser {
                assumed_role_id: format!("{}:{session_name}", role.id()),
                arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"),
            },
            packed_policy_size: None,
            source_identity,
            session_token_utilization: None,
            session_token_size: None,
        }))
    }
}

/// A role that a request names by its ARN; of another account it may be as well.
pub(crate) struct OneRole {
    arn: String,
    role: Option<Arc<Identity>>,
}

impl OneRole {
    /// The role; of one that does not exist nobody gets this far.
    pub(super) fn role(&self) -> Result<&Arc<Identity>, ServiceError> {
        self.role
            .as_ref()
            .ok_or_else(|| ServiceError::internal("a role was authorised and is not there"))
    }
}

impl Target for OneRole {
    type Names<'r> = &'r str;

    async fn resolve(lookup: &Lookup<'_>, arn: Self::Names<'_>) -> Result<OneRole, ServiceError> {
        let partition = lookup.call.region.partition();
        let named = arn
            .strip_prefix("arn:")
            .and_then(|rest| rest.strip_prefix(partition.as_str()))
            .and_then(|rest| rest.strip_prefix(":iam::"))
            .and_then(|rest| rest.split_once(":role/"));
        let (account, path) =
            named.ok_or_else(|| ServiceError::validation(format!("{arn} is invalid")))?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let role = account
            .parse::<AccountId>()
            .ok()
            .and_then(|account| lookup.host.identities.find(account, IdentityKind::Role, name));
        let role = role.filter(|role| role.arn(partition) == arn);
        // AWS has no sessions of roles for root users.
        let caller = &lookup.call.caller;
        if caller.identity().is_none() && caller.web_identity().is_none() {
            return Err(ServiceError::session_denied("Roles may not be assumed by root accounts."));
        }
        Ok(OneRole { arn: arn.to_owned(), role })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Role { arn: &self.arn, role: self.role.as_deref() }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        let role = self.role.iter();
        role.map(|role| Resource::of_role(role.account(), self.arn.clone())).collect()
    }
}

fn is_role_session(session: &Session) -> bool {
    matches!(session.claims().kind, SessionKind::Role(_))
}

/// How long the session is to last.
pub(super) fn duration_seconds(
    role: &Identity,
    is_chained: bool,
    given: Option<i64>,
) -> Result<i64, ServiceError> {
    let seconds = given.unwrap_or(SESSION_SECONDS_DEFAULT);
    if is_chained && seconds > SESSION_SECONDS_DEFAULT {
        return Err(ServiceError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    let max = role.row().max_session_seconds.map_or(SESSION_SECONDS_DEFAULT, i64::from);
    match seconds <= max {
        true => Ok(seconds),
        false => Err(ServiceError::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )),
    }
}

/// The tags of the session: those of the request, and those that a chain hands on, which nobody can change on the way.
fn tags(
    chained: Option<&Session>,
    request: &AssumeRoleRequest,
) -> Result<(BTreeMap<String, String>, Vec<String>), ServiceError> {
    let mut tags = sessions::tag_map(request.tags.as_deref());
    let mut transitive = request.transitive_tag_keys.clone().unwrap_or_default();
    let inherited = chained.map(Session::claims);
    for key in inherited.iter().flat_map(|claims| &claims.transitive_tag_keys) {
        if tags.keys().chain(&transitive).any(|other| other.eq_ignore_ascii_case(key)) {
            return Err(ServiceError::new(
                ErrorCode::InvalidInput,
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
            ));
        }
        let value = inherited.and_then(|claims| claims.tags.get(key)).cloned();
        tags.insert(key.clone(), value.unwrap_or_default());
        transitive.push(key.clone());
    }
    Ok((tags, transitive))
}

/// Once set, the source identity stays the same through all further roles.
fn source_identity(
    session: Option<&Session>,
    request: &AssumeRoleRequest,
) -> Result<Option<String>, ServiceError> {
    let inherited = session.and_then(|session| session.claims().source_identity.clone());
    match (inherited, request.source_identity.clone()) {
        (Some(inherited), Some(given)) if inherited != given => {
            Err(ServiceError::session_denied("SourceIdentity cannot be changed once it is set."))
        }
        (Some(inherited), _) => Ok(Some(inherited)),
        (None, given) => Ok(given),
    }
}
