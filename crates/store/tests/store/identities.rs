//! Users, groups, roles and managed policies: saved, loaded and kept apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::{AccessKeyStatus, Change, IdentityKind, StoreError};

use crate::support::*;

async fn place() -> Place {
    let place = Place::new();
    save_account(&place.store, &account_record(1, &["AKIAROOT"])).await;
    place
}

#[tokio::test]
async fn an_identity_is_loaded_as_it_was_saved() {
    let place = place().await;
    let ada = save_identity(&place.store, &user("AIDA1", "Ada")).await.unwrap();
    let mut changed = ada.clone();
    changed.identity.name = "Lovelace".to_owned();
    changed.policies.pop();
    changed.tags.clear();
    changed.access_keys[0].status = AccessKeyStatus::Inactive;
    let changed = save_identity(&place.store, &changed).await.unwrap();
    assert_eq!(load_identity(&place.store, "AIDA1").await.unwrap(), Some(changed.clone()));
    let place = place.close_and_open();
    assert_eq!(load_identity(&place.store, "AIDA1").await.unwrap(), Some(changed));
    let named: Result<_, StoreError> = place
        .store
        .read(|snapshot| {
            let named = |name| snapshot.identity_named(account(1), IdentityKind::User, name);
            Ok((named("LOVELACE")?, named("Ada")?, snapshot.identity_ids()?))
        })
        .await;
    let expected = (Some("AIDA1".to_owned()), None, vec![(account(1), "AIDA1".to_owned())]);
    assert_eq!(named.unwrap(), expected);
}

#[tokio::test]
async fn a_record_that_is_not_built_on_the_newest_is_refused() {
    let place = place().await;
    let ada = user("AIDA1", "Ada");
    let saved = save_identity(&place.store, &ada).await.unwrap();
    save_identity(&place.store, &saved).await.unwrap();
    let mut other_kind = load_identity(&place.store, "AIDA1").await.unwrap().unwrap();
    other_kind.identity.kind = IdentityKind::Group;
    for stale in [ada, saved, other_kind] {
        let refused = save_identity(&place.store, &stale).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn names_are_unique_whatever_their_case_and_ids_of_access_keys_over_all_callers() {
    let place = place().await;
    save_identity(&place.store, &user("AIDA1", "Ada")).await.unwrap();
    let mut namesake = user("AIDA2", "ADA");
    namesake.access_keys.clear();
    let mut thief = user("AIDA3", "Bob");
    thief.access_keys[0].access_key_id = "AKIAROOT".to_owned();
    let mut second_thief = user("AIDA3", "Bob");
    second_thief.access_keys[0].access_key_id = "AKIAAda1".to_owned();
    for refused in [namesake.clone(), thief, second_thief] {
        let refused = save_identity(&place.store, &refused).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    }
    let taken: Result<u64, StoreError> = place
        .store
        .write(|transaction| transaction.save_account(&account_record(2, &["AKIAAda1"])))
        .await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })), "{taken:?}");
    namesake.identity.kind = IdentityKind::Group;
    save_identity(&place.store, &namesake).await.unwrap();
}

#[tokio::test]
async fn a_deleted_identity_leaves_its_name_and_its_access_keys_free() {
    let place = place().await;
    save_identity(&place.store, &user("AIDA1", "Ada")).await.unwrap();
    let delete = |identity_id: &'static str| {
        place.store.write(move |transaction| transaction.delete_identity(account(1), identity_id))
    };
    let deleted: Result<bool, StoreError> = delete("AIDA1").await;
    assert!(deleted.unwrap());
    let deleted: Result<bool, StoreError> = delete("AIDA1").await;
    assert!(!deleted.unwrap());
    assert_eq!(load_identity(&place.store, "AIDA1").await.unwrap(), None);
    save_identity(&place.store, &user("AIDA2", "Ada")).await.unwrap();
}

#[tokio::test]
async fn a_change_tells_the_identity_and_the_access_keys_that_it_touches() {
    let place = place().await;
    let mut ada = save_identity(&place.store, &user("AIDA1", "Ada")).await.unwrap();
    let position = place.store.position();
    ada.access_keys[1].status = AccessKeyStatus::Inactive;
    save_identity(&place.store, &ada).await.unwrap();
    let changes: Result<_, StoreError> =
        place.store.read(move |snapshot| snapshot.changes_after(position)).await;
    let changes: Vec<_> = changes.unwrap().unwrap().into_iter().map(|(_, change)| change).collect();
    let identity = Change::Identity { account: account(1), identity_id: "AIDA1".to_owned() };
    assert_eq!(changes, [identity, Change::AccessKey { access_key_id: "AKIAAda2".to_owned() }]);
}

#[tokio::test]
async fn policies_are_found_by_what_they_hold_or_may_hide() {
    let place = place().await;
    for (number, document) in [(1, r#"["/Ada"]"#), (2, r#"["\\u002fAda"]"#), (3, r#"["/Bob"]"#)] {
        let mut record = key(number);
        record.policy.document = document.to_owned();
        save(&place.store, &record).await;
        let mut role =
            identity(IdentityKind::Role, &format!("AROA{number}"), &format!("r{number}"));
        role.identity.assume_role_policy = Some(document.to_owned());
        save_identity(&place.store, &role).await.unwrap();
    }
    let found: Result<_, StoreError> = place
        .store
        .read(|snapshot| {
            let keys = snapshot.keys_with_policies("/Ada\"", |_| true)?;
            let wanted = |document: &str| document.contains("/Ada");
            let roles = snapshot.roles_with_policies("/Ada\"", wanted)?;
            Ok((keys, roles))
        })
        .await;
    let keys = vec![(region(0), key_id(1)), (region(0), key_id(2))];
    assert_eq!(found.unwrap(), (keys, vec![(account(1), "AROA1".to_owned())]));
}

#[tokio::test]
async fn what_follows_a_commit_is_done_once_and_only_if_the_act_lasts() {
    let place = place().await;
    let done = Arc::new(AtomicUsize::new(0));
    for (is_failing, expected) in [(false, 1), (true, 1), (false, 2)] {
        let counted = Arc::clone(&done);
        let outcome: Result<(), StoreError> = place
            .store
            .write(move |transaction| {
                transaction.after_commit(move || {
                    counted.fetch_add(1, Ordering::Relaxed);
                });
                if is_failing { Err(StoreError::Busy) } else { Ok(()) }
            })
            .await;
        assert_eq!(outcome.is_err(), is_failing);
        assert_eq!(done.load(Ordering::Relaxed), expected);
    }
}

/// A change of one user neither loads nor seals the rows of another.
#[tokio::test]
async fn a_user_is_changed_alone() {
    let place = place().await;
    for number in 0..200 {
        let mut record =
            identity(IdentityKind::User, &format!("AIDA{number}"), &format!("u{number}"));
        record.policies = vec![identity_policy("Only", "{}")];
        save_identity(&place.store, &record).await.unwrap();
    }
    // Rows of all others are broken: whoever loaded any of them would be refused.
    let stranger = place.stranger();
    let broken = stranger
        .execute("UPDATE identity_policies SET document = '[]' WHERE identity_id <> 'AIDA7'", [])
        .unwrap();
    assert_eq!(broken, 199);
    let mut seventh = load_identity(&place.store, "AIDA7").await.unwrap().unwrap();
    seventh.policies.clear();
    save_identity(&place.store, &seventh).await.unwrap();
    let refused = load_identity(&place.store, "AIDA8").await;
    assert!(refused.as_ref().is_err_and(is_seal), "{refused:?}");
}
