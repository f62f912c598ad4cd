//! Where a journal begins whose oldest segments were deleted: a signed statement beside the segments that are left.
//!
//! It is the file `beginning`, one JSON object. The chain binds it: the first segment left names the head that the statement
//! names. The signature tells who deleted what stood before: the server, and not somebody with access to its files.
//!
//! ```text
//! signed = "keystead journal beginning" LF deployment LF sequence LF records LF outbox LF head LF deleted
//! ```
//!
//! with bytes in hexadecimal digits, by RSASSA-PKCS1-v1_5 with SHA-256 and the key that signs the digests of a trail.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    error::JournalError,
    recover::{self, Link},
    segment::{self, Segment},
    trail::{DigestKey, PublicKey, TrailError, files, fingerprint},
};

/// What the file is called.
const NAME: &str = "beginning";
/// Bytes of the file; one of ours has far fewer.
const BYTES_MAX: u64 = 64 * 1024;
/// What is signed begins with this, so that it can be taken for nothing else.
const SIGNED_FOR: &str = "keystead journal beginning";

/// What is known of the deleted segments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Beginning {
    /// Whose journal it is, in hexadecimal digits.
    deployment: String,
    /// The last frame that was deleted.
    pub sequence: u64,
    /// How many records were deleted, since the journal began.
    pub records: u64,
    /// The highest outbox number among them.
    outbox: u64,
    /// The head of the chain after the last one, in hexadecimal digits.
    head: String,
    /// When they were deleted.
    pub deleted: Timestamp,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    beginning: Beginning,
    /// `RSAPublicKey` in DER, in hexadecimal digits.
    public_key: String,
    signature: String,
}

/// What of a record tells its age.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timed {
    event_time: Timestamp,
}

/// A beginning with the key that signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBeginning {
    /// What was signed.
    pub beginning: Beginning,
    /// By whom the statement says that it was.
    pub public_key: PublicKey,
}

impl Beginning {
    /// The deployment whose journal it is.
    #[must_use]
    pub fn deployment(&self) -> Option<[u8; 16]> {
        files::unhex(&self.deployment)?.try_into().ok()
    }

    /// The head of the chain after the last deleted frame.
    #[must_use]
    pub fn head(&self) -> Option<[u8; 32]> {
        files::unhex(&self.head)?.try_into().ok()
    }

    /// Where the journal would begin without the segments that are old: those after which another one begins with a record of
    /// before the given moment, and no later than at a frame that is still needed. `None` where no more may go.
    ///
    /// What is to be deleted is checked to be of one chain, so that nothing is signed that was not written.
    ///
    /// # Errors
    /// When the disk refuses or the segments are not what was written.
    pub fn after_old(
        directory: &Path,
        before: Timestamp,
        needed_sequence: u64,
        now: Timestamp,
    ) -> Result<Option<Beginning>, JournalError> {
        let found = SignedBeginning::find(directory)?.map(|signed| signed.beginning);
        let mut paths = segment::list(directory)?;
        found.iter().for_each(|found| found.drop_older(directory, &mut paths));
        let mut paths = paths.into_iter();
        let mut link = Link::start(None, found.as_ref());
        let Some(first) = paths.next() else { return Ok(None) };
        let mut last = Segment::open(first)?;
        link.check(&last)?;
        let mut beginning = None;
        for path in paths {
            link.follow(last.last_trailer()?);
            let mut next = Segment::open(path.clone())?;
            link.check(&next)?;
            let header = *next.header();
            let is_old = first_time(&mut next)?.is_some_and(|time| time < before);
            if !is_old || header.first_sequence > needed_sequence {
                break;
            }
            beginning = Some(Beginning {
                deployment: files::hex(&header.deployment),
                sequence: header.first_sequence.saturating_sub(1),
                records: header.records,
                outbox: header.outbox,
                head: files::hex(&header.previous_head),
                deleted: now,
            });
            last = Segment::open(path)?;
        }
        Ok(beginning)
    }

    /// Keeps the statement, signed, and then deletes the segments before it.
    ///
    /// # Errors
    /// When the disk refuses. What was not deleted then goes at the next start.
    pub fn establish(self, directory: &Path, key: &DigestKey) -> Result<(), TrailError> {
        let signature = files::hex(&key.key.sign(self.signed_text().as_bytes())?);
        let public_key = files::hex(key.key.public_key_der());
        let statement = Statement { beginning: self, public_key, signature };
        let bytes = serde_json::to_vec(&statement).expect("texts, numbers and times are JSON");
        files::write(&directory.join(NAME), &bytes)?;
        Ok(statement.beginning.remove_older(directory)?)
    }

