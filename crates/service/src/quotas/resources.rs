//! How far quotas of numbers of things are used, for metrics. Nothing is refused by what is counted here.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use store::{Snapshot, StoreError};
use wire::names::{AccountId, KeyId, Region};

use super::{KEYS, Quotas};
use crate::api::ResourceQuotaUse;
use crate::error::ServiceError;
use crate::host::Host;
use crate::kms::aliases::ALIASES_FOR_A_KEY_MAX;
use crate::kms::grants::GRANTS_FOR_A_KEY_MAX;

/// How long the numbers stand, at least.
const COUNT_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// How many times as long as it took to count they stand, at least: all keys, aliases and grants are looked at.
const REST_FACTOR: i32 = 1_000;
/// From which part of a quota on the log says who uses it; AWS advises an alarm at the same.
const TOLD_FROM: f64 = 0.8;

/// What was counted last.
#[derive(Default)]
pub(crate) struct ResourceUses(Mutex<State>);

#[derive(Default)]
struct State {
    not_before: Option<Timestamp>,
    uses: Vec<Fullest>,
}

/// A quota, and whoever uses most of it.
#[derive(Clone)]
struct Fullest {
    quota: &'static str,
    used: f64,
    place: String,
}

/// A key, and how many things it has.
type KeyNumber = (Region, KeyId, u64);

/// What the store holds of each thing.
struct Numbers {
    keys: Vec<(AccountId, Region, u64)>,
    aliases: Option<KeyNumber>,
    grants: Option<KeyNumber>,
}

impl ResourceUses {
    /// How far each quota is used by whoever uses most of it; none before they were counted.
    pub(crate) fn all(&self) -> Vec<ResourceQuotaUse> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |fullest: &Fullest| {
            let Fullest { quota, used, place } = fullest.clone();
            ResourceQuotaUse { quota, used, place }
        };
        state.uses.iter().map(told).collect()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.not_before.is_none_or(|date| date <= now)
    }

    /// Keeps what was counted and gives back what is new to tell.
    fn keep(&self, started: Timestamp, now: Timestamp, uses: Vec<Fullest>) -> Vec<Fullest> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = (now.duration_since(started) * REST_FACTOR).max(COUNT_INTERVAL);
        state.not_before = now.checked_add(rest).ok();
        let was_told = |fullest: &Fullest| {
            state.uses.iter().any(|old| {
                old.quota == fullest.quota && old.place == fullest.place && old.used >= TOLD_FROM
            })
        };
        let is_news = |fullest: &&Fullest| fullest.used >= TOLD_FROM && !was_told(fullest);
        let news = uses.iter().filter(is_news).cloned().collect();
        state.uses = uses;
        news
    }
}

/// Counts anew, if quotas are counted at all and the last numbers have stood long enough.
pub(crate) async fn count(host: &Host) -> Result<(), ServiceError> {
    let started = host.clock.now();
    if !host.quotas.are_counted() || !host.resource_uses.is_due(started) {
        return Ok(());
    }
    let numbers = host.store.read(Numbers::read).await?;
    let uses = numbers.fullest(&host.quotas);
    for Fullest { quota, used, place } in host.resource_uses.keep(started, host.clock.now(), uses) {
        tracing::warn!(quota, used, place, "a quota is nearly used up");
    }
    Ok(())
}

impl Numbers {
    fn read(snapshot: &Snapshot<'_>) -> Result<Numbers, StoreError> {
        Ok(Numbers {
            keys: snapshot.numbers_of_keys()?,
            aliases: snapshot.most_aliases()?,
            grants: snapshot.most_grants()?,
        })
    }

    fn fullest(self, quotas: &Quotas) -> Vec<Fullest> {
        let keys = self.keys.into_iter().map(|(account, region, number)| Fullest {
            quota: KEYS,
            used: part(number, quotas.keys_quota(account, region).into()),
            place: format!("{account} in {region}"),
        });
        let keys = keys.max_by(|one, other| one.used.total_cmp(&other.used));
        let of_key = |quota, most: Option<KeyNumber>, number_max| {
            most.map(|(region, key_id, number)| Fullest {
                quota,
                used: part(number, number_max),
                place: format!("key {key_id} in {region}"),
            })
        };
        let aliases = of_key("AliasesPerKey", self.aliases, ALIASES_FOR_A_KEY_MAX);
        let grants = of_key("GrantsPerKey", self.grants, GRANTS_FOR_A_KEY_MAX);
        [keys, aliases, grants].into_iter().flatten().collect()
    }
}

#[expect(clippy::as_conversions, reason = "numbers of rows are far below 2^52")]
fn part(number: u64, number_max: u64) -> f64 {
    number as f64 / number_max as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotas::QuotaMode;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn numbers_stand_for_a_minute_or_a_thousand_times_what_they_cost() {
        let uses = ResourceUses::default();
        assert!(uses.is_due(second(0)));
        uses.keep(second(0), second(0), Vec::new());
        assert!(!uses.is_due(second(59)));
        assert!(uses.is_due(second(60)));
        uses.keep(second(60), second(62), Vec::new());
        assert!(!uses.is_due(second(2_061)));
        assert!(uses.is_due(second(2_062)));
    }

    #[test]
    fn who_nears_a_quota_is_told_once() {
        let uses = ResourceUses::default();
        let count = |(used, place): (f64, &str)| {
            let fullest = Fullest { quota: "GrantsPerKey", used, place: place.to_owned() };
            uses.keep(second(0), second(0), vec![fullest]).len()
        };
        let told = [(0.7, "a"), (0.8, "a"), (0.9, "a"), (0.9, "b"), (0.5, "b"), (0.8, "b")];
        assert_eq!(told.map(count), [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn the_fullest_is_that_of_the_adjusted_quota() {
        let adjustment = "444455556666/*/Keys=10".parse().unwrap();
        let quotas = Quotas::new(QuotaMode::Shadow, vec![adjustment]);
        let region: Region = "eu-west-1".parse().unwrap();
        let keys = [("111122223333", 1_000), ("444455556666", 5)];
        let keys = keys.map(|(account, number)| (account.parse().unwrap(), region, number));
        let numbers = Numbers { keys: keys.to_vec(), aliases: None, grants: None };
        let told = numbers.fullest(&quotas);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].quota, &*told[0].place), ("Keys", "444455556666 in eu-west-1"));
        assert!((told[0].used - 0.5).abs() < 1e-9);
    }
}
