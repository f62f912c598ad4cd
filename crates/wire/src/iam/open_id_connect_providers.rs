//! OIDC providers: CreateOpenIDConnectProvider, GetOpenIDConnectProvider,
//! DeleteOpenIDConnectProvider, ListOpenIDConnectProviders, AddClientIDToOpenIDConnectProvider,
//! RemoveClientIDFromOpenIDConnectProvider, UpdateOpenIDConnectProviderThumbprint,
//! TagOpenIDConnectProvider, UntagOpenIDConnectProvider, ListOpenIDConnectProviderTags.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    rules::*,
    tags::{REQUIRED_TAGS, TAGS, Tag},
};
use crate::{
    limits::CONTEXT_PROVIDER_KEYS_MAX,
    model::{answer, family},
    query::iso8601,
    shape::{Kind, Range, Rule, Shape, Visitor},
};

/// How claims of tokens become the context of IAM Identity Center.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextProvider {
    /// The claims that are passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_definition_list: Option<Vec<ContextProviderKeyDefinition>>,
    /// The claim that names the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_source_key: Option<String>,
    /// The kind of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type_value: Option<String>,
    /// The claim that names the kind of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type_source_key: Option<String>,
}
answer!(
    ContextProvider: "KeyDefinitionList", "SubjectSourceKey", "SubjectTypeValue",
    "SubjectTypeSourceKey"
);

impl Shape for ContextProvider {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyDefinitionList", &self.key_definition_list, &KEY_DEFINITIONS);
        visitor.member("SubjectSourceKey", &self.subject_source_key, &REQUIRED_SOURCE_KEY);
        visitor.member("SubjectTypeValue", &self.subject_type_value, &SUBJECT_TYPE_VALUE);
        visitor.member("SubjectTypeSourceKey", &self.subject_type_source_key, &SOURCE_KEY);
    }
}

/// A claim of a token that is passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextProviderKeyDefinition {
    /// The claim in the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_key: Option<String>,
    /// What it is called in the context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_key: Option<String>,
}
answer!(ContextProviderKeyDefinition: "SourceKey", "TargetKey");

impl Shape for ContextProviderKeyDefinition {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("SourceKey", &self.source_key, &REQUIRED_SOURCE_KEY);
        visitor.member("TargetKey", &self.target_key, &TARGET_KEY);
    }
}

pub(super) const CONTEXT_PROVIDER: Rule =
    Rule::of(Kind::Structure(|visitor| ContextProvider::default().members(visitor)));
const KEY_DEFINITIONS: Rule = Rule::of(Kind::List {
    length: Range::of(0, CONTEXT_PROVIDER_KEYS_MAX),
    item: &Kind::Structure(|visitor| ContextProviderKeyDefinition::default().members(visitor)),
});

/// An OIDC provider in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OpenIDConnectProviderListEntry {
    /// Its ARN.
    pub arn: String,
    /// Whether it vouches for identities to IAM Identity Center.
    pub is_trusted_identity_propagation_enabled: bool,
}
answer!(OpenIDConnectProviderListEntry: "Arn", "IsTrustedIdentityPropagationEnabled");

/// The request of CreateOpenIDConnectProvider.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateOpenIDConnectProviderRequest {
    /// The issuer's URL.
    pub url: Option<String>,
    /// The audiences that are accepted.
    #[serde(rename = "ClientIDList")]
    pub client_id_list: Option<Vec<String>>,
    /// The SHA-1 fingerprints of certificates that the issuer's may be signed by, in hexadecimal.
    pub thumbprint_list: Option<Vec<String>>,
    /// The provider's tags.
    pub tags: Option<Vec<Tag>>,
    /// How claims become the context of IAM Identity Center.
    pub context_provider: Option<ContextProvider>,
    /// The instance of IAM Identity Center.
    pub identity_center_instance_arn: Option<String>,
}

impl Shape for CreateOpenIDConnectProviderRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Url", &self.url, &REQUIRED_PROVIDER_URL);
        visitor.member("ClientIDList", &self.client_id_list, &CLIENT_IDS);
        visitor.member("ThumbprintList", &self.thumbprint_list, &THUMBPRINTS);
        visitor.member("Tags", &self.tags, &TAGS);
        visitor.member("ContextProvider", &self.context_provider, &CONTEXT_PROVIDER);
        visitor.member(
            "IdentityCenterInstanceArn",
            &self.identity_center_instance_arn,
            &IDENTITY_CENTER_INSTANCE_ARN,
        );
    }
}

/// The answer of CreateOpenIDConnectProvider.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateOpenIDConnectProviderResponse {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: String,
    /// The provider's tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}
answer!(CreateOpenIDConnectProviderResponse: "OpenIDConnectProviderArn", "Tags");

/// The request of GetOpenIDConnectProvider.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetOpenIDConnectProviderRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
}

impl Shape for GetOpenIDConnectProviderRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
    }
}

