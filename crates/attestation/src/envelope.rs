//! The COSE_Sign1 structure around a document (RFC 9052 section 4.2).

use ciborium::Value;
use coset::{AsCborValue, CoseSign1, Header, HeaderBuilder, TaggedCborSerializable, iana};
use webpki::EndEntityCert;

use crate::{AttestationError, cbor, ecdsa};

/// Longest payload, in bytes (AWS's attestation process, section 3.1).
pub const PAYLOAD_BYTES_MAX: usize = 16_384;

/// Longest document, in bytes: the longest payload, and room for all that stands around it (tag,
/// array, header, lengths and signature: 109 bytes).
///
/// The API admits 262,144 (`AttestationDocumentType`), which no document needs.
pub const DOCUMENT_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 256;

/// Longest protected header that is parsed, in bytes; `{1: -35}` has four.
///
/// A header may carry signatures with headers of their own, and reading those recurses without
/// bound. Sixteen bytes hold no depth.
const PROTECTED_HEADER_BYTES_MAX: usize = 16;

/// Length of an ES384 signature, in bytes (RFC 9053 section 2.1).
const SIGNATURE_BYTES: usize = 96;

/// A document of the right form, whose signature is not looked at yet.
pub(crate) struct Envelope(CoseSign1);

impl Envelope {
    /// Reads the structure and insists on the one algorithm.
    pub(crate) fn parse(document: &[u8]) -> Result<Envelope, AttestationError> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(AttestationError::TooLong {
                bytes: document.len(),
                bytes_max: DOCUMENT_BYTES_MAX,
            });
        }
        let value = untagged(cbor::read(document).ok_or(AttestationError::Envelope)?)?;
        let Value::Array(parts) = &value else { return Err(AttestationError::Envelope) };
        let [
            Value::Bytes(protected),
            Value::Map(unprotected),
            Value::Bytes(payload),
            Value::Bytes(signature),
        ] = parts.as_slice()
        else {
            return Err(AttestationError::Envelope);
        };
        if !(1..=PAYLOAD_BYTES_MAX).contains(&payload.len()) || signature.len() != SIGNATURE_BYTES {
            return Err(AttestationError::Envelope);
        }
        if protected.len() > PROTECTED_HEADER_BYTES_MAX || !unprotected.is_empty() {
            return Err(AttestationError::Headers);
        }
        // What is left to go wrong here is the inside of the protected header.
        let signed = CoseSign1::from_cbor_value(value).map_err(|_| AttestationError::Headers)?;
        if signed.protected.header != es384() {
            return Err(AttestationError::Headers);
        }
        Ok(Envelope(signed))
    }

    /// What is signed, undecoded.
    pub(crate) fn payload(&self) -> &[u8] {
        self.0.payload.as_deref().unwrap_or_default()
    }

    /// Whether the key of `certificate` signed this document.
    pub(crate) fn verify(&self, certificate: &EndEntityCert<'_>) -> Result<(), AttestationError> {
        self.0
            .verify_signature(b"", |signature, message| {
                certificate.verify_signature(&ecdsa::IN_DOCUMENTS, message, signature)
            })
            .map_err(|_| AttestationError::Signature)
    }
}

/// The header `{1: -35}`.
pub(crate) fn es384() -> Header {
    HeaderBuilder::new().algorithm(iana::Algorithm::ES384).build()
}

/// The item within tag 18, or the item where there is no tag.
fn untagged(value: Value) -> Result<Value, AttestationError> {
    match value.into_tag() {
        Ok((CoseSign1::TAG, inner)) => Ok(*inner),
        Ok(_) => Err(AttestationError::Envelope),
        Err(untagged) => Ok(untagged),
    }
}
