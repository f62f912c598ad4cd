//! GenerateMac, VerifyMac.

use wire::enums::{KeyUsage, MacAlgorithmSpec};
use wire::error_codes::ErrorCode;
use wire::kms::mac::{
    GenerateMacRequest, GenerateMacResponse, VerifyMacRequest, VerifyMacResponse,
};
use wire::shape::required;
use wire::values::{Blob, OneOf};

use super::CRYPTOGRAPHIC;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Cryptography, Facts};
use crate::operation::{Operation, Spec};
use crate::snapshot::KeySnapshot;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Facts that both operations share.
const MAC: Spec = Spec { key_usage: Some(KeyUsage::GenerateVerifyMac), ..CRYPTOGRAPHIC };

/// Makes the HMAC of a message (RFC 2104).
pub(crate) struct GenerateMac;

impl Operation for GenerateMac {
    type Request = GenerateMacRequest;
    type Target = OneKey;
    type Response = GenerateMacResponse;
    const SPEC: Spec = Spec { name: "GenerateMac", actions: &["kms:GenerateMac"], ..MAC };

    fn names(request: &GenerateMacRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &GenerateMacRequest) -> Facts<'_> {
        facts(request.mac_algorithm.as_ref(), request.grant_tokens.as_deref(), request.dry_run)
    }

    fn suits(request: &GenerateMacRequest, target: &OneKey) -> Result<(), ServiceError> {
        suits(&target.key, algorithm(&request.mac_algorithm)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &GenerateMacRequest,
    ) -> Result<Done<GenerateMacResponse>, ServiceError> {
        let key = &target.key;
        let mac_algorithm = algorithm(&request.mac_algorithm)?;
        let message = required(&request.message)?.as_slice();
        let material = key.current_material()?;
        let mac = context
            .custodian()
            .mac(&material.identity, &material.wrapped, mac_algorithm, message)
            .await?;
        Ok(Done::read(GenerateMacResponse {
            mac: Blob::from(mac),
            mac_algorithm,
            key_id: key.arn(),
        }))
    }
}

/// Tells whether a MAC is the key's for that message. A wrong one is an error, never an answer.
pub(crate) struct VerifyMac;

impl Operation for VerifyMac {
    type Request = VerifyMacRequest;
    type Target = OneKey;
    type Response = VerifyMacResponse;
    const SPEC: Spec = Spec { name: "VerifyMac", actions: &["kms:VerifyMac"], ..MAC };

    fn names(request: &VerifyMacRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &VerifyMacRequest) -> Facts<'_> {
        facts(request.mac_algorithm.as_ref(), request.grant_tokens.as_deref(), request.dry_run)
    }

    fn suits(request: &VerifyMacRequest, target: &OneKey) -> Result<(), ServiceError> {
        suits(&target.key, algorithm(&request.mac_algorithm)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &VerifyMacRequest,
    ) -> Result<Done<VerifyMacResponse>, ServiceError> {
        let key = &target.key;
        let mac_algorithm = algorithm(&request.mac_algorithm)?;
        let message = required(&request.message)?.as_slice();
        let mac = required(&request.mac)?.as_slice();
        let material = key.current_material()?;
        let is_valid = context
            .custodian()
            .verify_mac(&material.identity, &material.wrapped, mac_algorithm, message, mac)
            .await?;
        match is_valid {
            true => Ok(Done::read(VerifyMacResponse {
                key_id: key.arn(),
                mac_valid: true,
                mac_algorithm,
            })),
            false => Err(ServiceError::bare(ErrorCode::KMSInvalidMacException)),
        }
    }
}

fn algorithm(given: &Option<OneOf<MacAlgorithmSpec>>) -> Result<MacAlgorithmSpec, ServiceError> {
    required(given)?
        .known()
        .ok_or_else(|| ServiceError::internal("an unknown MAC algorithm passed validation"))
}

fn facts<'r>(
    mac_algorithm: Option<&OneOf<MacAlgorithmSpec>>,
    grant_tokens: Option<&'r [String]>,
    dry_run: Option<bool>,
) -> Facts<'r> {
    Facts {
        cryptography: Cryptography {
            mac_algorithm: mac_algorithm.and_then(OneOf::known),
            ..Cryptography::default()
        },
        grant_tokens: grant_tokens.unwrap_or_default(),
        dry_run: dry_run.unwrap_or_default(),
        ..Facts::default()
    }
}

fn suits(key: &KeySnapshot, mac_algorithm: MacAlgorithmSpec) -> Result<(), ServiceError> {
    let key_spec = key.key().key_spec;
    match crypto::key_specs::row(key_spec).mac_algorithms.contains(&mac_algorithm) {
        true => Ok(()),
        false => Err(ServiceError::wrong_algorithm(mac_algorithm, key_spec)),
    }
}
