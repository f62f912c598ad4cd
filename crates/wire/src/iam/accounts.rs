//! The account: CreateAccountAlias, DeleteAccountAlias, ListAccountAliases, GetAccountSummary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{enums::SummaryKey, rules::*};
use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
};

/// The request of CreateAccountAlias.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAccountAliasRequest {
    /// The alias.
    pub account_alias: Option<String>,
}

impl Shape for CreateAccountAliasRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AccountAlias", &self.account_alias, &REQUIRED_ACCOUNT_ALIAS);
    }
}

/// The request of DeleteAccountAlias.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteAccountAliasRequest {
    /// The alias.
    pub account_alias: Option<String>,
}

impl Shape for DeleteAccountAliasRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AccountAlias", &self.account_alias, &REQUIRED_ACCOUNT_ALIAS);
    }
}

/// The request of ListAccountAliases.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountAliasesRequest {
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListAccountAliasesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListAccountAliases.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountAliasesResponse {
    /// The alias of the account, if it has one.
    pub account_aliases: Vec<String>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListAccountAliasesResponse: "AccountAliases", "IsTruncated", "Marker");

/// The request of GetAccountSummary.
#[derive(Deserialize, Default)]
pub struct GetAccountSummaryRequest {}

impl Shape for GetAccountSummaryRequest {
    fn members(&self, _: &mut dyn Visitor) {}
}

/// The answer of GetAccountSummary.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountSummaryResponse {
    /// How many there are and may be of each thing.
    pub summary_map: BTreeMap<SummaryKey, i64>,
}
answer!(GetAccountSummaryResponse: "SummaryMap");

family! {
    CreateAccountAliasRequest = "CreateAccountAlias" -> ();
    DeleteAccountAliasRequest = "DeleteAccountAlias" -> ();
    ListAccountAliasesRequest = "ListAccountAliases" -> ListAccountAliasesResponse;
    GetAccountSummaryRequest = "GetAccountSummary" -> GetAccountSummaryResponse;
}
