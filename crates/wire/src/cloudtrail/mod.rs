//! The requests and answers of AWS CloudTrail, in the AWS JSON protocol.

pub mod enums;
pub mod events;

use serde_json::Value;

use crate::model::{Answer, operation};

/// Describes each operation of CloudTrail that has shapes here.
pub(crate) const OPERATIONS: &[fn() -> (&'static str, Value)] =
    &[operation::<events::LookupEventsRequest>];

/// The structures inside answers, by their names in the model, with their members.
pub(crate) const STRUCTURES: &[(&str, &[&str])] =
    &[("Event", events::Event::MEMBERS), ("Resource", events::Resource::MEMBERS)];
