//! From a document's certificate to a trusted root (RFC 5280 section 6; AWS's attestation process,
//! section 3.2.3).
//!
//! webpki builds and verifies the path. Left to us is what it does not look at: key usages, which
//! AWS's rules name, and validity and path length of the root.

use std::collections::BTreeSet;
use std::time::Duration;

use der::Decode;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use crate::roots::Root;
use crate::{AttestationError, Roots, ecdsa};

/// Whether `certificate` leads through `cabundle` to one of the roots, `now` since 1970.
pub(crate) fn verify(
    certificate: &EndEntityCert<'_>,
    cabundle: &[Vec<u8>],
    roots: &Roots,
    now: Duration,
) -> Result<(), AttestationError> {
    let cabundle: Vec<CertificateDer<'_>> =
        cabundle.iter().map(|certificate| CertificateDer::from(certificate.as_slice())).collect();
    check_names(&cabundle)?;
    let mut outcome = Err(AttestationError::Chain(webpki::Error::UnknownIssuer));
    for root in roots.valid_at(now) {
        outcome = verify_to(root, certificate, &cabundle, now);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Checks that no two authorities have one name.
///
/// Then one path is there at most, and each signature of it is verified once. Where names repeat,
/// webpki tries one after the other, and a stranger could have us verify a hundred signatures.
fn check_names(cabundle: &[CertificateDer<'_>]) -> Result<(), AttestationError> {
    let mut names = BTreeSet::new();
    for authority in cabundle {
        let authority = EndEntityCert::try_from(authority).map_err(AttestationError::Chain)?;
        if !names.insert(authority.subject().to_vec()) {
            return Err(AttestationError::RepeatedName);
        }
    }
    Ok(())
}

/// Whether `certificate` leads to this root.
fn verify_to(
    root: &Root,
    certificate: &EndEntityCert<'_>,
    cabundle: &[CertificateDer<'_>],
    now: Duration,
) -> Result<(), AttestationError> {
    let path = certificate
        .verify_for_usage(
            &[&ecdsa::IN_CERTIFICATES],
            std::slice::from_ref(&root.anchor),
            cabundle,
            UnixTime::since_unix_epoch(now),
            AnyPurpose,
            None,
            None,
        )
        .map_err(AttestationError::Chain)?;
    let authorities = path.intermediate_certificates().count();
    if root.path_length_max.is_some_and(|length_max| authorities > usize::from(length_max)) {
        return Err(AttestationError::Chain(webpki::Error::PathLenConstraintViolated));
    }
    check_uses(&path)
}

/// Checks the uses that the certificates of a path are meant for.
fn check_uses(path: &VerifiedPath<'_>) -> Result<(), AttestationError> {
    let signs = |certificate: &Certificate| {
        let tbs = certificate.tbs_certificate();
        let key_usage: Option<(bool, KeyUsage)> = tbs.get_extension().ok()?;
        let constraints: Option<(bool, BasicConstraints)> = tbs.get_extension().ok()?;
        let unconstrained =
            constraints.is_none_or(|(_, constraints)| constraints.path_len_constraint.is_none());
        (key_usage?.1.digital_signature() && unconstrained).then_some(())
    };
    let certifies = |certificate: &Certificate| {
        let key_usage: Option<(bool, KeyUsage)> =
            certificate.tbs_certificate().get_extension().ok()?;
        key_usage?.1.key_cert_sign().then_some(())
    };
    parsed(&path.end_entity().der())
        .as_ref()
        .and_then(signs)
        .ok_or(AttestationError::KeyUsage("the certificate"))?;
    for authority in path.intermediate_certificates() {
        parsed(&authority.der())
            .as_ref()
            .and_then(certifies)
            .ok_or(AttestationError::KeyUsage("a certificate of the bundle"))?;
    }
    Ok(())
}

fn parsed(certificate: &CertificateDer<'_>) -> Option<Certificate> {
    Certificate::from_der(certificate).ok()
}

/// No extended key usage is asked for: AWS's rules name none, and its certificates have none.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
