//! When each access key and each role was last used (GetAccessKeyLastUsed, and `RoleLastUsed` of GetRole): noted beside what
//! was used, kept in the store in batches.
//!
//! A request whose signature is true changes at most one pointer, which its credential holds already. It is no packed number:
//! callers choose the text of a Region, so that numbers of Regions would need a table which anybody could fill.
//!
//! What a crash takes away is at most what was noted since the last batch (`jobs/last_used`); the audit trail has it all.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use store::{CallerKind, CallerUsageRow};
use wire::names::{AccountId, Region};

use crate::error::ServiceError;
use crate::host::Host;

/// Rows that are written at once; changes of others wait no longer than for these.
const BATCH_ROWS_MAX: usize = 1_000;

/// One use of an access key or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// When, to the second, as IAM tells it.
    pub(crate) used: Timestamp,
    /// The service of the signature's scope, such as `kms`.
    pub(crate) service_name: Box<str>,
    /// The Region of the signature's scope.
    pub(crate) region: Region,
}

/// The last use of an access key or a role since the start, as requests note it.
#[derive(Default)]
pub(crate) struct LastUsed(ArcSwapOption<Noted>);

/// A use, and whether the store has it.
struct Noted {
    last: Use,
    is_kept: AtomicBool,
}

impl LastUsed {
    /// Notes a use by the scope of its signature; of two, the later one counts. Nothing is written while one in the same
    /// second and of the same scope is noted. A text that is no Region is passed over: no call of it is served.
    pub(crate) fn note(&self, now: Timestamp, service_name: &str, region: &str) {
        let Ok(used) = Timestamp::from_second(now.as_second()) else { return };
        let is_noted = |noted: &Arc<Noted>| {
            let last = &noted.last;
            last.used == used
                && *last.service_name == *service_name
                && last.region.as_str() == region
        };
        if self.0.load().as_ref().is_some_and(is_noted) {
            return;
        }
        let Ok(region) = region.parse() else { return };
        let last = Use { used, service_name: service_name.into(), region };
        let newest = Arc::new(Noted { last, is_kept: AtomicBool::new(false) });
        self.0.rcu(|noted| match noted {
            Some(noted) if noted.last.used > used => Some(Arc::clone(noted)),
            Some(_) | None => Some(Arc::clone(&newest)),
        });
    }

    /// The last use since the start.
    pub(crate) fn noted(&self) -> Option<Use> {
        self.0.load().as_ref().map(|noted| noted.last.clone())
    }

    /// The last use, if the store does not have it yet.
    pub(crate) fn unkept(
        &self,
        account: AccountId,
        kind: CallerKind,
        caller_id: &str,
    ) -> Option<Unkept> {
        let noted = self.0.load_full().filter(|noted| !noted.is_kept.load(Ordering::Relaxed))?;
        Some(Unkept { account, kind, caller_id: caller_id.to_owned(), noted })
    }
}

/// A use that the store does not have yet.
pub(crate) struct Unkept {
    account: AccountId,
    kind: CallerKind,
    caller_id: String,
    noted: Arc<Noted>,
}

impl Unkept {
    fn row(&self) -> CallerUsageRow {
        let Use { used, service_name, region } = self.noted.last.clone();
        CallerUsageRow {
            account: self.account,
            kind: self.kind,
            caller_id: self.caller_id.clone(),
            used,
            service_name: service_name.into_string(),
            region,
        }
    }
}

/// Writes what was noted into the store. What is noted meanwhile is written the next time.
pub(crate) async fn keep(host: &Host) -> Result<(), ServiceError> {
    let mut unkept = host.credentials.unkept_uses();
    unkept.extend(host.identities.unkept_uses());
    for batch in unkept.chunks(BATCH_ROWS_MAX) {
        let rows: Vec<CallerUsageRow> = batch.iter().map(Unkept::row).collect();
        host.store.write(move |transaction| transaction.save_caller_usages(&rows)).await?;
        batch.iter().for_each(|unkept| unkept.noted.is_kept.store(true, Ordering::Relaxed));
    }
    Ok(())
}

/// The last use of an access key of the account, as noted here or as kept by the store.
pub(crate) async fn of_access_key(
    host: &Host,
    account: AccountId,
    access_key_id: &str,
) -> Result<Option<Use>, ServiceError> {
    let noted = host.credentials.last_used(access_key_id).and_then(|last_used| last_used.noted());
    if noted.is_some() {
        return Ok(noted);
    }
    let id = access_key_id.to_owned();
    let kept = kept(host, account, CallerKind::AccessKey, vec![id]).await?;
    Ok(kept.into_values().next())
}

