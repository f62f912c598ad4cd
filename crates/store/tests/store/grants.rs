//! Grants: made, found, listed, counted and deleted, also very many on one key.

use std::time::Instant;

use store::{Change, GrantRow, Snapshot, StoreError, Transaction};
use wire::names::GrantId;

use crate::support::*;

/// How many grants a key may have (AWS: resource quotas).
const GRANTS_MAX: u32 = 50_000;

async fn read<T: Send + 'static>(
    place: &Place,
    act: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    place.store.read(act).await.unwrap()
}

async fn write<T: Send + 'static>(
    place: &Place,
    act: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    place.store.write(act).await
}

/// A store with two keys and three grants on the first.
async fn place_with_grants() -> Place {
    let place = Place::new();
    save(&place.store, &key(1)).await;
    save(&place.store, &key(2)).await;
    let grants = [(1, 0), (2, 1), (3, 0)]
        .map(|(number, grantee)| grant(region(0), key_id(1), number, GRANTEES[grantee]));
    save_grants(&place.store, &grants).await;
    place
}

#[tokio::test]
async fn what_has_a_quota_is_counted() {
    let place = place_with_grants().await;
    let counted = async || {
        let count = |snapshot: &Snapshot<'_>| {
            let keys = snapshot.numbers_of_keys()?;
            Ok((keys, snapshot.most_aliases()?, snapshot.most_grants()?))
        };
        read(&place, count).await
    };
    let grants = Some((region(0), key_id(1), 3));
    assert_eq!(counted().await, (vec![(account(1), region(0), 2)], None, grants));
    let mut named = key(3);
    named.aliases = vec![alias_row("a", key_id(3)), alias_row("b", key_id(3))];
    save(&place.store, &named).await;
    let aliases = Some((region(0), key_id(3), 2));
    assert_eq!(counted().await, (vec![(account(1), region(0), 3)], aliases, grants));
}

/// The numbers that the grants were made with.
fn numbers(grants: &[GrantRow]) -> Vec<u8> {
    grants.iter().map(|grant| grant.grant_id.as_bytes()[0]).collect()
}

