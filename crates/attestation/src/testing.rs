//! Enclaves that sign documents, for tests: a root that is nobody's, the chain that AWS has below
//! its own, and documents of any content.
//!
//! Behind the cargo feature `testing`, which no build that is shipped has. It reads no clock, but
//! draws its keys itself.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use ciborium::Value;
use coset::{CborSerializable, CoseSign1Builder};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};

use crate::Roots;
use crate::envelope::es384;

/// A root that signs for enclaves of tests.
pub struct Root(CertifiedIssuer<'static, KeyPair>);

impl Root {
    /// A root with a new key.
    ///
    /// # Panics
    /// When the source of randomness fails.
    #[must_use]
    pub fn generate() -> Root {
        Root::with_key(key_pair())
    }

    /// The root of [`Root::key_pem`]: its certificate is made anew, and the one made before stands
    /// for it as well, since a root is its name and its key.
    ///
    /// # Errors
    /// [`rcgen::Error`] when the text is not a key on P-384.
    pub fn from_key_pem(pem: &str) -> Result<Root, rcgen::Error> {
        KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_ECDSA_P384_SHA384).map(Root::with_key)
    }

    /// The private key, PKCS#8 in PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.0.pem()
    }

    /// This root, trusted.
    ///
    /// # Panics
    /// Never: the certificate was made as a root's.
    #[must_use]
    pub fn roots(&self) -> Roots {
        Roots::from_der([self.0.der().as_ref()]).expect("the certificate is a root's")
    }

    fn with_key(key: KeyPair) -> Root {
        let years = SignedDuration::from_hours(24 * 365);
        let from = Timestamp::from_second(1_572_269_285).expect("2019 is a time");
        let params = authority("test.nitro-enclaves", None, from..=(from + years * 30));
        Root(CertifiedIssuer::self_signed(params, key).expect(MADE_HERE))
    }
}

/// A key that answers are sealed for.
pub struct Recipient(KeyPair);

impl Recipient {
    /// A new RSA key of 2,048 bits.
    ///
    /// # Panics
    /// When the source of randomness fails.
    #[must_use]
    pub fn generate() -> Recipient {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        Recipient(key.expect("AWS-LC makes RSA keys"))
    }

    /// The recipient of [`Recipient::key_pem`].
    ///
    /// # Errors
    /// [`rcgen::Error`] when the text is not an RSA key.
    pub fn from_key_pem(pem: &str) -> Result<Recipient, rcgen::Error> {
        KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).map(Recipient)
    }

    /// The private key, PKCS#8 in PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// The public key, SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn public_key_der(&self) -> Vec<u8> {
        self.0.subject_public_key_info()
    }
}

/// What a document is to say.
#[derive(Debug, Clone)]
pub struct Claims {
    /// `module_id`.
    pub module_id: String,
    /// `timestamp`.
    pub time: Timestamp,
    /// `pcrs`; left out when empty.
    pub pcrs: BTreeMap<u8, Vec<u8>>,
    /// `nitrotpm_pcrs`; left out when empty.
    pub nitro_tpm_pcrs: BTreeMap<u8, Vec<u8>>,
    /// `public_key`; null when there is none.
    pub public_key: Option<Vec<u8>>,
    /// `user_data`; null when there is none.
    pub user_data: Option<Vec<u8>>,
    /// `nonce`; null when there is none.
    pub nonce: Option<Vec<u8>>,
}

impl Claims {
    /// An enclave's, with sixteen registers of 48 bytes, each filled with its index plus one.
    #[must_use]
    pub fn new(time: Timestamp, public_key_der: &[u8]) -> Claims {
        Claims {
            module_id: "i-1234567890abcdef0-enc0123456789abcdef".to_owned(),
            time,
            pcrs: (0..16).map(|index| (index, vec![index + 1; 48])).collect(),
            nitro_tpm_pcrs: BTreeMap::new(),
            public_key: Some(public_key_der.to_vec()),
            user_data: None,
            nonce: None,
        }
    }
}

/// A Nitro module: a certificate, the chain above it, and the key that signs documents.
pub struct Enclave {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
    cabundle: Vec<Vec<u8>>,
}

impl Enclave {
    /// A module below `root`, with the authorities and validities that AWS has: region, zone and
    /// instance, and a certificate of three hours, half an hour old at `now`.
    ///
    /// # Panics
    /// When the source of randomness fails.
    #[must_use]
    pub fn new(root: &Root, now: Timestamp) -> Enclave {
        let hours = |before, after| {
            (now - SignedDuration::from_hours(before))..=(now + SignedDuration::from_hours(after))
        };
        let half_an_hour = SignedDuration::from_mins(30);
        let region = authority("region.test.nitro-enclaves", Some(2), hours(240, 240));
        let region = CertifiedIssuer::signed_by(region, key_pair(), &root.0).expect(MADE_HERE);
        let zone = authority("zone.region.test.nitro-enclaves", Some(1), hours(72, 72));
        let zone = CertifiedIssuer::signed_by(zone, key_pair(), &region).expect(MADE_HERE);
        let instance = authority("i-1234567890abcdef0.test.nitro-enclaves", Some(0), hours(12, 12));
        let instance = CertifiedIssuer::signed_by(instance, key_pair(), &zone).expect(MADE_HERE);
        let key = key_pair();
        let validity = (now - half_an_hour)..=(now - half_an_hour + SignedDuration::from_hours(3));
        let certificate = module("i-1234567890abcdef0-enc0123456789abcdef", validity)
            .signed_by(&key, &instance)
            .expect(MADE_HERE);
        let cabundle =
            [root.0.der(), region.der(), zone.der(), instance.der()].map(|der| der.to_vec());
        Enclave::from_parts(key.serialized_der(), certificate.der(), cabundle.into())
    }

