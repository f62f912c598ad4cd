//! The proof of a delivered folder, without a server: every digest's signature, its link to the digest before, and every
//! log file's hash.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    METADATA_SUFFIX, TrailError,
    digest::{Digest, SIGNATURE_ALGORITHM},
    files,
};

const DIGEST_FOLDER: &str = "CloudTrail-Digest";
const LOG_FOLDER: &str = "CloudTrail";
const SUFFIX: &str = ".json.gz";

/// A key that signed digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// What digests call it.
    pub fingerprint: String,
    /// `RSAPublicKey` in DER.
    pub der: Vec<u8>,
}

/// A file that is not as it was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The object, as its digest names it.
    pub object: String,
    /// What is wrong with it.
    pub what: &'static str,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Digests whose signatures are right.
    pub digests_count: u64,
    /// Log files whose hashes are right.
    pub log_files_count: u64,
    /// Records in them.
    pub records_count: u64,
    /// Log files that no digest tells of yet: of the interval that has not ended.
    pub undigested_count: u64,
    /// What is wrong, in the order of chains and time.
    pub problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Metadata {
    signature: String,
    #[serde(rename = "signature-algorithm")]
    algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Records {
    records: Vec<serde::de::IgnoredAny>,
}

/// A digest file that was read.
struct Read {
    object: String,
    digest: Digest,
    hash: String,
    signature: String,
}

/// Verifies all that lies below the folder of a bucket.
///
/// What it cannot know: whether the newest digests of a chain, with all log files since, were taken away. Who keeps the last
/// digest elsewhere sees that.
///
/// # Errors
/// When a folder cannot be read.
pub fn verify(root: &Path, keys: &[PublicKey]) -> Result<Verified, TrailError> {
    let mut objects = BTreeSet::new();
    list(root, root, &mut objects)?;
    let mut verified = Verified::default();
    let mut chains: BTreeMap<String, Vec<Read>> = BTreeMap::new();
    for object in objects.iter().filter(|object| has_folder(object, DIGEST_FOLDER)) {
        match read_digest(root, object, keys) {
            Ok(read) => chains.entry(chain(object)).or_default().push(read),
            Err(what) => verified.problems.push(Problem { object: object.clone(), what }),
        }
    }
    let mut told = BTreeSet::new();
    for reads in chains.values_mut() {
        reads.sort_by_key(|read| read.digest.digest_end_time);
        check_chain(root, reads, &mut told, &mut verified);
    }
    let newest = |name: &str| {
        let last = chains.get(name).and_then(|reads| reads.last());
        last.map(|read| read.digest.digest_end_time.strftime("%Y%m%dT%H%MZ").to_string())
    };
    for object in objects.iter().filter(|object| has_folder(object, LOG_FOLDER)) {
        if told.contains(object) {
            continue;
        }
        let digested = newest(&chain(object).replacen("/CloudTrail/", "/CloudTrail-Digest/", 1));
        match delivered(object).zip(digested) {
            Some((delivered, digested)) if delivered < digested.as_str() => {
                let what = "no digest tells of it";
                verified.problems.push(Problem { object: object.clone(), what });
            }
            Some(_) | None => {
                verified.undigested_count = verified.undigested_count.saturating_add(1);
            }
        }
    }
    Ok(verified)
}

/// Checks that each digest follows the one before, and the log files that it tells of.
fn check_chain(root: &Path, reads: &[Read], told: &mut BTreeSet<String>, verified: &mut Verified) {
    let mut before: Option<&Read> = None;
    for read in reads {
        let what = match (before, &read.digest.previous_digest_s3_object) {
            (None, None) => None,
            (None, Some(_)) => Some("the digest before it is missing"),
            (Some(_), None) => Some("it begins a chain anew"),
            (Some(before), Some(previous)) => follows(read, before, previous),
        };
        if let Some(what) = what {
            verified.problems.push(Problem { object: read.object.clone(), what });
        }
        verified.digests_count = verified.digests_count.saturating_add(1);
        for file in &read.digest.log_files {
            told.insert(file.s3_object.clone());
            match read_log_file(&root.join(&file.s3_object), &file.hash_value) {
                Ok(records_count) => {
                    verified.log_files_count = verified.log_files_count.saturating_add(1);
                    verified.records_count = verified.records_count.saturating_add(records_count);
                }
                Err(what) => {
                    verified.problems.push(Problem { object: file.s3_object.clone(), what });
                }
            }
        }
        before = Some(read);
    }
}

fn follows(read: &Read, before: &Read, previous: &str) -> Option<&'static str> {
    let digest = &read.digest;
    if previous != before.object {
        return Some("the digest before it is missing");
    }
    let is_same = digest.previous_digest_hash_value.as_ref() == Some(&before.hash)
        && digest.previous_digest_signature.as_ref() == Some(&before.signature)
        && digest.digest_start_time == before.digest.digest_end_time;
    (!is_same).then_some("it does not follow the digest before it")
}

