//! The audit commands: they read the journal of a data directory, with a server running or not, and change nothing.
//!
//! Nothing but the journal's files is needed, so that they may be copied away and checked elsewhere.

mod ocsf;
mod tail;

pub use tail::tail;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use ::audit::{Beginning, Frame, Frames, JournalError};
use jiff::Timestamp;
use serde::Deserialize;

use crate::public_keys::{self, PublicKeysError};

/// The folder of the journal in a data directory.
const JOURNAL_FOLDER: &str = "journal";

/// Why a journal was not proven, or not told.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no journal.
    #[error(
        "{}: no journal here; expected a data directory, its folder journal or a copy of that, for example: \
         keystead audit verify keystead-data",
        .0.display()
    )]
    NoJournal(PathBuf),
    /// It is not what was written.
    #[error("{cause}; {}", proven_until(*.last_sequence))]
    NotProven {
        /// What the journal says.
        cause: JournalError,
        /// The last record that is proven; 0 for none.
        last_sequence: u64,
    },
    /// It is whole in itself, and not the journal of which the head was taken.
    #[error(
        "record {sequence} is not the one whose head was kept: {found}; the journal was cut off or written anew"
    )]
    OtherHead {
        /// The record that the head names.
        sequence: u64,
        /// What stands there.
        found: String,
    },
    /// Older segments were deleted, and not by who might.
    #[error(
        "the journal's beginning was deleted by the key {0}, which is not among those given; nothing before it is proven"
    )]
    OtherBeginning(String),
    /// The public keys cannot be read.
    #[error(transparent)]
    PublicKeys(#[from] PublicKeysError),
    /// A record is no JSON document of CloudTrail.
    #[error("record {sequence}: {cause}")]
    Record {
        /// Which record.
        sequence: u64,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// What was found cannot be told.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

fn proven_until(last_sequence: u64) -> String {
    match last_sequence {
        0 => "nothing of the journal is proven".to_owned(),
        last => format!("it is proven up to record {last}, and nothing after it is"),
    }
}

/// The head of a journal after one of its records: keep it elsewhere, and the journal can be neither cut off nor written
/// anew without showing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    sequence: u64,
    hash: [u8; 32],
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Head, &'static str> {
        const EXPECTED: &str = "expected a record's number, a colon and 64 hexadecimal digits, as `keystead audit verify` tells them";
        let (sequence, digits) = text.split_once(':').ok_or(EXPECTED)?;
        let sequence = sequence.parse().map_err(|_| EXPECTED)?;
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(EXPECTED);
        }
        for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = str::from_utf8(pair).map_err(|_| EXPECTED)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| EXPECTED)?;
        }
        Ok(Head { sequence, hash })
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:", self.sequence)?;
        self.hash.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Proves that the journal is whole: every record hashes to what the next one says, and, given a head that was kept
/// elsewhere, that it goes on from there; where older segments were deleted, that one of the given keys signed it. Tells how many
/// records there are and the head to keep.
///
/// # Errors
/// Names the first file and byte that are not as they were written, and the last record before them.
pub fn verify(
    path: &Path,
    kept: Option<Head>,
    public_keys: Option<&Path>,
    out: &mut impl Write,
) -> Result<(), AuditError> {
    let mut journal = Journal::open(path)?;
    let beginning = journal.frames.beginning().cloned();
    if let Some((public_keys, signed)) = public_keys.zip(beginning.as_ref()) {
        let keys = public_keys::read(public_keys)?;
        if !signed.is_of(keys.iter().map(|key| &*key.der)) {
            return Err(AuditError::OtherBeginning(signed.public_key.fingerprint.clone()));
        }
    }
    let mut records_count: u64 = 0;
    let mut last = beginning.as_ref().and_then(|signed| {
        let Beginning { sequence, .. } = signed.beginning;
        signed.beginning.head().map(|hash| Head { sequence, hash })
    });
    let last_deleted = last;
    let mut found = last.filter(|last| kept.is_some_and(|kept| kept.sequence == last.sequence));
    while let Some(frame) = journal.next()? {
        records_count = records_count.saturating_add(1);
        let head = Head { sequence: frame.sequence, hash: frame.head };
        if kept.is_some_and(|kept| kept.sequence == head.sequence) {
            found = Some(head);
        }
        last = Some(head);
    }
    if let Some(kept) = kept.filter(|kept| Some(*kept) != found) {
        let found = match (found, last) {
            (Some(other), _) => other.to_string(),
            (None, _) if last_deleted.is_some_and(|last| kept.sequence < last.sequence) => {
                "it was deleted with the journal's beginning".to_owned()
            }
            (None, Some(last)) => format!("no such record, the last one is {}", last.sequence),
            (None, None) => "there are no records".to_owned(),
        };
        return Err(AuditError::OtherHead { sequence: kept.sequence, found });
    }
    writeln!(out, "whole: {records_count} records")?;
    if let Some(signed) = beginning {
        let Beginning { sequence, records, deleted, .. } = signed.beginning;
        let fingerprint = signed.public_key.fingerprint;
        let proof = if public_keys.is_some() { "" } else { ", to be compared with --public-keys" };
        writeln!(
            out,
            "beginning: after record {sequence}; {records} records before it were deleted, the last ones at {deleted}, \
             signed by the key {fingerprint}{proof}"
        )?;
    }
    if let Some(last) = last {
        writeln!(out, "head: {last}")?;
    }
    if journal.frames.torn_bytes() > 0 {
        let bytes = journal.frames.torn_bytes();
        writeln!(out, "unfinished: {bytes} bytes at the end, of a crash or of a running server")?;
    }
    Ok(out.flush()?)
}

