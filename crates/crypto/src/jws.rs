//! Signatures of JSON Web Tokens (RFC 7515), verified with public keys of JSON Web Keys (RFC 7518,
//! section 6, and RFC 8037).
//!
//! A key says with which algorithms it verifies; what a token says of itself only chooses among
//! these, so that no token can have an RSA key taken for anything else. Neither `none` nor HMACs
//! exist here.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

/// How a token is signed: `alg` (RFC 7518, section 3.1, and RFC 8037, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The algorithm of that name; none for `none`, HMACs and whatever is not known here.
    pub fn from_name(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "RS384" => Some(Algorithm::Rs384),
            "RS512" => Some(Algorithm::Rs512),
            "PS256" => Some(Algorithm::Ps256),
            "PS384" => Some(Algorithm::Ps384),
            "PS512" => Some(Algorithm::Ps512),
            "ES256" => Some(Algorithm::Es256),
            "ES384" => Some(Algorithm::Es384),
            "ES512" => Some(Algorithm::Es512),
            "EdDSA" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }

    /// The parameters, if it is one of RSA.
    fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
            Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
            Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa => None,
        }
    }
}

/// The public key of an issuer of tokens.
pub struct PublicKey(Inner);

enum Inner {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// A key that verifies with one algorithm only.
    Point {
        algorithm: Algorithm,
        parameters: &'static dyn VerificationAlgorithm,
        point: Vec<u8>,
    },
}

impl PublicKey {
    /// An RSA key of 2,048 to 8,192 bits from its modulus and exponent, big-endian (RFC 7518,
    /// section 6.3.1). Whether it is sound is told when it verifies.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> PublicKey {
        let number = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        PublicKey(Inner::Rsa(RsaPublicKeyComponents { n: number(modulus), e: number(exponent) }))
    }

    /// A key on the NIST curve `P-256`, `P-384` or `P-521` from its coordinates (RFC 7518, section
    /// 6.2.1), each as long as the field; none for another curve or length.
    pub fn ec(curve: &str, x: &[u8], y: &[u8]) -> Option<PublicKey> {
        let (algorithm, parameters, coordinate_bytes): (_, &'static dyn VerificationAlgorithm, _) =
            match curve {
                "P-256" => (Algorithm::Es256, &ECDSA_P256_SHA256_FIXED, 32),
                "P-384" => (Algorithm::Es384, &ECDSA_P384_SHA384_FIXED, 48),
                "P-521" => (Algorithm::Es512, &ECDSA_P521_SHA512_FIXED, 66),
                _ => return None,
            };
        if x.len() != coordinate_bytes || y.len() != coordinate_bytes {
            return None;
        }
        // The uncompressed form of SEC 1, section 2.3.3.
        let point = [&[0x04], x, y].concat();
        Some(PublicKey(Inner::Point { algorithm, parameters, point }))
    }

    /// An Ed25519 key (RFC 8037, section 2).
    pub fn ed25519(public_key: &[u8]) -> PublicKey {
        let point = public_key.to_vec();
        PublicKey(Inner::Point { algorithm: Algorithm::EdDsa, parameters: &ED25519, point })
    }

    /// Whether the signature is one of the message by this key with that algorithm; false as well if
    /// the key is not one for the algorithm.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Inner::Rsa(key) => algorithm
                .rsa()
                .is_some_and(|parameters| key.verify(parameters, message, signature).is_ok()),
            Inner::Point { algorithm: own, parameters, point } => {
                let key = UnparsedPublicKey::new(*parameters, point);
                *own == algorithm && key.verify(message, signature).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The message of RFC 7515, appendices A.2 and A.3, but for its header.
    const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    fn es256() -> (PublicKey, String, Vec<u8>) {
        let key = PublicKey::ec(
            "P-256",
            &bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            &bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        );
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        (key.unwrap(), format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}"), bytes(signature))
    }

    /// RFC 8037, appendix A.4.
    fn ed25519() -> (PublicKey, String, Vec<u8>) {
        let key = PublicKey::ed25519(&bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        (key, message.to_owned(), bytes(signature))
    }

    #[test]
    fn the_examples_of_the_rfcs_verify_with_their_algorithm_only() {
        let all = ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"];
        for ((key, message, signature), own) in [(es256(), "ES256"), (ed25519(), "EdDSA")] {
            for name in all {
                let algorithm = Algorithm::from_name(name).unwrap();
                let verified = key.verify(algorithm, message.as_bytes(), &signature);
                assert_eq!(verified, name == own, "{own} as {name}");
            }
            let algorithm = Algorithm::from_name(own).unwrap();
            assert!(!key.verify(algorithm, format!("{message}x").as_bytes(), &signature));
            for place in 0..signature.len() {
                let mut altered = signature.clone();
                altered[place] ^= 1;
                assert!(!key.verify(algorithm, message.as_bytes(), &altered), "{own} {place}");
            }
            assert!(!key.verify(algorithm, message.as_bytes(), &[]));
        }
    }

    #[test]
    fn neither_none_nor_hmacs_are_algorithms() {
        for name in ["none", "None", "HS256", "HS384", "HS512", "rs256", ""] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn coordinates_are_as_long_as_the_field() {
        assert!(PublicKey::ec("P-256", &[1; 32], &[1; 32]).is_some());
        assert!(PublicKey::ec("P-256", &[1; 31], &[1; 33]).is_none());
        assert!(PublicKey::ec("P-384", &[1; 32], &[1; 32]).is_none());
        assert!(PublicKey::ec("secp256k1", &[1; 32], &[1; 32]).is_none());
        // On no curve.
        let key = PublicKey::ec("P-256", &[1; 32], &[1; 32]).unwrap();
        assert!(!key.verify(Algorithm::Es256, b"", &[1; 64]));
    }
}
