//! The last use of a key: GetKeyLastUsage.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    enums::KeyLastUsageOperation,
    json::epoch,
    kms::{family, rules::*},
    model::answer,
    names::KeyArn,
    shape::{Shape, Visitor},
};

/// The request of GetKeyLastUsage.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyLastUsageRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
}

impl Shape for GetKeyLastUsageRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
    }
}

/// The answer of GetKeyLastUsage.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyLastUsageResponse {
    /// The key.
    pub key_id: KeyArn,
    /// Its last use; there even for a key that was never used, as an empty object.
    pub key_last_usage: KeyLastUsageData,
    /// Since when uses of the key are known.
    #[serde(with = "epoch")]
    pub tracking_start_date: Timestamp,
    /// When the key was created.
    #[serde(with = "epoch")]
    pub key_creation_date: Timestamp,
}
answer!(
    GetKeyLastUsageResponse: "KeyId", "KeyLastUsage", "TrackingStartDate", "KeyCreationDate"
);

/// The last use of a key: all of its members, or none when no use is known.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyLastUsageData {
    /// The operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<KeyLastUsageOperation>,
    /// When it was called.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The event id of its record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_trail_event_id: Option<String>,
    /// The request id of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
}
answer!(
    KeyLastUsageData: "Operation", "Timestamp", "CloudTrailEventId", "KmsRequestId"
);

family! {
    GetKeyLastUsageRequest = "GetKeyLastUsage" -> GetKeyLastUsageResponse;
}
