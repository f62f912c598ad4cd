//! What is saved is what is loaded.

use std::time::Duration;

use store::{Change, OutboxRecord, Snapshot, StoreError};
use wire::enums::KeyState;

use crate::support::*;

#[tokio::test]
async fn a_key_is_loaded_as_it_was_saved() {
    let place = Place::new();
    let mut record = key(1);
    record.aliases = vec![alias_row("a", key_id(1)), alias_row("b", key_id(1))];
    record.tags = vec![tag("Department", "é"), tag("Empty", "")];
    record.key.deletion_date = Some(instant(99));
    record.key.pending_window_days = Some(7);
    record.key.state = KeyState::PendingDeletion;
    record.key.current_key_material_id = None;
    let saved = save(&place.store, &record).await;
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap().as_ref(), Some(&saved));
    assert_eq!(load(&place.store, region(1), key_id(1)).await.unwrap(), None);

    let place = place.close_and_open();
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(saved));
}

#[tokio::test]
async fn a_key_is_changed_in_every_part() {
    let place = Place::new();
    let mut record = key(1);
    record.aliases = vec![alias_row("a", key_id(1)), alias_row("b", key_id(1))];
    record.tags = vec![tag("one", "1"), tag("two", "2")];
    let mut record = save(&place.store, &record).await;
    record.key.state = KeyState::Disabled;
    record.key.description.clear();
    record.policy.document = "{}".to_owned();
    record.aliases = vec![alias_row("b", key_id(1)), alias_row("c", key_id(1))];
    record.tags = vec![tag("two", "3")];
    record.materials.push(material(9));
    let record = save(&place.store, &record).await;
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(record));
}

#[tokio::test]
async fn one_key_id_lives_in_several_regions() {
    let place = Place::new();
    let mut replica = key(1);
    replica.key.region = region(1);
    replica.aliases = vec![alias_row("same", key_id(1))];
    let mut primary = key(1);
    primary.aliases = vec![alias_row("same", key_id(1))];
    let primary = save(&place.store, &primary).await;
    let replica = save(&place.store, &replica).await;
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(primary));
    assert_eq!(load(&place.store, region(1), key_id(1)).await.unwrap(), Some(replica));
}

#[tokio::test]
async fn a_record_that_is_not_built_on_the_newest_is_refused() {
    let place = Place::new();
    let first = save(&place.store, &key(1)).await;
    let second = save(&place.store, &first).await;
    assert!(second.key.sequence > first.key.sequence);
    for stale in [first, key(1)] {
        let outcome: Result<_, StoreError> =
            place.store.write(move |transaction| transaction.save_key(&stale)).await;
        assert!(matches!(outcome, Err(StoreError::Conflict { table: "keys", .. })), "{outcome:?}");
    }
    let mut stolen = second.clone();
    stolen.key.account = account(2);
    let outcome: Result<_, StoreError> =
        place.store.write(move |transaction| transaction.save_key(&stolen)).await;
    assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(second));
}

