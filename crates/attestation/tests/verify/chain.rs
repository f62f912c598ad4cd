//! Certificates lead to a trusted root, by certificates meant for it, or the document is refused.

use std::ops::RangeInclusive;

use attestation::testing::{Enclave, Root, authority, key_pair, module};
use attestation::{AttestationError, InvalidRoot, Roots, verify};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, CertifiedIssuer, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

use crate::world::WORLD;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// The hour around now, or around another time.
fn hour(around: Timestamp) -> RangeInclusive<Timestamp> {
    let half = SignedDuration::from_mins(30);
    (around - half)..=(around + half)
}

/// A root, one authority and a module below it, each to be altered before it is signed.
struct Chain {
    root: CertificateParams,
    authority: CertificateParams,
    module: CertificateParams,
    authority_key: KeyPair,
}

/// The certificates that a [`Chain`] makes, and the key of the last one.
struct Made {
    root: Authority,
    authority: Vec<u8>,
    module: Vec<u8>,
    key: KeyPair,
}

impl Chain {
    fn new() -> Chain {
        Chain {
            root: authority("root", Some(1), hour(WORLD.now)),
            authority: authority("authority", Some(0), hour(WORLD.now)),
            module: module("module", hour(WORLD.now)),
            authority_key: key_pair(),
        }
    }

    fn make(self) -> Made {
        let root = Authority::self_signed(self.root, key_pair()).unwrap();
        let authority = Authority::signed_by(self.authority, self.authority_key, &root).unwrap();
        let key = key_pair();
        let module = self.module.signed_by(&key, &authority).unwrap().der().to_vec();
        Made { authority: authority.der().to_vec(), root, module, key }
    }

    /// The outcome for a document that this chain signs, by a server that trusts its root.
    fn outcome(self) -> Result<(), AttestationError> {
        let made = self.make();
        let bundle = vec![made.root.der().to_vec(), made.authority.clone()];
        made.outcome(bundle)
    }
}

impl Made {
    fn outcome(&self, cabundle: Vec<Vec<u8>>) -> Result<(), AttestationError> {
        outcome(&self.key, &self.module, cabundle, &self.roots())
    }

    fn roots(&self) -> Roots {
        Roots::from_der([self.root.der().as_ref()]).unwrap()
    }
}

fn outcome(
    key: &KeyPair,
    certificate: &[u8],
    cabundle: Vec<Vec<u8>>,
    roots: &Roots,
) -> Result<(), AttestationError> {
    let enclave = Enclave::from_parts(key.serialized_der(), certificate, cabundle);
    verify(&enclave.attest(&WORLD.claims()), roots, WORLD.now).map(drop)
}

fn is_chain_error(outcome: &Result<(), AttestationError>) -> bool {
    matches!(outcome, Err(AttestationError::Chain(_)))
}

#[test]
fn a_chain_leads_to_its_root() {
    assert_eq!(Chain::new().outcome(), Ok(()));
    let made = Chain::new().make();
    // The order of the bundle does not matter, nor whether the root is in it.
    let root = made.root.der().to_vec();
    assert_eq!(made.outcome(vec![made.authority.clone(), root.clone()]), Ok(()));
    assert_eq!(made.outcome(vec![made.authority.clone()]), Ok(()));
    // A module right below the root.
    let module = module("module", hour(WORLD.now)).signed_by(&made.key, &made.root).unwrap();
    assert_eq!(outcome(&made.key, module.der(), vec![root.clone()], &made.roots()), Ok(()));
    // One root of several.
    let several = WORLD.root.roots().and(made.roots());
    let bundle = vec![root, made.authority.clone()];
    assert_eq!(outcome(&made.key, &made.module, bundle, &several), Ok(()));
}

#[test]
fn an_absent_authority_is_an_end() {
    let made = Chain::new().make();
    let only_root = made.outcome(vec![made.root.der().to_vec()]);
    assert_eq!(only_root, Err(AttestationError::Chain(webpki::Error::UnknownIssuer)));
    // Another of the same name.
    let other = Chain::new().make();
    let outcome = made.outcome(vec![made.root.der().to_vec(), other.authority]);
    assert!(is_chain_error(&outcome), "{outcome:?}");
    assert!(is_chain_error(&made.outcome(vec![vec![0x30]])));
}

