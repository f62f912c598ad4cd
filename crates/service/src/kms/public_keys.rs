//! GetPublicKey.

use wire::enums::{KeySpec, KeyUsage};
use wire::error_codes::ErrorCode;
use wire::kms::public_keys::{GetPublicKeyRequest, GetPublicKeyResponse};
use wire::shape::required;
use wire::values::Blob;

use super::DEFAULT;
use super::keys::Algorithms;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::key_state::KeyStateRule;
use crate::meter::Metering;
use crate::operation::{KeyForms, Operation, Spec};
use crate::quotas::RequestQuota;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Tells the public half of an asymmetric key.
pub(crate) struct GetPublicKey;

impl Operation for GetPublicKey {
    type Request = GetPublicKeyRequest;
    type Target = OneKey;
    type Response = GetPublicKeyResponse;
    const SPEC: Spec = Spec {
        name: "GetPublicKey",
        actions: &["kms:GetPublicKey"],
        key_forms: KeyForms::KeyOrAlias,
        key_state: KeyStateRule::PublicKeyKnown,
        cross_account: true,
        read_only: true,
        unrecorded: &["GrantTokens"],
        request_quota: RequestQuota::Own(2_000),
        metering: Metering::ByKey,
        ..DEFAULT
    };

    fn names(request: &GetPublicKeyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &GetPublicKeyRequest) -> Facts<'_> {
        Facts {
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            ..Facts::default()
        }
    }

    fn kind(_request: &GetPublicKeyRequest, target: &OneKey) -> Result<(), ServiceError> {
        let key = target.key.key();
        let is_asymmetric = key.key_spec != KeySpec::SymmetricDefault
            && key.key_usage != KeyUsage::GenerateVerifyMac;
        match is_asymmetric {
            true => Ok(()),
            false => Err(ServiceError::bare(ErrorCode::UnsupportedOperationException)),
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &GetPublicKeyRequest,
    ) -> Result<Done<GetPublicKeyResponse>, ServiceError> {
        let (key, row) = (&target.key, target.key.key());
        let material = key.current_material()?;
        let public_key =
            context.custodian().public_key(&material.identity, &material.wrapped).await?;
        let algorithms = Algorithms::of(row);
        Ok(Done::read(GetPublicKeyResponse {
            key_id: key.arn(),
            public_key: Blob::from(public_key),
            customer_master_key_spec: row.key_spec.customer_master_key_spec(),
            key_spec: row.key_spec,
            key_usage: row.key_usage,
            encryption_algorithms: algorithms.encryption,
            signing_algorithms: algorithms.signing,
            key_agreement_algorithms: algorithms.key_agreement,
            encapsulation_algorithms: algorithms.encapsulation,
        }))
    }
}