#[tokio::test]
async fn an_identity_stands_once_in_a_record() {
    let place = Place::new();
    let mut record = key(1);
    record.tags = vec![tag("t", "1"), tag("u", ""), tag("t", "2")];
    let outcome: Result<_, StoreError> =
        place.store.write(move |transaction| transaction.save_key(&record)).await;
    assert!(matches!(outcome, Err(StoreError::Twice { table: "tags", .. })), "{outcome:?}");
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn an_alias_moves_when_its_key_lets_it_go() {
    let place = Place::new();
    let mut one = key(1);
    one.aliases = vec![alias_row("a", key_id(1))];
    let mut one = save(&place.store, &one).await;
    let mut two = key(2);
    two.aliases = vec![alias_row("a", key_id(2))];

    let taken = two.clone();
    let outcome: Result<_, StoreError> =
        place.store.write(move |transaction| transaction.save_key(&taken)).await;
    assert!(matches!(outcome, Err(StoreError::Conflict { table: "aliases", .. })), "{outcome:?}");

    one.aliases.clear();
    let moved: Result<_, StoreError> = place
        .store
        .write(move |transaction| {
            transaction.save_key(&one)?;
            transaction.save_key(&two)
        })
        .await;
    moved.unwrap();
    let found: Result<_, StoreError> =
        place.store.read(|snapshot| snapshot.alias(account(1), region(0), &alias("a"))).await;
    assert_eq!(found.unwrap().map(|found| found.key_id), Some(key_id(2)));
    assert!(load(&place.store, region(0), key_id(1)).await.unwrap().unwrap().aliases.is_empty());
}

/// An act may go on after a refusal, and nothing of what was refused stays.
#[tokio::test]
async fn a_refused_record_leaves_nothing() {
    let place = Place::new();
    let mut holder = key(1);
    holder.aliases = vec![alias_row("a", key_id(1))];
    let holder = save(&place.store, &holder).await;
    let mut thief = save(&place.store, &key(2)).await;
    let before = thief.clone();
    thief.key.description = "stolen".to_owned();
    thief.tags = vec![tag("t", "1")];
    thief.aliases = vec![alias_row("a", key_id(2))];
    let mut newcomer = key(3);
    newcomer.aliases = vec![alias_row("a", key_id(3))];
    let position = place.store.position();
    let outcome: Result<u64, StoreError> = place
        .store
        .write(move |transaction| {
            for record in [&thief, &newcomer] {
                let refused = transaction.save_key(record);
                assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
            }
            transaction.count_keys(account(1), region(0))
        })
        .await;
    assert_eq!(outcome.unwrap(), 2);
    assert_eq!(place.store.position(), position);
    let place = place.close_and_open();
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(holder));
    assert_eq!(load(&place.store, region(0), key_id(2)).await.unwrap(), Some(before));
    assert_eq!(load(&place.store, region(0), key_id(3)).await.unwrap(), None);
}

#[tokio::test]
async fn an_alias_of_another_key_is_not_saved_with_this_one() {
    let place = Place::new();
    let mut record = key(1);
    record.aliases = vec![alias_row("a", key_id(2))];
    let outcome: Result<_, StoreError> =
        place.store.write(move |transaction| transaction.save_key(&record)).await;
    assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_deleted_key_is_gone_with_its_rows_and_its_bytes() {
    let place = Place::new();
    let mut record = key(1);
    let canary = b"canary of wrapped material, sixty bytes of it or thereabouts";
    record.materials = vec![material(1)];
    record.materials[0].wrapped = canary.to_vec();
    record.aliases = vec![alias_row("a", key_id(1))];
    record.tags = vec![tag("t", "1")];
    save(&place.store, &record).await;
    let on_disk = |name: &str| {
        let bytes = std::fs::read(place.folder.path().join(name)).unwrap();
        bytes.windows(canary.len()).any(|window| window == canary)
    };
    assert!(on_disk("keystead.db-wal"));

    let delete = || place.store.write(|transaction| transaction.delete_key(region(0), key_id(1)));
    let deleted: Result<bool, StoreError> = delete().await;
    assert!(deleted.unwrap());
    assert!(!on_disk("keystead.db-wal"));
    assert!(!on_disk("keystead.db"));
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), None);
    let found: Result<_, StoreError> =
        place.store.read(|snapshot| snapshot.alias(account(1), region(0), &alias("a"))).await;
    assert_eq!(found.unwrap(), None);
    assert!(!delete().await.unwrap());
}

#[tokio::test]
async fn pages_go_by_name_and_end() {
    let place = Place::new();
    for number in [3, 1, 4, 2] {
        let mut record = key(number);
        record.aliases = vec![alias_row(&format!("n{number}"), key_id(number))];
        save(&place.store, &record).await;
    }
    let mut elsewhere = key(9);
    elsewhere.key.account = account(2);
    save(&place.store, &elsewhere).await;
    let pages: Result<_, StoreError> = place
        .store
        .read(|snapshot| {
            let (account, region) = (account(1), region(0));
            let first = snapshot.keys_page(account, region, None, 3)?;
            let last =
                snapshot.keys_page(account, region, first.last().map(|key| key.key_id), 3)?;
            let aliases = snapshot.aliases_page(account, region, Some(&alias("n2")), 9)?;
            Ok((first, last, aliases))
        })
        .await;
    let (first, last, aliases) = pages.unwrap();
    let ids: Vec<_> = first.iter().chain(&last).map(|key| key.key_id).collect();
    assert_eq!(ids, [1, 2, 3, 4].map(key_id));
    assert_eq!(last.len(), 1);
    let names: Vec<_> = aliases.into_iter().map(|row| row.alias).collect();
    assert_eq!(names, [alias("n3"), alias("n4")]);
}

