//! The certification authorities that are trusted to sign for Nitro.

use std::time::Duration;

use der::{Decode, oid::ObjectIdentifier};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use crate::InvalidRoot;

/// `AWS_NitroEnclaves_Root-G1`, the root of the commercial partition, valid until 2049. Its SHA-256
/// is the one that AWS publishes ("Verifying the root of trust", Nitro Enclaves user guide); a test
/// compares them.
const AWS_NITRO_ROOT_G1: &str = "-----BEGIN CERTIFICATE-----
MIICETCCAZagAwIBAgIRAPkxdWgbkK/hHUbMtOTn+FYwCgYIKoZIzj0EAwMwSTEL
MAkGA1UEBhMCVVMxDzANBgNVBAoMBkFtYXpvbjEMMAoGA1UECwwDQVdTMRswGQYD
VQQDDBJhd3Mubml0cm8tZW5jbGF2ZXMwHhcNMTkxMDI4MTMyODA1WhcNNDkxMDI4
MTQyODA1WjBJMQswCQYDVQQGEwJVUzEPMA0GA1UECgwGQW1hem9uMQwwCgYDVQQL
DANBV1MxGzAZBgNVBAMMEmF3cy5uaXRyby1lbmNsYXZlczB2MBAGByqGSM49AgEG
BSuBBAAiA2IABPwCVOumCMHzaHDimtqQvkY4MpJzbolL//Zy2YlES1BR5TSksfbb
48C8WBoyt7F2Bw7eEtaaP+ohG2bnUs990d0JX28TcPQXCEPZ3BABIeTPYwEoCWZE
h8l5YoQwTcU/9KNCMEAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUkCW1DdkF
R+eWw5b6cp3PmanfS5YwDgYDVR0PAQH/BAQDAgGGMAoGCCqGSM49BAMDA2kAMGYC
MQCjfy+Rocm9Xue4YnwWmNJVA44fA0P5W2OpYow9OYCVRaEevL8uO1XYru5xtMPW
rfMCMQCi85sWBbJwKKXdS6BptQFuZbT73o/gBh1qUxl/nNr12UO8Yfwr6wPLb+6N
IwLz3/Y=
-----END CERTIFICATE-----
";

/// `id-ecPublicKey` (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp384r1`, P-384 (RFC 5480 section 2.1.1.1).
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Trusted roots: whoever holds the key of one can speak for any enclave.
///
/// [`Roots::default`] is AWS's. An operator may name others, for documents that are not AWS's or
/// for AWS's partitions with roots of their own.
#[derive(Debug, Clone)]
pub struct Roots(Vec<Root>);

/// One root, with what webpki leaves out of a trust anchor.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    pub(crate) anchor: TrustAnchor<'static>,
    /// Validity, since 1970, ends included.
    not_before: Duration,
    not_after: Duration,
    /// How many authorities may stand between this root and a document's certificate.
    pub(crate) path_length_max: Option<u8>,
}

impl Roots {
    /// AWS's root for Nitro enclaves and NitroTPM in the commercial partition, generation 1.
    #[must_use]
    pub fn aws_nitro() -> Roots {
        Roots::from_pem(AWS_NITRO_ROOT_G1).expect("the constant is a root; a test reads it")
    }

    /// Reads all certificates of a PEM text (RFC 7468); other blocks and text between are passed
    /// over.
    ///
    /// # Errors
    /// [`InvalidRoot`] when there is none, or one that is not a root.
    pub fn from_pem(pem: &str) -> Result<Roots, InvalidRoot> {
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| InvalidRoot::Pem)?;
        Roots::from_der(certificates.iter().map(AsRef::as_ref))
    }

    /// Reads certificates in DER (RFC 5280).
    ///
    /// # Errors
    /// [`InvalidRoot`] when there is none, or one that is not a root.
    pub fn from_der<'a>(
        certificates: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Roots, InvalidRoot> {
        let roots: Vec<Root> =
            certificates.into_iter().map(Root::parse).collect::<Result<_, _>>()?;
        if roots.is_empty() { Err(InvalidRoot::None) } else { Ok(Roots(roots)) }
    }

    /// These roots and those.
    #[must_use]
    pub fn and(mut self, others: Roots) -> Roots {
        self.0.extend(others.0);
        self
    }

    /// The roots that are valid `now`, a time since 1970.
    pub(crate) fn valid_at(&self, now: Duration) -> impl Iterator<Item = &Root> {
        self.0.iter().filter(move |root| (root.not_before..=root.not_after).contains(&now))
    }
}

