//! Tags: TagResource, UntagResource, ListResourceTags.

use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    model::answer,
    shape::{Kind, Range, Rule, Shape, Visitor},
};

/// A tag of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The tag's name.
    pub tag_key: Option<String>,
    /// The tag's value, often empty.
    pub tag_value: Option<String>,
}
answer!(Tag: "TagKey", "TagValue");

impl Shape for Tag {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("TagKey", &self.tag_key, &TAG_KEY);
        visitor.member("TagValue", &self.tag_value, &TAG_VALUE);
    }
}

/// The rule of a list of tags, which CreateKey has too.
pub(super) const TAGS: Rule = Rule::of(Kind::List {
    length: Range::ANY,
    item: &Kind::Structure(|visitor| Tag::default().members(visitor)),
});
const REQUIRED_TAGS: Rule = TAGS.required();

/// The request of TagResource.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct TagResourceRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The tags to add or to change.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for TagResourceRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("Tags", &self.tags, &REQUIRED_TAGS);
    }
}

/// The request of UntagResource.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UntagResourceRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The names of the tags to remove.
    pub tag_keys: Option<Vec<String>>,
}

impl Shape for UntagResourceRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("TagKeys", &self.tag_keys, &REQUIRED_TAG_KEYS);
    }
}

/// The request of ListResourceTags.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTagsRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The most tags to be told at once.
    pub limit: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
}

impl Shape for ListResourceTagsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("Limit", &self.limit, &LIMIT);
        visitor.member("Marker", &self.marker, &MARKER);
    }
}

/// The answer of ListResourceTags.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTagsResponse {
    /// The tags of this page.
    pub tags: Vec<Tag>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there are more.
    pub truncated: bool,
}
answer!(ListResourceTagsResponse: "Tags", "NextMarker", "Truncated");

family! {
    TagResourceRequest = "TagResource" -> ();
    UntagResourceRequest = "UntagResource" -> ();
    ListResourceTagsRequest = "ListResourceTags" -> ListResourceTagsResponse;
}