#[tokio::test]
async fn keys_are_counted_in_the_act_and_undone_with_it() {
    let place = Place::new();
    let counts: Result<_, StoreError> = place
        .store
        .write(|transaction| {
            transaction.save_key(&key(1))?;
            let one = transaction.count_keys(account(1), region(0))?;
            transaction.save_key(&key(2))?;
            let two = transaction.count_keys(account(1), region(0))?;
            transaction.delete_key(region(0), key_id(1))?;
            Ok((one, two, transaction.count_keys(account(1), region(0))?))
        })
        .await;
    assert_eq!(counts.unwrap(), (1, 2, 1));
    let undone: Result<(), StoreError> = place
        .store
        .write(|transaction| {
            transaction.save_key(&key(3))?;
            Err(StoreError::Busy)
        })
        .await;
    undone.unwrap_err();
    let count = || place.store.write(|transaction| transaction.count_keys(account(1), region(0)));
    let counted: Result<_, StoreError> = count().await;
    assert_eq!(counted.unwrap(), 1);
    let counted: Result<_, StoreError> =
        place.store.read(|snapshot| snapshot.count_keys(account(1), region(0))).await;
    assert_eq!(counted.unwrap(), 1);
}

#[tokio::test]
async fn keys_are_due_on_their_date() {
    let place = Place::new();
    for (number, due) in [(1, Some(20)), (2, None), (3, Some(10)), (4, Some(30))] {
        let mut record = key(number);
        record.key.deletion_date = due.map(instant);
        save(&place.store, &record).await;
    }
    let due =
        |second, limit| place.store.read(move |snapshot| snapshot.keys_due(instant(second), limit));
    assert_eq!(due(9, 9).await.unwrap(), []);
    assert_eq!(due(20, 9).await.unwrap(), [3, 1].map(|number| (region(0), key_id(number))));
    assert_eq!(due(99, 2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn accounts_and_access_keys() {
    let place = Place::new();
    let one = save_account(&place.store, &account_record(1, &["AKIA1", "AKIA2"])).await;
    save_account(&place.store, &account_record(2, &["AKIA3"])).await;
    let found: Result<_, StoreError> = place
        .store
        .read(|snapshot| {
            Ok((
                snapshot.account(account(1))?,
                snapshot.accounts()?.len(),
                snapshot.access_key("AKIA3")?,
                snapshot.access_key("AKIA9")?,
            ))
        })
        .await;
    let (record, count, third, ninth) = found.unwrap();
    assert_eq!(record, Some(one));
    assert_eq!(count, 2);
    assert_eq!(third, Some((account(2), access_key("AKIA3", account(2)))));
    assert_eq!(ninth, None);

    let stolen = account_record(3, &["AKIA1"]);
    let outcome: Result<_, StoreError> =
        place.store.write(move |transaction| transaction.save_account(&stolen)).await;
    assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
}

#[tokio::test]
async fn the_outbox_keeps_records_until_they_are_dropped() {
    let place = Place::new();
    let numbers: Result<_, StoreError> = place
        .store
        .write(|transaction| {
            Ok([transaction.append_record(b"one")?, transaction.append_record(b"two")?])
        })
        .await;
    let [one, two] = numbers.unwrap();
    let place = place.close_and_open();
    let pending = || place.store.read(pending_records);
    let records: Result<_, StoreError> = pending().await;
    let records: Vec<_> =
        records.unwrap().into_iter().map(|kept| (kept.number, kept.record)).collect();
    assert_eq!(records, [(one, b"one".to_vec()), (two, b"two".to_vec())]);

    let dropped: Result<_, StoreError> =
        place.store.write(move |transaction| transaction.drop_records(one)).await;
    dropped.unwrap();
    assert_eq!(pending().await.unwrap().len(), 1);
    let dropped: Result<_, StoreError> =
        place.store.write(|transaction| transaction.drop_records(u64::MAX)).await;
    dropped.unwrap();
    assert!(pending().await.unwrap().is_empty());
    let next: Result<_, StoreError> =
        place.store.write(|transaction| transaction.append_record(b"three")).await;
    assert_eq!(next.unwrap(), two + 1, "a number is never used twice");
}

#[tokio::test]
async fn a_lease_is_held_by_one() {
    let place = Place::new();
    let lease = |holder: &'static str, second| {
        place.store.write(move |transaction| {
            let ttl = Duration::from_secs(10);
            transaction.lease("deletion", holder, instant(second), ttl)
        })
    };
    assert!(lease("one", 0).await.unwrap());
    assert!(!lease("two", 9).await.unwrap());
    assert!(lease("one", 9).await.unwrap());
    assert!(!lease("two", 18).await.unwrap());
    assert!(lease("two", 19).await.unwrap());
    assert!(!lease("one", 20).await.unwrap());
}

#[tokio::test]
async fn the_feed_tells_every_change_in_order() {
    let place = Place::new();
    let mut record = key(1);
    record.aliases = vec![alias_row("a", key_id(1))];
    let mut record = save(&place.store, &record).await;
    assert_eq!(record.key.sequence, 1);
    record.aliases = vec![alias_row("b", key_id(1))];
    save(&place.store, &record).await;
    save_account(&place.store, &account_record(2, &["AKIA1"])).await;
    let (account, region) = (account(1), region(0));
    let a_key = Change::Key { account, region, key_id: key_id(1) };
    let an_alias = |name| Change::Alias { account, region, alias: alias(name) };
    let expected = vec![
        (1, a_key.clone()),
        (2, an_alias("a")),
        (3, a_key),
        (4, an_alias("b")),
        (5, an_alias("a")),
        (6, Change::Account { account: crate::support::account(2) }),
        (7, Change::AccessKey { access_key_id: "AKIA1".to_owned() }),
    ];
    assert_eq!(place.store.position(), 7);
    let place = place.close_and_open();
    assert_eq!(place.store.position(), 7);
    let changes: Result<_, StoreError> = place
        .store
        .read(|snapshot| Ok((snapshot.changes_after(0)?, snapshot.changes_after(5)?)))
        .await;
    let (all, some) = changes.unwrap();
    assert_eq!(some.unwrap(), expected[5..]);
    assert_eq!(all.unwrap(), expected);
}

/// The feed keeps the newest 10,000 changes at least; who is further behind is told to start anew.
#[tokio::test]
async fn the_feed_forgets_what_is_old() {
    let place = Place::new();
    let names: Vec<_> = (0..250).map(|number| format!("AKIA{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut record = account_record(1, &names);
    for round in 0..82 {
        for access_key in &mut record.access_keys {
            access_key.created = instant(round);
        }
        record = save_account(&place.store, &record).await;
    }
    let place = place.close_and_open();
    let position = place.store.position();
    assert_eq!(position, 82 * 251);
    let feed: Result<_, StoreError> = place
        .store
        .read(move |snapshot| {
            Ok((
                snapshot.changes_after(0)?,
                snapshot.changes_after(position - 10_000)?,
                snapshot.changes_after(position)?,
                snapshot.changes_after(position + 5)?,
            ))
        })
        .await;
    let (all, newest, none, beyond) = feed.unwrap();
    assert_eq!(all, None);
    assert_eq!(newest.map(|changes| changes.len()), Some(10_000));
    assert_eq!(none, Some(Vec::new()));
    assert_eq!(beyond, None);
}

#[tokio::test]
async fn the_outbox_has_a_bound() {
    let place = Place::new();
    let filled: Result<_, StoreError> = place
        .store
        .write(|transaction| {
            for _ in 0..65_536 {
                transaction.append_record(b"x")?;
            }
            let refused = transaction.append_record(b"x");
            assert!(matches!(refused, Err(StoreError::OutboxFull)), "{refused:?}");
            transaction.drop_records(10)
        })
        .await;
    filled.unwrap();
    let pending: Result<_, StoreError> = place.store.read(pending_records).await;
    let numbers: Vec<_> = pending.unwrap().iter().map(|record| record.number).collect();
    assert_eq!(numbers, (11..11 + 1_024).collect::<Vec<_>>());
    let more: Result<_, StoreError> =
        place.store.write(|transaction| transaction.append_record(b"x")).await;
    assert_eq!(more.unwrap(), 65_537);
}

fn pending_records(snapshot: &Snapshot<'_>) -> Result<Vec<OutboxRecord>, StoreError> {
    snapshot.pending_records()
}
