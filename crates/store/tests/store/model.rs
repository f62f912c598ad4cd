//! Random histories against a model in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;
use store::{AccountRecord, KeyRecord, StoreError};
use wire::names::{AccountId, AliasName, KeyId, Region};

use crate::support::*;

#[derive(Clone, Debug)]
enum Act {
    /// Makes the key if there is none, and changes it.
    Save {
        region: u8,
        number: u8,
        text: String,
        tags: Vec<u8>,
        due: Option<i64>,
    },
    /// Points an alias at a key, away from the one that has it.
    Point {
        region: u8,
        number: u8,
        name: u8,
    },
    Delete {
        region: u8,
        number: u8,
    },
    SaveAccount {
        number: u8,
        access_keys: Vec<u8>,
    },
    Append {
        record: Vec<u8>,
    },
    Drop {
        count: u64,
    },
    /// Does much and fails.
    Fail,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let keys = || (0..2_u8, 0..5_u8);
    let tags = proptest::collection::btree_set(0..5_u8, 0..4);
    prop_oneof![
        6 => (keys(), "[a-z\u{e9}\u{1f511}]{0,6}", tags, proptest::option::of(0..100_i64)).prop_map(
            |((region, number), text, tags, due)| {
                Act::Save { region, number, text, tags: tags.into_iter().collect(), due }
            }
        ),
        3 => (keys(), 0..4_u8).prop_map(|((region, number), name)| Act::Point { region, number, name }),
        2 => keys().prop_map(|(region, number)| Act::Delete { region, number }),
        2 => (1..3_u8, proptest::collection::btree_set(0..4_u8, 0..3)).prop_map(|(number, keys)| {
            Act::SaveAccount { number, access_keys: keys.into_iter().collect() }
        }),
        2 => proptest::collection::vec(any::<u8>(), 0..9).prop_map(|record| Act::Append { record }),
        1 => (0..4_u64).prop_map(|count| Act::Drop { count }),
        1 => Just(Act::Fail),
        1 => Just(Act::Reopen),
    ]
}

/// What must be there.
#[derive(Default)]
struct Model {
    keys: BTreeMap<(Region, KeyId), KeyRecord>,
    accounts: BTreeMap<AccountId, AccountRecord>,
    outbox: Vec<(u64, Vec<u8>)>,
}

impl Model {
    async fn run(&mut self, mut place: Place, acts: Vec<Act>) -> Result<(), TestCaseError> {
        for act in acts {
            match act {
                Act::Save { region, number, text, tags, due } => {
                    self.save(&place, region, number, &text, &tags, due).await;
                }
                Act::Point { region, number, name } => {
                    self.point(&place, region, number, name).await;
                }
                Act::Delete { region: number_of_region, number } => {
                    let (region, key_id) = (region(number_of_region), key_id(number));
                    let deleted: Result<_, StoreError> =
                        place.store.write(move |tx| tx.delete_key(region, key_id)).await;
                    let known = self.keys.remove(&(region, key_id));
                    prop_assert_eq!(deleted.unwrap(), known.is_some());
                }
                Act::SaveAccount { number, access_keys } => {
                    self.save_account(&place, number, &access_keys).await;
                }
                Act::Append { record } => {
                    let kept = record.clone();
                    let number: Result<_, StoreError> =
                        place.store.write(move |tx| tx.append_record(&record)).await;
                    self.outbox.push((number.unwrap(), kept));
                }
                Act::Drop { count } => {
                    let Some((first, _)) = self.outbox.first() else { continue };
                    let up_to = first + count;
                    let dropped: Result<_, StoreError> =
                        place.store.write(move |tx| tx.drop_records(up_to)).await;
                    dropped.unwrap();
                    self.outbox.retain(|(number, _)| *number > up_to);
                }
                Act::Fail => self.fail(&place).await,
                Act::Reopen => place = place.close_and_open(),
            }
        }
        self.compare(&place).await?;
        self.compare(&place.close_and_open()).await
    }

    async fn save(
        &mut self,
        place: &Place,
        number_of_region: u8,
        number: u8,
        text: &str,
        tags: &[u8],
        due: Option<i64>,
    ) {
        let place_of_key = (region(number_of_region), key_id(number));
        let mut record = self.keys.get(&place_of_key).cloned().unwrap_or_else(|| {
            let mut record = key(number);
            record.key.region = place_of_key.0;
            record
        });
        record.key.description = text.to_owned();
        record.policy.document = format!("policy {text}");
        record.key.deletion_date = due.map(instant);
        record.tags = tags.iter().map(|tag_key| tag(&tag_key.to_string(), text)).collect();
        self.keys.insert(place_of_key, save(&place.store, &record).await);
    }

