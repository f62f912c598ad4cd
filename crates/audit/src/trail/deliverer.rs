//! Delivery: from the journal into log files, and from those into digests.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    Destination, DigestKey, Object, Trail, TrailError,
    digest::{Digest, SIGNATURE_ALGORITHM},
    files,
    log_files::LogFiles,
    state::{self, DigestPlan, LogFile, Plan, Position, State, StateSeal},
};
use crate::read;

/// Bytes of records that are gathered into log files at once.
const ROUND_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Takes records out of a journal to a destination. One at a time may work for a trail.
pub struct Deliverer {
    trail: Trail,
    journal: PathBuf,
    state_path: PathBuf,
    destination: Box<dyn Destination>,
    seal: Box<dyn StateSeal>,
    state: State,
}

/// How far delivery came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// When the trail began.
    pub started: Timestamp,
    /// The number of the last record that was delivered, 0 for none.
    pub sequence: u64,
    /// When log files were last delivered.
    pub delivered: Option<Timestamp>,
    /// When digests were last delivered.
    pub digests_delivered: Option<Timestamp>,
}

/// What one look at the journal found.
struct Round {
    log_files: LogFiles,
    position: Position,
    is_last: bool,
}

impl Deliverer {
    /// Goes on where the state file says; a trail without one begins with the journal's first record.
    ///
    /// # Errors
    /// When the state cannot be read or written, or is not as it was sealed.
    pub fn open(
        trail: Trail,
        journal: &Path,
        state_path: &Path,
        destination: Box<dyn Destination>,
        seal: Box<dyn StateSeal>,
        now: Timestamp,
    ) -> Result<Deliverer, TrailError> {
        let state = match State::load(state_path, &*seal)? {
            Some(state) => state,
            None => {
                let state = State::new(&trail, whole_second(now));
                state.save(state_path, &*seal)?;
                state
            }
        };
        let (journal, state_path) = (journal.to_owned(), state_path.to_owned());
        Ok(Deliverer { trail, journal, state_path, destination, seal, state })
    }

    /// How far delivery came.
    #[must_use]
    pub fn status(&self) -> DeliveryStatus {
        DeliveryStatus {
            started: self.state.started,
            sequence: self.state.position.sequence,
            delivered: self.state.delivered,
            digests_delivered: self.state.digests_delivered,
        }
    }

    /// Delivers what the journal holds beyond what was delivered, up to a record that is known to be synced. Tells whether
    /// that was all.
    ///
    /// # Errors
    /// Why not; what was begun is finished by the next call.
    pub fn deliver(&mut self, synced: u64, now: Timestamp) -> Result<bool, TrailError> {
        let planned = self.state.planned.clone();
        let through = planned.as_ref().map_or(synced, |plan| plan.through);
        if through <= self.state.position.sequence {
            return Ok(true);
        }
        let bytes_max = if planned.is_some() { usize::MAX } else { ROUND_BYTES_MAX };
        let Round { log_files, position, is_last } = self.look(through, bytes_max)?;
        if position == self.state.position {
            return Ok(true);
        }
        let plan = match planned {
            Some(plan) => plan,
            None => {
                let plan = Plan { through: position.sequence, at: whole_second(now) };
                self.change(|state| state.planned = Some(plan.clone()))?;
                plan
            }
        };
        let mut state = self.state.clone();
        for (chain, gathered, content) in log_files.finish() {
            let object = self.trail.log_file(&chain, plan.at, &content);
            let body = files::gzip(&content);
            self.destination.put(&Object { key: &object, body: &body, metadata: &[] })?;
            state.chain(&chain).log_files.push(LogFile {
                bucket: self.trail.bucket.clone(),
                object,
                hash: files::sha256_hex(&content),
                oldest: gathered.oldest,
                newest: gathered.newest,
            });
        }
        state.position = position;
        state.delivered = Some(plan.at);
        state.planned = None;
        self.replace(state)?;
        Ok(is_last)
    }

