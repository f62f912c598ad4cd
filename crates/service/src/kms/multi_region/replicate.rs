//! ReplicateKey.

use std::sync::Arc;

use custody::WrappedMaterial;
use store::{KeyPolicyRow, KeyRecord, KeyRow, MaterialRow, TagRow, Transaction};
use wire::enums::{KeyState, OriginType};
use wire::error_codes::ErrorCode;
use wire::kms::multi_region::{ReplicateKeyRequest, ReplicateKeyResponse};
use wire::names::Region;
use wire::shape::required;

use super::super::import::not_imported;
use super::super::keys::metadata;
use super::super::materials::{absent_row, other_regions, related_key, row};
use super::super::{DEFAULT, key_policies, tags};
use super::check_primary;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::events;
use crate::facts::{Facts, Lifecycle};
use crate::key_state::KeyStateRule;
use crate::operation::{Operation, Spec};
use crate::quotas::check_keys;
use crate::snapshot::{KeySnapshot, identity_of};
use crate::target::{Replica, Target};
use crate::trail::Done;

/// Makes the same key in another Region.
pub(crate) struct ReplicateKey;

impl Operation for ReplicateKey {
    type Request = ReplicateKeyRequest;
    type Target = Replica;
    type Response = ReplicateKeyResponse;
    const SPEC: Spec = Spec {
        name: "ReplicateKey",
        actions: &["kms:ReplicateKey", "kms:CreateKey"],
        key_state: KeyStateRule::Settled,
        records_answer: true,
        ..DEFAULT
    };

    fn check(request: &ReplicateKeyRequest) -> Result<(), ServiceError> {
        tags::check(request.tags.as_deref().unwrap_or_default())?;
        match &request.policy {
            Some(policy) => key_policies::check_size(policy),
            None => Ok(()),
        }
    }

    fn names(
        request: &ReplicateKeyRequest,
    ) -> Result<<Replica as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.key_id)?)
    }

    fn facts(request: &ReplicateKeyRequest) -> Facts<'_> {
        Facts {
            bypass_policy_lockout_safety_check: request
                .bypass_policy_lockout_safety_check
                .unwrap_or_default(),
            tags: request.tags.as_deref().unwrap_or_default(),
            lifecycle: Lifecycle {
                replica_region: request.replica_region.as_deref(),
                ..Lifecycle::default()
            },
            ..Facts::default()
        }
    }

    fn suits(_request: &ReplicateKeyRequest, target: &Replica) -> Result<(), ServiceError> {
        check_primary(&target.0.key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<Replica>,
        request: &ReplicateKeyRequest,
    ) -> Result<Done<ReplicateKeyResponse>, ServiceError> {
        let (host, now) = (context.host(), context.now());
        let primary = Arc::clone(&target.0.key);
        let region = replica_region(context, &primary, required(&request.replica_region)?)?;
        let (policy, named) = key_policies::accept(
            context,
            request.policy.as_deref(),
            request.bypass_policy_lockout_safety_check.unwrap_or_default(),
        )?;
        let replica = replica(context, &primary, request, region, policy).await?;
        let event_id = host.uuid()?;
        let keys_max = host.quotas.keys_max(replica.key.account, region);
        context
            .change_with_events(Vec::new(), move |transaction, events| {
                check_keys(transaction, &replica.key, keys_max)?;
                let record = Context::same_key(transaction, &primary)?;
                named.refuse_gone(transaction)?;
                let replica = join(transaction, record, replica)?;
                events.push(events::created(&replica, event_id, now));
                Ok(ReplicateKeyResponse {
                    replica_key_metadata: metadata(&replica),
                    replica_policy: replica.policy.document.clone(),
                    replica_tags: replica.tags.iter().map(tags::told).collect(),
                })
            })
            .await
    }
}

