//! What AWS tells of a key: `KeyMetadata` of the API reference.

use store::{KeyRecord, KeyRow, MultiRegionRow};
use wire::enums::{
    EncapsulationAlgorithmSpec, EncryptionAlgorithmSpec, ExpirationModel, ImportState,
    KeyAgreementAlgorithmSpec, KeyMaterialState, KeyState, KeyUsage, MacAlgorithmSpec,
    MultiRegionKeyType, SigningAlgorithmSpec,
};
use wire::kms::keys::{KeyMetadata, MultiRegionConfiguration, MultiRegionKey};
use wire::names::KeyArn;

use crate::snapshot::{arn_of, told_key_material_id};

/// The algorithms of a key: those of its spec that belong to its usage.
pub(crate) struct Algorithms {
    pub(crate) encryption: Vec<EncryptionAlgorithmSpec>,
    pub(crate) signing: Vec<SigningAlgorithmSpec>,
    pub(crate) mac: Vec<MacAlgorithmSpec>,
    pub(crate) key_agreement: Vec<KeyAgreementAlgorithmSpec>,
    pub(crate) encapsulation: Vec<EncapsulationAlgorithmSpec>,
}

impl Algorithms {
    pub(crate) fn of(key: &KeyRow) -> Algorithms {
        let row = crypto::key_specs::row(key.key_spec);
        let usage = key.key_usage;
        Algorithms {
            encryption: if_usage(usage, KeyUsage::EncryptDecrypt, row.encryption_algorithms),
            signing: if_usage(usage, KeyUsage::SignVerify, row.signing_algorithms),
            mac: if_usage(usage, KeyUsage::GenerateVerifyMac, row.mac_algorithms),
            key_agreement: if_usage(usage, KeyUsage::KeyAgreement, row.key_agreement_algorithms),
            encapsulation: if_usage(
                usage,
                KeyUsage::EncapsulateDecapsulate,
                row.encapsulation_algorithms,
            ),
        }
    }
}

fn if_usage<A: Copy>(usage: KeyUsage, wanted: KeyUsage, algorithms: &[A]) -> Vec<A> {
    if usage == wanted { algorithms.to_vec() } else { Vec::new() }
}

/// All that is told of a key.
pub(crate) fn metadata(record: &KeyRecord) -> KeyMetadata {
    let key = &record.key;
    let algorithms = Algorithms::of(key);
    let (expiration_model, valid_to) = expiration(record);
    let waits_for_replicas = key.state == KeyState::PendingReplicaDeletion;
    KeyMetadata {
        aws_account_id: key.account,
        key_id: key.key_id,
        arn: arn_of(key),
        creation_date: key.created,
        enabled: matches!(key.state, KeyState::Enabled | KeyState::Updating),
        description: key.description.clone(),
        key_usage: key.key_usage,
        key_state: key.state,
        deletion_date: key.deletion_date,
        valid_to,
        origin: key.origin,
        custom_key_store_id: None,
        cloud_hsm_cluster_id: None,
        expiration_model,
        key_manager: key.key_manager,
        customer_master_key_spec: key.key_spec.customer_master_key_spec(),
        key_spec: key.key_spec,
        encryption_algorithms: algorithms.encryption,
        signing_algorithms: algorithms.signing,
        key_agreement_algorithms: algorithms.key_agreement,
        encapsulation_algorithms: algorithms.encapsulation,
        multi_region: key.multi_region,
        multi_region_configuration: record
            .multi_region
            .as_ref()
            .map(|related| configuration(key, related)),
        pending_deletion_window_in_days: key.pending_window_days.filter(|_| waits_for_replicas),
        mac_algorithms: algorithms.mac,
        xks_key_configuration: None,
        current_key_material_id: told_key_material_id(key),
    }
}

/// The earliest expiry of the material that belongs to the key for good, and whether there is one; nothing for a key without
/// imported material.
fn expiration(record: &KeyRecord) -> (Option<ExpirationModel>, Option<jiff::Timestamp>) {
    let belongs = |id| {
        record.materials.iter().any(|row| {
            row.key_material_id == id
                && matches!(row.state, KeyMaterialState::Current | KeyMaterialState::NonCurrent)
        })
    };
    let imported = || {
        record
            .material_imports
            .iter()
            .filter(|row| row.import_state == ImportState::Imported && belongs(row.key_material_id))
    };
    match imported().filter_map(|row| row.valid_to).min() {
        Some(valid_to) => (Some(ExpirationModel::KeyMaterialExpires), Some(valid_to)),
        None => (imported().next().map(|_| ExpirationModel::KeyMaterialDoesNotExpire), None),
    }
}

/// When the first of the material expires that was imported into a key.
pub(crate) fn earliest_expiry(record: &KeyRecord) -> Option<jiff::Timestamp> {
    expiration(record).1
}

fn configuration(key: &KeyRow, related: &MultiRegionRow) -> MultiRegionConfiguration {
    let related_key = |region| MultiRegionKey {
        arn: KeyArn { region, account: key.account, key_id: key.key_id },
        region,
    };
    MultiRegionConfiguration {
        multi_region_key_type: match related.primary_region == key.region {
            true => MultiRegionKeyType::Primary,
            false => MultiRegionKeyType::Replica,
        },
        primary_key: related_key(related.primary_region),
        replica_keys: related.replica_regions.iter().copied().map(related_key).collect(),
    }
}
