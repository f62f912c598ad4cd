//! GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial: material that customers bring.

use super::{Answer, At, DAY, EXPIRED_IMPORT_TOKEN, INCORRECT_KEY_MATERIAL, INVALID_IMPORT_TOKEN};
use super::{INVALID_STATE, Import, Key, KeyState, MaterialState, Model, NOT_FOUND, Outcome};
use super::{Place, Refusal, UNSUPPORTED, VALIDATION, Version};
use crate::names::{KeyName, Material, Region};
use crate::step::{Call, ImportKeyMaterial, ImportType, KeySpec, Origin};

/// How far ahead material may expire.
const VALIDITY_DAYS_MAX: u16 = 365;

impl Model {
    /// A public key to wrap material with, and a token that is good for this key, in this Region, for 24 hours.
    pub(super) fn get_parameters_for_import(&mut self, call: &Call, key: KeyName) -> Outcome {
        let at = self.find_imported(call, key)?;
        self.place(at).key_state.check("GetParametersForImport")?;
        let valid_to = self.now + DAY;
        self.tokens.insert(at, valid_to);
        Ok(Answer::ImportParameters { at, valid_to })
    }

    pub(super) fn import_key_material(
        &mut self,
        call: &Call,
        import: &ImportKeyMaterial,
    ) -> Outcome {
        let at = self.find_imported(call, import.key)?;
        self.place(at).key_state.check("ImportKeyMaterial")?;
        let is_symmetric = self.key(import.key).key_spec == KeySpec::SymmetricDefault;
        if !is_symmetric && (import.import_type.is_some() || import.description.is_some()) {
            return Err(UNSUPPORTED);
        }
        if import.valid_days.is_some_and(|days| !(1..=VALIDITY_DAYS_MAX).contains(&days)) {
            return Err(VALIDATION);
        }
        if import.token != (at.key, at.region) {
            return Err(INVALID_IMPORT_TOKEN);
        }
        if self.tokens[&at] <= self.now {
            return Err(EXPIRED_IMPORT_TOKEN);
        }
        let material = Material::Imported(import.bytes);
        let state = self.key(at.key).import_state(at.region, material, import.import_type)?;
        self.place_material(at, material, state, import);
        Ok(Answer::Material { at, material: is_symmetric.then_some(material) })
    }

    fn place_material(
        &mut self,
        at: At,
        material: Material,
        state: MaterialState,
        import: &ImportKeyMaterial,
    ) {
        let valid_to = import.valid_days.map(|days| self.now + i64::from(days) * DAY);
        let imports = &mut self.place_mut(at).imports;
        let former = imports.get(&material).and_then(|former| former.description);
        // "If you do not specify a key material description, KMS retains the value you specified when you last imported the
        // same key material into this KMS key."
        let description = import.description.or(former);
        imports.insert(material, Import { is_here: true, valid_to, description });
        let key = self.key_mut(at.key);
        if !key.versions.iter().any(|version| version.material == material) {
            key.versions.push(Version { material, state, rotated: None });
        }
        key.settle_pending_rotation();
        if !key.lacks_material(at.region) && self.place(at).key_state == KeyState::PendingImport {
            self.place_mut(at).key_state = KeyState::Enabled;
        }
    }

    /// The key waits for its material again, unless it is to be deleted or the material only waited for a rotation.
    pub(super) fn delete_imported_key_material(
        &mut self,
        call: &Call,
        name: KeyName,
        material: Option<Material>,
    ) -> Outcome {
        let at = self.find_imported(call, name)?;
        self.place(at).key_state.check("DeleteImportedKeyMaterial")?;
        let key = self.key(name);
        // Only symmetric encryption keys tell the ids of their material; nobody knows one of another key.
        let is_symmetric = key.key_spec == KeySpec::SymmetricDefault;
        let is_known =
            |material| is_symmetric && key.versions.iter().any(|row| row.material == material);
        if material.is_some_and(|material| !is_known(material)) {
            return Err(NOT_FOUND);
        }
        // "If no KeyMaterialId is specified, KMS deletes the current key material." Before the first import there is none.
        let material = material.or(key.current());
        if let Some(material) = material {
            self.key_mut(name).lose(at.region, material);
        }
        Ok(Answer::Material { at, material: material.filter(|_| is_symmetric) })
    }