/// Reads a digest and checks its place and its signature.
fn read_digest(root: &Path, object: &str, keys: &[PublicKey]) -> Result<Read, &'static str> {
    let bytes = fs::read(root.join(object)).map_err(|_| "it cannot be read")?;
    let content = files::gunzip(&bytes).map_err(|_| "it is no gzip file")?;
    let digest: Digest = serde_json::from_slice(&content).map_err(|_| "it is no digest")?;
    let metadata = fs::read(root.join(format!("{object}{METADATA_SUFFIX}")))
        .map_err(|_| "its signature is missing")?;
    let metadata: Metadata =
        serde_json::from_slice(&metadata).map_err(|_| "its signature cannot be read")?;
    if digest.digest_s3_object != object {
        return Err("it has been moved from its original location");
    }
    let fingerprint = &digest.digest_public_key_fingerprint;
    let key = keys.iter().find(|key| key.fingerprint == *fingerprint);
    let key = key.ok_or("its public key is not among those given")?;
    let signature = files::unhex(&metadata.signature).ok_or("its signature cannot be read")?;
    let text = digest.signed_text(&content);
    let is_signed = metadata.algorithm == SIGNATURE_ALGORITHM
        && crypto::digest_signing::verify(&key.der, text.as_bytes(), &signature);
    if !is_signed {
        return Err("its signature is wrong");
    }
    let hash = files::sha256_hex(&content);
    Ok(Read { object: object.to_owned(), digest, hash, signature: metadata.signature })
}

/// Checks a log file and counts its records.
fn read_log_file(path: &Path, hash: &str) -> Result<u64, &'static str> {
    let bytes = fs::read(path).map_err(|_| "it is missing")?;
    let content = files::gunzip(&bytes).map_err(|_| "it is no gzip file")?;
    if files::sha256_hex(&content) != hash {
        return Err("its hash is not the one in its digest");
    }
    let records: Records = serde_json::from_slice(&content).map_err(|_| "it is no log file")?;
    Ok(u64::try_from(records.records.len()).unwrap_or(u64::MAX))
}

/// The objects below a folder, by their names.
fn list(root: &Path, folder: &Path, objects: &mut BTreeSet<String>) -> Result<(), TrailError> {
    for entry in fs::read_dir(folder).map_err(TrailError::disk("read", folder))? {
        let entry = entry.map_err(TrailError::disk("read", folder))?;
        let path: PathBuf = entry.path();
        if entry.file_type().map_err(TrailError::disk("read", &path))?.is_dir() {
            list(root, &path, objects)?;
            continue;
        }
        let object = path.strip_prefix(root).ok().and_then(Path::to_str);
        objects.extend(object.filter(|object| object.ends_with(SUFFIX)).map(str::to_owned));
    }
    Ok(())
}

/// Whether an object lies in a folder of `AWSLogs/ACCOUNT/` of that name.
fn has_folder(object: &str, folder: &str) -> bool {
    object.split('/').skip_while(|part| *part != "AWSLogs").nth(2) == Some(folder)
}

/// The folder of the object's chain: all before the day.
fn chain(object: &str) -> String {
    let mut parts: Vec<&str> = object.split('/').collect();
    parts.truncate(parts.len().saturating_sub(4));
    parts.join("/")
}

/// The minute in a log file's name.
fn delivered(object: &str) -> Option<&str> {
    object.rsplit('_').nth(1)
}
