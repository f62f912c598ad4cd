//! CreateKey, DescribeKey, EnableKey, DisableKey, UpdateKeyDescription, TagResource, UntagResource, ScheduleKeyDeletion,
//! CancelKeyDeletion.

use std::collections::BTreeMap;

use super::{Answer, At, DAY, Key, KeyState, MaterialState, Model, Outcome, Place, Seconds};
use super::{VALIDATION, Version};
use crate::names::{Account, KeyName, Material, Region};
use crate::step::{Call, CreateKey, KeySpec, Origin};

/// What DescribeKey tells.
#[derive(Clone)]
pub(crate) struct Metadata {
    pub(crate) at: At,
    pub(crate) account: Account,
    pub(crate) key_spec: &'static str,
    pub(crate) key_usage: &'static str,
    pub(crate) origin: &'static str,
    pub(crate) key_state: KeyState,
    pub(crate) enabled: bool,
    pub(crate) description: Option<u8>,
    pub(crate) created: Seconds,
    pub(crate) deletion_date: Option<Seconds>,
    pub(crate) pending_deletion_window_in_days: Option<u16>,
    pub(crate) multi_region: Option<MultiRegion>,
    pub(crate) current_key_material_id: Option<Material>,
    /// Whether imported material is here, and when the first of it expires.
    pub(crate) expiration: Option<Option<Seconds>>,
}

/// `MultiRegionConfiguration`.
#[derive(Clone)]
pub(crate) struct MultiRegion {
    pub(crate) is_primary: bool,
    pub(crate) primary: Region,
    pub(crate) replicas: Vec<Region>,
}

impl Model {
    /// A new key is enabled and has its first material; one that is to be imported waits for it.
    pub(super) fn create_key(&mut self, call: &Call, create: &CreateKey) -> Answer {
        let (versions, key_state) = match create.origin {
            Origin::AwsKms => (vec![Version::first(self.fresh_material())], KeyState::Enabled),
            Origin::External => (Vec::new(), KeyState::PendingImport),
        };
        let key = Key {
            account: call.by,
            key_spec: create.key_spec,
            origin: create.origin,
            multi_region: create.multi_region,
            primary: call.region,
            versions,
            rotation: None,
            places: BTreeMap::from([(call.region, Place::new(key_state, self.now))]),
        };
        self.keys.insert(create.key, key);
        Answer::Metadata(self.describe(At { key: create.key, region: call.region }))
    }

    pub(crate) fn describe(&self, at: At) -> Metadata {
        let (key, place) = (self.key(at.key), self.place(at));
        Metadata {
            at,
            account: key.account,
            key_spec: key.key_spec.as_str(),
            key_usage: key.key_spec.key_usage(),
            origin: key.origin.as_str(),
            key_state: place.key_state,
            // A key whose primary key moves still works.
            enabled: matches!(place.key_state, KeyState::Enabled | KeyState::Updating),
            description: place.description,
            created: place.created,
            deletion_date: place.deletion_date,
            // Told only while the date is not known yet.
            pending_deletion_window_in_days: (place.key_state == KeyState::PendingReplicaDeletion)
                .then_some(place.pending_window_days),
            multi_region: key.multi_region.then(|| MultiRegion {
                is_primary: key.primary == at.region,
                primary: key.primary,
                replicas: key.replica_regions(),
            }),
            // Only symmetric encryption keys have versions.
            current_key_material_id: key
                .current()
                .filter(|_| key.key_spec == KeySpec::SymmetricDefault),
            expiration: expiration(key, place),
        }
    }

    /// EnableKey and DisableKey.
    pub(super) fn switch(&mut self, call: &Call, key: KeyName, to: KeyState) -> Outcome {
        let at = self.find(call, key)?;
        self.place(at).key_state.check(&call.operation.name())?;
        self.place_mut(at).key_state = to;
        Ok(Answer::Empty)
    }

    pub(super) fn update_key_description(
        &mut self,
        call: &Call,
        key: KeyName,
        description: u8,
    ) -> Outcome {
        let at = self.find(call, key)?;
        self.place(at).key_state.check("UpdateKeyDescription")?;
        self.place_mut(at).description = Some(description);
        Ok(Answer::Empty)
    }

    pub(super) fn tag_resource(
        &mut self,
        call: &Call,
        key: KeyName,
        tag: u8,
        value: u8,
    ) -> Outcome {
        let at = self.find(call, key)?;
        self.place(at).key_state.check("TagResource")?;
        self.place_mut(at).tags.insert(tag, value);
        Ok(Answer::Empty)
    }

    /// A tag that is not there is passed over.
    pub(super) fn untag_resource(&mut self, call: &Call, key: KeyName, tag: u8) -> Outcome {
        let at = self.find(call, key)?;
        self.place(at).key_state.check("UntagResource")?;
        self.place_mut(at).tags.remove(&tag);
        Ok(Answer::Empty)
    }

    /// A key waits 7 to 30 days for its deletion. A primary key with replica keys waits for the last of them first: it has no
    /// date until then.
    pub(super) fn schedule_key_deletion(
        &mut self,
        call: &Call,
        key: KeyName,
        days: Option<u16>,
    ) -> Outcome {
        let days = days.unwrap_or(30);
        if !(7..=30).contains(&days) {
            return Err(VALIDATION);
        }
        let at = self.find(call, key)?;
        self.place(at).key_state.check("ScheduleKeyDeletion")?;
        let waits_for_replicas =
            self.key(key).primary == at.region && !self.key(key).replica_regions().is_empty();
        let (key_state, deletion_date) = match waits_for_replicas {
            true => (KeyState::PendingReplicaDeletion, None),
            false => (KeyState::PendingDeletion, Some(self.now + i64::from(days) * DAY)),
        };
        let place = self.place_mut(at);
        (place.key_state, place.deletion_date) = (key_state, deletion_date);
        place.pending_window_days = days;
        Ok(Answer::Deletion { at, key_state, deletion_date, days })
    }

    /// The key comes back disabled; one whose imported material is gone meanwhile waits for it.
    pub(super) fn cancel_key_deletion(&mut self, call: &Call, key: KeyName) -> Outcome {
        let at = self.find(call, key)?;
        self.place(at).key_state.check("CancelKeyDeletion")?;
        let key_state = match self.key(key).lacks_material(at.region) {
            true => KeyState::PendingImport,
            false => KeyState::Disabled,
        };
        let place = self.place_mut(at);
        (place.key_state, place.deletion_date) = (key_state, None);
        Ok(Answer::Key(at))
    }
}

/// "The earliest time at which any imported key material permanently associated with this KMS key expires."
fn expiration(key: &Key, place: &Place) -> Option<Option<Seconds>> {
    let for_good = key.versions.iter().filter(|version| version.state.is_for_good());
    let here: Vec<_> = for_good
        .filter_map(|version| place.imports.get(&version.material))
        .filter(|import| import.is_here)
        .collect();
    let first = here.iter().filter_map(|import| import.valid_to).min();
    (!here.is_empty()).then_some(first)
}

impl Place {
    pub(super) fn new(key_state: KeyState, created: Seconds) -> Place {
        Place {
            created,
            key_state,
            description: None,
            tags: BTreeMap::new(),
            deletion_date: None,
            pending_window_days: 0,
            imports: BTreeMap::new(),
        }
    }
}

impl Version {
    /// What a key begins with.
    pub(super) fn first(material: Material) -> Version {
        Version { material, state: MaterialState::Current, rotated: None }
    }
}
