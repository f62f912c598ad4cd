//! Aliases: CreateAlias, UpdateAlias, DeleteAlias, ListAliases.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    json::epoch,
    model::answer,
    names::{AliasArn, AliasName, KeyId},
    shape::{Shape, Visitor},
};

/// The request of CreateAlias.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAliasRequest {
    /// The name to give, with its prefix `alias/`.
    pub alias_name: Option<String>,
    /// The id or ARN of the key that is to bear it.
    pub target_key_id: Option<String>,
}

impl Shape for CreateAliasRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AliasName", &self.alias_name, &REQUIRED_ALIAS_NAME);
        visitor.member("TargetKeyId", &self.target_key_id, &REQUIRED_KEY_ID);
    }
}

/// The request of UpdateAlias.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAliasRequest {
    /// The name of an existing alias.
    pub alias_name: Option<String>,
    /// The id or ARN of the key that is to bear it from now on.
    pub target_key_id: Option<String>,
}

impl Shape for UpdateAliasRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AliasName", &self.alias_name, &REQUIRED_ALIAS_NAME);
        visitor.member("TargetKeyId", &self.target_key_id, &REQUIRED_KEY_ID);
    }
}

/// The request of DeleteAlias.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteAliasRequest {
    /// The name of an existing alias.
    pub alias_name: Option<String>,
}

impl Shape for DeleteAliasRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AliasName", &self.alias_name, &REQUIRED_ALIAS_NAME);
    }
}

/// The request of ListAliases.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliasesRequest {
    /// The id or ARN of a key, to be told its aliases only.
    pub key_id: Option<String>,
    /// The most aliases to be told at once.
    pub limit: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
}

impl Shape for ListAliasesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &KEY_ID);
        visitor.member("Limit", &self.limit, &LIMIT);
        visitor.member("Marker", &self.marker, &MARKER);
    }
}

/// The answer of ListAliases.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliasesResponse {
    /// The aliases of this page.
    pub aliases: Vec<AliasListEntry>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there are more.
    pub truncated: bool,
}
answer!(ListAliasesResponse: "Aliases", "NextMarker", "Truncated");

/// An alias in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AliasListEntry {
    /// Its name.
    pub alias_name: AliasName,
    /// Its ARN.
    pub alias_arn: AliasArn,
    /// The key that bears it; a predefined alias may have none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_key_id: Option<KeyId>,
    /// When it was made.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<Timestamp>,
    /// When it was last given to a key.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub last_updated_date: Option<Timestamp>,
}
answer!(AliasListEntry: "AliasName", "AliasArn", "TargetKeyId", "CreationDate", "LastUpdatedDate");

family! {
    CreateAliasRequest = "CreateAlias" -> ();
    UpdateAliasRequest = "UpdateAlias" -> ();
    DeleteAliasRequest = "DeleteAlias" -> ();
    ListAliasesRequest = "ListAliases" -> ListAliasesResponse;
}
