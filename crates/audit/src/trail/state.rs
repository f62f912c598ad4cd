//! How far delivery came: a small file that is replaced whole before and after each step.
//!
//! It is a line of JSON and a line with its seal in hexadecimal digits: whoever writes in the folder cannot move the trail over
//! records that were not delivered.

use std::{collections::BTreeMap, error::Error, fs, io, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Chain, Trail, TrailError, files};

/// Seals states for one trail. Hashes are of SHA-256.
pub trait StateSeal: Send + Sync {
    /// The seal of a state with that hash.
    ///
    /// # Errors
    /// When none can be made.
    fn seal(&self, hash: &[u8; 32]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>>;

    /// Whether it is a seal that was made for a state with that hash.
    fn is_seal(&self, hash: &[u8; 32], seal: &[u8]) -> bool;
}

/// Everything that the next step needs to know of those before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// When the trail began.
    pub(super) started: Timestamp,
    /// The last record that was delivered.
    pub(super) position: Position,
    /// When something was last delivered.
    pub(super) delivered: Option<Timestamp>,
    /// What was begun to be delivered.
    pub(super) planned: Option<Plan>,
    /// Until when digests tell.
    pub(super) digested: Timestamp,
    /// When digests were last delivered.
    pub(super) digests_delivered: Option<Timestamp>,
    /// The digests that were begun.
    pub(super) planned_digest: Option<DigestPlan>,
    /// By account, a slash and Region.
    pub(super) chains: BTreeMap<String, ChainState>,
}

/// A record of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Its number; 0 before the first one.
    pub(super) sequence: u64,
    /// The journal's head after it, in hexadecimal digits.
    pub(super) head: String,
}

/// Log files to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The last record in them.
    pub(super) through: u64,
    /// The time in their names.
    pub(super) at: Timestamp,
}

/// Digests to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DigestPlan {
    /// Until when they tell.
    pub(super) end: Timestamp,
    /// The key that signs them.
    pub(super) fingerprint: String,
}

/// What the next digest of a chain tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChainState {
    /// Since when.
    pub(super) start: Timestamp,
    /// The digest before; none at the beginning of a chain.
    pub(super) previous: Option<Previous>,
    /// The log files delivered since.
    pub(super) log_files: Vec<LogFile>,
}

/// A digest, as the next one names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Previous {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) hash: String,
    pub(super) signature: String,
}

/// A log file, as its digest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogFile {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) hash: String,
    pub(super) oldest: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
}

impl State {
    /// Of a trail that begins now, with the journal's first record.
    pub(super) fn new(trail: &Trail, now: Timestamp) -> State {
        let mut state = State {
            started: now,
            position: Position { sequence: 0, head: String::new() },
            delivered: None,
            planned: None,
            digested: now,
            digests_delivered: None,
            planned_digest: None,
            chains: BTreeMap::new(),
        };
        state.chain(&trail.home());
        state
    }

    /// What was kept; none where nothing was.
    pub(super) fn load(path: &Path, seal: &dyn StateSeal) -> Result<Option<State>, TrailError> {
        match fs::read(path) {
            Ok(bytes) => {
                let state = unsealed(&bytes, seal)
                    .ok_or_else(|| TrailError::UnsealedState { path: path.to_owned() })?;
                serde_json::from_slice(state)
                    .map(Some)
                    .map_err(|source| TrailError::State { path: path.to_owned(), source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TrailError::disk("read", path)(error)),
        }
    }

    /// Keeps it durably.
    pub(super) fn save(&self, path: &Path, seal: &dyn StateSeal) -> Result<(), TrailError> {
        let mut bytes = serde_json::to_vec(self)
            .map_err(|source| TrailError::State { path: path.to_owned(), source })?;
        let seal = seal.seal(&files::sha256(&bytes)).map_err(TrailError::Sealing)?;
        bytes.extend_from_slice(format!("\n{}\n", files::hex(&seal)).as_bytes());
        files::write(path, &bytes)
    }

    /// The chain's state; it begins where the last digests ended.
    pub(super) fn chain(&mut self, chain: &Chain) -> &mut ChainState {
        let start = self.digested;
        self.chains.entry(name(chain)).or_insert_with(|| ChainState {
            start,
            previous: None,
            log_files: Vec::new(),
        })
    }

    pub(super) fn has(&self, chain: &Chain) -> bool {
        self.chains.contains_key(&name(chain))
    }
}

/// The state in a file's bytes, if its seal is right.
fn unsealed<'a>(bytes: &'a [u8], seal: &dyn StateSeal) -> Option<&'a [u8]> {
    let bytes = bytes.strip_suffix(b"\n")?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let (state, rest) = bytes.split_at_checked(end)?;
    let found = files::unhex(str::from_utf8(rest.strip_prefix(b"\n")?).ok()?)?;
    seal.is_seal(&files::sha256(state), &found).then_some(state)
}

fn name(chain: &Chain) -> String {
    format!("{}/{}", chain.account, chain.region)
}

/// The chain of a name that [`State::chain`] gave.
pub(super) fn chain_of(name: &str) -> Option<Chain> {
    let (account, region) = name.split_once('/')?;
    Chain::new(account, region)
}
