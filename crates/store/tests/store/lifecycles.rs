//! What the lifecycles of keys leave: rotation, import, related keys and the last use.

use store::{KeyRecord, KeyUsageRow, StoreError};
use wire::enums::{ImportState, KeyLastUsageOperation, KeyMaterialState, KeyState};
use wire::names::{KeyId, Region};

use crate::support::*;

/// A key with all that later schemas brought.
fn full(number: u8) -> KeyRecord {
    let mut record = key(number);
    record.materials.push(material(77));
    record.materials[1].state = KeyMaterialState::PendingRotation;
    record.rotation = Some(rotation(2_560, 70));
    record.multi_region = Some(multi_region(0));
    record.material_rotations = vec![material_rotation(number, 8), material_rotation(77, 9)];
    record.material_imports = vec![material_import(number, Some(80)), material_import(77, None)];
    record
}

#[tokio::test]
async fn a_key_with_everything_is_loaded_as_it_was_saved() {
    let place = Place::new();
    let mut record = full(1);
    record.material_imports[0].description = "\u{e9} ,".to_owned();
    record.material_imports[1].description.clear();
    record.material_imports[1].import_state = ImportState::PendingImport;
    record.materials[1].wrapped.clear();
    let saved = save(&place.store, &record).await;
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap().as_ref(), Some(&saved));
    let place = place.close_and_open();
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(saved));
}

#[tokio::test]
async fn everything_comes_changes_and_goes() {
    let place = Place::new();
    let plain = save(&place.store, &key(1)).await;
    let mut record = full(1);
    record.key.sequence = plain.key.sequence;
    let mut record = save(&place.store, &record).await;
    record.rotation = Some(rotation(90, 71));
    record.multi_region = Some(multi_region(1));
    record.material_rotations[1] = material_rotation(77, 11);
    record.material_imports[0].valid_to = None;
    let changed = save(&place.store, &record).await;
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap().as_ref(), Some(&changed));

    let mut plain = key(1);
    plain.key.sequence = changed.key.sequence;
    let plain = save(&place.store, &plain).await;
    let place = place.close_and_open();
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(plain));
}

#[tokio::test]
async fn regions_have_one_form() {
    let place = Place::new();
    let (eu, us) = (region(0), region(1));
    let other: Region = "ap-south-1".parse().unwrap();
    let mut record = key(1);
    for replicas in [vec![us, other], vec![us, us], vec![eu], vec![other, eu]] {
        record.multi_region =
            Some(store::MultiRegionRow { primary_region: eu, replica_regions: replicas });
        let record = record.clone();
        let outcome: Result<_, StoreError> =
            place.store.write(move |transaction| transaction.save_key(&record)).await;
        assert!(matches!(outcome, Err(StoreError::OutOfRange { .. })), "{outcome:?}");
    }
    for replicas in [vec![], vec![us], vec![other, us]] {
        record.multi_region =
            Some(store::MultiRegionRow { primary_region: eu, replica_regions: replicas });
        record = save(&place.store, &record).await;
        assert_eq!(load(&place.store, eu, key_id(1)).await.unwrap().as_ref(), Some(&record));
    }
}

/// The related keys of a multi-Region key share the key id and the material, and nothing else.
#[tokio::test]
async fn related_keys_change_together_or_not_at_all() {
    let place = Place::new();
    let mut primary = full(1);
    primary.key.multi_region = true;
    primary.aliases = vec![alias_row("same", key_id(1))];
    let mut replica = primary.clone();
    replica.key.region = region(1);
    replica.key.description = "the replica".to_owned();
    replica.tags = vec![tag("own", "1")];
    let both: Result<_, StoreError> = place
        .store
        .write(move |transaction| {
            primary.key.sequence = transaction.save_key(&primary)?;
            replica.key.sequence = transaction.save_key(&replica)?;
            Ok((primary, replica))
        })
        .await;
    let (mut primary, mut replica) = both.unwrap();
    save_usages(&place.store, &[key_usage(region(0), key_id(1), 1)]).await;
    assert_ne!(primary.key.sequence, replica.key.sequence);
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap().as_ref(), Some(&primary));
    assert_eq!(load(&place.store, region(1), key_id(1)).await.unwrap().as_ref(), Some(&replica));
    assert_eq!(load_usage(&place.store, region(1), key_id(1)).await.unwrap(), None);

    // The second is stale: the first is undone with it.
    let (one, mut other) = (primary.clone(), replica.clone());
    other.key.sequence -= 1;
    let refused: Result<_, StoreError> = place
        .store
        .write(move |transaction| {
            transaction.save_key(&one)?;
            transaction.save_key(&other)
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap().as_ref(), Some(&primary));

    for record in [&mut primary, &mut replica] {
        record.multi_region = Some(multi_region(1));
    }
    let both: Result<_, StoreError> = place
        .store
        .write(move |transaction| {
            primary.key.sequence = transaction.save_key(&primary)?;
            replica.key.sequence = transaction.save_key(&replica)?;
            Ok((primary, replica))
        })
        .await;
    let (primary, replica) = both.unwrap();
    let place = place.close_and_open();
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(primary));
    let deleted: Result<_, StoreError> =
        place.store.write(|transaction| transaction.delete_key(region(0), key_id(1))).await;
    assert!(deleted.unwrap());
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), None);
    assert_eq!(load(&place.store, region(1), key_id(1)).await.unwrap(), Some(replica));
}

