//! ECDSA on P-384 with SHA-384 (FIPS 186-5), the one algorithm of documents and certificates.

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm,
    VerificationAlgorithm,
};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

/// As certificates encode it: DER of `r` and `s` (RFC 5758 section 3.2).
pub(crate) static IN_CERTIFICATES: Ecdsa = Ecdsa(&ECDSA_P384_SHA384_ASN1);

/// As COSE encodes it, ES384: `r || s`, 48 bytes each (RFC 9053 section 2.1).
pub(crate) static IN_DOCUMENTS: Ecdsa = Ecdsa(&ECDSA_P384_SHA384_FIXED);

/// ECDSA on P-384 with SHA-384 in one of its encodings, as webpki wants it.
///
/// webpki has it too, but only the first and together with `aws-lc-sys`, where a FIPS build has
/// another module.
#[derive(Debug)]
pub(crate) struct Ecdsa(&'static EcdsaVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.0.verify_sig(public_key, message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P384
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA384
    }
}