/// The Region of the replica, if a replica can be made there.
fn replica_region(
    context: &Context<'_>,
    primary: &KeySnapshot,
    text: &str,
) -> Result<Region, ServiceError> {
    let own = primary.key().region;
    let region: Region =
        text.parse().map_err(|_| ServiceError::internal("a malformed Region passed validation"))?;
    if region.partition() != own.partition() || !context.host().serves(region) {
        return Err(ServiceError::validation(format!(
            "Region {region} is not a Region that a replica of {} can be made in.",
            primary.arn_text()
        )));
    }
    if region == own || other_regions(primary.record()).contains(&region) {
        return Err(ServiceError::new(
            ErrorCode::AlreadyExistsException,
            "You can create only one replica of each primary key in each AWS Region.",
        ));
    }
    Ok(region)
}

/// The replica's rows: its own policy, tags and description, and the primary's material wrapped for its Region. Imported
/// material is known to it, and must be imported there too.
async fn replica(
    context: &Context<'_>,
    primary: &KeySnapshot,
    request: &ReplicateKeyRequest,
    region: Region,
    policy: String,
) -> Result<KeyRecord, ServiceError> {
    let (source, now) = (primary.record(), context.now());
    let key = KeyRow {
        region,
        sequence: 0,
        state: KeyState::Creating,
        description: request.description.clone().unwrap_or_default(),
        created: now,
        deletion_date: None,
        pending_window_days: None,
        ..source.key.clone()
    };
    let is_imported = key.origin == OriginType::External;
    let mut materials = Vec::with_capacity(source.materials.len());
    for material in &source.materials {
        materials.push(match is_imported {
            true => absent_row(material),
            false => rewrapped(context, &source.key, &key, material).await?,
        });
    }
    let tags = request.tags.as_deref().unwrap_or_default().iter().map(tags::row);
    Ok(KeyRecord {
        policy: KeyPolicyRow { document: policy },
        aliases: Vec::new(),
        tags: tags.collect::<Result<Vec<TagRow>, _>>()?,
        rotation: source.rotation.clone(),
        multi_region: source.multi_region.clone(),
        material_rotations: source.material_rotations.clone(),
        material_imports: match is_imported {
            true => materials.iter().map(|row| not_imported(row.key_material_id, now)).collect(),
            false => Vec::new(),
        },
        materials,
        key,
    })
}

async fn rewrapped(
    context: &Context<'_>,
    from: &KeyRow,
    to: &KeyRow,
    material: &MaterialRow,
) -> Result<MaterialRow, ServiceError> {
    let deployment_id = context.host().deployment_id;
    let id = material.key_material_id;
    let wrapped = WrappedMaterial {
        domain_key_version: material.domain_key_version,
        bytes: material.wrapped.clone(),
    };
    let (from, to) = (identity_of(deployment_id, from, id), identity_of(deployment_id, to, id));
    let rewrapped = context.custodian().rewrap(&from, &wrapped, &to).await?;
    Ok(row(id, rewrapped, material.created, material.state))
}

/// Saves the replica, and tells the primary and the other replicas of it.
fn join(
    transaction: &mut Transaction<'_>,
    mut primary: KeyRecord,
    mut replica: KeyRecord,
) -> Result<KeyRecord, ServiceError> {
    let mut others = other_regions(&primary)
        .into_iter()
        .map(|region| related_key(transaction, &primary, region))
        .collect::<Result<Vec<_>, _>>()?;
    let region = replica.key.region;
    for related in others.iter_mut().chain([&mut primary, &mut replica]) {
        if let Some(row) = &mut related.multi_region {
            row.replica_regions.push(region);
            row.replica_regions.sort_unstable();
        }
        wait_for_replica(related);
        transaction.save_key(related)?;
    }
    Ok(replica)
}

/// Imported material that waited for its rotation waits for the new replica too.
fn wait_for_replica(record: &mut KeyRecord) {
    use wire::enums::KeyMaterialState::{PendingMultiRegionImportAndRotation, PendingRotation};
    if record.key.origin != OriginType::External {
        return;
    }
    for row in record.materials.iter_mut().filter(|row| row.state == PendingRotation) {
        row.state = PendingMultiRegionImportAndRotation;
    }
}
