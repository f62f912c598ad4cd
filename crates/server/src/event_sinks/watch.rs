//! Events that no record tells: parts of the server that stop or work again, quotas that are nearly used up, keys whose day has
//! come.

use std::collections::BTreeSet;

use jiff::Timestamp;
use service::{Event, Health, KeyDate, ResourceQuotaUse};
use uuid::Uuid;

use crate::limits::EVENT_QUOTA_PART;

/// What was told last. At a start everything is taken to be well: what is not is told again.
#[derive(Default)]
pub(super) struct Watch {
    failed: BTreeSet<&'static str>,
    nearly_used: BTreeSet<(&'static str, String)>,
    /// Keys with the dates of their deletion.
    deletions: BTreeSet<(String, Timestamp)>,
    refused_rows: usize,
}

/// What the server says of itself.
pub(super) struct Seen {
    pub(super) health: Health,
    pub(super) quotas: Vec<ResourceQuotaUse>,
    pub(super) deletions: Vec<KeyDate>,
    /// In the order in which they were met.
    pub(super) refused_rows: Vec<String>,
}

impl Watch {
    /// What is news. It counts as told: whoever cannot keep it forgets the whole watch with it.
    pub(super) fn look<E>(
        &mut self,
        seen: &Seen,
        now: Timestamp,
        mut id: impl FnMut() -> Result<Uuid, E>,
    ) -> Result<Vec<Event>, E> {
        let mut events = Vec::new();
        let Health { journal, store, trail } = seen.health;
        for (component, healthy) in [("journal", journal), ("store", store), ("trail", trail)] {
            if healthy == self.failed.contains(component) {
                events.push(Event::health_change(id()?, component, healthy, now));
            }
        }
        let failed = [("journal", journal), ("store", store), ("trail", trail)];
        self.failed =
            failed.into_iter().filter_map(|(name, healthy)| (!healthy).then_some(name)).collect();

        let mut nearly_used = BTreeSet::new();
        for ResourceQuotaUse { quota, used, place } in &seen.quotas {
            if *used < EVENT_QUOTA_PART {
                continue;
            }
            let who = (*quota, place.clone());
            if !self.nearly_used.contains(&who) {
                events.push(Event::quota_threshold(id()?, quota, (*used, place), now));
            }
            nearly_used.insert(who);
        }
        self.nearly_used = nearly_used;

        let mut deletions = BTreeSet::new();
        for key in &seen.deletions {
            let deletion = (key.key_arn.clone(), key.date);
            if !self.deletions.contains(&deletion) {
                events.push(Event::deletion_due(id()?, key, now));
            }
            deletions.insert(deletion);
        }
        self.deletions = deletions;

        for row in seen.refused_rows.iter().skip(self.refused_rows) {
            events.push(Event::tampering(id()?, row, now));
        }
        self.refused_rows = seen.refused_rows.len();
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use service::DetailType;

    use super::*;

    fn told(
        watch: &mut Watch,
        journal: bool,
        used: &[(f64, &str)],
        refused_rows: usize,
    ) -> Vec<DetailType> {
        let quotas = used.iter().map(|(used, place)| ResourceQuotaUse {
            quota: "Keys",
            used: *used,
            place: (*place).to_owned(),
        });
        let health = Health { journal, store: true, trail: true };
        let refused_rows = (0..refused_rows).map(|number| format!("keys '{number}'")).collect();
        let seen = Seen { health, quotas: quotas.collect(), deletions: Vec::new(), refused_rows };
        let events = watch.look(&seen, Timestamp::UNIX_EPOCH, || Ok::<_, Infallible>(Uuid::nil()));
        events.unwrap().into_iter().map(|event| event.detail_type).collect()
    }

    #[test]
    fn a_key_is_told_once_for_each_date_of_its_deletion() {
        let mut watch = Watch::default();
        let mut told = |dates: &[(&str, i64)]| {
            let deletions = dates.iter().map(|(key_id, second)| KeyDate {
                key_arn: format!("arn:aws:kms:us-east-1:111122223333:key/{key_id}"),
                account: "111122223333".to_owned(),
                region: "us-east-1".to_owned(),
                key_id: (*key_id).to_owned(),
                date: Timestamp::from_second(*second).unwrap(),
            });
            let health = Health { journal: true, store: true, trail: true };
            let deletions = deletions.collect();
            let seen = Seen { health, quotas: Vec::new(), deletions, refused_rows: Vec::new() };
            let id = || Ok::<_, Infallible>(Uuid::nil());
            let events = watch.look(&seen, Timestamp::UNIX_EPOCH, id).unwrap();
            events.iter().map(Event::to_json).collect::<Vec<_>>()
        };
        let first = told(&[("a", 7), ("b", 8)]);
        assert_eq!(first.len(), 2);
        assert!(first.iter().all(|json| json.contains("\"account\":\"111122223333\"")));
        assert_eq!(told(&[("a", 7), ("b", 8)]).len(), 0);
        assert_eq!(told(&[("b", 8)]).len(), 0);
        assert_eq!(told(&[("a", 9), ("b", 8)]).len(), 1);
    }

    #[test]
    fn each_change_is_told_once() {
        let watch = &mut Watch::default();
        assert_eq!(told(watch, true, &[(0.79, "a")], 0), []);
        assert_eq!(
            told(watch, false, &[(0.8, "a")], 0),
            [DetailType::HealthChange, DetailType::QuotaThreshold]
        );
        assert_eq!(told(watch, false, &[(0.9, "a")], 2), [DetailType::Tampering; 2]);
        assert_eq!(
            told(watch, true, &[(0.9, "b")], 2),
            [DetailType::HealthChange, DetailType::QuotaThreshold]
        );
        assert_eq!(told(watch, true, &[(0.7, "b")], 2), []);
        assert_eq!(
            told(watch, true, &[(0.8, "b")], 3),
            [DetailType::QuotaThreshold, DetailType::Tampering]
        );
    }
}