    async fn point(&mut self, place: &Place, number_of_region: u8, number: u8, name: u8) {
        let (region, key_id) = (region(number_of_region), key_id(number));
        let name: AliasName = alias(&name.to_string());
        let Some(target) = self.keys.get(&(region, key_id)).cloned() else { return };
        let holder = self.keys.values().find(|record| {
            record.key.region == region && record.aliases.iter().any(|row| row.alias == name)
        });
        let holder = holder.filter(|holder| holder.key.key_id != key_id).cloned();
        let saved: Result<_, StoreError> = place
            .store
            .write(move |transaction| {
                let mut saved = Vec::new();
                if let Some(mut holder) = holder {
                    holder.aliases.retain(|row| row.alias != name);
                    holder.key.sequence = transaction.save_key(&holder)?;
                    saved.push(holder);
                }
                let mut target = target;
                target.aliases.retain(|row| row.alias != name);
                target.aliases.push(alias_row(name.as_str().trim_start_matches("alias/"), key_id));
                target.aliases.sort_by(|one, other| one.alias.cmp(&other.alias));
                target.key.sequence = transaction.save_key(&target)?;
                saved.push(target);
                Ok(saved)
            })
            .await;
        for record in saved.unwrap() {
            self.keys.insert((record.key.region, record.key.key_id), record);
        }
    }

    async fn save_account(&mut self, place: &Place, number: u8, access_keys: &[u8]) {
        let names: Vec<_> = access_keys.iter().map(|key| format!("AKIA{number}{key}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut record = account_record(number, &names);
        let known = self.accounts.get(&record.account.account);
        record.account.sequence = known.map_or(0, |known| known.account.sequence);
        let saved = save_account(&place.store, &record).await;
        self.accounts.insert(saved.account.account, saved);
    }

    async fn fail(&self, place: &Place) {
        let keys: Vec<_> = self.keys.values().cloned().collect();
        let outcome: Result<(), StoreError> = place
            .store
            .write(move |transaction| {
                for mut record in keys {
                    record.key.description.push('?');
                    transaction.save_key(&record)?;
                    transaction.delete_key(record.key.region, record.key.key_id)?;
                }
                transaction.save_key(&key(200))?;
                transaction.append_record(b"never")?;
                transaction.drop_records(u64::MAX)?;
                Err(StoreError::Busy)
            })
            .await;
        assert!(matches!(outcome, Err(StoreError::Busy)), "{outcome:?}");
    }

    async fn compare(&self, place: &Place) -> Result<(), TestCaseError> {
        for number_of_region in 0..2 {
            let region = region(number_of_region);
            for key_id in (0..5).chain([200]).map(key_id) {
                let found = load(&place.store, region, key_id).await.unwrap();
                prop_assert_eq!(found.as_ref(), self.keys.get(&(region, key_id)));
            }
            let expected: Vec<_> =
                self.keys.values().filter(|record| record.key.region == region).collect();
            let mut aliases: Vec<_> =
                expected.iter().flat_map(|record| record.aliases.clone()).collect();
            aliases.sort_by(|one, other| one.alias.cmp(&other.alias));
            let found: Result<_, StoreError> = place
                .store
                .read(move |snapshot| {
                    Ok((
                        snapshot.keys_page(account(1), region, None, 99)?,
                        snapshot.aliases_page(account(1), region, None, 99)?,
                        snapshot.count_keys(account(1), region)?,
                    ))
                })
                .await;
            let (keys, found_aliases, count) = found.unwrap();
            let rows: Vec<_> = expected.iter().map(|record| record.key.clone()).collect();
            prop_assert_eq!(keys, rows);
            prop_assert_eq!(found_aliases, aliases);
            prop_assert_eq!(count, u64::try_from(expected.len()).unwrap());
            let counted: Result<_, StoreError> =
                place.store.write(move |tx| tx.count_keys(account(1), region)).await;
            prop_assert_eq!(counted.unwrap(), count);
        }
        let found: Result<_, StoreError> = place
            .store
            .read(|snapshot| {
                let due = snapshot.keys_due(instant(50), 99)?.len();
                let accounts = [1, 2].map(|number| snapshot.account(account(number)));
                Ok((snapshot.pending_records()?, due, accounts))
            })
            .await;
        let (records, due, accounts) = found.unwrap();
        let records: Vec<_> = records.into_iter().map(|kept| (kept.number, kept.record)).collect();
        prop_assert_eq!(&records, &self.outbox);
        let is_due =
            |record: &&KeyRecord| record.key.deletion_date.is_some_and(|date| date <= instant(50));
        prop_assert_eq!(due, self.keys.values().filter(is_due).count());
        for (found, number) in accounts.into_iter().zip([1, 2]) {
            prop_assert_eq!(found.unwrap(), self.accounts.get(&account(number)).cloned());
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_remembers_what_the_model_remembers(
        acts in proptest::collection::vec(act(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Model::default().run(Place::new(), acts))?;
    }
}
