//! GetCallerIdentity.

use wire::sts::caller_identity::{GetCallerIdentityRequest, GetCallerIdentityResponse};

use super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
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
        actions: &["sts:GetCallerIdentity"],
        undeniable: true,
        read_only: true,
        ..DEFAULT
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