#[test]
fn another_root_is_not_trusted_though_it_is_in_the_bundle() {
    let made = Chain::new().make();
    let bundle = || vec![made.root.der().to_vec(), made.authority.clone()];
    // Neither one of another name, nor one of the same name, nor AWS's own.
    let namesake = Chain::new().make();
    for roots in [WORLD.root.roots(), namesake.roots(), Roots::aws_nitro()] {
        let outcome = outcome(&made.key, &made.module, bundle(), &roots);
        assert!(is_chain_error(&outcome), "{outcome:?}");
    }
    // A document that is its own root.
    let key = key_pair();
    let own = module("module", hour(WORLD.now)).self_signed(&key).unwrap().der().to_vec();
    let outcome = outcome(&key, &own, vec![own.clone()], &made.roots());
    assert!(is_chain_error(&outcome), "{outcome:?}");
}

/// Authorities of one name, each of which could be above each other, make a search of a chain.
#[test]
fn names_do_not_repeat_in_the_bundle() {
    let made = Chain::new().make();
    let namesake = Chain::new().make();
    let bundle = vec![made.authority.clone(), namesake.authority];
    assert_eq!(made.outcome(bundle), Err(AttestationError::RepeatedName));
    let twice = vec![made.authority.clone(), made.authority.clone()];
    assert_eq!(made.outcome(twice), Err(AttestationError::RepeatedName));
}

#[test]
fn a_root_is_its_name_and_key() {
    let again = Root::from_key_pem(&WORLD.root.key_pem()).unwrap();
    let document = WORLD.enclave.attest(&WORLD.claims());
    assert!(verify(&document, &again.roots(), WORLD.now).is_ok());
    assert!(Root::from_key_pem(&WORLD.recipient.key_pem()).is_err());
}

#[test]
fn every_certificate_has_its_time() {
    let hours = SignedDuration::from_hours(2);
    for around in [WORLD.now - hours, WORLD.now + hours] {
        let mut chain = Chain::new();
        chain.module = module("module", hour(around));
        assert!(is_chain_error(&chain.outcome()));
        let mut chain = Chain::new();
        chain.authority = authority("authority", Some(0), hour(around));
        assert!(is_chain_error(&chain.outcome()));
        let mut chain = Chain::new();
        chain.root = authority("root", Some(1), hour(around));
        assert!(is_chain_error(&chain.outcome()));
    }
    // Ends are included, to the second.
    let second = SignedDuration::from_secs(1);
    let (now, now_less, now_more) = (WORLD.now, WORLD.now - second, WORLD.now + second);
    for (validity, valid) in [
        (now..=now_more, true),
        (now_less..=now, true),
        (now_more..=(now_more + hours), false),
        ((now_less - hours)..=now_less, false),
    ] {
        for altered in 0..3 {
            let mut chain = Chain::new();
            match altered {
                0 => chain.root = authority("root", None, validity.clone()),
                1 => chain.authority = authority("authority", None, validity.clone()),
                _ => chain.module = module("module", validity.clone()),
            }
            assert_eq!(chain.outcome().is_ok(), valid, "{validity:?} {altered}");
        }
    }
}

#[test]
fn authorities_are_marked_as_such_and_modules_are_not() {
    let mut chain = Chain::new();
    chain.authority.is_ca = IsCa::ExplicitNoCa;
    assert!(is_chain_error(&chain.outcome()));
    let mut chain = Chain::new();
    chain.authority.is_ca = IsCa::NoCa;
    assert!(is_chain_error(&chain.outcome()));
    let mut chain = Chain::new();
    chain.module = authority("module", None, hour(WORLD.now));
    assert!(is_chain_error(&chain.outcome()));
    // Silence about it is no mark.
    let mut chain = Chain::new();
    chain.module.is_ca = IsCa::NoCa;
    assert_eq!(chain.outcome(), Ok(()));
}

