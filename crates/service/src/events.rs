//! Events of the service itself: what CloudTrail tells without anybody having called (reference 2.18, "Service events").

use audit::{Beginning, EventType, Record, Resource, UserIdentity};
use jiff::Timestamp;
use serde_json::{Map, Value};
use store::KeyRecord;
use uuid::Uuid;
use wire::enums::{OriginType, RotationType};
use wire::names::{AccountId, KeyArn, KeyId, KeyMaterialId, Region};

use crate::error::ServiceError;
use crate::host::Host;
use crate::identities::Identity;
use crate::kms::other_regions;
use crate::owned_keys;
use crate::services::SYSTEM_ACCOUNT;
use crate::snapshot::arn_of;

/// What is told of a rotation beside the key.
#[derive(Clone, Copy)]
pub(crate) struct Rotation {
    /// The material that encrypted before.
    pub(crate) former: Option<KeyMaterialId>,
    /// What made it happen.
    pub(crate) rotation_type: RotationType,
}

/// Ids for so many events.
pub(crate) fn ids(host: &Host, count: usize) -> Result<Vec<Uuid>, ServiceError> {
    (0..count).map(|_| host.uuid()).collect()
}

/// `DeleteKey`: a key was destroyed on its date.
pub(crate) fn deleted(record: &KeyRecord, event_id: Uuid, now: Timestamp) -> Vec<u8> {
    event("DeleteKey", record, record.key.region, Map::new(), event_id, now)
}

/// `DeleteExpiredKeyMaterial`: imported material was destroyed on its date.
pub(crate) fn material_expired(
    record: &KeyRecord,
    key_material_id: KeyMaterialId,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let mut details = Map::new();
    details.insert("keyMaterialId".to_owned(), key_material_id.to_string().into());
    event("DeleteExpiredKeyMaterial", record, record.key.region, details, event_id, now)
}

/// `RotateKey` for the key and `SynchronizeMultiRegionKey` for each related key; one id for each.
pub(crate) fn rotated(
    record: &KeyRecord,
    rotation: Rotation,
    event_ids: &[Uuid],
    now: Timestamp,
) -> Vec<Vec<u8>> {
    let current = record.key.current_key_material_id;
    let mut details = rotation_details(rotation.former, current, rotation.rotation_type);
    details.insert("keyOrigin".to_owned(), record.key.origin.as_str().into());
    let (first, others) =
        event_ids.split_first().map_or((Uuid::nil(), &[][..]), |(id, rest)| (*id, rest));
    let own = event("RotateKey", record, record.key.region, details, first, now);
    std::iter::once(own).chain(synchronized(record, others, now)).collect()
}

/// `RotateKey` of an AWS owned key, told to the system account alone.
pub(crate) fn owned_key_rotated(
    (region, key_id): (Region, KeyId),
    (former, current): (KeyMaterialId, KeyMaterialId),
    rotation_type: RotationType,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let mut details = rotation_details(Some(former), Some(current), rotation_type);
    details.insert("keyOrigin".to_owned(), OriginType::AwsKms.as_str().into());
    details.insert("keyId".to_owned(), key_id.to_string().into());
    let arn = KeyArn { region, account: *SYSTEM_ACCOUNT, key_id };
    event_of("RotateKey", About::key(&arn), details, event_id, now)
}

/// `DeleteJournalSegments`: the oldest segments of the journal were deleted, told to the system account alone.
pub(crate) fn journal_segments_deleted(
    beginning: &Beginning,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let mut details = Map::new();
    details.insert("lastDeletedRecord".to_owned(), beginning.sequence.into());
    details.insert("deletedRecords".to_owned(), beginning.records.into());
    let event = ServiceEvent {
        source: "cloudtrail.amazonaws.com",
        name: "DeleteJournalSegments",
        account_id: &SYSTEM_ACCOUNT.to_string(),
        region: *owned_keys::HOME_REGION,
        resources: &[],
    };
    event.write(&Value::Object(details), event_id, now)
}

fn rotation_details(
    former: Option<KeyMaterialId>,
    current: Option<KeyMaterialId>,
    rotation_type: RotationType,
) -> Map<String, Value> {
    let mut details = Map::new();
    for (name, id) in [("previousKeyMaterialId", former), ("currentKeyMaterialId", current)] {
        if let Some(id) = id {
            details.insert(name.to_owned(), id.to_string().into());
        }
    }
    details.insert("rotationType".to_owned(), rotation_type.as_str().into());
    details
}

