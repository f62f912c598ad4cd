//! A key as requests see it: its rows verified, its policy compiled, its material still wrapped.

use std::sync::Arc;

use custody::{DeploymentId, MaterialIdentity, WrappedMaterial};
use policy::Document;
use store::{KeyRecord, KeyRow};
use wire::enums::{KeySpec, KeyState, MultiRegionKeyType};
use wire::names::{AccountId, KeyArn, KeyId, KeyMaterialId};

use crate::coherent_cache::Weigh;
use crate::error::ServiceError;

/// One key at one moment. Immutable: a change makes a new one.
pub(crate) struct KeySnapshot {
    record: KeyRecord,
    arn: KeyArn,
    arn_text: Box<str>,
    policy: Document,
    materials: Vec<Material>,
}

/// One version of the key's material.
pub(crate) struct Material {
    /// What the material belongs to; bound into its wrapping.
    pub(crate) identity: MaterialIdentity,
    /// The material as the store holds it.
    pub(crate) wrapped: WrappedMaterial,
}

impl KeySnapshot {
    /// Compiles what the store verified. An unreadable policy is a fault of the store's contents, since only valid
    /// ones are ever saved.
    pub(crate) fn new(
        deployment_id: DeploymentId,
        record: KeyRecord,
    ) -> Result<KeySnapshot, ServiceError> {
        let key = &record.key;
        let arn = arn_of(key);
        let policy = Document::parse(&record.policy.document).map_err(|error| {
            ServiceError::internal(format!("the stored policy of {arn} cannot be read: {error}"))
        })?;
        let materials = record
            .materials
            .iter()
            // Imported material that was deleted or has expired is known and not here.
            .filter(|row| !row.wrapped.is_empty())
            .map(|row| Material {
                identity: identity_of(deployment_id, key, row.key_material_id),
                wrapped: WrappedMaterial {
                    domain_key_version: row.domain_key_version,
                    bytes: row.wrapped.clone(),
                },
            })
            .collect();
        Ok(KeySnapshot {
            arn,
            arn_text: arn.to_string().into_boxed_str(),
            policy,
            materials,
            record,
        })
    }

    /// All rows of the key.
    pub(crate) fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// The key's own row.
    pub(crate) fn key(&self) -> &KeyRow {
        &self.record.key
    }

    /// The id of the key.
    pub(crate) fn key_id(&self) -> KeyId {
        self.record.key.key_id
    }

    /// The account that owns the key.
    pub(crate) fn account(&self) -> AccountId {
        self.record.key.account
    }

    /// The state of the key.
    pub(crate) fn state(&self) -> KeyState {
        self.record.key.state
    }

    /// The key ARN.
    pub(crate) fn arn(&self) -> KeyArn {
        self.arn
    }

    /// The key ARN as text, which every record and most sentences name.
    pub(crate) fn arn_text(&self) -> &str {
        &self.arn_text
    }

    /// All versions of the material.
    pub(crate) fn materials(&self) -> &[Material] {
        &self.materials
    }

    /// The owner's twelve digits.
    pub(crate) fn account_text(&self) -> &str {
        self.record.key.account.as_str()
    }

    /// Whether it is the primary or a replica of multi-Region keys, if it is one of them.
    pub(crate) fn multi_region_key_type(&self) -> Option<MultiRegionKeyType> {
        let related = self.record.multi_region.as_ref()?;
        Some(match related.primary_region == self.record.key.region {
            true => MultiRegionKeyType::Primary,
            false => MultiRegionKeyType::Replica,
        })
    }

    /// The id of the material that encrypts, where AWS tells it: of symmetric encryption keys alone.
    pub(crate) fn told_key_material_id(&self) -> Option<KeyMaterialId> {
        told_key_material_id(&self.record.key)
    }

    /// The compiled key policy.
    pub(crate) fn policy(&self) -> &Document {
        &self.policy
    }

    /// The material that encrypts.
    pub(crate) fn current_material(&self) -> Result<&Material, ServiceError> {
        self.record.key.current_key_material_id.and_then(|id| self.material(id)).ok_or_else(|| {
            ServiceError::internal(format!("{} has no current key material", self.arn))
        })
    }

    /// The material with that id, current or former.
    pub(crate) fn material(&self, id: KeyMaterialId) -> Option<&Material> {
        self.materials.iter().find(|material| material.identity.key_material_id == id)
    }
}

/// What a version of a key's material is bound to.
pub(crate) fn identity_of(
    deployment_id: DeploymentId,
    key: &KeyRow,
    key_material_id: KeyMaterialId,
) -> MaterialIdentity {
    MaterialIdentity {
        deployment_id,
        partition: key.region.partition(),
        account: key.account,
        region: key.region,
        key_id: key.key_id,
        key_material_id,
        key_spec: key.key_spec,
        key_usage: key.key_usage,
        origin: key.origin,
    }
}

/// See [`KeySnapshot::told_key_material_id`].
pub(crate) fn told_key_material_id(key: &KeyRow) -> Option<KeyMaterialId> {
    key.current_key_material_id.filter(|_| key.key_spec == KeySpec::SymmetricDefault)
}

/// The ARN of a key from its row.
pub(crate) fn arn_of(key: &KeyRow) -> KeyArn {
    KeyArn { region: key.region, account: key.account, key_id: key.key_id }
}

impl Weigh for Arc<KeySnapshot> {
    fn weight_bytes(&self) -> u64 {
        let record = &self.record;
        let materials: usize = self
            .materials
            .iter()
            .map(|material| size_of::<Material>() + 2 * material.wrapped.bytes.len())
            .sum();
        let aliases: usize =
            record.aliases.iter().map(|row| size_of_val(row) + row.alias.as_str().len()).sum();
        let tags: usize = record
            .tags
            .iter()
            .map(|row| size_of_val(row) + row.tag_key.len() + row.tag_value.len())
            .sum();
        let bytes = size_of::<KeySnapshot>()
            + self.arn_text.len()
            + record.key.description.len()
            + record.policy.document.len()
            + self.policy.weight_bytes()
            + materials
            + aliases
            + tags
            + size_of_val(record.material_rotations.as_slice())
            + record
                .material_imports
                .iter()
                .map(|row| size_of_val(row) + row.description.len())
                .sum::<usize>();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
