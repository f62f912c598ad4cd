//! GetCallerIdentity.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::error_codes::ErrorCode;
use wire::model::{Answer, Request};
use wire::names::AccountId;
use wire::shape::{Shape, Visitor};

use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::key_state::KeyStateRule;
use crate::operation::{AnswerForm, Api, KeyForms, Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Tells callers who they are. AWS lets nobody be denied this.
pub(crate) struct GetCallerIdentity;

/// The request has no members.
#[derive(Default, Deserialize)]
pub(crate) struct GetCallerIdentityRequest {}

impl Shape for GetCallerIdentityRequest {
    fn members(&self, _visitor: &mut dyn Visitor) {}
}

impl Request for GetCallerIdentityRequest {
    const OPERATION: &'static str = "GetCallerIdentity";
    type Answer = CallerIdentity;
}

impl Answer for CallerIdentity {
    const MEMBERS: &'static [&'static str] = &["UserId", "Account", "Arn"];
}

/// Who the caller is.
#[derive(Serialize)]
pub(crate) struct CallerIdentity {
    account: AccountId,
    arn: String,
    user_id: String,
}

impl Operation for GetCallerIdentity {
    type Request = GetCallerIdentityRequest;
    type Target = NoTarget;
    type Response = CallerIdentity;
    const SPEC: Spec = Spec {
        name: "GetCallerIdentity",
        api: Api::Sts,
        actions: &["sts:GetCallerIdentity"],
        key_forms: KeyForms::Key,
        key_state: KeyStateRule::Any,
        key_usage: None,
        invalid_arn: ErrorCode::InvalidArnException,
        cross_account: false,
        is_use: false,
        read_only: true,
        unrecorded: &[],
        records_answer: false,
        answer: AnswerForm::Json,
    };

    fn names(_request: &GetCallerIdentityRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    /// The answer is XML, as everything of STS.
    fn body(response: &CallerIdentity, request_id: Uuid) -> Vec<u8> {
        let CallerIdentity { account, arn, user_id } = response;
        wire::sts::get_caller_identity_xml(*account, arn, user_id, &request_id.to_string())
            .into_bytes()
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        _request: &GetCallerIdentityRequest,
    ) -> Result<Done<CallerIdentity>, ServiceError> {
        let call = context.call();
        Ok(Done::read(CallerIdentity {
            account: call.account(),
            arn: call.principal().arn.to_string(),
            user_id: call.caller.account_text().to_owned(),
        }))
    }
}