    /// A key whose material is imported.
    fn find_imported(&self, call: &Call, key: KeyName) -> Result<At, Refusal> {
        let at = self.find(call, key)?;
        match self.key(key).origin {
            Origin::External => Ok(at),
            Origin::AwsKms => Err(UNSUPPORTED),
        }
    }
}

impl Key {
    /// What imported material becomes, if it may be imported at all.
    fn import_state(
        &self,
        region: Region,
        material: Material,
        import_type: Option<ImportType>,
    ) -> Result<MaterialState, Refusal> {
        // "If no key material has ever been imported into the KMS key, … the parameter defaults to NEW_KEY_MATERIAL. After the
        // first key material is imported, … EXISTING_KEY_MATERIAL."
        let is_first = self.versions.is_empty();
        let import_type = import_type.unwrap_or(match is_first {
            true => ImportType::NewKeyMaterial,
            false => ImportType::ExistingKeyMaterial,
        });
        let known = self.versions.iter().find(|version| version.material == material);
        match (import_type, known) {
            (ImportType::ExistingKeyMaterial, Some(version)) => Ok(version.state),
            (ImportType::ExistingKeyMaterial, None) => Err(INCORRECT_KEY_MATERIAL),
            // What waits for its rotation is still new.
            (ImportType::NewKeyMaterial, Some(version)) if !version.state.is_for_good() => {
                Ok(version.state)
            }
            (ImportType::NewKeyMaterial, Some(_)) => Err(INCORRECT_KEY_MATERIAL),
            // "You cannot directly import new key material into the replica Region keys."
            (ImportType::NewKeyMaterial, None) if self.is_replica(region) => Err(UNSUPPORTED),
            (ImportType::NewKeyMaterial, None) if is_first => Ok(MaterialState::Current),
            (ImportType::NewKeyMaterial, None) if self.key_spec != KeySpec::SymmetricDefault => {
                Err(INCORRECT_KEY_MATERIAL)
            }
            // One material at a time waits.
            (ImportType::NewKeyMaterial, None) if !self.all_for_good() => Err(INVALID_STATE),
            (ImportType::NewKeyMaterial, None) => {
                Ok(MaterialState::PendingMultiRegionImportAndRotation)
            }
        }
    }

    fn all_for_good(&self) -> bool {
        self.versions.iter().all(|version| version.state.is_for_good())
    }

    /// "When this key material is imported in to all of the replica Region keys, the key material state will change to
    /// PENDING_ROTATION." A key without replica keys waits for none, and none waits for a replica key that is gone.
    pub(super) fn settle_pending_rotation(&mut self) {
        let places = &self.places;
        for version in &mut self.versions {
            let is_here = |place: &Place| {
                place.imports.get(&version.material).is_some_and(|import| import.is_here)
            };
            if version.state == MaterialState::PendingMultiRegionImportAndRotation
                && places.values().all(is_here)
            {
                version.state = MaterialState::PendingRotation;
            }
        }
    }

    /// Imported material is gone from a Region: deleted, or expired.
    ///
    /// "When you delete the key material of a primary Region key that is in PENDING_ROTATION or
    /// PENDING_MULTI_REGION_IMPORT_AND_ROTATION state, you'll also be deleting the key materials for the replica Region keys. If
    /// you delete any key material of a replica Region key, the primary Region key and other replica Region keys remain
    /// unchanged."
    pub(super) fn lose(&mut self, region: Region, material: Material) {
        let waits = self
            .versions
            .iter()
            .any(|version| version.material == material && !version.state.is_for_good());
        if waits && !self.is_replica(region) {
            self.versions.retain(|version| version.material != material);
            for place in self.places.values_mut() {
                place.imports.remove(&material);
            }
            return;
        }
        if let Some(place) = self.places.get_mut(&region)
            && let Some(import) = place.imports.get_mut(&material)
        {
            (import.is_here, import.valid_to) = (false, None);
        }
        self.miss_material(region);
    }
}
