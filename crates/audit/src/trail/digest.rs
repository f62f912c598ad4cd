//! The digest file: which log files were delivered in an interval, chained to the digest before and signed.
//!
//! ```text
//! signed = digestEndTime LF digestS3Bucket "/" digestS3Object LF hex(SHA-256(digest)) LF previousDigestSignature
//! ```
//!
//! with `null` where there is no digest before. The signature is RSASSA-PKCS1-v1_5 with SHA-256 in hexadecimal digits, and
//! stands in the object's metadata.

use crypto::digest_signing::DigestSigningKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Chain, Trail, TrailError, files,
    state::{ChainState, LogFile, Previous},
};

/// CloudTrail's name of the signature's algorithm.
pub(super) const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";
const HASH_ALGORITHM: &str = "SHA-256";
/// Digits of a fingerprint: as long as AWS's.
const FINGERPRINT_DIGITS: usize = 32;

/// A key with what it is called.
pub struct DigestKey {
    /// [`fingerprint`] of its public key.
    pub fingerprint: String,
    /// The private key.
    pub key: DigestSigningKey,
}

/// The fingerprint of a public key: the first half of SHA-256 over its DER, in hexadecimal digits.
#[must_use]
pub fn fingerprint(public_key_der: &[u8]) -> String {
    files::sha256_hex(public_key_der).chars().take(FINGERPRINT_DIGITS).collect()
}

/// The members of a digest file, in AWS's order.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Digest {
    pub(super) aws_account_id: String,
    pub(super) digest_start_time: Timestamp,
    pub(super) digest_end_time: Timestamp,
    #[serde(rename = "digestS3Bucket")]
    pub(super) digest_s3_bucket: String,
    #[serde(rename = "digestS3Object")]
    pub(super) digest_s3_object: String,
    pub(super) digest_public_key_fingerprint: String,
    pub(super) digest_signature_algorithm: String,
    pub(super) newest_event_time: Option<Timestamp>,
    pub(super) oldest_event_time: Option<Timestamp>,
    #[serde(rename = "previousDigestS3Bucket")]
    pub(super) previous_digest_s3_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    pub(super) previous_digest_s3_object: Option<String>,
    pub(super) previous_digest_hash_value: Option<String>,
    pub(super) previous_digest_hash_algorithm: Option<String>,
    pub(super) previous_digest_signature: Option<String>,
    pub(super) log_files: Vec<DigestedFile>,
}

/// A log file in a digest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DigestedFile {
    #[serde(rename = "s3Bucket")]
    pub(super) s3_bucket: String,
    #[serde(rename = "s3Object")]
    pub(super) s3_object: String,
    pub(super) hash_value: String,
    pub(super) hash_algorithm: String,
    pub(super) newest_event_time: Option<Timestamp>,
    pub(super) oldest_event_time: Option<Timestamp>,
}

/// A digest file, made.
pub(super) struct Signed {
    pub(super) content: Vec<u8>,
    pub(super) previous: Previous,
}

impl Digest {
    /// The digest of a chain until a moment.
    pub(super) fn new(
        trail: &Trail,
        chain: &Chain,
        state: &ChainState,
        end: Timestamp,
        fingerprint: &str,
    ) -> Digest {
        let previous = state.previous.as_ref();
        Digest {
            aws_account_id: chain.account.clone(),
            digest_start_time: state.start,
            digest_end_time: end,
            digest_s3_bucket: trail.bucket.clone(),
            digest_s3_object: trail.digest(chain, end),
            digest_public_key_fingerprint: fingerprint.to_owned(),
            digest_signature_algorithm: SIGNATURE_ALGORITHM.to_owned(),
            newest_event_time: state.log_files.iter().filter_map(|file| file.newest).max(),
            oldest_event_time: state.log_files.iter().filter_map(|file| file.oldest).min(),
            previous_digest_s3_bucket: previous.map(|previous| previous.bucket.clone()),
            previous_digest_s3_object: previous.map(|previous| previous.object.clone()),
            previous_digest_hash_value: previous.map(|previous| previous.hash.clone()),
            previous_digest_hash_algorithm: previous.map(|_| HASH_ALGORITHM.to_owned()),
            previous_digest_signature: previous.map(|previous| previous.signature.clone()),
            log_files: state.log_files.iter().map(DigestedFile::new).collect(),
        }
    }

    /// What is signed, of a digest with that content.
    pub(super) fn signed_text(&self, content: &[u8]) -> String {
        let (end, bucket, object) =
            (self.digest_end_time, &self.digest_s3_bucket, &self.digest_s3_object);
        let hash = files::sha256_hex(content);
        let previous = self.previous_digest_signature.as_deref().unwrap_or("null");
        format!("{end}\n{bucket}/{object}\n{hash}\n{previous}")
    }

    /// Writes and signs it.
    pub(super) fn sign(self, key: &DigestSigningKey) -> Result<Signed, TrailError> {
        let content = serde_json::to_vec(&self).expect("texts and times are JSON");
        let signature = files::hex(&key.sign(self.signed_text(&content).as_bytes())?);
        let hash = files::sha256_hex(&content);
        let previous = Previous {
            bucket: self.digest_s3_bucket,
            object: self.digest_s3_object,
            hash,
            signature,
        };
        Ok(Signed { content, previous })
    }
}

impl DigestedFile {
    fn new(file: &LogFile) -> DigestedFile {
        DigestedFile {
            s3_bucket: file.bucket.clone(),
            s3_object: file.object.clone(),
            hash_value: file.hash.clone(),
            hash_algorithm: HASH_ALGORITHM.to_owned(),
            newest_event_time: file.newest,
            oldest_event_time: file.oldest,
        }
    }
}
