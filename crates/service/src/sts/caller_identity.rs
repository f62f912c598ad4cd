//! GetCallerIdentity, GetAccessKeyInfo.

use store::IdentityKind;
use wire::names::AccountId;
use wire::shape::required;
use wire::sts::caller_identity::{
    GetAccessKeyInfoRequest, GetAccessKeyInfoResponse, GetCallerIdentityRequest,
    GetCallerIdentityResponse,
};

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

/// Tells whose account an access key is of. AWS reads it out of the id; here it is looked up, among keys that sign for
/// somebody and, of the caller's account, among inactive ones.
pub(crate) struct GetAccessKeyInfo;

impl Operation for GetAccessKeyInfo {
    type Request = GetAccessKeyInfoRequest;
    type Target = NoTarget;
    type Response = GetAccessKeyInfoResponse;
    const SPEC: Spec = Spec {
        name: "GetAccessKeyInfo",
        actions: &["sts:GetAccessKeyInfo"],
        read_only: true,
        ..DEFAULT
    };

    fn names(_request: &GetAccessKeyInfoRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GetAccessKeyInfoRequest,
    ) -> Result<Done<GetAccessKeyInfoResponse>, ServiceError> {
        let access_key_id = required(&request.access_key_id)?;
        let credential = context.host().credentials.find(access_key_id);
        let account = credential.map(|credential| credential.account());
        let account = account.or_else(|| account_of_inactive(context, access_key_id));
        let account = account.ok_or_else(|| {
            ServiceError::validation(format!("The access key ID {access_key_id} is not valid."))
        })?;
        Ok(Done::read(GetAccessKeyInfoResponse { account }))
    }
}

fn account_of_inactive(context: &Context<'_>, access_key_id: &str) -> Option<AccountId> {
    let account = context.call().account();
    let users = context.host().identities.all(account, IdentityKind::User);
    let has_key = users
        .iter()
        .any(|user| user.record().access_keys.iter().any(|row| row.access_key_id == access_key_id));
    has_key.then_some(account)
}
