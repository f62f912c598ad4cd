//! Why a document is not believed, a root not trusted, or an answer not sealed.
//!
//! These texts are for operators. What a caller reads is the service's to say.

use jiff::SignedDuration;

/// The first rule that a document breaks, in the order of the crate's documentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// The document is longer than any genuine one.
    #[error("the document has {bytes} bytes, at most {bytes_max} are admitted")]
    TooLong {
        /// Length given, in bytes.
        bytes: usize,
        /// Longest length admitted, in bytes.
        bytes_max: usize,
    },
    /// The bytes are not one COSE_Sign1 structure with a payload and a signature of their sizes.
    #[error("the document is not a COSE_Sign1 structure as AWS signs it")]
    Envelope,
    /// The headers name another algorithm than ES384, or anything besides.
    #[error("the headers of the document are not those of ES384 alone")]
    Headers,
    /// The payload is not one CBOR map with text keys.
    #[error("the payload of the document is not a CBOR map of fields")]
    Payload,
    /// The payload has a field that AWS's list does not have.
    #[error("the document has a field that is not in AWS's list")]
    UnknownField,
    /// The payload has a field twice.
    #[error("the document has `{0}` twice")]
    RepeatedField(&'static str),
    /// The payload lacks a field.
    #[error("the document has no `{0}`")]
    MissingField(&'static str),
    /// A field is not of its type, or not within its bounds.
    #[error("`{0}` of the document is not of its type or size")]
    Field(&'static str),
    /// Two certificates of the bundle have one name, so that there could be many paths.
    #[error("two certificates of the document's bundle have one name")]
    RepeatedName,
    /// The certificates do not lead to a trusted root at this time.
    #[error("the certificates of the document lead to no trusted root")]
    Chain(#[source] webpki::Error),
    /// A certificate of the chain, or the root, is not meant for what it is used for.
    #[error("{0} of the document is not meant for that use")]
    KeyUsage(&'static str),
    /// The signature is not that of the document's certificate.
    #[error("the signature of the document is not that of its certificate")]
    Signature,
    /// The document was made too long ago.
    #[error("the document was made {age:#} ago")]
    TooOld {
        /// Time since it was made.
        age: SignedDuration,
    },
    /// The document will be made later than clocks may differ.
    #[error("the document is dated {ahead:#} ahead")]
    FromTheFuture {
        /// Time until it is made.
        ahead: SignedDuration,
    },
    /// The document names no key to answer to, or not an RSA key that is fit for it.
    #[error("the document has no RSA public key of 2,048 bits or more")]
    PublicKey,
}

/// Why certificates cannot be trusted as roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoot {
    /// There is no certificate at all.
    #[error("there is no certificate")]
    None,
    /// A block of PEM (RFC 7468) does not read.
    #[error("the PEM does not read")]
    Pem,
    /// A certificate is not one of X.509 version 3 in DER.
    #[error("a certificate does not read as X.509 version 3")]
    Certificate,
    /// A certificate's key is not one of ECDSA on P-384, the only one that signs documents.
    #[error("a certificate's key is not on P-384")]
    NotP384,
    /// A certificate is not that of a certification authority: it lacks `cA` or `keyCertSign`.
    #[error("a certificate is not that of a certification authority")]
    NotAuthority,
}

/// Why an answer was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is not an RSA key of 2,048 bits or more as SubjectPublicKeyInfo.
    #[error("the recipient's key is not an RSA public key of 2,048 bits or more")]
    PublicKey,
    /// The plaintext is longer than an answer can be.
    #[error("{bytes} bytes given, at most {bytes_max} are admitted")]
    TooLong {
        /// Length given, in bytes.
        bytes: usize,
        /// Longest length admitted, in bytes.
        bytes_max: usize,
    },
    /// The source of randomness failed; nothing was made.
    #[error("the source of randomness failed")]
    Randomness,
    /// AWS-LC refused; it does not say why, by design.
    #[error("the cryptographic module refused the operation")]
    Refused,
}
