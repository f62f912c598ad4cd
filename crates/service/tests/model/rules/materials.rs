//! EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations.
//!
//! A rotation gives a key new material to encrypt with; all that it had decrypts for ever. Related multi-Region keys are rotated
//! together, through their primary key.

use super::{Answer, At, CONFLICT, DAY, INVALID_STATE, Key, KeyState, LIMIT_EXCEEDED, MINUTE};
use super::{MaterialState, Model, Outcome, Rotation, RotationType, Seconds, UNSUPPORTED, Version};
use crate::names::{KeyName, Material, Region};
use crate::step::{Call, KeySpec, Origin};

/// "You can perform on-demand key rotation a maximum of 25 times per KMS key."
const ON_DEMAND_ROTATIONS_MAX: usize = 25;

/// ConflictException: "an automatic rotation of this key is currently in progress or scheduled to begin within the next 20
/// minutes."
const CONFLICT_WINDOW: Seconds = 20 * MINUTE;

/// What GetKeyRotationStatus tells while rotation is enabled.
pub(crate) struct RotationStatus {
    pub(crate) period_days: u16,
    pub(crate) next: Seconds,
}

/// One line of ListKeyRotations.
pub(crate) struct RotationsListEntry {
    pub(crate) material: Material,
    pub(crate) state: MaterialState,
    pub(crate) rotated: Option<(RotationType, Seconds)>,
    /// Whether imported material is here, its expiry and its description.
    pub(crate) import: Option<(bool, Option<Seconds>, Option<u8>)>,
}

impl Model {
    /// The first rotation comes a period after rotation was enabled, each further one a period later. A new period counts from
    /// the last automatic rotation. What would be due already happens at once.
    pub(super) fn enable_key_rotation(
        &mut self,
        call: &Call,
        key: KeyName,
        days: Option<u16>,
    ) -> Outcome {
        self.check_rotation(call, key)?;
        let (now, period_days) = (self.now, days.unwrap_or(365));
        let key = self.key_mut(key);
        let enabled = key.rotation.map_or(now, |rotation| rotation.enabled);
        let automatic = key.versions.iter().filter_map(|version| match version.rotated {
            Some((RotationType::Automatic, rotated)) => Some(rotated),
            Some((RotationType::OnDemand, _)) | None => None,
        });
        let last = automatic.chain([enabled]).max().unwrap_or(enabled);
        let next = (last + i64::from(period_days) * DAY).max(now);
        key.rotation = Some(Rotation { period_days, enabled, next });
        Ok(Answer::Empty)
    }

    pub(super) fn disable_key_rotation(&mut self, call: &Call, key: KeyName) -> Outcome {
        self.check_rotation(call, key)?;
        self.key_mut(key).rotation = None;
        Ok(Answer::Empty)
    }

    /// Automatic rotation is for material that KMS made, of symmetric encryption keys, and is set on the primary key.
    fn check_rotation(&self, call: &Call, name: KeyName) -> Result<(), super::Refusal> {
        let at = self.find(call, name)?;
        let key = self.key(name);
        if key.origin == Origin::External {
            return Err(UNSUPPORTED);
        }
        self.place(at).key_state.check(&call.operation.name())?;
        match key.key_spec == KeySpec::SymmetricDefault && !key.is_replica(at.region) {
            true => Ok(()),
            false => Err(UNSUPPORTED),
        }
    }

    /// "While a KMS key is pending deletion, its key rotation status is false … If you cancel the deletion, the original key
    /// rotation status returns to true." Refused for keys that cannot have versions.
    pub(crate) fn rotation_status(&self, at: At) -> Result<Option<RotationStatus>, super::Refusal> {
        let (key, place) = (self.key(at.key), self.place(at));
        if key.key_spec != KeySpec::SymmetricDefault {
            return Err(UNSUPPORTED);
        }
        let rotation = key.rotation.filter(|_| !place.key_state.is_pending_deletion());
        Ok(rotation.map(|Rotation { period_days, next, .. }| RotationStatus { period_days, next }))
    }

