//! The enumerations of CloudTrail that are built here, with all their values.

use std::fmt;

use crate::enums::{UnknownValue, WireEnum, wire_enum};

wire_enum! {
    /// What events are looked up by.
    LookupAttributeKey = "LookupAttributeKey" {
        EventId = "EventId",
        EventName = "EventName",
        ReadOnly = "ReadOnly",
        Username = "Username",
        ResourceType = "ResourceType",
        ResourceName = "ResourceName",
        EventSource = "EventSource",
        AccessKeyId = "AccessKeyId",
    }

    /// Which events a trail tells of.
    ReadWriteType = "ReadWriteType" {
        ReadOnly = "ReadOnly",
        WriteOnly = "WriteOnly",
        All = "All",
    }

    /// A category of events beside management events.
    EventCategory = "EventCategory" {
        Insight = "insight",
    }
}
