//! Events of the last 90 days: LookupEvents.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::enums::{EventCategory, LookupAttributeKey};
use crate::{
    enums::WireEnum,
    model::{answer, family},
    shape::{Kind, Range, Rule, Shape, Visitor},
    values::OneOf,
};

const ATTRIBUTE_VALUE_CHARS_MAX: u64 = 2_000;
const RESULTS_MAX: u64 = 50;

const REQUIRED_ATTRIBUTE_KEY: Rule =
    Rule::of(Kind::Enumeration(LookupAttributeKey::TEXTS)).required();
const REQUIRED_ATTRIBUTE_VALUE: Rule =
    Rule::of(Kind::text(Range::of(1, ATTRIBUTE_VALUE_CHARS_MAX))).required();
const ATTRIBUTES: Rule = Rule::of(Kind::List {
    length: Range::ANY,
    item: &Kind::Structure(|visitor| LookupAttribute::default().members(visitor)),
});
const DATE: Rule = Rule::of(Kind::Timestamp);
const EVENT_CATEGORY: Rule = Rule::of(Kind::Enumeration(EventCategory::TEXTS));
const MAX_RESULTS: Rule = Rule::of(Kind::Integer(Range::of(1, RESULTS_MAX)));
const NEXT_TOKEN: Rule = Rule::of(Kind::text(Range::ANY));

/// An attribute that events are to have.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupAttribute {
    /// Which attribute.
    pub attribute_key: Option<OneOf<LookupAttributeKey>>,
    /// Its value, exactly.
    pub attribute_value: Option<String>,
}

impl Shape for LookupAttribute {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AttributeKey", &self.attribute_key, &REQUIRED_ATTRIBUTE_KEY);
        visitor.member("AttributeValue", &self.attribute_value, &REQUIRED_ATTRIBUTE_VALUE);
    }
}

/// The request of LookupEvents.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEventsRequest {
    /// One attribute at most; all events if absent.
    pub lookup_attributes: Option<Vec<LookupAttribute>>,
    /// The earliest moment, itself included.
    #[serde(default, with = "crate::json::epoch::option")]
    pub start_time: Option<Timestamp>,
    /// The latest moment, itself included.
    #[serde(default, with = "crate::json::epoch::option")]
    pub end_time: Option<Timestamp>,
    /// A category in place of management events.
    pub event_category: Option<OneOf<EventCategory>>,
    /// The most events to be told at once.
    pub max_results: Option<i64>,
    /// Where the previous page ended.
    pub next_token: Option<String>,
}

impl Shape for LookupEventsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("LookupAttributes", &self.lookup_attributes, &ATTRIBUTES);
        visitor.member("StartTime", &self.start_time, &DATE);
        visitor.member("EndTime", &self.end_time, &DATE);
        visitor.member("EventCategory", &self.event_category, &EVENT_CATEGORY);
        visitor.member("MaxResults", &self.max_results, &MAX_RESULTS);
        visitor.member("NextToken", &self.next_token, &NEXT_TOKEN);
    }
}

/// The answer of LookupEvents.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEventsResponse {
    /// The events of this page, the newest first.
    pub events: Vec<Event>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
answer!(LookupEventsResponse: "Events", "NextToken");

/// An event as LookupEvents tells it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// Its id.
    pub event_id: String,
    /// The operation.
    pub event_name: String,
    /// `true` or `false`.
    pub read_only: String,
    /// The access key that signed, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// When it happened.
    #[serde(with = "crate::json::epoch")]
    pub event_time: Timestamp,
    /// The service: `kms.amazonaws.com`.
    pub event_source: String,
    /// The user's or the session's name; of the root user `root`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What the call was about.
    pub resources: Vec<Resource>,
    /// The whole record, as JSON in a text.
    pub cloud_trail_event: String,
}
answer!(Event: "EventId", "EventName", "ReadOnly", "AccessKeyId", "EventTime", "EventSource", "Username", "Resources", "CloudTrailEvent");

/// Something that an event was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// Its type: `AWS::KMS::Key`.
    pub resource_type: String,
    /// Its name or ARN.
    pub resource_name: String,
}
answer!(Resource: "ResourceType", "ResourceName");

family! {
    LookupEventsRequest = "LookupEvents" -> LookupEventsResponse;
}
