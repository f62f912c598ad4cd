//! The attested recipient of an answer: the document is checked before anything is decided, and its measurements are facts
//! for policies.

use attestation::Attested;
use jiff::Timestamp;
use wire::kms::encrypt::RecipientInfo;

use crate::error::ServiceError;
use crate::host::Host;

/// Checks the document of a recipient, if the request names one.
pub(crate) fn attest(
    host: &Host,
    recipient: Option<&RecipientInfo>,
    now: Timestamp,
) -> Result<Option<Box<Attested>>, ServiceError> {
    let Some(recipient) = recipient else { return Ok(None) };
    let (Some(document), Some(_)) =
        (&recipient.attestation_document, &recipient.key_encryption_algorithm)
    else {
        return Err(ServiceError::validation(
            "Recipient must have an AttestationDocument and a KeyEncryptionAlgorithm.",
        ));
    };
    match attestation::verify(document.as_slice(), &host.attestation_roots, now) {
        Ok(attested) => Ok(Some(Box::new(attested))),
        Err(error) => Err(ServiceError::invalid_attestation(error)),
    }
}
