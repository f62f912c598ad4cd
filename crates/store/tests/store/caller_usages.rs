//! The last uses of access keys and roles: kept with what was used, and gone with it.

use store::{CallerKind, CallerUsageRow, IdentityKind, Store, StoreError};

use crate::support::*;

async fn save(store: &Store, usages: &[CallerUsageRow]) {
    let usages = usages.to_vec();
    let saved: Result<(), StoreError> =
        store.write(move |transaction| transaction.save_caller_usages(&usages)).await;
    saved.unwrap();
}

async fn load(store: &Store, usage: &CallerUsageRow) -> Option<CallerUsageRow> {
    let CallerUsageRow { account, kind, caller_id, .. } = usage.clone();
    let found: Result<_, StoreError> =
        store.read(move |snapshot| snapshot.caller_usage(account, kind, &caller_id)).await;
    found.unwrap()
}

/// A root user, a user with two access keys and a role, each used at that second.
fn usages(second: i64) -> [CallerUsageRow; 4] {
    [
        (CallerKind::AccessKey, "AKIAROOT"),
        (CallerKind::AccessKey, "AKIAAda1"),
        (CallerKind::AccessKey, "AKIAAda2"),
        (CallerKind::Role, "AROA1"),
    ]
    .map(|(kind, caller_id)| caller_usage(1, kind, caller_id, second))
}

async fn place() -> Place {
    let place = Place::new();
    save_account(&place.store, &account_record(1, &["AKIAROOT"])).await;
    save_account(&place.store, &account_record(2, &["AKIAOTHER"])).await;
    save_identity(&place.store, &user("AIDA1", "Ada")).await.unwrap();
    let role = identity(IdentityKind::Role, "AROA1", "Role");
    save_identity(&place.store, &role).await.unwrap();
    place
}

#[tokio::test]
async fn the_last_saved_use_is_told_and_nothing_else_moves() {
    let place = place().await;
    let position = place.store.position();
    for usage in &usages(10) {
        assert_eq!(load(&place.store, usage).await, None);
    }
    save(&place.store, &usages(10)).await;
    let later = usages(20).map(|usage| CallerUsageRow {
        service_name: "iam".to_owned(),
        region: region(1),
        ..usage
    });
    save(&place.store, &later).await;
    assert_eq!(place.store.position(), position);
    let place = place.close_and_open();
    for usage in later {
        assert_eq!(load(&place.store, &usage).await, Some(usage));
    }
}

#[tokio::test]
async fn uses_of_what_does_not_stand_are_passed_over() {
    let place = place().await;
    let nobody = [
        caller_usage(1, CallerKind::AccessKey, "AKIANOBODY", 10),
        caller_usage(1, CallerKind::Role, "AROA2", 10),
        // Each of these stands, in another account or as another kind.
        caller_usage(2, CallerKind::AccessKey, "AKIAROOT", 10),
        caller_usage(2, CallerKind::AccessKey, "AKIAAda1", 10),
        caller_usage(2, CallerKind::Role, "AROA1", 10),
        caller_usage(1, CallerKind::AccessKey, "AROA1", 10),
        caller_usage(1, CallerKind::Role, "AKIAAda1", 10),
    ];
    save(&place.store, &nobody).await;
    for usage in &nobody {
        assert_eq!(load(&place.store, usage).await, None, "{usage:?}");
    }
    let rows =
        place.stranger().query_row("SELECT count(*) FROM caller_usages", [], |row| row.get(0));
    assert_eq!(rows, Ok(0));
}

#[tokio::test]
async fn a_use_goes_with_what_was_used() {
    let place = place().await;
    let [of_root, of_first, of_second, of_role] = usages(10);
    save(&place.store, &usages(10)).await;

    let mut ada = load_identity(&place.store, "AIDA1").await.unwrap().unwrap();
    ada.access_keys.remove(0);
    ada.access_keys[0].status = store::AccessKeyStatus::Inactive;
    save_identity(&place.store, &ada).await.unwrap();
    assert_eq!(load(&place.store, &of_first).await, None);
    assert_eq!(load(&place.store, &of_second).await, Some(of_second.clone()));

    let deleted: Result<(), StoreError> = place
        .store
        .write(|transaction| {
            assert!(transaction.delete_identity(account(1), "AIDA1")?);
            assert!(transaction.delete_identity(account(1), "AROA1")?);
            let mut root = transaction.account(account(1))?.unwrap();
            root.access_keys = vec![access_key("AKIANEXT", account(1))];
            transaction.save_account(&root).map(drop)
        })
        .await;
    deleted.unwrap();
    for usage in [of_root, of_second, of_role] {
        assert_eq!(load(&place.store, &usage).await, None);
    }
    let rows =
        place.stranger().query_row("SELECT count(*) FROM caller_usages", [], |row| row.get(0));
    assert_eq!(rows, Ok(0));
}

#[tokio::test]
async fn what_is_made_anew_under_the_same_id_was_never_used() {
    let place = place().await;
    save(&place.store, &usages(10)).await;
    let [_, of_first, ..] = usages(10);
    let ada = load_identity(&place.store, "AIDA1").await.unwrap().unwrap();
    let mut without = ada.clone();
    without.access_keys.clear();
    let mut again = save_identity(&place.store, &without).await.unwrap();
    again.access_keys = ada.access_keys;
    save_identity(&place.store, &again).await.unwrap();
    assert_eq!(load(&place.store, &of_first).await, None);
}
