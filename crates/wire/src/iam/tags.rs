//! Tags of users, roles, policies and OIDC providers.

use serde::{Deserialize, Serialize};

use super::rules::*;
use crate::{
    limits::TAGS_MAX,
    model::answer,
    shape::{Kind, Range, Rule, Shape, Visitor},
};

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The tag's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The tag's value, often empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
answer!(Tag: "Key", "Value");

impl Shape for Tag {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Key", &self.key, &REQUIRED_TAG_KEY);
        visitor.member("Value", &self.value, &REQUIRED_TAG_VALUE);
    }
}

/// The rule of a list of tags.
pub(crate) const TAGS: Rule = Rule::of(Kind::List {
    length: Range::at_most(TAGS_MAX),
    item: &Kind::Structure(|visitor| Tag::default().members(visitor)),
});
/// The same where there must be tags.
pub(crate) const REQUIRED_TAGS: Rule = TAGS.required();
