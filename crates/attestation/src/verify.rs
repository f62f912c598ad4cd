//! The whole examination of a document, in order.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;

use crate::envelope::Envelope;
use crate::payload::Payload;
use crate::recipient::RecipientKey;
use crate::{AttestationError, Roots, chain};

/// How long a document is fresh.
///
/// AWS KMS wants documents fresh and does not say how fresh. The certificate that signs one lives
/// three hours, which is the bound that remains without this. Five minutes is our choice: the
/// window of a request's own signature.
pub const DOCUMENT_AGE_MAX: SignedDuration = SignedDuration::from_mins(5);

/// How far a document may be ahead of our clock; our choice, as [`DOCUMENT_AGE_MAX`].
pub const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// What a genuine document attests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// Id of the Nitro module that signed: the instance, and for an enclave its own id behind it.
    pub module_id: String,
    /// When the document was made, in milliseconds.
    pub time: Timestamp,
    /// Platform configuration registers of an enclave, by index from 0 to 31
    /// (`kms:RecipientAttestation:PCR<n>`); empty for an instance.
    pub pcrs: BTreeMap<u8, Vec<u8>>,
    /// Platform configuration registers of an instance with NitroTPM, by index from 0 to 31
    /// (`kms:RecipientAttestation:NitroTPMPCR<n>`); empty for an enclave.
    pub nitro_tpm_pcrs: BTreeMap<u8, Vec<u8>>,
    /// The key to answer to: an RSA key as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), in DER.
    pub public_key_der: Vec<u8>,
}

impl Attested {
    /// Digest of the enclave's image, SHA-384: register 0 under the name that
    /// `kms:RecipientAttestation:ImageSha384` and CloudTrail's
    /// `attestationDocumentEnclaveImageDigest` have for it.
    #[must_use]
    pub fn enclave_image_digest(&self) -> Option<&[u8]> {
        self.pcrs.get(&0).map(Vec::as_slice)
    }
}

/// Examines a document; the crate's documentation has the rules and their order.
///
/// # Errors
/// [`AttestationError`]: the first rule that is broken.
pub fn verify(
    document: &[u8],
    roots: &Roots,
    now: Timestamp,
) -> Result<Attested, AttestationError> {
    let envelope = Envelope::parse(document)?;
    let payload = Payload::parse(envelope.payload())?;

    let certificate = CertificateDer::from(payload.certificate.as_slice());
    let certificate = EndEntityCert::try_from(&certificate).map_err(AttestationError::Chain)?;
    chain::verify(&certificate, &payload.cabundle, roots, since_1970(now))?;
    envelope.verify(&certificate)?;

    check_freshness(payload.time, now)?;
    let public_key_der = payload.public_key.ok_or(AttestationError::PublicKey)?;
    RecipientKey::parse(&public_key_der).map_err(|_| AttestationError::PublicKey)?;
    Ok(Attested {
        module_id: payload.module_id,
        time: payload.time,
        pcrs: payload.pcrs,
        nitro_tpm_pcrs: payload.nitro_tpm_pcrs,
        public_key_der,
    })
}

/// Checks that a document made at `time` is fresh.
fn check_freshness(time: Timestamp, now: Timestamp) -> Result<(), AttestationError> {
    let age = now.duration_since(time);
    if age > DOCUMENT_AGE_MAX {
        return Err(AttestationError::TooOld { age });
    }
    let ahead = time.duration_since(now);
    if ahead > CLOCK_SKEW_MAX {
        return Err(AttestationError::FromTheFuture { ahead });
    }
    Ok(())
}

/// A time as certificates count it. Before 1970 no certificate is valid, nor is any at 0.
fn since_1970(now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}