    /// Deletes the segments that it stands for, where a crash left some; the oldest first.
    pub(crate) fn remove_older(&self, directory: &Path) -> Result<(), JournalError> {
        let first_kept = segment::path(directory, self.sequence.saturating_add(1));
        let mut older = segment::list(directory)?;
        older.retain(|path| *path < first_kept);
        if older.is_empty() {
            return Ok(());
        }
        for path in older {
            fs::remove_file(&path).map_err(JournalError::disk("remove", &path))?;
        }
        recover::sync_directory(directory)
    }

    /// Takes out of a list what the statement stands for.
    pub(crate) fn drop_older(&self, directory: &Path, paths: &mut Vec<PathBuf>) {
        let first_kept = segment::path(directory, self.sequence.saturating_add(1));
        paths.retain(|path| *path >= first_kept);
    }

    /// Nothing is left of the journal but this only where somebody took it away.
    pub(crate) fn check_followed(
        &self,
        directory: &Path,
        paths: &[PathBuf],
    ) -> Result<(), JournalError> {
        let what = "the segment that it names the beginning of is missing";
        match paths.first() {
            Some(first) if *first == segment::path(directory, self.sequence.saturating_add(1)) => {
                Ok(())
            }
            Some(_) | None => Err(JournalError::Beginning { file: directory.join(NAME), what }),
        }
    }

    fn signed_text(&self) -> String {
        let Beginning { deployment, sequence, records, outbox, head, deleted } = self;
        format!("{SIGNED_FOR}\n{deployment}\n{sequence}\n{records}\n{outbox}\n{head}\n{deleted}")
    }
}

impl SignedBeginning {
    /// The statement in a journal's folder, if there is one. Its signature is that of the key that it names; whether that is a
    /// key of the server is for [`SignedBeginning::is_of`].
    ///
    /// # Errors
    /// When it cannot be read or is not as it was signed.
    pub fn find(directory: &Path) -> Result<Option<SignedBeginning>, JournalError> {
        let path = directory.join(NAME);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(JournalError::disk("open", &path)(error)),
        };
        let mut bytes = Vec::new();
        file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(JournalError::disk("read", &path))?;
        let signed = SignedBeginning::parse(&bytes);
        let wrong = || JournalError::Beginning { file: path, what: "it is not as it was signed" };
        signed.ok_or_else(wrong).map(Some)
    }

    fn parse(bytes: &[u8]) -> Option<SignedBeginning> {
        let Statement { beginning, public_key, signature } = serde_json::from_slice(bytes).ok()?;
        let (der, signature) = (files::unhex(&public_key)?, files::unhex(&signature)?);
        let text = beginning.signed_text();
        let is_signed = crypto::digest_signing::verify(&der, text.as_bytes(), &signature);
        (is_signed && beginning.head().is_some() && beginning.deployment().is_some()).then(|| {
            let public_key = PublicKey { fingerprint: fingerprint(&der), der };
            SignedBeginning { beginning, public_key }
        })
    }

    /// Whether one of these keys signed it.
    #[must_use]
    pub fn is_of<'k>(&self, keys: impl IntoIterator<Item = &'k [u8]>) -> bool {
        keys.into_iter().any(|der| der == self.public_key.der)
    }
}

/// The time of the first record of a segment; none if it has none, or none that can be read.
fn first_time(segment: &mut Segment) -> Result<Option<Timestamp>, JournalError> {
    while let Some((_, record)) = segment.next()? {
        if !record.is_empty() {
            let timed: Option<Timed> = serde_json::from_slice(record).ok();
            return Ok(timed.map(|timed| timed.event_time));
        }
    }
    Ok(None)
}

/// When the segment that is being written began, by its first record; none where it has none yet.
///
/// # Errors
/// When the disk refuses.
pub fn newest_segment_began(directory: &Path) -> Result<Option<Timestamp>, JournalError> {
    match segment::list(directory)?.pop() {
        Some(path) => first_time(&mut Segment::open(path)?),
        None => Ok(None),
    }
}
