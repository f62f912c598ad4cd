//! AWS managed keys: one for each service in an account and Region, made when it is first needed (reference 4.1).
//!
//! Nobody can do with them what their policies do not say, and these say nothing of managing: so authorization alone
//! refuses whoever would manage one or use one without its service.

mod templates;

use std::sync::Arc;

use jiff::Timestamp;
use store::{AliasRow, KeyPolicyRow, KeyRecord, KeyRow, RotationRow};
use wire::enums::{KeyManager, KeySpec, KeyState, KeyUsage, OriginType};
use wire::names::{AliasArn, KeyId};

pub(crate) use self::templates::Template;
use crate::error::ServiceError;
use crate::events;
use crate::host::Host;
use crate::jobs;
use crate::kms::fresh_for_all;
use crate::kms::rotation::{ROTATION_PERIOD_DAYS_DEFAULT, period};
use crate::snapshot::KeySnapshot;
use crate::target::Lookup;

/// The key that an alias of AWS's stands for once somebody uses it, if this call may make it: DescribeKey, for the
/// aliases that ListAliases shows ("DescribeKey"), or a call through a service whose key it is.
///
/// The key is not made yet. Whoever may not use it is refused as if it were, and nothing is made.
pub(crate) fn unmade(
    lookup: &Lookup<'_>,
    alias: &AliasArn,
) -> Result<Option<Arc<KeySnapshot>>, ServiceError> {
    let call = lookup.call;
    let of_operator;
    let template = match (Template::find(&alias.alias), call.caller.via_service()) {
        (Some(template), Some(service)) if template.is_used_by(&service.name) => template,
        (Some(template), None) if template.is_predefined() && lookup.spec.name == "DescribeKey" => {
            template
        }
        (None, Some(service)) if alias.alias.as_str() == format!("alias/aws/{}", service.name) => {
            of_operator = Template::of_service(&service.name).map_err(ServiceError::internal)?;
            &of_operator
        }
        (None | Some(_), None | Some(_)) => return Ok(None),
    };
    let key_id = KeyId::from_uuid_bytes(*lookup.host.uuid()?.as_bytes());
    let record = record(template, alias, key_id, call.now);
    Ok(Some(Arc::new(KeySnapshot::new(lookup.host.deployment_id, record)?)))
}

fn record(template: &Template, alias: &AliasArn, key_id: KeyId, now: Timestamp) -> KeyRecord {
    let AliasArn { region, account, ref alias } = *alias;
    KeyRecord {
        key: KeyRow {
            account,
            region,
            key_id,
            sequence: 0,
            key_spec: KeySpec::SymmetricDefault,
            key_usage: KeyUsage::EncryptDecrypt,
            origin: OriginType::AwsKms,
            key_manager: KeyManager::Aws,
            multi_region: false,
            state: KeyState::Enabled,
            description: template.description(),
            created: now,
            deletion_date: None,
            pending_window_days: None,
            current_key_material_id: None,
        },
        materials: Vec::new(),
        policy: KeyPolicyRow { document: template.policy(account, region) },
        aliases: vec![AliasRow { alias: alias.clone(), key_id, created: now, updated: now }],
        tags: Vec::new(),
        rotation: Some(RotationRow {
            rotation_period_days: ROTATION_PERIOD_DAYS_DEFAULT,
            enabled: now,
            next_rotation: now + period(ROTATION_PERIOD_DAYS_DEFAULT),
        }),
        multi_region: None,
        material_rotations: Vec::new(),
        material_imports: Vec::new(),
    }
}

/// The alias by which a key is told that is not made yet: its id will never be seen if the call is refused.
pub(crate) fn alias_of_unmade(key: &KeySnapshot) -> Option<AliasArn> {
    let row = key.key();
    let alias = key.record().aliases.first().filter(|_| row.sequence == 0)?;
    Some(AliasArn { region: row.region, account: row.account, alias: alias.alias.clone() })
}

/// Makes a key with its alias and its event, unless another call has done so meanwhile.
pub(crate) async fn make(host: &Host, unmade: &KeySnapshot) -> Result<(), ServiceError> {
    let mut record = unmade.record().clone();
    let KeyRow { account, region, created, .. } = record.key;
    let fresh = fresh_for_all(host, &record, created).await?;
    record.materials = fresh.into_iter().map(|(_, row)| row).collect();
    record.key.current_key_material_id = record.materials.first().map(|row| row.key_material_id);
    let event_id = host.uuid()?;
    let made = jobs::change(host, move |transaction, events| {
        for row in &record.aliases {
            if transaction.alias(account, region, &row.alias)?.is_some() {
                return Ok(None);
            }
        }
        transaction.save_key(&record)?;
        events.push(events::created(&record, event_id, created));
        Ok(Some(record.key.key_id))
    })
    .await?;
    if let Some(key_id) = made {
        tracing::info!(%region, %key_id, "an AWS managed key was made");
    }
    Ok(())
}
