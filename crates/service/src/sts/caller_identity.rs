//! GetCallerIdentity.

use wire::error_codes::ErrorCode;
use wire::query::STS_NAMESPACE;
use wire::sts::caller_identity::{GetCallerIdentityRequest, GetCallerIdentityResponse};

use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::key_state::KeyStateRule;
use crate::operation::{AnswerForm, Api, KeyForms, Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Tells callers who they are. AWS lets nobody be denied this.
pub(crate) struct GetCallerIdentity;

impl Operation for GetCallerIdentity {
    type Request = GetCallerIdentityRequest;
    type Target = NoTarget;
    type Response = GetCallerIdentityResponse;
    const SPEC: Spec = Spec {
        name: "GetCallerIdentity",
        api: Api::Sts,
        actions: &["sts:GetCallerIdentity"],
        undeniable: true,
        tagging_action: None,
        key_forms: KeyForms::Key,
        key_state: KeyStateRule::Any,
        key_usage: None,
        invalid_arn: ErrorCode::InvalidArnException,
        cross_account: false,
        is_use: false,
        read_only: true,
        unrecorded: &[],
        records_answer: false,
        answer: AnswerForm::Xml(STS_NAMESPACE),
    };

    fn names(_request: &GetCallerIdentityRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        _request: &GetCallerIdentityRequest,
    ) -> Result<Done<GetCallerIdentityResponse>, ServiceError> {
        let call = context.call();
        Ok(Done::read(GetCallerIdentityResponse {
            account: call.account(),
            arn: call.principal().arn.to_string(),
            user_id: call.caller.user_id().to_owned(),
        }))
    }
}
