//! Dates that come: keys that are deleted within a day, and imported material that expires, for metrics and events. Nothing is
//! decided by what is known here.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use store::Snapshot;
use wire::names::{KeyId, Region};

use crate::error::ServiceError;
use crate::host::Host;
use crate::kms::keys::earliest_expiry;
use crate::snapshot::KeySnapshot;

/// How long what was seen stands.
const LOOK_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// Keys that are told of each, the soonest.
const KEYS_COUNT_MAX: u32 = 100;
/// How long before its deletion a key is told.
const DELETION_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// More than the longest time for which material can be imported, 365 days.
const EXPIRY_AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A key and a date of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDate {
    /// The key's ARN.
    pub key_arn: String,
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its id.
    pub key_id: String,
    /// The date.
    pub date: Timestamp,
}

/// Dates that come, the soonest first, at most 100 of each.
#[derive(Clone, Debug, Default)]
pub struct UpcomingDates {
    /// Keys that are deleted within a day.
    pub deletions: Vec<KeyDate>,
    /// Keys whose imported material expires, by the material that expires first.
    pub expirations: Vec<KeyDate>,
}

/// What was seen last.
#[derive(Default)]
pub(crate) struct Upcoming(Mutex<(Option<Timestamp>, UpcomingDates)>);

impl Upcoming {
    /// What was seen last.
    pub(crate) fn dates(&self) -> UpcomingDates {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// By ARN, how long it is until material expires, in seconds.
    pub(crate) fn seconds_until_expiry(&self, now: Timestamp) -> Vec<(String, i64)> {
        let until = |key: KeyDate| (key.key_arn, key.date.duration_since(now).as_secs().max(0));
        self.dates().expirations.into_iter().map(until).collect()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let (seen, _) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_none_or(|seen| now.duration_since(seen) >= LOOK_INTERVAL)
    }
}

/// Looks anew, if it is time.
pub(crate) async fn look(host: &Host) -> Result<(), ServiceError> {
    let now = host.clock.now();
    if !host.upcoming.is_due(now) {
        return Ok(());
    }
    let until = |ahead| now.checked_add(ahead).unwrap_or(Timestamp::MAX);
    let (deleted_until, expired_until) = (until(DELETION_AHEAD), until(EXPIRY_AHEAD));
    let hints = host.store.read(move |snapshot: &Snapshot<'_>| {
        let deletions = snapshot.keys_due(deleted_until, KEYS_COUNT_MAX)?;
        Ok::<_, ServiceError>((deletions, snapshot.imports_due(expired_until, KEYS_COUNT_MAX)?))
    });
    let (deletions, expirations) = hints.await?;
    let dates = UpcomingDates {
        deletions: dates(host, deletions, |key| key.key().deletion_date).await,
        expirations: dates(host, expirations, |key| earliest_expiry(key.record())).await,
    };
    *host.upcoming.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(now), dates);
    Ok(())
}

/// The dates of the keys that a look for hints gave. One that cannot be read, for instance a tampered one, is left out.
async fn dates(
    host: &Host,
    hints: Vec<(Region, KeyId)>,
    date: impl Fn(&KeySnapshot) -> Option<Timestamp>,
) -> Vec<KeyDate> {
    let mut dates = Vec::new();
    for address in hints {
        match host.key(address).await {
            Ok(Some(key)) => dates.extend(date(&key).map(|date| KeyDate {
                key_arn: key.arn_text().to_owned(),
                account: key.account_text().to_owned(),
                region: address.0.to_string(),
                key_id: address.1.to_string(),
                date,
            })),
            Ok(None) => {}
            Err(error) => host.refused_rows.note(&error),
        }
    }
    dates
}
