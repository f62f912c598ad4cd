//! The writer: acts that fail alone, answers that come last, and an end that is clean.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use store::{Change, LockedStore, StoreError, StoreOptions};

use crate::support::*;

/// Many acts at once, some of which fail or panic: the others are kept, and nothing of those.
#[tokio::test]
async fn an_act_fails_alone() {
    let place = Place::new();
    let mut acts = Vec::new();
    for number in 0..60 {
        let store = place.store.clone();
        acts.push(tokio::spawn(async move {
            let outcome: Result<u8, StoreError> = store
                .write(move |transaction| {
                    transaction.save_key(&key(number))?;
                    match number % 3 {
                        0 => Ok(number),
                        1 => Err(StoreError::Busy),
                        _ => panic!("an act of the test panics"),
                    }
                })
                .await;
            match number % 3 {
                0 => assert_eq!(outcome.unwrap(), number),
                1 => assert!(matches!(outcome, Err(StoreError::Busy)), "{outcome:?}"),
                _ => assert!(matches!(outcome, Err(StoreError::ActPanicked)), "{outcome:?}"),
            }
        }));
    }
    for act in acts {
        act.await.unwrap();
    }
    let place = place.close_and_open();
    for number in 0..60 {
        let found = load(&place.store, region(0), key_id(number)).await.unwrap();
        assert_eq!(found.is_some(), number % 3 == 0, "key {number}");
    }
    assert_eq!(place.store.position(), 20);
}