/// The last uses of those roles of the account that were used, by unique id.
pub(crate) async fn of_roles(
    host: &Host,
    account: AccountId,
    role_ids: Vec<String>,
) -> Result<HashMap<String, Use>, ServiceError> {
    let noted = |role_id: &str| host.identities.holder(account, role_id)?.last_used().noted();
    let mut uses = HashMap::new();
    let mut unknown = Vec::new();
    for role_id in role_ids {
        match noted(&role_id) {
            Some(last) => drop(uses.insert(role_id, last)),
            None => unknown.push(role_id),
        }
    }
    uses.extend(kept(host, account, CallerKind::Role, unknown).await?);
    Ok(uses)
}

async fn kept(
    host: &Host,
    account: AccountId,
    kind: CallerKind,
    caller_ids: Vec<String>,
) -> Result<HashMap<String, Use>, ServiceError> {
    if caller_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let look = move |snapshot: &store::Snapshot<'_>| {
        let mut rows = Vec::new();
        for caller_id in &caller_ids {
            rows.extend(snapshot.caller_usage(account, kind, caller_id)?);
        }
        Ok::<_, store::StoreError>(rows)
    };
    let rows = host.store.read(look).await?.into_iter();
    Ok(rows
        .map(|CallerUsageRow { caller_id, used, service_name, region, .. }| {
            (caller_id, Use { used, service_name: service_name.into_boxed_str(), region })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    fn told(last_used: &LastUsed) -> Option<(i64, String, String)> {
        let Use { used, service_name, region } = last_used.noted()?;
        Some((used.as_millisecond(), service_name.into_string(), region.to_string()))
    }

    fn is_unkept(last_used: &LastUsed) -> Option<Unkept> {
        let account = "111122223333".parse().unwrap();
        last_used.unkept(account, CallerKind::AccessKey, "AKIAEXAMPLE")
    }

    #[test]
    fn the_latest_use_is_told_to_the_second() {
        let last_used = LastUsed::default();
        assert_eq!(told(&last_used), None);
        for (now, service_name, region, expected) in [
            (7_900, "kms", "eu-central-1", (7_000, "kms", "eu-central-1")),
            (7_950, "iam", "eu-central-1", (7_000, "iam", "eu-central-1")),
            (7_960, "iam", "us-east-1", (7_000, "iam", "us-east-1")),
            (9_000, "sts", "us-east-1", (9_000, "sts", "us-east-1")),
            (8_000, "kms", "eu-west-1", (9_000, "sts", "us-east-1")),
            (9_500, "kms", "no Region", (9_000, "sts", "us-east-1")),
        ] {
            last_used.note(instant(now), service_name, region);
            let (used, service_name, region) = expected;
            let expected = (used, service_name.to_owned(), region.to_owned());
            assert_eq!(told(&last_used), Some(expected));
        }
    }

    #[test]
    fn a_use_is_kept_once() {
        let last_used = LastUsed::default();
        assert!(is_unkept(&last_used).is_none());
        last_used.note(instant(1_000), "kms", "eu-central-1");
        let first = is_unkept(&last_used).unwrap();
        // While it is written, another use is noted.
        last_used.note(instant(2_000), "kms", "eu-central-1");
        first.noted.is_kept.store(true, Ordering::Relaxed);
        let second = is_unkept(&last_used).unwrap();
        assert_eq!(second.row().used, instant(2_000));
        second.noted.is_kept.store(true, Ordering::Relaxed);
        assert!(is_unkept(&last_used).is_none());
        last_used.note(instant(2_999), "kms", "eu-central-1");
        assert!(is_unkept(&last_used).is_none(), "the same second and scope");
    }

    #[test]
    fn of_uses_at_once_the_latest_stays() {
        let last_used = LastUsed::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let last_used = &last_used;
                scope.spawn(move || {
                    for second in 0..1_000 {
                        last_used.note(instant(1_000 * (4 * second + thread)), "kms", "eu-west-1");
                    }
                });
            }
        });
        let expected = (3_999_000, "kms".to_owned(), "eu-west-1".to_owned());
        assert_eq!(told(&last_used), Some(expected));
    }
}
