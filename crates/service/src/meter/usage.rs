//! What is told of a month: how often what was done for whom, and how long keys stood.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};
use store::{MeterCounter, Metered, MeteredKeyRow};
use wire::names::{AccountId, KeyArn, KeyId, Region};

use super::key_months::KeyHours;
use crate::host::Host;
use crate::journal_follower::FollowerError;

/// Counters and keys that one answer has at most.
const ROWS_COUNT_MAX: usize = 200_000;
const HOUR_SECONDS: i64 = 3_600;

/// A month in UTC, such as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: Date,
}

/// A text that is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a month such as 2026-11")]
pub struct InvalidMonth;

/// Why the usage of a month cannot be told. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The meter stands still.
    #[error("the meter stands still: {0}")]
    Follower(#[from] FollowerError),
    /// There is more than one answer holds.
    #[error("{count} lines are more than one answer holds ({ROWS_COUNT_MAX}): ask for one account")]
    TooMuch {
        /// How many there are.
        count: usize,
    },
}

/// What was used in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// The month, as `2026-11`.
    pub month: String,
    /// The hours of the month.
    pub month_hours: u64,
    /// The moment up to which keys are counted: now, if the month is not over.
    pub until: Timestamp,
    /// The number of the journal's last frame that is counted.
    pub journal_sequence: u64,
    /// How many records of all months and accounts the journal has up to that frame.
    pub journal_records: u64,
    /// The counters of the month.
    pub requests: Vec<RequestUse>,
    /// The keys that cost something in the month.
    pub keys: Vec<KeyUse>,
}

/// How many records of a kind a day had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestUse {
    /// The day in UTC, as `2026-11-25`.
    pub day: String,
    /// The account that pays; empty where nobody could be identified.
    pub account_id: String,
    /// The Region called; empty where none could be told.
    pub region: String,
    /// The key; empty where the record is about none.
    pub key_id: String,
    /// Its ARN; empty where the meter does not know the key.
    pub key_arn: String,
    /// API and operation, as `kms:Decrypt`.
    pub operation: String,
    /// What a tariff charges for such a request.
    pub request_class: String,
    /// `served`, `refused` or `throttled`; or what else the record is: `event` or `copy`.
    pub outcome: String,
    /// How many records there are.
    pub records: u64,
}

/// How long a key stood, in hours of the clock that had begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyUse {
    /// The account that owns it.
    pub account_id: String,
    /// Its Region.
    pub region: String,
    /// The key.
    pub key_id: String,
    /// Its ARN.
    pub arn: String,
    /// Its spec.
    pub key_spec: String,
    /// The hours of the key itself.
    pub hours: u64,
    /// The hours since its first rotation.
    pub first_rotation_hours: u64,
    /// The hours since its second rotation.
    pub second_rotation_hours: u64,
}

impl Month {
    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        instant(self.first)
    }

    /// The first moment of the next one.
    #[must_use]
    pub fn end(self) -> Timestamp {
        // Years end at 9999, of which no key lives to see the last month.
        self.first.last_of_month().tomorrow().map_or(Timestamp::MAX, instant)
    }

    /// Its hours.
    fn hours(self) -> u64 {
        let seconds = self.end().as_second() - self.start().as_second();
        u64::try_from(seconds / HOUR_SECONDS).unwrap_or(0)
    }
}

fn instant(date: Date) -> Timestamp {
    Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Month, InvalidMonth> {
        let (year, month) = text.split_once('-').ok_or(InvalidMonth)?;
        let year = year.parse().map_err(|_| InvalidMonth)?;
        let month = month.parse().map_err(|_| InvalidMonth)?;
        let month = Month { first: Date::new(year, month, 1).map_err(|_| InvalidMonth)? };
        // Comparing with the name written anew refuses signs, missing zeros and years before 0.
        if month.to_string() == text { Ok(month) } else { Err(InvalidMonth) }
    }
}

/// What was used in a month, by one account or by all; every call that was answered by now is in it.
pub(crate) async fn tell(
    host: Arc<Host>,
    month: Month,
    account: Option<AccountId>,
) -> Result<Usage, UsageError> {
    let synced = host.journal.sync_all().await.map_err(FollowerError::from)?;
    let (runtime, counting) = (tokio::runtime::Handle::current(), Arc::clone(&host));
    // Counting reads files and may have much to read.
    let counted = tokio::task::spawn_blocking(move || {
        runtime.block_on(counting.meter.catch_up(&counting.store, synced))
    });
    counted.await.map_err(|_| FollowerError::Store(store::StoreError::ActPanicked))??;
    let name = month.to_string();
    let metered = host.store.read(move |snapshot| snapshot.metered(&name)).await;
    let usage = usage(metered.map_err(FollowerError::Store)?, month, account, host.clock.now());
    let count = usage.requests.len().saturating_add(usage.keys.len());
    if count > ROWS_COUNT_MAX {
        return Err(UsageError::TooMuch { count });
    }
    Ok(usage)
}

fn usage(metered: Metered, month: Month, account: Option<AccountId>, now: Timestamp) -> Usage {
    let Metered { position, records, counters, keys } = metered;
    let is_asked = |owner: &str| account.is_none_or(|account| account.as_str() == owner);
    let arns: HashMap<(Region, KeyId), KeyArn> =
        keys.iter().map(|key| ((key.region, key.key_id), arn_of(key))).collect();
    let arn = |counter: &MeterCounter| {
        let address = (counter.region.parse().ok()?, counter.key_id.parse().ok()?);
        arns.get(&address).map(KeyArn::to_string)
    };
    let requests = counters
        .into_iter()
        .filter(|(counter, _)| is_asked(&counter.account))
        .map(|(counter, records)| request(arn(&counter).unwrap_or_default(), counter, records));
    let until = month.end().min(now);
    let keys = keys.iter().filter(|key| is_asked(key.account.as_str()));
    let keys = keys.filter_map(|key| {
        let KeyHours { kept, first_rotation, second_rotation } = KeyHours::of(key, month, until);
        (kept > 0).then(|| KeyUse {
            account_id: key.account.to_string(),
            region: key.region.to_string(),
            key_id: key.key_id.to_string(),
            arn: arn_of(key).to_string(),
            key_spec: key.key_spec.as_str().to_owned(),
            hours: kept,
            first_rotation_hours: first_rotation,
            second_rotation_hours: second_rotation,
        })
    });
    Usage {
        month: month.to_string(),
        month_hours: month.hours(),
        until,
        journal_sequence: position.map_or(0, |position| position.sequence),
        journal_records: records,
        requests: requests.collect(),
        keys: keys.collect(),
    }
}

fn arn_of(key: &MeteredKeyRow) -> KeyArn {
    KeyArn { region: key.region, account: key.account, key_id: key.key_id }
}

fn request(key_arn: String, counter: MeterCounter, records: u64) -> RequestUse {
    RequestUse {
        day: counter.day,
        account_id: counter.account,
        region: counter.region,
        key_id: counter.key_id,
        key_arn,
        operation: counter.operation,
        request_class: counter.request_class,
        outcome: counter.outcome,
        records,
    }
}