#[tokio::test]
async fn a_panicking_read_harms_nobody() {
    let place = Place::new();
    for _ in 0..5 {
        let outcome: Result<(), StoreError> =
            place.store.read(|_| panic!("an act of the test panics")).await;
        assert!(matches!(outcome, Err(StoreError::ActPanicked)), "{outcome:?}");
    }
    assert_eq!(load(&place.store, region(0), key_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn listeners_and_readers_know_before_the_answer() {
    let place = Place::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    place.store.on_commit(Box::new(move |changes| ear.lock().unwrap().extend_from_slice(changes)));
    for number in 1..=20 {
        let position = save(&place.store, &key(number)).await.key.sequence;
        let change = Change::Key { account: account(1), region: region(0), key_id: key_id(number) };
        assert_eq!(heard.lock().unwrap().last(), Some(&change));
        assert_eq!(place.store.position(), position);
        assert!(load(&place.store, region(0), key_id(number)).await.unwrap().is_some());
    }
    assert_eq!(heard.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn a_failed_act_is_not_told() {
    let place = Place::new();
    let heard = Arc::new(AtomicU64::new(0));
    let ear = Arc::clone(&heard);
    place.store.on_commit(Box::new(move |_| {
        ear.fetch_add(1, Ordering::Relaxed);
    }));
    let outcome: Result<(), StoreError> = place
        .store
        .write(|transaction| {
            transaction.save_key(&key(1))?;
            Err(StoreError::Busy)
        })
        .await;
    outcome.unwrap_err();
    assert_eq!(heard.load(Ordering::Relaxed), 0);
    assert_eq!(place.store.position(), 0);
}

/// A listener that fails leaves a stale cache somewhere: nothing more is written.
#[tokio::test]
async fn a_panicking_listener_poisons() {
    let place = Place::new();
    place.store.on_commit(Box::new(|_| panic!("a listener of the test panics")));
    let outcome: Result<_, StoreError> =
        place.store.write(|transaction| transaction.save_key(&key(1))).await;
    assert!(matches!(outcome, Err(StoreError::Poisoned { .. })), "{outcome:?}");
    assert!(!place.store.is_healthy());
    let outcome: Result<_, StoreError> =
        place.store.write(|transaction| transaction.save_key(&key(2))).await;
    assert!(matches!(outcome, Err(StoreError::Poisoned { .. })), "{outcome:?}");
}

/// Acts beyond the bound of the queue are refused at once while the writer is busy.
#[tokio::test]
async fn a_full_queue_refuses() {
    let place = Place::new();
    let (release, held) = mpsc::channel::<()>();
    let (tell, began) = mpsc::channel::<()>();
    let store = place.store.clone();
    let holder = tokio::spawn(async move {
        let outcome: Result<(), StoreError> = store
            .write(move |_| {
                tell.send(()).unwrap();
                held.recv().unwrap();
                Ok(())
            })
            .await;
        outcome.unwrap();
    });
    tokio::task::yield_now().await;
    began.recv().unwrap();
    let mut waiting = Vec::new();
    let refusal = loop {
        // Polled once: the act is in the queue, or refused.
        let mut act = Box::pin(place.store.write(|_| Ok::<(), StoreError>(())));
        let polled =
            std::future::poll_fn(|context| std::task::Poll::Ready(act.as_mut().poll(context)));
        match polled.await {
            std::task::Poll::Pending => waiting.push(act),
            std::task::Poll::Ready(outcome) => break outcome.unwrap_err(),
        }
        assert!(waiting.len() < 100_000, "the queue has no bound");
    };
    assert!(matches!(refusal, StoreError::Busy), "{refusal}");
    release.send(()).unwrap();
    for act in waiting {
        act.await.unwrap();
    }
    holder.await.unwrap();
}

#[tokio::test]
async fn close_empties_the_log_and_ends() {
    let place = Place::new();
    save(&place.store, &key(1)).await;
    let other = place.store.clone();
    place.store.close().await.unwrap();
    place.store.close().await.unwrap();
    let refused: Result<(), StoreError> = other.write(|_| Ok(())).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    let refused: Result<(), StoreError> = other.read(|_| Ok(())).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    let log = place.folder.path().join("keystead.db-wal");
    assert!(std::fs::metadata(log).map_or(0, |log| log.len()) == 0);
}

#[tokio::test]
async fn the_last_handle_may_go_inside_an_act() {
    let Place { folder, store } = Place::new();
    let inner = store.clone();
    let outcome: Result<(), StoreError> = store
        .write(move |_| {
            drop(inner);
            Ok(())
        })
        .await;
    outcome.unwrap();
    let (pass, wait) = mpsc::channel();
    let inner = store.clone();
    let act = tokio::spawn(async move {
        let outcome: Result<(), StoreError> = inner
            .clone()
            .write(move |_| {
                let () = wait.recv().unwrap();
                drop(inner);
                Ok(())
            })
            .await;
        outcome
    });
    tokio::task::yield_now().await;
    act.abort();
    act.await.unwrap_err();
    drop(store);
    // The act holds the last handle now.
    pass.send(()).unwrap();
    let path = folder.path().join("keystead.db");
    let reopened = std::iter::repeat_with(|| {
        std::thread::yield_now();
        open(&path)
    });
    let reopened =
        reopened.take(1_000_000).find(|opened| !matches!(opened, Err(StoreError::InUse)));
    reopened.unwrap().unwrap();
}

#[tokio::test]
async fn one_process_has_the_store() {
    let place = Place::new();
    let second = LockedStore::open(&place.path(), StoreOptions::default());
    assert!(second.is_err_and(|error| matches!(error, StoreError::InUse)));
}

/// A stranger's write to the head stops the next commit, for good.
#[tokio::test]
async fn a_strangers_head_poisons() {
    let place = Place::new();
    save(&place.store, &key(1)).await;
    place.stranger().execute("UPDATE head SET position = 0", []).unwrap();
    let outcome: Result<_, StoreError> =
        place.store.write(|transaction| transaction.save_key(&key(2))).await;
    assert!(outcome.is_err_and(|error| is_seal(&error)));
    let outcome = load(&place.store, region(0), key_id(1)).await;
    assert!(outcome.is_err_and(|error| is_seal(&error)));
}

#[tokio::test]
async fn a_deployment_is_initialised_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keystead.db");
    let deployment = store::DeploymentRow { deployment_id: [9; 16], created: instant(0) };
    let key = |purpose: &str, version| store::DomainKeyRow {
        purpose: purpose.to_owned(),
        version,
        wrapped: vec![1, 2, 3],
        created: instant(1),
    };
    let keys = vec![key("material", 1), key("row seal", 1), key("row seal", 2)];
    let locked = LockedStore::open(&path, StoreOptions::default()).unwrap();
    assert_eq!(locked.deployment().unwrap(), None);
    let header = |provider: &str| store::RootHeaderRow {
        provider: provider.to_owned(),
        parameters: vec![4],
        proof: vec![5, 6],
    };
    locked.initialize(&deployment, &keys, &header("file")).unwrap();
    let again = locked.initialize(&deployment, &keys, &header("shamir"));
    assert!(matches!(again, Err(StoreError::AlreadyInitialised)), "{again:?}");
    drop(locked);
    let locked = LockedStore::open(&path, StoreOptions::default()).unwrap();
    assert_eq!(locked.deployment().unwrap(), Some(deployment));
    assert_eq!(locked.domain_keys().unwrap(), keys);
    assert_eq!(locked.root_header().unwrap(), Some(header("file")));

    let rewrapped: Vec<_> = keys
        .iter()
        .map(|key| store::DomainKeyRow { wrapped: vec![7, 7, 7], ..key.clone() })
        .collect();
    locked.replace_root(&header("shamir"), &rewrapped).unwrap();
    drop(locked);
    let locked = LockedStore::open(&path, StoreOptions::default()).unwrap();
    assert_eq!(locked.domain_keys().unwrap(), rewrapped);
    assert_eq!(locked.root_header().unwrap(), Some(header("shamir")));
    locked.unlock(seal_keys()).unwrap();
}
