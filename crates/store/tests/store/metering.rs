//! The meter's rows: they move with the position, add up, and are proved to.

use std::collections::BTreeMap;

use store::{JournalPositionRow, METER, MeterCounter, Metered, MeteredKeyRow, Store, StoreError};
use wire::enums::KeySpec;

use crate::support::*;

pub(crate) fn counter(day: &str, number: u8) -> MeterCounter {
    MeterCounter {
        day: day.to_owned(),
        account: account(number).to_string(),
        region: region(0).to_string(),
        key_id: key_id(number).to_string(),
        operation: "kms:Decrypt".to_owned(),
        request_class: "symmetric".to_owned(),
        outcome: "served".to_owned(),
    }
}

fn metered_key(number: u8) -> MeteredKeyRow {
    MeteredKeyRow {
        region: region(0),
        key_id: key_id(number),
        version: 0,
        account: account(number),
        key_spec: KeySpec::Rsa2048,
        is_aws_managed: false,
        created: instant(1),
        deletion_scheduled: None,
        deleted: None,
        first_rotation: Some(instant(2)),
        second_rotation: None,
    }
}

fn position(step: u64, total: u64) -> JournalPositionRow {
    JournalPositionRow {
        follower: METER.to_owned(),
        segment: step,
        sequence: step * 10,
        offset: step * 1_000,
        head: [u8::try_from(step).unwrap(); 32],
        total,
    }
}

/// Five records of two months and two keys; the keys change.
pub(crate) async fn meter(store: &Store, step: u64) -> Result<(), StoreError> {
    store
        .write(move |transaction| {
            let before = transaction.journal_position(METER)?.map_or(0, |found| found.total);
            let counts = BTreeMap::from([
                (counter("2026-10-31", 1), 1),
                (counter("2026-11-01", 1), 3),
                (counter("2026-11-01", 2), 1),
            ]);
            let added = transaction.add_to_meter(&counts)?;
            for number in [1, 2] {
                let found = transaction.metered_keys_of(key_id(number))?.pop();
                let mut key = found.unwrap_or_else(|| metered_key(number));
                assert_eq!(key.version, step - 1);
                key.deletion_scheduled = Some(instant(i64::try_from(step).unwrap()));
                transaction.save_metered_key(&key)?;
            }
            transaction.move_journal_position((step - 1) * 10, &position(step, before + added + 2))
        })
        .await
}

async fn metered(store: &Store, month: &'static str) -> Result<Metered, StoreError> {
    store.read(move |snapshot| snapshot.metered(month)).await
}

#[tokio::test]
async fn what_was_counted_is_told_by_month() {
    let place = Place::new();
    assert_eq!(metered(&place.store, "2026-11").await.unwrap(), Metered::default());
    for step in 1..=3 {
        meter(&place.store, step).await.unwrap();
    }
    let november = metered(&place.store, "2026-11").await.unwrap();
    assert_eq!(november.position, Some(position(3, 3 * 7)));
    assert_eq!(november.records, 15);
    let expected = vec![(counter("2026-11-01", 1), 9), (counter("2026-11-01", 2), 3)];
    assert_eq!(november.counters, expected);
    let key = MeteredKeyRow { version: 3, deletion_scheduled: Some(instant(3)), ..metered_key(1) };
    assert_eq!(november.keys[0], key);
    assert_eq!(metered(&place.store, "2026-10").await.unwrap().counters.len(), 1);
    assert_eq!(metered(&place.store, "2026-12").await.unwrap().counters.len(), 0);
    assert_eq!(metered(&place.store, "2026-1").await.unwrap().counters.len(), 0);
}

#[tokio::test]
async fn a_step_counts_once() {
    let place = Place::new();
    meter(&place.store, 1).await.unwrap();
    let before = metered(&place.store, "2026-11").await.unwrap();
    let again: Result<(), StoreError> = place
        .store
        .write(|transaction| {
            transaction.add_to_meter(&BTreeMap::from([(counter("2026-11-02", 1), 1)]))?;
            transaction.move_journal_position(0, &position(1, 99))
        })
        .await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    assert_eq!(metered(&place.store, "2026-11").await.unwrap(), before);
}

#[tokio::test]
async fn what_does_not_add_up_is_refused() {
    for attack in [
        "DELETE FROM metered_keys WHERE key_id = (SELECT min(key_id) FROM metered_keys)",
        "DELETE FROM meter_counters WHERE day = '2026-11-01'",
        "DELETE FROM meter_months WHERE month = '2026-10'",
        "DELETE FROM journal_positions",
        "UPDATE meter_counters SET records = records + 1",
    ] {
        let place = Place::new();
        meter(&place.store, 1).await.unwrap();
        place.stranger().execute(attack, []).unwrap();
        let refused = metered(&place.store, "2026-11").await;
        assert!(refused.as_ref().is_err_and(is_seal), "{attack}: {refused:?}");
    }
}