    /// A module with this key (PKCS#8), certificate and bundle, whatever they are.
    ///
    /// # Panics
    /// When the key is not one on P-384.
    #[must_use]
    pub fn from_parts(key: &[u8], certificate: &[u8], cabundle: Vec<Vec<u8>>) -> Enclave {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key);
        let key = key.expect("the key is one on P-384");
        Enclave { key, certificate: certificate.to_vec(), cabundle }
    }

    /// The fields of a document in the order that AWS writes them, as CBOR.
    #[must_use]
    pub fn fields(&self, claims: &Claims) -> Vec<(Value, Value)> {
        let optional = |bytes: &Option<Vec<u8>>| bytes.clone().map_or(Value::Null, Value::Bytes);
        let pcrs = |pcrs: &BTreeMap<u8, Vec<u8>>| {
            pcrs.iter()
                .map(|(index, value)| ((*index).into(), Value::Bytes(value.clone())))
                .collect()
        };
        let cabundle = self.cabundle.iter().cloned().map(Value::Bytes).collect();
        let mut fields = vec![
            ("module_id", Value::Text(claims.module_id.clone())),
            ("digest", Value::Text("SHA384".to_owned())),
            ("timestamp", claims.time.as_millisecond().into()),
        ];
        for (name, registers) in [("pcrs", &claims.pcrs), ("nitrotpm_pcrs", &claims.nitro_tpm_pcrs)]
        {
            if !registers.is_empty() {
                fields.push((name, Value::Map(pcrs(registers))));
            }
        }
        fields.extend([
            ("certificate", Value::Bytes(self.certificate.clone())),
            ("cabundle", Value::Array(cabundle)),
            ("public_key", optional(&claims.public_key)),
            ("user_data", optional(&claims.user_data)),
            ("nonce", optional(&claims.nonce)),
        ]);
        fields.into_iter().map(|(name, value)| (Value::Text(name.to_owned()), value)).collect()
    }

    /// A genuine document that says this.
    #[must_use]
    pub fn attest(&self, claims: &Claims) -> Vec<u8> {
        self.sign(&encoded(&Value::Map(self.fields(claims))))
    }

    /// A genuine signature over any payload, in its envelope.
    ///
    /// # Panics
    /// When the source of randomness fails.
    #[must_use]
    pub fn sign(&self, payload: &[u8]) -> Vec<u8> {
        CoseSign1Builder::new()
            .protected(es384())
            .payload(payload.to_vec())
            .create_signature(b"", |message| self.signature(message))
            .build()
            .to_vec()
            .expect("the structure holds bytes alone")
    }

    /// An ES384 signature over any message, `r || s`.
    ///
    /// # Panics
    /// When the source of randomness fails.
    #[must_use]
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.key.sign(&SystemRandom::new(), message);
        signature.expect("AWS-LC signs with a key that it read").as_ref().to_vec()
    }
}

/// A certificate of an authority below which at most `path_length_max` others stand.
#[must_use]
pub fn authority(
    common_name: &str,
    path_length_max: Option<u8>,
    validity: RangeInclusive<Timestamp>,
) -> CertificateParams {
    let mut params = certificate(common_name, &validity);
    params.is_ca = IsCa::Ca(match path_length_max {
        Some(length_max) => BasicConstraints::Constrained(length_max),
        None => BasicConstraints::Unconstrained,
    });
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    params
}

/// A certificate that signs documents.
#[must_use]
pub fn module(common_name: &str, validity: RangeInclusive<Timestamp>) -> CertificateParams {
    let mut params = certificate(common_name, &validity);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params
}

/// A new key on P-384.
///
/// # Panics
/// When the source of randomness fails.
#[must_use]
pub fn key_pair() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("AWS-LC makes keys on P-384")
}

/// CBOR of an item.
///
/// # Panics
/// Never: memory takes all that is written.
#[must_use]
pub fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory takes what is written");
    bytes
}

/// Why making a certificate does not fail.
const MADE_HERE: &str = "the names and keys of this certificate are made here";

fn certificate(common_name: &str, validity: &RangeInclusive<Timestamp>) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "US");
    name.push(DnType::OrganizationName, "Test");
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    let day_one = rcgen::date_time_ymd(1970, 1, 1);
    let since_1970 = |time: &Timestamp| {
        Duration::try_from(time.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    };
    params.not_before = day_one + since_1970(validity.start());
    params.not_after = day_one + since_1970(validity.end());
    params.use_authority_key_identifier_extension = true;
    params
}