/// `SynchronizeMultiRegionKey` for each related key; one id for each.
pub(crate) fn synchronized(record: &KeyRecord, event_ids: &[Uuid], now: Timestamp) -> Vec<Vec<u8>> {
    other_regions(record)
        .into_iter()
        .zip(event_ids)
        .map(|(region, id)| {
            event("SynchronizeMultiRegionKey", record, region, Map::new(), *id, now)
        })
        .collect()
}

/// `CreateKey` for a key that nobody made by CreateKey: a replica, in its Region, or an AWS managed key.
pub(crate) fn created(record: &KeyRecord, event_id: Uuid, now: Timestamp) -> Vec<u8> {
    event("CreateKey", record, record.key.region, Map::new(), event_id, now)
}

fn event(
    event_name: &str,
    record: &KeyRecord,
    region: Region,
    mut details: Map<String, Value>,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let arn = KeyArn { region, ..arn_of(&record.key) };
    details.insert("keyId".to_owned(), record.key.key_id.to_string().into());
    event_of(event_name, About::key(&arn), details, event_id, now)
}

/// `CreateServiceLinkedRole` for a role that came with what needs it, told in the Region where that was made.
pub(crate) fn linked_role_created(role: &Identity, region: Region, event_id: Uuid) -> Vec<u8> {
    let row = role.row();
    let mut details = Map::new();
    details.insert("roleName".to_owned(), row.name.clone().into());
    details.insert("roleId".to_owned(), row.identity_id.clone().into());
    let about = About {
        event_source: "iam.amazonaws.com",
        account: row.account,
        region,
        resource_type: "AWS::IAM::Role",
        arn: role.arn(region.partition()),
    };
    event_of("CreateServiceLinkedRole", about, details, event_id, row.created)
}

/// What an event is about.
struct About {
    event_source: &'static str,
    account: AccountId,
    region: Region,
    resource_type: &'static str,
    arn: String,
}

impl About {
    fn key(arn: &KeyArn) -> About {
        About {
            event_source: "kms.amazonaws.com",
            account: arn.account,
            region: arn.region,
            resource_type: "AWS::KMS::Key",
            arn: arn.to_string(),
        }
    }
}

fn event_of(
    event_name: &str,
    about: About,
    details: Map<String, Value>,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let About { event_source, account, region, resource_type, arn } = about;
    let account_id = account.to_string();
    let resources = [Resource { account_id: &account_id, resource_type, arn: &arn }];
    let event = ServiceEvent {
        source: event_source,
        name: event_name,
        account_id: &account_id,
        region,
        resources: &resources,
    };
    event.write(&Value::Object(details), event_id, now)
}

/// What a service did, and to whom it is told.
pub(crate) struct ServiceEvent<'a> {
    /// The service, as `eventSource` names it.
    pub(crate) source: &'a str,
    /// What it did.
    pub(crate) name: &'a str,
    /// To whom it is told.
    pub(crate) account_id: &'a str,
    /// Where it was done.
    pub(crate) region: Region,
    /// What it was done to.
    pub(crate) resources: &'a [Resource<'a>],
}

impl ServiceEvent<'_> {
    /// The record, with what else is told of it.
    pub(crate) fn write(&self, details: &Value, event_id: Uuid, now: Timestamp) -> Vec<u8> {
        let details = details.to_string();
        let event_id = event_id.to_string();
        let mut out = Vec::new();
        Record {
            invoked_by: None,
            user_identity: UserIdentity::AwsInternal { account_id: self.account_id },
            event_time: now,
            event_source: self.source,
            event_name: self.name,
            aws_region: self.region.as_str(),
            source_ip_address: "AWS Internal",
            user_agent: b"AWS Internal",
            failure: None,
            request_parameters: None,
            response_elements: None,
            additional_event_data: None,
            request_id: None,
            event_id: &event_id,
            read_only: false,
            resources: self.resources,
            event_type: EventType::AwsServiceEvent,
            recipient_account_id: Some(self.account_id),
            shared_event_id: None,
            tls_details: None,
            service_event_details: Some(details.as_bytes()),
        }
        .write(&mut out);
        out
    }
}
