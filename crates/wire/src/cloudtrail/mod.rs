//! The requests and answers of AWS CloudTrail, in the AWS JSON protocol.

pub mod enums;
pub mod events;
pub mod trails;

use serde_json::Value;

use crate::model::{Answer, operation};

/// Describes each operation of CloudTrail that has shapes here.
pub(crate) const OPERATIONS: &[fn() -> (&'static str, Value)] = &[
    operation::<events::LookupEventsRequest>,
    operation::<trails::DescribeTrailsRequest>,
    operation::<trails::GetTrailRequest>,
    operation::<trails::GetTrailStatusRequest>,
    operation::<trails::GetEventSelectorsRequest>,
    operation::<trails::ListTrailsRequest>,
    operation::<trails::ListPublicKeysRequest>,
];

/// The structures inside answers, by their names in the model, with their members.
pub(crate) const STRUCTURES: &[(&str, &[&str])] = &[
    ("Event", events::Event::MEMBERS),
    ("Resource", events::Resource::MEMBERS),
    ("Trail", trails::TrailDescription::MEMBERS),
    ("EventSelector", trails::EventSelector::MEMBERS),
    ("TrailInfo", trails::TrailInfo::MEMBERS),
    ("PublicKey", trails::PublicKey::MEMBERS),
];
