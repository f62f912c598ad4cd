//! What the service does by itself: destroying keys on their date, and clearing the outbox.

use std::sync::Arc;
use std::time::Duration;

use audit::{EventType, Record, UserIdentity};
use jiff::Timestamp;
use uuid::Uuid;
use wire::names::{KeyId, Region};

use crate::error::ServiceError;
use crate::host::Host;
use crate::snapshot::arn_of;
use crate::trail::Committed;

/// How often the jobs look for work.
const JOB_INTERVAL: Duration = Duration::from_secs(1);
/// Keys destroyed in one look; the next look takes the rest.
const KEYS_DELETED_AT_ONCE_MAX: u32 = 100;

/// Runs the jobs until the task is aborted.
pub(crate) async fn run(host: Arc<Host>) {
    loop {
        tokio::time::sleep(JOB_INTERVAL).await;
        if let Err(error) = delete_due_keys(&host).await {
            tracing::error!(%error, "the deletion job failed; it will be tried again");
        }
        if let Err(error) = host.outbox.clear(&host.store, &host.journal).await {
            tracing::error!(%error, "the outbox could not be cleared; it will be tried again");
        }
    }
}

/// Destroys the keys whose date has come, each with its record, and returns how many those were.
pub(crate) async fn delete_due_keys(host: &Host) -> Result<usize, ServiceError> {
    let now = host.clock.now();
    let due =
        host.store.read(move |snapshot| snapshot.keys_due(now, KEYS_DELETED_AT_ONCE_MAX)).await?;
    let mut deleted_count = 0;
    for (region, key_id) in due {
        match delete(host, region, key_id, now).await {
            Ok(deleted) => deleted_count += usize::from(deleted),
            // One key that cannot be destroyed, for instance a tampered one, must not keep the others.
            Err(error) => tracing::error!(%error, %region, %key_id, "a key could not be deleted"),
        }
    }
    Ok(deleted_count)
}

async fn delete(
    host: &Host,
    region: Region,
    key_id: KeyId,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let event_id = host.uuid()?;
    let deleted = host
        .store
        .write(move |transaction| {
            let Some(record) = transaction.key(region, key_id)? else { return Ok(None) };
            // Whoever cancelled the deletion since the look was first.
            if record.key.deletion_date.is_none_or(|date| date > now) {
                return Ok(None);
            }
            transaction.delete_key(region, key_id)?;
            let event = deletion_event(&record, event_id, now);
            let outbox = transaction.append_record(&event)?;
            Ok::<_, ServiceError>(Some((record, Committed { outbox, record: event })))
        })
        .await?;
    let Some((record, committed)) = deleted else { return Ok(false) };
    let snapshot = crate::snapshot::KeySnapshot::new(host.deployment_id, record)?;
    for material in snapshot.materials() {
        host.custodian.forget(&material.identity);
    }
    host.outbox.hand_over(&host.journal, &committed).await?;
    tracing::info!(%region, %key_id, "a key was deleted on its date");
    Ok(true)
}

/// CloudTrail's `DeleteKey`, an event of the service itself (KMS developer guide, "DeleteKey").
fn deletion_event(record: &store::KeyRecord, event_id: Uuid, now: Timestamp) -> Vec<u8> {
    let account_id = record.key.account.to_string();
    let arn = arn_of(&record.key).to_string();
    let details = format!("{{\"keyId\":\"{}\"}}", record.key.key_id);
    let event_id = event_id.to_string();
    let resources =
        [audit::Resource { account_id: &account_id, resource_type: "AWS::KMS::Key", arn: &arn }];
    let mut out = Vec::new();
    Record {
        user_identity: UserIdentity::AwsInternal { account_id: &account_id },
        event_time: now,
        event_source: "kms.amazonaws.com",
        event_name: "DeleteKey",
        aws_region: record.key.region.as_str(),
        source_ip_address: "AWS Internal",
        user_agent: b"AWS Internal",
        failure: None,
        request_parameters: None,
        response_elements: None,
        additional_event_data: None,
        request_id: None,
        event_id: &event_id,
        read_only: false,
        resources: &resources,
        event_type: EventType::AwsServiceEvent,
        recipient_account_id: Some(&account_id),
        shared_event_id: None,
        tls_details: None,
        service_event_details: Some(details.as_bytes()),
    }
    .write(&mut out);
    out
}
