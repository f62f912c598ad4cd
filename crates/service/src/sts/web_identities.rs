//! AssumeRoleWithWebIdentity.

use wire::error_codes::ErrorCode;
use wire::shape::required;
use wire::sts::assume_role::{
    AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse, AssumedRoleUser,
};

use super::DEFAULT;
use super::roles::{OneRole, duration_seconds};
use super::sessions::{self, Asked};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, StsFacts};
use crate::operation::{Operation, Spec};
use crate::sessions::SessionKind;
use crate::target::Target;
use crate::trail::Done;

/// Answers temporary credentials of a role to somebody for whom an OIDC provider vouches that its trust policy names. What
/// the token says of tags and source identity is asked of policies from the caller, not from the request.
pub(crate) struct AssumeRoleWithWebIdentity;

impl Operation for AssumeRoleWithWebIdentity {
    type Request = AssumeRoleWithWebIdentityRequest;
    type Target = OneRole;
    type Response = AssumeRoleWithWebIdentityResponse;
    const SPEC: Spec = Spec {
        name: "AssumeRoleWithWebIdentity",
        actions: &["sts:AssumeRoleWithWebIdentity"],
        tagging_action: Some("sts:TagSession"),
        read_only: true,
        records_answer: true,
        ..DEFAULT
    };

    fn names(
        request: &AssumeRoleWithWebIdentityRequest,
    ) -> Result<<OneRole as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.role_arn)?)
    }

    fn facts(request: &AssumeRoleWithWebIdentityRequest) -> Facts<'_> {
        let role_session_name = request.role_session_name.as_deref();
        Facts { sts: StsFacts { role_session_name, ..StsFacts::default() }, ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneRole>,
        request: &AssumeRoleWithWebIdentityRequest,
    ) -> Result<Done<AssumeRoleWithWebIdentityResponse>, ServiceError> {
        let caller = context.call().caller.web_identity().ok_or_else(|| {
            ServiceError::new(ErrorCode::AccessDeniedException, "The caller is no web identity.")
        })?;
        let role = target.role()?;
        let session_name = required(&request.role_session_name)?;
        let asked = Asked {
            account: role.account(),
            identity_id: Some(role.id().to_owned()),
            kind: SessionKind::Role(session_name.clone()),
            seconds: duration_seconds(role, false, request.duration_seconds)?,
            policy: request.policy.as_deref(),
            policy_arns: request.policy_arns.as_deref().unwrap_or_default(),
            tags: sessions::tag_map(Some(&caller.tags)),
            transitive_tag_keys: caller.transitive_tag_keys.clone(),
            source_identity: caller.source_identity.clone(),
            federated_provider: Some(caller.provider_arn.clone()),
        };
        let credentials = sessions::make(context, asked)?;
        let partition = context.call().region.partition().as_str();
        let (account, name) = (role.account(), role.name());
        Ok(Done::read(AssumeRoleWithWebIdentityResponse {
            credentials,
            subject_from_web_identity_token: Some(caller.subject.clone()),
            assumed_role_user: AssumedRoleUser {
                assumed_role_id: format!("{}:{session_name}", role.id()),
                arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"),
            },
            packed_policy_size: None,
            provider: Some(caller.provider_arn.clone()),
            audience: Some(caller.audience.clone()),
            source_identity: caller.source_identity.clone(),
            session_token_utilization: None,
            session_token_size: None,
            trusted_identity_propagation_context: None,
        }))
    }
}
