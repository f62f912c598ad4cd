//! Answers that only the attested key opens: CMS EnvelopedData (RFC 5652 section 6).
//!
//! ```text
//! CEK, IV = random
//! EK = RSAES-OAEP-SHA-256-Encrypt(key, CEK)            (RFC 8017 section 7.1.1, empty label)
//! C  = AES-256-CBC-Encrypt(CEK, IV, PKCS#7-Pad(plaintext))     (RFC 5652 section 6.3)
//! answer = ContentInfo(EnvelopedData(recipient id, EK, IV, C))
//! ```
//!
//! CBC is not authenticated; the form is AWS's. What it leaves open, that someone between us and
//! the enclave alters an answer, TLS closes.

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use cms::cert::x509::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoRef};
use cms::content_info::CmsVersion;
use cms::enveloped_data::{
    KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo, RecipientInfos,
};
use der::asn1::{AnyRef, ContextSpecific, OctetString, OctetStringRef};
use der::oid::ObjectIdentifier;
use der::{Any, Decode, Encode, Sequence, TagMode, TagNumber};
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use zeroize::Zeroizing;

use crate::SealError;

/// Longest plaintext that is sealed, in bytes: that of an answer (`PlaintextType`). Sealed, it is
/// within the 6,144 bytes of `CiphertextType`.
pub const PLAINTEXT_BYTES_MAX: usize = 4_096;

/// Length of the content-encryption key, in bytes.
const KEY_BYTES: usize = 32;
/// Length of a block of AES, of the initialisation vector and of the longest padding, in bytes.
const BLOCK_BYTES: usize = 16;

/// `rsaEncryption` (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-RSAES-OAEP` (RFC 8017 appendix A.2.1).
const RSAES_OAEP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.7");
/// `id-mgf1` (RFC 8017 appendix A.2.1).
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
/// `id-sha256` (RFC 5754 section 2.2).
const ID_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// `id-aes256-CBC` (RFC 3565 section 4.1).
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");
/// `id-data` (RFC 5652 section 4).
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// `id-envelopedData` (RFC 5652 section 6.1).
const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");

/// Encrypts an answer for the holder of an attested key: `CiphertextForRecipient`.
///
/// `public_key_der` is [`crate::Attested::public_key_der`]; `fill` draws random bytes for the
/// content-encryption key and the initialisation vector, of which every answer has its own. The
/// seed of OAEP AWS-LC draws inside its module.
///
/// The bytes are BER of the form that AWS KMS sends: EnvelopedData version 2, one recipient by
/// subject key identifier, indefinite lengths around it. The identifier is the SHA-256 of the
/// SubjectPublicKeyInfo (RFC 7093 section 2, method 4); whoever made the key knows it without.
///
/// # Errors
/// [`SealError`]: the key is not one, the plaintext is longer than [`PLAINTEXT_BYTES_MAX`], `fill`
/// fails, or AWS-LC refuses.
pub fn seal_for<E>(
    public_key_der: &[u8],
    plaintext: &[u8],
    fill: impl Fn(&mut [u8]) -> Result<(), E>,
) -> Result<Vec<u8>, SealError> {
    if plaintext.len() > PLAINTEXT_BYTES_MAX {
        return Err(SealError::TooLong { bytes: plaintext.len(), bytes_max: PLAINTEXT_BYTES_MAX });
    }
    let recipient = RecipientKey::parse(public_key_der)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    fill(key.as_mut_slice()).map_err(|_| SealError::Randomness)?;
    let mut iv = [0; BLOCK_BYTES];
    fill(&mut iv).map_err(|_| SealError::Randomness)?;

    let encrypted_key = recipient.encrypt(key.as_slice())?;
    let encrypted_content = encrypt_content(&key, &iv, plaintext)?;
    let envelope = Envelope {
        recipient_identifier: recipient.identifier,
        encrypted_key,
        iv,
        encrypted_content: &encrypted_content,
    };
    // Encoding fails for lengths of 256 MiB and more.
    envelope.to_ber().map_err(|_| SealError::Refused)
}

/// An RSA public key fit to answer to.
pub(crate) struct RecipientKey {
    key: OaepPublicEncryptingKey,
    /// SHA-256 of the SubjectPublicKeyInfo.
    identifier: [u8; 32],
}

impl RecipientKey {
    /// Reads SubjectPublicKeyInfo, and nothing but an RSA key: AWS-LC alone would take others.
    pub(crate) fn parse(public_key_der: &[u8]) -> Result<RecipientKey, SealError> {
        let info =
            SubjectPublicKeyInfoRef::from_der(public_key_der).map_err(|_| SealError::PublicKey)?;
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(SealError::PublicKey);
        }
        let key = PublicEncryptingKey::from_der(public_key_der)
            .map_err(|_| SealError::PublicKey)
            .and_then(|key| {
            OaepPublicEncryptingKey::new(key).map_err(|_| SealError::PublicKey)
        })?;
        let mut identifier = [0; 32];
        identifier.copy_from_slice(digest(&SHA256, public_key_der).as_ref());
        Ok(RecipientKey { key, identifier })
    }

    /// `EK = RSAES-OAEP-SHA-256-Encrypt(key, CEK)`
    fn encrypt(&self, key: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut encrypted = vec![0; self.key.ciphertext_size()];
        self.key
            .encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut encrypted, None)
            .map_err(|_| SealError::Refused)?;
        Ok(encrypted)
    }
}