#[tokio::test]
async fn a_deleted_key_takes_every_row_with_it() {
    let place = Place::new();
    save(&place.store, &full(1)).await;
    save(&place.store, &full(2)).await;
    let uses = [1, 2].map(|number| key_usage(region(0), key_id(number), 1));
    save_usages(&place.store, &uses).await;
    let grants = [1, 2].map(|number| grant(region(0), key_id(number), 1, GRANTEES[0]));
    save_grants(&place.store, &grants).await;
    let deleted: Result<_, StoreError> =
        place.store.write(|transaction| transaction.delete_key(region(0), key_id(1))).await;
    assert!(deleted.unwrap());
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), None);
    let stranger = place.stranger();
    // What the meter knows of a key outlives it: its months are told later.
    let names = "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND c.name = 'key_id' AND m.name NOT LIKE 'meter%'
                 ORDER BY m.name";
    let mut statement = stranger.prepare(names).unwrap();
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(tables.len(), 12, "{tables:?}");
    for table in tables {
        let sql = format!("SELECT count(*) FROM {table} WHERE key_id = ?1");
        let left: u32 = stranger.query_row(&sql, [key_id(1).as_str()], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
    assert!(load_usage(&place.store, region(0), key_id(2)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_last_use_of_a_key_is_kept() {
    let place = Place::new();
    let key = save(&place.store, &key(1)).await;
    let position = place.store.position();
    let first = key_usage(region(0), key_id(1), 10);
    let second = KeyUsageRow {
        operation: KeyLastUsageOperation::GenerateDataKeyPairWithoutPlaintext,
        event_id: [3; 16],
        request_id: [4; 16],
        ..key_usage(region(0), key_id(1), 20)
    };
    let of_nobody = [key_usage(region(0), key_id(2), 10), key_usage(region(1), key_id(1), 10)];
    assert_eq!(load_usage(&place.store, region(0), key_id(1)).await.unwrap(), None);
    save_usages(&place.store, &[first, of_nobody[0].clone()]).await;
    save_usages(&place.store, &[of_nobody[1].clone(), second.clone()]).await;
    save_usages(&place.store, &[]).await;
    let place = place.close_and_open();
    assert_eq!(load_usage(&place.store, region(0), key_id(1)).await.unwrap(), Some(second));
    for usage in of_nobody {
        assert_eq!(load_usage(&place.store, usage.region, usage.key_id).await.unwrap(), None);
        assert_eq!(load(&place.store, usage.region, usage.key_id).await.unwrap(), None);
    }
    assert_eq!(place.store.position(), position, "a use is no change of the key");
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), Some(key));
}

/// Saves a key made so, and tells its name.
async fn save_changed(
    place: &Place,
    number: u8,
    change: impl FnOnce(&mut KeyRecord),
) -> (Region, KeyId) {
    let mut record = key(number);
    change(&mut record);
    save(&place.store, &record).await;
    (record.key.region, record.key.key_id)
}

#[tokio::test]
async fn rotations_are_due_on_their_date_while_the_key_is_enabled() {
    let place = Place::new();
    let mut names = Vec::new();
    for (number, next) in [(1, 20), (2, 10), (3, 30)] {
        let name = save_changed(&place, number, |record| {
            record.rotation = Some(rotation(90, next));
        });
        names.push(name.await);
    }
    save_changed(&place, 4, |_| ()).await;
    for (number, state) in [(5, KeyState::Disabled), (6, KeyState::PendingDeletion)] {
        save_changed(&place, number, |record| {
            record.key.state = state;
            record.rotation = Some(rotation(90, 5));
        })
        .await;
    }
    let due = |second, limit| {
        place.store.read(move |snapshot| snapshot.rotations_due(instant(second), limit))
    };
    assert_eq!(due(9, 9).await.unwrap(), []);
    assert_eq!(due(20, 9).await.unwrap(), [names[1], names[0]]);
    assert_eq!(due(99, 1).await.unwrap(), [names[1]]);
}

#[tokio::test]
async fn imports_are_due_on_their_date_while_they_are_here() {
    let place = Place::new();
    let two = save_changed(&place, 1, |record| {
        record.material_imports = vec![
            material_import(1, Some(20)),
            material_import(2, Some(15)),
            material_import(3, None),
        ];
    })
    .await;
    let first = save_changed(&place, 2, |record| {
        record.material_imports = vec![material_import(1, Some(10))];
    })
    .await;
    save_changed(&place, 3, |record| {
        record.material_imports = vec![material_import(1, Some(5)), material_import(2, None)];
        record.material_imports[0].import_state = ImportState::PendingImport;
    })
    .await;
    let due = |second, limit| {
        place.store.read(move |snapshot| snapshot.imports_due(instant(second), limit))
    };
    assert_eq!(due(9, 9).await.unwrap(), []);
    assert_eq!(due(14, 9).await.unwrap(), [first]);
    assert_eq!(due(99, 9).await.unwrap(), [first, two], "each key once");
    assert_eq!(due(99, 1).await.unwrap(), [first]);
}

#[tokio::test]
async fn keys_in_transit_are_found() {
    let place = Place::new();
    let mut expected = Vec::new();
    for (number, state) in (1..).zip(KeyState::ALL) {
        let name = save_changed(&place, number, |record| record.key.state = *state).await;
        if matches!(state, KeyState::Creating | KeyState::Updating) {
            expected.push(name);
        }
    }
    let in_transit = |limit| place.store.read(move |snapshot| snapshot.keys_in_transit(limit));
    assert_eq!(in_transit(9).await.unwrap(), expected);
    assert_eq!(in_transit(1).await.unwrap(), expected[..1]);
}
