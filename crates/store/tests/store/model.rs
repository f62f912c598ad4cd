//! Random histories against a model in memory.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use store::{AccountRecord, KeyRecord, KeyUsageRow, StoreError};
use wire::enums::{ImportState, KeyState};
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
    /// Gives the key the rows of its lifecycles, or takes them.
    Live {
        region: u8,
        number: u8,
        life: Life,
    },
    /// Saves the key in both Regions at once.
    Replicate {
        number: u8,
        primary: u8,
    },
    /// Saves a use of keys that may not be there.
    Use {
        keys: Vec<(u8, u8)>,
        second: i64,
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
    Scrub,
    Reopen,
}

/// What becomes of a key: its state, and what each row of its lifecycles says.
#[derive(Clone, Debug)]
struct Life {
    state: KeyState,
    next_rotation: Option<i64>,
    /// When each material became current.
    rotated: Vec<i64>,
    /// Whether each imported material is here, and when it expires.
    imports: Vec<(bool, Option<i64>)>,
}

fn life() -> impl Strategy<Value = Life> {
    let import = (any::<bool>(), proptest::option::of(0..100_i64));
    (
        proptest::sample::select(KeyState::ALL),
        proptest::option::of(0..100_i64),
        proptest::collection::vec(0..100_i64, 0..3),
        proptest::collection::vec(import, 0..3),
    )
        .prop_map(|(state, next_rotation, rotated, imports)| Life {
            state,
            next_rotation,
            rotated,
            imports,
        })
}

impl Life {
    fn lead(&self, record: &mut KeyRecord) {
        record.key.state = self.state;
        record.rotation = self.next_rotation.map(|next| rotation(90, next));
        let rotated = (0..).zip(&self.rotated);
        record.material_rotations =
            rotated.map(|(number, second)| material_rotation(number, *second)).collect();
        record.materials.truncate(1);
        record.material_imports.clear();
        for (number, (is_here, valid_to)) in (100..).zip(&self.imports) {
            let mut imported = material(number);
            let mut import = material_import(number, *valid_to);
            if !is_here {
                imported.wrapped.clear();
                import.import_state = ImportState::PendingImport;
            }
            record.materials.push(imported);
            record.material_imports.push(import);
        }
    }
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
        5 => (keys(), life()).prop_map(|((region, number), life)| Act::Live { region, number, life }),
        2 => (0..5_u8, 0..2_u8).prop_map(|(number, primary)| Act::Replicate { number, primary }),
        2 => (proptest::collection::vec(keys(), 0..4), 0..100_i64)
            .prop_map(|(keys, second)| Act::Use { keys, second }),
        2 => keys().prop_map(|(region, number)| Act::Delete { region, number }),
        2 => (1..3_u8, proptest::collection::btree_set(0..4_u8, 0..3)).prop_map(|(number, keys)| {
            Act::SaveAccount { number, access_keys: keys.into_iter().collect() }
        }),
        2 => proptest::collection::vec(any::<u8>(), 0..9).prop_map(|record| Act::Append { record }),
        1 => (0..4_u64).prop_map(|count| Act::Drop { count }),
        1 => Just(Act::Fail),
        1 => Just(Act::Scrub),
        1 => Just(Act::Reopen),
    ]
}