/// `C = AES-256-CBC-Encrypt(CEK, IV, PKCS#7-Pad(plaintext))`
fn encrypt_content(
    key: &[u8; KEY_BYTES],
    iv: &[u8; BLOCK_BYTES],
    plaintext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let encrypt = || -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        // With room for the padding, so that the plaintext is not left behind by a move.
        let mut content = Zeroizing::new(Vec::with_capacity(plaintext.len() + BLOCK_BYTES));
        content.extend_from_slice(plaintext);
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key)?)?;
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        key.less_safe_encrypt(&mut *content, context)?;
        Ok(content)
    };
    encrypt().map_err(|_| SealError::Refused)
}

/// The parts of an answer.
struct Envelope<'a> {
    recipient_identifier: [u8; 32],
    encrypted_key: Vec<u8>,
    iv: [u8; BLOCK_BYTES],
    encrypted_content: &'a [u8],
}

/// Parameters of RSAES-OAEP (RFC 8017 appendix A.2.1). The label is empty, its default.
#[derive(Sequence)]
struct OaepParameters<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    hash: Algorithm<'a>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
    mask_generation: MaskGeneration<'a>,
}

/// An algorithm without parameters: NULL (RFC 4055 section 2.1).
#[derive(Sequence)]
struct Algorithm<'a> {
    oid: ObjectIdentifier,
    parameters: AnyRef<'a>,
}

/// MGF1 and the hash that it is made of.
#[derive(Sequence)]
struct MaskGeneration<'a> {
    oid: ObjectIdentifier,
    hash: Algorithm<'a>,
}

impl Envelope<'_> {
    /// Encodes ContentInfo (RFC 5652 section 3).
    ///
    /// Its parts are DER. Around them stand indefinite lengths, as AWS KMS sends them: the parser
    /// of AWS's Nitro Enclaves SDK for C takes nothing else, and every other one takes both.
    fn to_ber(&self) -> der::Result<Vec<u8>> {
        let algorithm = AlgorithmIdentifierOwned {
            oid: AES_256_CBC,
            parameters: Some(Any::from(OctetStringRef::new(&self.iv)?)),
        };
        let content = ContextSpecific {
            tag_number: TagNumber(0),
            tag_mode: TagMode::Implicit,
            value: OctetString::new(self.encrypted_content)?,
        };
        let encrypted_content_info =
            indefinite(SEQUENCE, &[DATA.to_der()?, algorithm.to_der()?, content.to_der()?]);
        let recipients = RecipientInfos::try_from(vec![self.recipient()?])?;
        let enveloped_data = indefinite(
            SEQUENCE,
            &[CmsVersion::V2.to_der()?, recipients.to_der()?, encrypted_content_info],
        );
        let content_info =
            [ENVELOPED_DATA.to_der()?, indefinite(EXPLICIT_CONTENT, &[enveloped_data])];
        Ok(indefinite(SEQUENCE, &content_info))
    }

    /// The one recipient (RFC 5652 section 6.2.1).
    fn recipient(&self) -> der::Result<RecipientInfo> {
        let identifier = SubjectKeyIdentifier(OctetString::new(self.recipient_identifier)?);
        let hash = || Algorithm { oid: ID_SHA256, parameters: AnyRef::NULL };
        let parameters = OaepParameters {
            hash: hash(),
            mask_generation: MaskGeneration { oid: MGF1, hash: hash() },
        };
        Ok(RecipientInfo::Ktri(KeyTransRecipientInfo {
            version: CmsVersion::V2,
            rid: RecipientIdentifier::SubjectKeyIdentifier(identifier),
            key_enc_alg: AlgorithmIdentifierOwned {
                oid: RSAES_OAEP,
                parameters: Some(Any::encode_from(&parameters)?),
            },
            enc_key: OctetString::new(self.encrypted_key.as_slice())?,
        }))
    }
}

/// Tag of a SEQUENCE.
const SEQUENCE: u8 = 0x30;
/// Tag of ContentInfo's content: `[0] EXPLICIT`.
const EXPLICIT_CONTENT: u8 = 0xa0;

/// A constructed value of indefinite length (X.690 section 8.1.3.6).
fn indefinite(tag: u8, contents: &[Vec<u8>]) -> Vec<u8> {
    const INDEFINITE: u8 = 0x80;
    const END_OF_CONTENTS: [u8; 2] = [0, 0];
    [&[tag, INDEFINITE][..], &contents.concat(), &END_OF_CONTENTS].concat()
}
