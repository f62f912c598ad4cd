//! ReplicateKey, UpdatePrimaryRegion: keys with one id and one material in several Regions.

use super::UNSUPPORTED;
use super::{
    ALREADY_EXISTS, Answer, At, KeyState, MaterialState, Model, NOT_FOUND, Outcome, Place,
};
use crate::names::{KeyName, Region};
use crate::step::{Call, Origin};

impl Model {
    /// The replica key is `Creating` for a while. It has the primary key's material and rotation, and nothing of its tags,
    /// description and aliases. Imported material is not copied: it must be imported there too.
    pub(super) fn replicate_key(
        &mut self,
        call: &Call,
        name: KeyName,
        to: Region,
        tag: u8,
    ) -> Outcome {
        let at = self.find(call, name)?;
        self.place(at).key_state.check("ReplicateKey")?;
        if !self.key(name).multi_region || self.key(name).is_replica(at.region) {
            return Err(UNSUPPORTED);
        }
        if self.key(name).places.contains_key(&to) {
            return Err(ALREADY_EXISTS);
        }
        let mut place = Place::new(KeyState::Creating, self.now);
        place.tags.insert(tag, tag);
        let key = self.key_mut(name);
        key.places.insert(to, place);
        // Material that waits for a rotation waits for the new replica key too.
        for version in &mut key.versions {
            if key.origin == Origin::External && version.state == MaterialState::PendingRotation {
                version.state = MaterialState::PendingMultiRegionImportAndRotation;
            }
        }
        Ok(Answer::Metadata(self.describe(At { key: name, region: to })))
    }

    /// The replica key of a Region becomes the primary key, and the primary key a replica key. Both are `Updating` for a while.
    pub(super) fn update_primary_region(
        &mut self,
        call: &Call,
        name: KeyName,
        to: Region,
    ) -> Outcome {
        let at = self.find(call, name)?;
        let next = At { key: name, region: to };
        self.place(at).key_state.check("UpdatePrimaryRegion")?;
        let has_replica = self.key(name).places.contains_key(&to);
        if has_replica {
            self.place(next).key_state.check("UpdatePrimaryRegion")?;
        }
        // "There must be an existing replica key in this Region": the primary key itself is none.
        let key = self.key(name);
        if !key.multi_region || key.is_replica(at.region) || to == at.region {
            return Err(UNSUPPORTED);
        }
        if !has_replica {
            return Err(NOT_FOUND);
        }
        self.key_mut(name).primary = to;
        self.place_mut(at).key_state = KeyState::Updating;
        self.place_mut(next).key_state = KeyState::Updating;
        Ok(Answer::Empty)
    }
}