/// What must be there.
#[derive(Default)]
struct Model {
    keys: BTreeMap<(Region, KeyId), KeyRecord>,
    usages: BTreeMap<(Region, KeyId), KeyUsageRow>,
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
                Act::Live { region: number_of_region, number, life } => {
                    let place_of_key = (region(number_of_region), key_id(number));
                    let Some(mut record) = self.keys.get(&place_of_key).cloned() else { continue };
                    life.lead(&mut record);
                    self.keys.insert(place_of_key, save(&place.store, &record).await);
                }
                Act::Replicate { number, primary } => self.replicate(&place, number, primary).await,
                Act::Use { keys, second } => self.use_keys(&place, &keys, second).await,
                Act::Delete { region: number_of_region, number } => {
                    let (region, key_id) = (region(number_of_region), key_id(number));
                    let deleted: Result<_, StoreError> =
                        place.store.write(move |tx| tx.delete_key(region, key_id)).await;
                    let known = self.keys.remove(&(region, key_id));
                    self.usages.remove(&(region, key_id));
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
                Act::Scrub => prop_assert!(place.store.scrub().await.unwrap()),
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

    /// Makes the key a multi-Region key with that primary, and its related key after its image if
    /// there is none.
    async fn replicate(&mut self, place: &Place, number: u8, primary: u8) {
        let places = [primary, primary + 1].map(|number_of| (region(number_of), key_id(number)));
        let [first, second] = places;
        let Some(one) = self.keys.get(&first).cloned() else { return };
        let other = self.keys.get(&second).cloned().unwrap_or_else(|| {
            let mut other = one.clone();
            (other.key.region, other.key.sequence) = (second.0, 0);
            other.aliases.clear();
            other
        });
        let related = [one, other].map(|mut record| {
            record.key.multi_region = true;
            record.multi_region = Some(multi_region(primary));
            record
        });
        let saved: Result<_, StoreError> = place
            .store
            .write(move |transaction| {
                let mut saved = Vec::new();
                for mut record in related {
                    record.key.sequence = transaction.save_key(&record)?;
                    saved.push(record);
                }
                Ok(saved)
            })
            .await;
        self.keys.extend(places.into_iter().zip(saved.unwrap()));
    }

    async fn use_keys(&mut self, place: &Place, keys: &[(u8, u8)], second: i64) {
        let names = keys.iter().map(|(of_region, number)| (region(*of_region), key_id(*number)));
        let usages: Vec<_> =
            names.map(|(region, key_id)| key_usage(region, key_id, second)).collect();
        save_usages(&place.store, &usages).await;
        for usage in usages {
            let name = (usage.region, usage.key_id);
            if self.keys.contains_key(&name) {
                self.usages.insert(name, usage);
            }
        }
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
                transaction.save_key_usages(&[key_usage(region(0), key_id(200), 1)])?;
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
                let found = load_usage(&place.store, region, key_id).await.unwrap();
                prop_assert_eq!(found.as_ref(), self.usages.get(&(region, key_id)));
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
                let accounts = [1, 2].map(|number| snapshot.account(account(number)));
                Ok((snapshot.pending_records()?, accounts))
            })
            .await;
        let (records, accounts) = found.unwrap();
        let records: Vec<_> = records.into_iter().map(|kept| (kept.number, kept.record)).collect();
        prop_assert_eq!(&records, &self.outbox);
        for (found, number) in accounts.into_iter().zip([1, 2]) {
            prop_assert_eq!(found.unwrap(), self.accounts.get(&account(number)).cloned());
        }
        self.compare_hints(place).await
    }

    /// The keys that a job would look at 50 seconds into the history.
    async fn compare_hints(&self, place: &Place) -> Result<(), TestCaseError> {
        let now = instant(50);
        let found: Result<_, StoreError> = place
            .store
            .read(move |snapshot| {
                Ok([
                    snapshot.keys_due(now, 99)?,
                    snapshot.rotations_due(now, 99)?,
                    snapshot.imports_due(now, 99)?,
                    snapshot.keys_in_transit(99)?,
                ])
            })
            .await;
        let is_expected: [fn(&KeyRecord, Timestamp) -> bool; 4] = [
            |record, now| record.key.deletion_date.is_some_and(|date| date <= now),
            |record, now| {
                let rotation = record.rotation.as_ref();
                let related = record.multi_region.as_ref();
                let is_primary =
                    related.is_none_or(|related| related.primary_region == record.key.region);
                is_primary
                    && record.key.state == KeyState::Enabled
                    && rotation.is_some_and(|rotation| rotation.next_rotation <= now)
            },
            |record, now| {
                record.material_imports.iter().any(|import| {
                    import.import_state == ImportState::Imported
                        && import.valid_to.is_some_and(|date| date <= now)
                })
            },
            |record, _| matches!(record.key.state, KeyState::Creating | KeyState::Updating),
        ];
        for (mut hints, is_expected) in found.unwrap().into_iter().zip(is_expected) {
            hints.sort();
            let expected = self.keys.iter().filter(|(_, record)| is_expected(record, now));
            prop_assert_eq!(hints, expected.map(|(name, _)| *name).collect::<Vec<_>>());
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