impl Default for Roots {
    fn default() -> Roots {
        Roots::aws_nitro()
    }
}

impl Root {
    fn parse(certificate: &[u8]) -> Result<Root, InvalidRoot> {
        let der = CertificateDer::from(certificate);
        let anchor = webpki::anchor_from_trusted_cert(&der)
            .map_err(|_| InvalidRoot::Certificate)?
            .to_owned();
        let parsed = Certificate::from_der(certificate).map_err(|_| InvalidRoot::Certificate)?;
        let parsed = parsed.tbs_certificate();

        let key = &parsed.subject_public_key_info().algorithm;
        let curve = key.parameters.as_ref().and_then(|parameters| parameters.decode_as().ok());
        if (key.oid, curve) != (EC_PUBLIC_KEY, Some(SECP384R1)) {
            return Err(InvalidRoot::NotP384);
        }
        let basic_constraints: Option<(bool, BasicConstraints)> =
            parsed.get_extension().map_err(|_| InvalidRoot::Certificate)?;
        let key_usage: Option<(bool, KeyUsage)> =
            parsed.get_extension().map_err(|_| InvalidRoot::Certificate)?;
        let (Some((_, basic_constraints)), Some((_, key_usage))) = (basic_constraints, key_usage)
        else {
            return Err(InvalidRoot::NotAuthority);
        };
        if !basic_constraints.ca || !key_usage.key_cert_sign() {
            return Err(InvalidRoot::NotAuthority);
        }
        Ok(Root {
            anchor,
            not_before: parsed.validity().not_before.to_unix_duration(),
            not_after: parsed.validity().not_after.to_unix_duration(),
            path_length_max: basic_constraints.path_len_constraint,
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};

    use super::*;

    /// As published by AWS in "Verifying the root of trust".
    const AWS_NITRO_ROOT_G1_SHA256: &str =
        "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

    #[test]
    fn the_root_is_the_one_that_aws_publishes() {
        let der = CertificateDer::from_pem_slice(AWS_NITRO_ROOT_G1.as_bytes()).unwrap();
        let hex: String =
            digest(&SHA256, &der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, AWS_NITRO_ROOT_G1_SHA256);
        assert_eq!(Roots::aws_nitro().0.len(), 1);
    }

    #[test]
    fn a_root_has_its_time() {
        let roots = Roots::default();
        let valid = |seconds| roots.valid_at(Duration::from_secs(seconds)).count();
        // 28 October 2019, 13:28:05, to 28 October 2049, 14:28:05.
        assert_eq!(valid(1_572_269_284), 0);
        assert_eq!(valid(1_572_269_285), 1);
        assert_eq!(valid(2_519_044_085), 1);
        assert_eq!(valid(2_519_044_086), 0);
    }

    #[test]
    fn what_is_no_root_is_refused() {
        assert_eq!(Roots::from_pem("").err(), Some(InvalidRoot::None));
        assert_eq!(Roots::from_pem("no certificate\n").err(), Some(InvalidRoot::None));
        let cut = AWS_NITRO_ROOT_G1.get(..400).unwrap();
        assert_eq!(Roots::from_pem(cut).err(), Some(InvalidRoot::Pem));
        assert_eq!(Roots::from_der([]).err(), Some(InvalidRoot::None));
        assert_eq!(Roots::from_der([&b"0"[..]]).err(), Some(InvalidRoot::Certificate));
    }

    #[test]
    fn roots_add_up() {
        assert_eq!(Roots::aws_nitro().and(Roots::aws_nitro()).0.len(), 2);
        let twice = [AWS_NITRO_ROOT_G1, AWS_NITRO_ROOT_G1].concat();
        assert_eq!(Roots::from_pem(&twice).unwrap().0.len(), 2);
    }
}