#[tokio::test]
async fn grants_are_found_as_they_were_made() {
    let place = place_with_grants().await.close_and_open();
    read(&place, move |snapshot| {
        let (region, key) = (region(0), key_id(1));
        let second = grant(region, key, 2, GRANTEES[1]);
        assert_eq!(snapshot.grant(region, key, grant_id(2))?, Some(second));
        assert_eq!(snapshot.grant(region, key, grant_id(4))?, None);
        assert_eq!(snapshot.grant(region, key_id(2), grant_id(2))?, None);
        for (grantee, found) in [(GRANTEES[0], &[1, 3][..]), (GRANTEES[1], &[2]), ("nobody", &[])] {
            assert_eq!(numbers(&snapshot.grants_of(region, key, grantee)?), found);
        }
        for (name, found) in [("grant 3", &[3][..]), ("grant 4", &[]), ("", &[])] {
            assert_eq!(numbers(&snapshot.grants_named(region, key, name)?), found);
        }
        assert_eq!(snapshot.count_grants(region, key)?, 3);

        let first = Some(GRANTEES[0]);
        for (grantee, after, limit, found) in [
            (None, None, 2, &[1, 2][..]),
            (None, Some(2), 2, &[3]),
            (None, Some(3), 2, &[]),
            (first, Some(1), 9, &[3]),
            (first, None, 1, &[1]),
        ] {
            let page = snapshot.grants_page(region, key, grantee, after.map(grant_id), limit)?;
            assert_eq!(numbers(&page), found, "{grantee:?} after {after:?}");
        }
        for (after, limit, found) in [(None, 1, &[1][..]), (Some(1), 9, &[3]), (Some(3), 9, &[])] {
            let after = after.map(|number| (key, grant_id(number)));
            let page = snapshot.retirable_grants_page(region, RETIRING, after, limit)?;
            assert_eq!(numbers(&page), found);
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_grant_needs_its_key_and_an_id_of_its_own() {
    let place = place_with_grants().await;
    for wrong in [grant(region(0), key_id(9), 1, "x"), grant(region(0), key_id(1), 1, "x")] {
        let refused = write(&place, move |transaction| transaction.add_grant(&wrong)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    }
    save_grants(&place.store, &[grant(region(0), key_id(2), 1, "x")]).await;
}

#[tokio::test]
async fn grants_are_counted_in_the_act_and_undone_with_it() {
    let place = place_with_grants().await;
    let undone: Result<(), StoreError> = write(&place, |transaction| {
        let count = |transaction: &mut Transaction<'_>| {
            transaction.count_grants(region(0), key_id(1)).unwrap()
        };
        assert_eq!(count(transaction), 3);
        transaction.add_grant(&grant(region(0), key_id(1), 4, "x"))?;
        assert!(transaction.delete_grant(region(0), key_id(1), grant_id(1))?);
        assert!(!transaction.delete_grant(region(0), key_id(1), grant_id(1))?);
        transaction.add_grant(&grant(region(0), key_id(1), 5, "x"))?;
        assert_eq!(count(transaction), 4);
        Err(StoreError::Busy)
    })
    .await;
    assert!(undone.is_err());
    let count = write(&place, |transaction| transaction.count_grants(region(0), key_id(1))).await;
    assert_eq!(count.unwrap(), 3);
    let place = place.close_and_open();
    assert_eq!(read(&place, |snapshot| snapshot.grants_of(region(0), key_id(1), "x")).await, []);
}

#[tokio::test]
async fn a_deleted_key_takes_its_grants_along() {
    let place = place_with_grants().await;
    save_grants(&place.store, &[grant(region(0), key_id(2), 1, "x")]).await;
    write(&place, |transaction| transaction.delete_key(region(0), key_id(1))).await.unwrap();
    let place = place.close_and_open();
    read(&place, |snapshot| {
        for number in 1..=3 {
            assert_eq!(snapshot.grant(region(0), key_id(1), grant_id(number))?, None);
        }
        assert_eq!(snapshot.grants_of(region(0), key_id(1), GRANTEES[0])?, []);
        assert_eq!(snapshot.count_grants(region(0), key_id(1))?, 0);
        assert_eq!(snapshot.count_grants(region(0), key_id(2))?, 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_principal_is_renamed_in_all_grants_that_name_it() {
    let place = place_with_grants().await;
    for (principal, instead) in [(GRANTEES[0], "AIDA1"), (RETIRING, "AIDA2"), ("nobody", "AIDA3")] {
        write(&place, |transaction| transaction.rename_grant_principal(principal, instead))
            .await
            .unwrap();
    }
    let place = place.close_and_open();
    read(&place, |snapshot| {
        let (region, key) = (region(0), key_id(1));
        for (grantee, found) in [(GRANTEES[0], &[][..]), ("AIDA1", &[1, 3]), (GRANTEES[1], &[2])] {
            assert_eq!(numbers(&snapshot.grants_of(region, key, grantee)?), found, "{grantee}");
        }
        for (retiring, found) in [(RETIRING, &[][..]), ("AIDA2", &[1, 3])] {
            let page = snapshot.retirable_grants_page(region, retiring, None, 9)?;
            assert_eq!(numbers(&page), found, "{retiring}");
        }
        let retiring = Some("AIDA2".to_owned());
        let first = GrantRow { retiring, ..grant(region, key, 1, "AIDA1") };
        assert_eq!(snapshot.grant(region, key, grant_id(1))?, Some(first));
        assert_eq!(snapshot.count_grants(region, key)?, 3);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_feed_tells_of_grants() {
    let place = place_with_grants().await;
    let before = read(&place, |snapshot| Ok(snapshot.position())).await;
    write(&place, |transaction| transaction.delete_grant(region(0), key_id(1), grant_id(1)))
        .await
        .unwrap();
    let changes = read(&place, move |snapshot| snapshot.changes_after(before)).await.unwrap();
    let told: Vec<_> = changes.into_iter().map(|(_, change)| change).collect();
    let grantee = GRANTEES[0].to_owned();
    let (region, key_id, grant_id) = (region(0), key_id(1), grant_id(1));
    assert_eq!(told, [Change::Grant { region, key_id, grant_id, grantee }]);
}

#[tokio::test]
async fn a_running_store_misses_a_grant_and_refuses_one_that_came_back() {
    let place = place_with_grants().await;
    let stranger = place.stranger();
    stranger
        .execute_batch(
            "CREATE TABLE taken AS SELECT * FROM grants WHERE name = 'grant 1';
             DELETE FROM grants WHERE name = 'grant 1';",
        )
        .unwrap();
    let load = || {
        place.store.read(|snapshot| {
            snapshot.grants_of(region(0), key_id(1), GRANTEES[0])?;
            snapshot.grants_page(region(0), key_id(1), None, None, 100)?;
            snapshot.grant(region(0), key_id(1), grant_id(1)).map(drop)
        })
    };
    let missing: Result<(), StoreError> = load().await;
    assert!(missing.is_err_and(|error| is_seal(&error)), "a grant is gone");
    let put_back = "INSERT INTO grants SELECT * FROM taken";
    stranger.execute_batch(put_back).unwrap();
    load().await.unwrap();
    write(&place, |transaction| transaction.delete_grant(region(0), key_id(1), grant_id(1)))
        .await
        .unwrap();
    load().await.unwrap();
    stranger.execute_batch(put_back).unwrap();
    let revoked: Result<(), StoreError> = load().await;
    assert!(revoked.is_err_and(|error| is_seal(&error)), "a revoked grant came back");
}

#[tokio::test]
#[ignore = "a measurement: cargo test --release -p keystead-store 50_000 -- --ignored --nocapture"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
async fn a_key_with_50_000_grants() {
    let place = Place::new();
    save(&place.store, &key(1)).await;
    let id = |number: u32| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        GrantId::from_bytes(bytes)
    };
    let row = move |number: u32| {
        let grantee = format!("arn:aws:iam::444455556666:user/{number}");
        GrantRow { grant_id: id(number), ..grant(region(0), key_id(1), 1, &grantee) }
    };
    for first in (0..GRANTS_MAX).step_by(1000) {
        let rows: Vec<_> = (first..first + 1000).map(row).collect();
        save_grants(&place.store, &rows).await;
    }
    let started = Instant::now();
    let place = place.close_and_open();
    println!("start: {:?}", started.elapsed());

    let started = Instant::now();
    let extra = row(GRANTS_MAX);
    save_grants(&place.store, &[extra]).await;
    println!("one grant more: {:?}", started.elapsed());

    let started = Instant::now();
    let found = read(&place, move |snapshot| {
        snapshot.grants_of(region(0), key_id(1), "arn:aws:iam::444455556666:user/25000")
    });
    assert_eq!(found.await.len(), 1);
    println!("grants of one grantee: {:?}", started.elapsed());

    let started = Instant::now();
    write(&place, |transaction| transaction.delete_key(region(0), key_id(1))).await.unwrap();
    println!("deletion of the key: {:?}", started.elapsed());
}