#[test]
fn path_lengths_are_kept() {
    let mut chain = Chain::new();
    chain.root = authority("root", Some(0), hour(WORLD.now));
    let too_long = AttestationError::Chain(webpki::Error::PathLenConstraintViolated);
    assert_eq!(chain.outcome(), Err(too_long.clone()));

    // An authority that may have none below it has one.
    let made = Chain::new().make();
    let upper = authority("upper", Some(0), hour(WORLD.now));
    let upper = Authority::signed_by(upper, key_pair(), &made.root).unwrap();
    let lower = authority("lower", Some(0), hour(WORLD.now));
    let lower = Authority::signed_by(lower, key_pair(), &upper).unwrap();
    let module = module("module", hour(WORLD.now)).signed_by(&made.key, &lower).unwrap();
    let bundle = vec![upper.der().to_vec(), lower.der().to_vec()];
    assert_eq!(outcome(&made.key, module.der(), bundle, &made.roots()), Err(too_long));

    // BasicConstraints { pathLenConstraint 0 }, cA at its default.
    let mut chain = Chain::new();
    chain.module.is_ca = IsCa::NoCa;
    chain.module.custom_extensions.push(CustomExtension::from_oid_content(
        &[2, 5, 29, 19],
        vec![0x30, 0x03, 0x02, 0x01, 0x00],
    ));
    assert_eq!(chain.outcome(), Err(AttestationError::KeyUsage("the certificate")));
}

#[test]
fn key_usages_are_those_of_the_use() {
    use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};

    for usages in [vec![], vec![KeyCertSign], vec![KeyEncipherment, CrlSign]] {
        let mut chain = Chain::new();
        chain.module.key_usages = usages;
        assert_eq!(chain.outcome(), Err(AttestationError::KeyUsage("the certificate")));
    }
    for usages in [vec![], vec![DigitalSignature], vec![CrlSign, DigitalSignature]] {
        let mut chain = Chain::new();
        chain.authority.key_usages = usages;
        let wrong = AttestationError::KeyUsage("a certificate of the bundle");
        assert_eq!(chain.outcome(), Err(wrong));
    }
    // Extended key usages are not looked at.
    let mut chain = Chain::new();
    chain.module.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(chain.outcome(), Ok(()));
}

#[test]
fn an_unknown_critical_extension_is_refused() {
    for critical in [false, true] {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![0x05, 0x00]);
        extension.set_criticality(critical);
        let mut chain = Chain::new();
        chain.module.custom_extensions.push(extension.clone());
        assert_eq!(is_chain_error(&chain.outcome()), critical);
        let mut chain = Chain::new();
        chain.authority.custom_extensions.push(extension);
        assert_eq!(is_chain_error(&chain.outcome()), critical);
    }
}

#[test]
fn keys_are_on_p384() {
    let p256 = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut chain = Chain::new();
    chain.authority_key = p256();
    let refused = chain.outcome();
    assert!(is_chain_error(&refused), "{refused:?}");

    // A module's certificate for a key on another curve: nothing that it signs is ES384.
    let made = Chain::new().make();
    let module = module("module", hour(WORLD.now)).signed_by(&p256(), &made.root).unwrap();
    let refused = outcome(&made.key, module.der(), vec![made.root.der().to_vec()], &made.roots());
    assert_eq!(refused, Err(AttestationError::Signature));
}

#[test]
fn only_authorities_on_p384_are_roots() {
    let root = |params: &CertificateParams, key: &KeyPair| {
        let certificate = params.self_signed(key).unwrap();
        Roots::from_pem(&certificate.pem()).err()
    };
    let usual = authority("root", None, hour(WORLD.now));
    assert_eq!(root(&usual, &key_pair()), None);
    let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    assert_eq!(root(&usual, &p256), Some(InvalidRoot::NotP384));
    let mut no_authority = usual.clone();
    no_authority.is_ca = IsCa::ExplicitNoCa;
    assert_eq!(root(&no_authority, &key_pair()), Some(InvalidRoot::NotAuthority));
    let mut silent = usual.clone();
    silent.key_usages.clear();
    assert_eq!(root(&silent, &key_pair()), Some(InvalidRoot::NotAuthority));
    let mut signs_nothing = usual;
    signs_nothing.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    assert_eq!(root(&signs_nothing, &key_pair()), Some(InvalidRoot::NotAuthority));
}