    /// Rotates a key now. KMS makes the material, or the material is what was imported for the purpose. The schedule of automatic
    /// rotation stays as it is.
    ///
    /// Here the rotation is complete when it is answered; AWS may take a moment longer.
    pub(super) fn rotate_key_on_demand(&mut self, call: &Call, name: KeyName) -> Outcome {
        let at = self.find(call, name)?;
        self.place(at).key_state.check("RotateKeyOnDemand")?;
        let key = self.key(name);
        if key.key_spec != KeySpec::SymmetricDefault || key.is_replica(at.region) {
            return Err(UNSUPPORTED);
        }
        if key.rotations_on_demand() >= ON_DEMAND_ROTATIONS_MAX {
            return Err(LIMIT_EXCEEDED);
        }
        if key.rotation.is_some_and(|rotation| rotation.next <= self.now + CONFLICT_WINDOW) {
            return Err(CONFLICT);
        }
        let material = match key.origin {
            Origin::AwsKms => None,
            // Material that some replica key has not been given does not count.
            Origin::External => Some(key.pending_rotation().ok_or(INVALID_STATE)?),
        };
        let material = material.unwrap_or_else(|| self.fresh_material());
        let now = self.now;
        self.key_mut(name).rotate(material, RotationType::OnDemand, now);
        Ok(Answer::Key(at))
    }

    /// What ListKeyRotations tells of all material, oldest first. Refused for keys that cannot have versions.
    pub(crate) fn rotations(&self, at: At) -> Result<Vec<RotationsListEntry>, super::Refusal> {
        let (key, place) = (self.key(at.key), self.place(at));
        if key.key_spec != KeySpec::SymmetricDefault {
            return Err(UNSUPPORTED);
        }
        let entry = |version: &Version| RotationsListEntry {
            material: version.material,
            state: version.state,
            rotated: version.rotated,
            import: (key.origin == Origin::External).then(|| {
                let import = place.imports.get(&version.material).cloned().unwrap_or_default();
                (import.is_here, import.valid_to, import.description)
            }),
        };
        Ok(key.versions.iter().map(entry).collect())
    }
}

impl Key {
    /// Makes a material the one that encrypts, in every Region.
    pub(super) fn rotate(&mut self, material: Material, rotation: RotationType, now: Seconds) {
        for version in &mut self.versions {
            if version.state == MaterialState::Current {
                version.state = MaterialState::NonCurrent;
            }
        }
        self.versions.retain(|version| version.material != material);
        self.versions.push(Version {
            material,
            state: MaterialState::Current,
            rotated: Some((rotation, now)),
        });
        // A replica key that has lost what is now the current material waits for it. (AWS does not say what happens then.)
        let regions: Vec<Region> = self.places.keys().copied().collect();
        for region in regions {
            self.miss_material(region);
        }
    }

    /// A key that works, or could be made to, waits when it lacks material.
    pub(super) fn miss_material(&mut self, region: Region) {
        if self.lacks_material(region)
            && let Some(place) = self.places.get_mut(&region)
            && matches!(place.key_state, KeyState::Enabled | KeyState::Disabled)
        {
            place.key_state = KeyState::PendingImport;
        }
    }

    fn rotations_on_demand(&self) -> usize {
        let is_on_demand =
            |version: &&Version| matches!(version.rotated, Some((RotationType::OnDemand, _)));
        self.versions.iter().filter(is_on_demand).count()
    }

    /// The imported material that may become current. The primary key must hold it: it may have lost it while it was a replica
    /// key. (AWS does not say what happens then.)
    fn pending_rotation(&self) -> Option<Material> {
        let primary = &self.places[&self.primary];
        let is_here =
            |material: &Material| primary.imports.get(material).is_some_and(|row| row.is_here);
        let waits = |version: &&Version| {
            version.state == MaterialState::PendingRotation && is_here(&version.material)
        };
        self.versions.iter().find(waits).map(|version| version.material)
    }
}
