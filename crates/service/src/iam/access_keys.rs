//! CreateAccessKey, UpdateAccessKey, DeleteAccessKey, ListAccessKeys, GetAccessKeyLastUsed.

mod last_used;

use store::AccessKeyStatus;
use wire::error_codes::ErrorCode;
use wire::iam::access_keys::{
    AccessKey, AccessKeyMetadata, CreateAccessKeyRequest, CreateAccessKeyResponse,
    DeleteAccessKeyRequest, ListAccessKeysRequest, ListAccessKeysResponse, UpdateAccessKeyRequest,
};
use wire::iam::enums::Status;
use wire::shape::required;

use super::paging::{self, Wanted};
use super::target::{IdentityName, OneIdentity};
use super::users::whole_second;
use super::{CREATING, DEFAULT, READING, change, quotas};
use crate::accounts;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::access_key_row;
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

pub(crate) use last_used::GetAccessKeyLastUsed;

/// Makes an access key for a user. Its secret is told this once.
pub(crate) struct CreateAccessKey;

impl Operation for CreateAccessKey {
    type Request = CreateAccessKeyRequest;
    type Target = OneIdentity;
    type Response = CreateAccessKeyResponse;
    // The secret in the answer is never written into a record.
    const SPEC: Spec =
        Spec { name: "CreateAccessKey", actions: &["iam:CreateAccessKey"], ..CREATING };

    fn names(
        request: &CreateAccessKeyRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &CreateAccessKeyRequest,
    ) -> Result<Done<CreateAccessKeyResponse>, ServiceError> {
        let user = target.existing()?;
        let now = whole_second(context.now());
        let made = accounts::generate(&*context.host().rng)?;
        let row = access_key_row(&context.host().keyring, user, &made, now)?;
        let answer = CreateAccessKeyResponse {
            access_key: AccessKey {
                user_name: user.name().to_owned(),
                access_key_id: made.access_key_id.clone(),
                status: Status::Active,
                secret_access_key: made.secret_access_key.to_string().into(),
                create_date: now,
            },
        };
        change(context, user, move |record, _| {
            record.access_keys.push(row);
            let count = record.access_keys.len();
            quotas::check("AccessKeysPerUser", count, quotas::ACCESS_KEYS_MAX)?;
            Ok(answer)
        })
        .await
    }
}

/// Makes an access key usable or not.
pub(crate) struct UpdateAccessKey;

impl Operation for UpdateAccessKey {
    type Request = UpdateAccessKeyRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec =
        Spec { name: "UpdateAccessKey", actions: &["iam:UpdateAccessKey"], ..DEFAULT };

    fn names(
        request: &UpdateAccessKeyRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &UpdateAccessKeyRequest,
    ) -> Result<Done<()>, ServiceError> {
        let access_key_id = required(&request.access_key_id)?.clone();
        let status = match required(&request.status)?.known() {
            Some(Status::Active) => AccessKeyStatus::Active,
            Some(Status::Inactive) => AccessKeyStatus::Inactive,
            Some(Status::Expired) | None => {
                return Err(ServiceError::validation(
                    "The status of an access key cannot be set to Expired.",
                ));
            }
        };
        change(context, target.existing()?, move |record, _| {
            let row = record.access_keys.iter_mut().find(|row| row.access_key_id == access_key_id);
            row.ok_or_else(|| no_such_access_key(&access_key_id))?.status = status;
            Ok(())
        })
        .await
    }
}

/// Deletes an access key.
pub(crate) struct DeleteAccessKey;

impl Operation for DeleteAccessKey {
    type Request = DeleteAccessKeyRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec =
        Spec { name: "DeleteAccessKey", actions: &["iam:DeleteAccessKey"], ..DEFAULT };

    fn names(
        request: &DeleteAccessKeyRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &DeleteAccessKeyRequest,
    ) -> Result<Done<()>, ServiceError> {
        let access_key_id = required(&request.access_key_id)?.clone();
        change(context, target.existing()?, move |record, _| {
            let count = record.access_keys.len();
            record.access_keys.retain(|row| row.access_key_id != access_key_id);
            match record.access_keys.len() == count {
                true => Err(no_such_access_key(&access_key_id)),
                false => Ok(()),
            }
        })
        .await
    }
}

/// Lists the access keys of a user.
pub(crate) struct ListAccessKeys;

impl Operation for ListAccessKeys {
    type Request = ListAccessKeysRequest;
    type Target = OneIdentity;
    type Response = ListAccessKeysResponse;
    const SPEC: Spec = Spec { name: "ListAccessKeys", actions: &["iam:ListAccessKeys"], ..READING };

    fn names(
        request: &ListAccessKeysRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &ListAccessKeysRequest,
    ) -> Result<Done<ListAccessKeysResponse>, ServiceError> {
        let user = target.existing()?;
        let wanted = Wanted {
            list: "ListAccessKeys",
            filter: user.id(),
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let keys = user.record().access_keys.iter().map(|row| AccessKeyMetadata {
            user_name: user.name().to_owned(),
            access_key_id: row.access_key_id.clone(),
            status: match row.status {
                AccessKeyStatus::Active => Status::Active,
                AccessKeyStatus::Inactive => Status::Inactive,
            },
            create_date: row.created,
        });
        let page = paging::page(context, wanted, keys.collect(), |key| key.access_key_id.clone())?;
        Ok(Done::read(ListAccessKeysResponse {
            access_key_metadata: page.items,
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

fn no_such_access_key(access_key_id: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::NoSuchEntity,
        format!("The Access Key with id {access_key_id} cannot be found."),
    )
}