/// The answer of GetOpenIDConnectProvider.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOpenIDConnectProviderResponse {
    /// The issuer's URL, without its scheme.
    pub url: String,
    /// The audiences that are accepted.
    #[serde(rename = "ClientIDList")]
    pub client_id_list: Vec<String>,
    /// The fingerprints of certificates.
    pub thumbprint_list: Vec<String>,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// How claims become the context of IAM Identity Center.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_provider: Option<ContextProvider>,
    /// The instance of IAM Identity Center.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_center_instance_arn: Option<String>,
    /// The identity store of that instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_store_arn: Option<String>,
}
answer!(
    GetOpenIDConnectProviderResponse: "Url", "ClientIDList", "ThumbprintList", "CreateDate", "Tags",
    "ContextProvider", "IdentityCenterInstanceArn", "IdentityStoreArn"
);

/// The request of DeleteOpenIDConnectProvider.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteOpenIDConnectProviderRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
}

impl Shape for DeleteOpenIDConnectProviderRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
    }
}

/// The request of ListOpenIDConnectProviders.
#[derive(Deserialize, Default)]
pub struct ListOpenIDConnectProvidersRequest {}

impl Shape for ListOpenIDConnectProvidersRequest {
    fn members(&self, _: &mut dyn Visitor) {}
}

/// The answer of ListOpenIDConnectProviders.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListOpenIDConnectProvidersResponse {
    /// The providers of the account.
    #[serde(rename = "OpenIDConnectProviderList")]
    pub open_id_connect_provider_list: Vec<OpenIDConnectProviderListEntry>,
}
answer!(ListOpenIDConnectProvidersResponse: "OpenIDConnectProviderList");

/// The request of AddClientIDToOpenIDConnectProvider.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct AddClientIDToOpenIDConnectProviderRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
    /// The audience.
    #[serde(rename = "ClientID")]
    pub client_id: Option<String>,
}

impl Shape for AddClientIDToOpenIDConnectProviderRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
        visitor.member("ClientID", &self.client_id, &REQUIRED_CLIENT_ID);
    }
}

/// The request of RemoveClientIDFromOpenIDConnectProvider.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct RemoveClientIDFromOpenIDConnectProviderRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
    /// The audience.
    #[serde(rename = "ClientID")]
    pub client_id: Option<String>,
}

impl Shape for RemoveClientIDFromOpenIDConnectProviderRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
        visitor.member("ClientID", &self.client_id, &REQUIRED_CLIENT_ID);
    }
}

/// The request of UpdateOpenIDConnectProviderThumbprint.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateOpenIDConnectProviderThumbprintRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
    /// The SHA-1 fingerprints of certificates that the issuer's may be signed by, in hexadecimal.
    pub thumbprint_list: Option<Vec<String>>,
}

impl Shape for UpdateOpenIDConnectProviderThumbprintRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
        visitor.member("ThumbprintList", &self.thumbprint_list, &REQUIRED_THUMBPRINTS);
    }
}

/// The request of TagOpenIDConnectProvider.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct TagOpenIDConnectProviderRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
    /// The tags to add or to change.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for TagOpenIDConnectProviderRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
        visitor.member("Tags", &self.tags, &REQUIRED_TAGS);
    }
}

/// The request of UntagOpenIDConnectProvider.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UntagOpenIDConnectProviderRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
    /// The names of the tags to remove.
    pub tag_keys: Option<Vec<String>>,
}

impl Shape for UntagOpenIDConnectProviderRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
        visitor.member("TagKeys", &self.tag_keys, &REQUIRED_TAG_KEYS);
    }
}

/// The request of ListOpenIDConnectProviderTags.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListOpenIDConnectProviderTagsRequest {
    /// The provider's ARN.
    #[serde(rename = "OpenIDConnectProviderArn")]
    pub open_id_connect_provider_arn: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListOpenIDConnectProviderTagsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "OpenIDConnectProviderArn",
            &self.open_id_connect_provider_arn,
            &REQUIRED_ARN,
        );
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListOpenIDConnectProviderTags.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListOpenIDConnectProviderTagsResponse {
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListOpenIDConnectProviderTagsResponse: "Tags", "IsTruncated", "Marker");

family! {
    CreateOpenIDConnectProviderRequest = "CreateOpenIDConnectProvider"
        -> CreateOpenIDConnectProviderResponse;
    GetOpenIDConnectProviderRequest = "GetOpenIDConnectProvider"
        -> GetOpenIDConnectProviderResponse;
    DeleteOpenIDConnectProviderRequest = "DeleteOpenIDConnectProvider" -> ();
    ListOpenIDConnectProvidersRequest = "ListOpenIDConnectProviders"
        -> ListOpenIDConnectProvidersResponse;
    AddClientIDToOpenIDConnectProviderRequest = "AddClientIDToOpenIDConnectProvider" -> ();
    RemoveClientIDFromOpenIDConnectProviderRequest = "RemoveClientIDFromOpenIDConnectProvider" -> ();
    UpdateOpenIDConnectProviderThumbprintRequest = "UpdateOpenIDConnectProviderThumbprint" -> ();
    TagOpenIDConnectProviderRequest = "TagOpenIDConnectProvider" -> ();
    UntagOpenIDConnectProviderRequest = "UntagOpenIDConnectProvider" -> ();
    ListOpenIDConnectProviderTagsRequest = "ListOpenIDConnectProviderTags"
        -> ListOpenIDConnectProviderTagsResponse;
}
