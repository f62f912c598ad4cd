//! The attested recipient of an answer: the document is checked before anything is decided; its measurements are facts for
//! policies, and the record tells whose they are.

use std::sync::Arc;

use attestation::Attested;
use jiff::Timestamp;
use serde_json::json;
use wire::kms::encrypt::RecipientInfo;

use crate::error::ServiceError;
use crate::host::Host;

/// Checks the document of a recipient. It takes a handful of P-384 signatures, so it is not done on
/// the threads of requests.
pub(crate) async fn attest(
    host: &Host,
    recipient: &RecipientInfo,
    now: Timestamp,
) -> Result<Box<Attested>, ServiceError> {
    let (Some(document), Some(_)) =
        (&recipient.attestation_document, &recipient.key_encryption_algorithm)
    else {
        return Err(ServiceError::validation(
            "Recipient must have an AttestationDocument and a KeyEncryptionAlgorithm.",
        ));
    };
    let (document, roots) = (document.as_slice().to_vec(), Arc::clone(&host.attestation_roots));
    let verify = move || Ok(attestation::verify(&document, &roots, now));
    match host.workshop.work(verify).await? {
        Ok(attested) => Ok(Box::new(attested)),
        Err(error) => Err(ServiceError::invalid_attestation(error)),
    }
}

/// What the record tells of a recipient: `additionalEventData` as CloudTrail has it for calls from enclaves. The digest is
/// left out for what has no image.
pub(crate) fn event_data(recipient: &Attested) -> Vec<u8> {
    let mut told = json!({ "attestationDocumentModuleId": recipient.module_id });
    if let (Some(digest), Some(members)) = (recipient.enclave_image_digest(), told.as_object_mut())
    {
        let digest = hexadecimal(digest).into();
        members.insert("attestationDocumentEnclaveImageDigest".to_owned(), digest);
    }
    json!({ "recipient": told }).to_string().into_bytes()
}

/// A measurement as policies and records write it: in lower-case digits.
pub(crate) fn hexadecimal(measurement: &[u8]) -> String {
    measurement.iter().map(|byte| format!("{byte:02x}")).collect()
}