/// Which records are told. What is not said does not select.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// `Decrypt`
    pub event_name: Option<String>,
    /// The account that the record is told to.
    pub account_id: Option<String>,
    /// The access key that signed.
    pub access_key_id: Option<String>,
    /// The ARN of a key, alias or identity that the call was about.
    pub resource_arn: Option<String>,
    /// Only calls that ended with this error code.
    pub error_code: Option<String>,
}

/// What of a record selections look at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selected {
    event_time: Timestamp,
    event_name: String,
    #[serde(default)]
    recipient_account_id: String,
    #[serde(default)]
    user_identity: Option<SelectedIdentity>,
    #[serde(default)]
    resources: Option<Vec<SelectedResource>>,
    error_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SelectedIdentity {
    access_key_id: Option<String>,
}

#[derive(Deserialize)]
struct SelectedResource {
    #[serde(rename = "ARN")]
    arn: Option<String>,
}

impl Selection {
    fn takes(&self, record: &Selected) -> bool {
        let identity = record.user_identity.as_ref();
        let access_key_id = identity.and_then(|identity| identity.access_key_id.as_deref());
        let resources = record.resources.iter().flatten();
        let mut arns = resources.filter_map(|resource| resource.arn.as_deref());
        is_or_unsaid(self.event_name.as_deref(), Some(&record.event_name))
            && is_or_unsaid(self.account_id.as_deref(), Some(&record.recipient_account_id))
            && is_or_unsaid(self.access_key_id.as_deref(), access_key_id)
            && is_or_unsaid(self.error_code.as_deref(), record.error_code.as_deref())
            && self.resource_arn.as_deref().is_none_or(|wanted| arns.any(|arn| arn == wanted))
            && self.since.is_none_or(|since| record.event_time >= since)
            && self.until.is_none_or(|until| record.event_time < until)
    }
}

fn is_or_unsaid(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

/// How records are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The lines of JSON that were written.
    #[default]
    CloudTrail,
    /// Lines of JSON of OCSF.
    Ocsf,
}

impl Form {
    /// Tells a record if the selection takes it.
    fn tell(
        self,
        selection: &Selection,
        sequence: u64,
        record: &[u8],
        out: &mut impl Write,
    ) -> Result<(), AuditError> {
        let wrong = |cause| AuditError::Record { sequence, cause };
        let selected = serde_json::from_slice(record).map_err(wrong)?;
        if !selection.takes(&selected) {
            return Ok(());
        }
        match self {
            Form::CloudTrail => out.write_all(record)?,
            Form::Ocsf => {
                let event = ocsf::event(serde_json::from_slice(record).map_err(wrong)?);
                serde_json::to_writer(&mut *out, &event).map_err(wrong)?;
            }
        }
        Ok(out.write_all(b"\n")?)
    }
}

/// Tells the records that a selection takes, each as a line of JSON, proven like [`verify`] proves it.
///
/// # Errors
/// As [`verify`]; what was told before the error is proven.
pub fn export(
    path: &Path,
    selection: &Selection,
    form: Form,
    out: &mut impl Write,
) -> Result<(), AuditError> {
    let mut journal = Journal::open(path)?;
    while let Some(Frame { sequence, record, .. }) = journal.next()? {
        form.tell(selection, sequence, &record, out)?;
    }
    Ok(out.flush()?)
}

/// The folder of a journal, given that or the data directory that it lies in.
fn folder_of(path: &Path) -> Result<PathBuf, AuditError> {
    let within = path.join(JOURNAL_FOLDER);
    let folder = if within.is_dir() { within } else { path.to_owned() };
    let not_proven = |cause| AuditError::NotProven { cause, last_sequence: 0 };
    match ::audit::is_journal(&folder).map_err(not_proven)? {
        true => Ok(folder),
        false => Err(AuditError::NoJournal(path.to_owned())),
    }
}

/// A journal while it is read.
struct Journal {
    frames: Frames,
    last_sequence: u64,
}

impl Journal {
    /// Takes the folder of a journal, or the data directory that it lies in.
    fn open(path: &Path) -> Result<Journal, AuditError> {
        let not_proven = |cause| AuditError::NotProven { cause, last_sequence: 0 };
        let frames = ::audit::read(&folder_of(path)?).map_err(not_proven)?;
        Ok(Journal { frames, last_sequence: 0 })
    }

    fn next(&mut self) -> Result<Option<Frame>, AuditError> {
        let frame = self.frames.next().transpose();
        let last_sequence = self.last_sequence;
        let frame = frame.map_err(|cause| AuditError::NotProven { cause, last_sequence })?;
        self.last_sequence = frame.as_ref().map_or(last_sequence, |frame| frame.sequence);
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_told() {
        let head = Head { sequence: 17, hash: [0xab; 32] };
        assert_eq!(head.to_string().parse(), Ok(head));
        for wrong in ["", "17", "17:ab", "x:00", &format!("1:{}", "+1".repeat(32))] {
            assert!(wrong.parse::<Head>().is_err(), "{wrong}");
        }
    }
}
