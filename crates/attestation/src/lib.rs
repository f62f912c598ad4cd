//! Which enclave asks: Nitro attestation documents, verified, and answers sealed for their keys.
//!
//! A caller of Decrypt, DeriveSharedSecret, GenerateDataKey, GenerateDataKeyPair or GenerateRandom
//! may send a `Recipient` with an attestation document: a statement, signed by AWS's Nitro
//! hypervisor, of what software runs in an enclave (or, for NitroTPM, on an instance) and which RSA
//! key it made. [`verify`] decides whether the statement is genuine and tells what was measured;
//! policies decide what that allows; [`seal_for`] encrypts the answer so that only that key opens
//! it. Nothing here knows a policy, a KMS key or the clock: the time is an argument.
//!
//! # What is checked, in this order
//!
//! The rules are those of AWS's description of the attestation process
//! (`docs/attestation_process.md` in the repository aws/aws-nitro-enclaves-nsm-api, and "Validate a
//! NitroTPM Attestation Document" in the EC2 user guide). The first one broken is the
//! [`AttestationError`]; nothing of a document is believed before the last one holds.
//!
//! 1. **Size.** At most [`DOCUMENT_BYTES_MAX`] bytes, before anything is parsed
//!    ([`TooLong`](AttestationError::TooLong)).
//! 2. **Envelope** (RFC 9052 section 4.2, COSE_Sign1). One CBOR array, tagged 18 or not, of
//!    protected header, unprotected header, payload of 1 to [`PAYLOAD_BYTES_MAX`] bytes and
//!    signature of 96 bytes; nothing behind it, no deep nesting
//!    ([`Envelope`](AttestationError::Envelope)).
//! 3. **Headers.** The protected one says `{1: -35}`, ES384, and nothing else; the unprotected one
//!    is empty. So no other algorithm can be asked for ([`Headers`](AttestationError::Headers)).
//! 4. **Fields.** The payload is one CBOR map with text keys
//!    ([`Payload`](AttestationError::Payload)), each of AWS's list
//!    ([`UnknownField`](AttestationError::UnknownField)), none twice
//!    ([`RepeatedField`](AttestationError::RepeatedField)), all mandatory ones there
//!    ([`MissingField`](AttestationError::MissingField)) and each of its type and size
//!    ([`Field`](AttestationError::Field)): `module_id` not empty; `digest` "SHA384"; `timestamp`
//!    above 0; either `pcrs` (enclaves) or `nitrotpm_pcrs` (instances), 1 to 32 entries from 0 to 31
//!    of 32, 48 or 64 bytes; `certificate` of 1 to 1,024 bytes; `cabundle` of 1 to
//!    [`CABUNDLE_CERTIFICATES_MAX`] such; `public_key` of 1 to 1,024 bytes, `user_data` and `nonce`
//!    of at most 1,024, each absent or null where the enclave gave none.
//! 5. **Chain** (RFC 5280 section 6). `certificate` leads through `cabundle` to one of the
//!    [`Roots`] by ECDSA P-384 signatures with SHA-384, every certificate and the root within its
//!    validity now, CAs marked as such and their path lengths kept
//!    ([`Chain`](AttestationError::Chain)); `digitalSignature` among the key usages of the first,
//!    `keyCertSign` among those of the others ([`KeyUsage`](AttestationError::KeyUsage)). Roots in
//!    `cabundle` count for nothing, and no two of its certificates have one name
//!    ([`RepeatedName`](AttestationError::RepeatedName)). There is no revocation, as AWS says.
//! 6. **Signature.** ES384 over protected header and payload, by the key of `certificate`
//!    ([`Signature`](AttestationError::Signature)).
//! 7. **Freshness.** `timestamp` at most [`DOCUMENT_AGE_MAX`] before now
//!    ([`TooOld`](AttestationError::TooOld)) and at most [`CLOCK_SKEW_MAX`] after it
//!    ([`FromTheFuture`](AttestationError::FromTheFuture)).
//! 8. **Key.** `public_key` is there and is an RSA key of 2,048 bits or more as
//!    SubjectPublicKeyInfo ([`PublicKey`](AttestationError::PublicKey)).
//!
//! # What is not
//!
//! A document may be sent again while it is fresh: `nonce` and `user_data` are for protocols
//! between enclave and caller, and no part of KMS's. Whoever replays one learns nothing, since the
//! answer opens only with the enclave's private key; that the key's owner is the one who may ask is
//! what request signatures and policies decide.
//!
//! An enclave in debug mode has registers of zeros, and a document that says so is genuine: a
//! policy that names no register allows it. This is as with AWS.

mod cbor;
mod chain;
mod ecdsa;
mod envelope;
mod error;
mod payload;
mod recipient;
mod roots;
#[cfg(feature = "testing")]
pub mod testing;
mod verify;

pub use envelope::{DOCUMENT_BYTES_MAX, PAYLOAD_BYTES_MAX};
pub use error::{AttestationError, InvalidRoot, SealError};
pub use payload::CABUNDLE_CERTIFICATES_MAX;
pub use recipient::{PLAINTEXT_BYTES_MAX, seal_for};
pub use roots::Roots;
pub use verify::{Attested, CLOCK_SKEW_MAX, DOCUMENT_AGE_MAX, verify};
