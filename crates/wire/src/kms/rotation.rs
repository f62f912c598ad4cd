//! Rotation: EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand,
//! ListKeyRotations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    enums::{ExpirationModel, ImportState, IncludeKeyMaterial, KeyMaterialState, RotationType},
    json::epoch,
    model::answer,
    names::{KeyArn, KeyId, KeyMaterialId},
    shape::{Shape, Visitor},
    values::OneOf,
};

/// The request of EnableKeyRotation.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct EnableKeyRotationRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The time between two rotations; a year if absent.
    pub rotation_period_in_days: Option<i64>,
}

impl Shape for EnableKeyRotationRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member(
            "RotationPeriodInDays",
            &self.rotation_period_in_days,
            &ROTATION_PERIOD_DAYS,
        );
    }
}

/// The request of DisableKeyRotation.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DisableKeyRotationRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
}

impl Shape for DisableKeyRotationRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
    }
}

/// The request of GetKeyRotationStatus.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyRotationStatusRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
}

impl Shape for GetKeyRotationStatusRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
    }
}

/// The answer of GetKeyRotationStatus.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyRotationStatusResponse {
    /// Whether the key is rotated from time to time.
    pub key_rotation_enabled: bool,
    /// The key.
    pub key_id: KeyArn,
    /// The time between two rotations; only while they are enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<u16>,
    /// When the next one is due; only while they are enabled.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub next_rotation_date: Option<Timestamp>,
    /// When a rotation on demand began that has not ended yet.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub on_demand_rotation_start_date: Option<Timestamp>,
}
answer!(
    GetKeyRotationStatusResponse: "KeyRotationEnabled", "KeyId", "RotationPeriodInDays",
    "NextRotationDate", "OnDemandRotationStartDate"
);

/// The request of RotateKeyOnDemand.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct RotateKeyOnDemandRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
}

impl Shape for RotateKeyOnDemandRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
    }
}

/// The answer of RotateKeyOnDemand.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotateKeyOnDemandResponse {
    /// The key.
    pub key_id: KeyArn,
}
answer!(RotateKeyOnDemandResponse: "KeyId");

/// The request of ListKeyRotations.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotationsRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// Which versions of the material to tell; those of completed rotations if absent.
    pub include_key_material: Option<OneOf<IncludeKeyMaterial>>,
    /// The most versions to be told at once.
    pub limit: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
}

impl Shape for ListKeyRotationsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("IncludeKeyMaterial", &self.include_key_material, &INCLUDE_KEY_MATERIAL);
        visitor.member("Limit", &self.limit, &LIMIT);
        visitor.member("Marker", &self.marker, &MARKER);
    }
}

/// The answer of ListKeyRotations.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotationsResponse {
    /// The versions of this page.
    pub rotations: Vec<RotationsListEntry>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there are more.
    pub truncated: bool,
}
answer!(ListKeyRotationsResponse: "Rotations", "NextMarker", "Truncated");

/// A version of a key's material in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotationsListEntry {
    /// The key's id, not its ARN, as the examples of AWS's API reference have it.
    pub key_id: KeyId,
    /// The version.
    pub key_material_id: KeyMaterialId,
    /// The description that it was imported with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_description: Option<String>,
    /// Whether it is here; imported material only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_state: Option<ImportState>,
    /// What it is for.
    pub key_material_state: KeyMaterialState,
    /// Whether it expires; imported material only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_model: Option<ExpirationModel>,
    /// When it expires.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// When a rotation made it current; the first version has none.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub rotation_date: Option<Timestamp>,
    /// What made that rotation happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_type: Option<RotationType>,
}
answer!(
    RotationsListEntry: "KeyId", "KeyMaterialId", "KeyMaterialDescription", "ImportState",
    "KeyMaterialState", "ExpirationModel", "ValidTo", "RotationDate", "RotationType"
);

family! {
    EnableKeyRotationRequest = "EnableKeyRotation" -> ();
    DisableKeyRotationRequest = "DisableKeyRotation" -> ();
    GetKeyRotationStatusRequest = "GetKeyRotationStatus" -> GetKeyRotationStatusResponse;
    RotateKeyOnDemandRequest = "RotateKeyOnDemand" -> RotateKeyOnDemandResponse;
    ListKeyRotationsRequest = "ListKeyRotations" -> ListKeyRotationsResponse;
}
