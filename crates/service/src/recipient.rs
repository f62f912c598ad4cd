//! The attested recipient of an answer: the document is checked before anything is decided, and its measurements are facts
//! for policies.

use std::sync::Arc;

use attestation::Attested;
use jiff::Timestamp;
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