    /// Until when digests can tell now, if those of an interval are due. Intervals end at whole multiples since
    /// 1970-01-01T00:00:00Z; one digest tells all of them that went by meanwhile.
    #[must_use]
    pub fn digests_due(&self, now: Timestamp, interval: Duration) -> Option<Timestamp> {
        if let Some(plan) = &self.state.planned_digest {
            return Some(plan.end);
        }
        let interval = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX).max(1);
        let past = now.as_second().rem_euclid(interval);
        let end = Timestamp::from_second(now.as_second().saturating_sub(past)).ok()?;
        (end > self.state.digested).then_some(end)
    }

    /// Delivers the digest of every chain until the end that [`Deliverer::digests_due`] gave. It is signed by the key that
    /// was made last, the last one of `keys`; one that was begun, by the key that it was begun with.
    ///
    /// # Errors
    /// Why not; what was begun is finished by the next call.
    pub fn deliver_digests<'k>(
        &mut self,
        end: Timestamp,
        mut keys: impl DoubleEndedIterator<Item = &'k DigestKey> + Clone,
        now: Timestamp,
    ) -> Result<(), TrailError> {
        let plan = match self.state.planned_digest.clone() {
            Some(plan) => plan,
            None => {
                let fingerprint = keys
                    .clone()
                    .next_back()
                    .map_or_else(String::new, |key| key.fingerprint.clone());
                let plan = DigestPlan { end, fingerprint };
                self.change(|state| state.planned_digest = Some(plan.clone()))?;
                plan
            }
        };
        let DigestPlan { end, fingerprint } = plan;
        let Some(key) = keys.find(|key| key.fingerprint == fingerprint) else {
            return Err(TrailError::KeyMissing { fingerprint });
        };
        let mut state = self.state.clone();
        for (name, chain_state) in &mut state.chains {
            let Some(chain) = state::chain_of(name) else { continue };
            let digest = Digest::new(&self.trail, &chain, chain_state, end, &fingerprint);
            let signed = digest.sign(&key.key)?;
            self.destination.put(&Object {
                key: &signed.previous.object,
                body: &files::gzip(&signed.content),
                metadata: &[
                    ("signature", &signed.previous.signature),
                    ("signature-algorithm", SIGNATURE_ALGORITHM),
                ],
            })?;
            chain_state.start = end;
            chain_state.previous = Some(signed.previous);
            chain_state.log_files.clear();
        }
        state.digested = end;
        state.digests_delivered = Some(whole_second(now));
        state.planned_digest = None;
        self.replace(state)
    }

    /// Gathers records after the position.
    fn look(&self, through: u64, bytes_max: usize) -> Result<Round, TrailError> {
        let Position { sequence: delivered, .. } = self.state.position;
        let mut position = self.state.position.clone();
        let (mut log_files, mut bytes) = (LogFiles::default(), 0_usize);
        let mut is_known = delivered == 0;
        let mut is_last = true;
        for frame in read::read_around(&self.journal, delivered.max(1))? {
            let frame = frame?;
            if frame.sequence > through {
                break;
            }
            if frame.sequence == delivered {
                is_known = files::hex(&frame.head) == self.state.position.head;
            }
            if frame.sequence <= delivered {
                continue;
            }
            if !is_known {
                break;
            }
            bytes = bytes.saturating_add(frame.record.len());
            log_files.add(&self.trail, &self.state, &frame.record);
            position = Position { sequence: frame.sequence, head: files::hex(&frame.head) };
            if bytes >= bytes_max {
                is_last = false;
                break;
            }
        }
        if !is_known {
            return Err(TrailError::OtherJournal { sequence: delivered });
        }
        Ok(Round { log_files, position, is_last })
    }

    fn change(&mut self, change: impl FnOnce(&mut State)) -> Result<(), TrailError> {
        let mut state = self.state.clone();
        change(&mut state);
        self.replace(state)
    }

    /// What is believed is what is kept.
    fn replace(&mut self, state: State) -> Result<(), TrailError> {
        state.save(&self.state_path, &*self.seal)?;
        self.state = state;
        Ok(())
    }
}

fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
