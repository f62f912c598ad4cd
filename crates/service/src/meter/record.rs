//! A record of the journal as the meter reads it: in which counter it counts, and what it tells of a key.

use std::borrow::Cow;

use jiff::{Timestamp, tz::Offset};
use serde::Deserialize;
use serde_json::value::RawValue;
use store::MeterCounter;
use wire::enums::{KeyManager, KeySpec, WireEnum};
use wire::names::KeyArn;

use super::request_class::{Metering, RequestClass};
use crate::operation::Spec;
use crate::operations::OPERATIONS;

/// What a record is for the meter.
pub(super) struct Counted {
    /// Where it counts.
    pub(super) counter: MeterCounter,
    /// What it tells of a key, and when that was.
    pub(super) change: Option<(KeyArn, KeyChange, Timestamp)>,
}

/// Something that changes what a key costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyChange {
    /// It was made by CreateKey.
    Created {
        key_spec: KeySpec,
        is_aws_managed: bool,
    },
    /// It was made without such a call.
    CreatedByService,
    DeletionScheduled,
    DeletionCancelled,
    Deleted,
    Rotated,
}

/// How a request ended, or what else a record is. The names are on disk.
mod outcome {
    pub(super) const SERVED: &str = "served";
    pub(super) const REFUSED: &str = "refused";
    pub(super) const THROTTLED: &str = "throttled";
    /// Nobody called: the service tells what it did.
    pub(super) const EVENT: &str = "event";
    /// The copy of a record for the owner of a key that another account used.
    pub(super) const COPY: &str = "copy";
}

/// Operations are called so that are none; their names are the caller's choice.
const UNKNOWN: &str = "Unknown";

/// Reads a record. Whatever it is, it counts somewhere.
pub(super) fn count(record: &[u8], class_of_keys: impl Fn(&[KeyArn]) -> RequestClass) -> Counted {
    match serde_json::from_slice::<Told<'_>>(record) {
        Ok(told) => told.count(class_of_keys),
        Err(_) => Counted { counter: unreadable(), change: None },
    }
}

/// The counter of what is no record of ours.
fn unreadable() -> MeterCounter {
    MeterCounter {
        day: day(Timestamp::UNIX_EPOCH),
        account: String::new(),
        region: String::new(),
        key_id: String::new(),
        operation: UNKNOWN.to_owned(),
        request_class: RequestClass::Free.as_str().to_owned(),
        outcome: outcome::EVENT.to_owned(),
    }
}

fn day(time: Timestamp) -> String {
    Offset::UTC.to_datetime(time).date().to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'r> {
    #[serde(borrow)]
    user_identity: ToldIdentity<'r>,
    event_time: Timestamp,
    #[serde(borrow)]
    event_source: Cow<'r, str>,
    #[serde(borrow)]
    event_name: Cow<'r, str>,
    #[serde(borrow)]
    aws_region: Cow<'r, str>,
    #[serde(borrow)]
    event_type: Cow<'r, str>,
    #[serde(borrow, default)]
    error_code: Option<Cow<'r, str>>,
    #[serde(borrow, default)]
    recipient_account_id: Option<Cow<'r, str>>,
    #[serde(borrow, default, rename = "sharedEventID")]
    shared_event_id: Option<Cow<'r, str>>,
    #[serde(borrow, default)]
    resources: Option<Vec<ToldResource<'r>>>,
    #[serde(borrow, default)]
    request_parameters: Option<&'r RawValue>,
    #[serde(borrow, default)]
    response_elements: Option<&'r RawValue>,
}

#[derive(Deserialize)]
struct ToldIdentity<'r> {
    #[serde(borrow, default, rename = "type")]
    identity_type: Cow<'r, str>,
}

#[derive(Deserialize)]
struct ToldResource<'r> {
    #[serde(borrow, rename = "type")]
    resource_type: Cow<'r, str>,
    #[serde(borrow, rename = "ARN")]
    arn: Cow<'r, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldParameters {
    key_pair_spec: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldElements {
    key_metadata: ToldMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldMetadata {
    key_spec: String,
    key_manager: String,
}

impl Told<'_> {
    fn count(&self, class_of_keys: impl Fn(&[KeyArn]) -> RequestClass) -> Counted {
        let keys = self.keys();
        let outcome = self.outcome();
        let spec = self.spec();
        let class = match (outcome, spec) {
            (outcome::EVENT | outcome::COPY, _) | (_, None) => RequestClass::Free,
            (_, Some(spec)) => self.class(spec.metering, || class_of_keys(&keys)),
        };
        let is_event = outcome == outcome::EVENT;
        let name = if is_event || spec.is_some() { &*self.event_name } else { UNKNOWN };
        let (api, _) = self.event_source.split_once('.').unwrap_or((&self.event_source, ""));
        let counter = MeterCounter {
            day: day(self.event_time),
            account: self.recipient_account_id.as_deref().unwrap_or_default().to_owned(),
            region: (*self.aws_region).to_owned(),
            key_id: keys.first().map_or_else(String::new, |key| key.key_id.to_string()),
            operation: format!("{api}:{name}"),
            request_class: class.as_str().to_owned(),
            outcome: outcome.to_owned(),
        };
        let change = self.change(outcome).zip(keys.first());
        let change = change.map(|(change, key)| (*key, change, self.event_time));
        Counted { counter, change }
    }

    fn outcome(&self) -> &'static str {
        if self.event_type == "AwsServiceEvent" {
            return outcome::EVENT;
        }
        // Owners are told of a caller of another account by its id alone. Of nobody CloudTrail speaks in that way too, but
        // shares that with nobody.
        if self.shared_event_id.is_some() && self.user_identity.identity_type == "AWSAccount" {
            return outcome::COPY;
        }
        match self.error_code.as_deref() {
            None => outcome::SERVED,
            Some("ThrottlingException" | "Throttling") => outcome::THROTTLED,
            Some(_) => outcome::REFUSED,
        }
    }

    /// The row of the operation that was called.
    fn spec(&self) -> Option<&'static Spec> {
        let mut rows = OPERATIONS.iter().map(|row| row.spec());
        rows.find(|spec| {
            spec.name == self.event_name && spec.api.event_source() == self.event_source
        })
    }

    fn class(&self, metering: Metering, of_keys: impl FnOnce() -> RequestClass) -> RequestClass {
        match metering {
            Metering::Free => RequestClass::Free,
            Metering::Plain => RequestClass::Symmetric,
            Metering::ByKey => of_keys(),
            Metering::DataKeyPair => {
                let asked: Option<ToldParameters> = self.request_parameters.and_then(parse);
                let spec = asked.map(|asked| asked.key_pair_spec).unwrap_or_default();
                RequestClass::of_key_pair(&spec)
            }
        }
    }

    fn keys(&self) -> Vec<KeyArn> {
        let resources = self.resources.iter().flatten();
        let keys = resources.filter(|resource| resource.resource_type == "AWS::KMS::Key");
        keys.filter_map(|key| key.arn.parse().ok()).collect()
    }

    fn change(&self, outcome: &str) -> Option<KeyChange> {
        match (outcome, &*self.event_name) {
            (outcome::SERVED, "CreateKey") => {
                let told: ToldElements = self.response_elements.and_then(parse)?;
                Some(KeyChange::Created {
                    key_spec: KeySpec::from_text(&told.key_metadata.key_spec)?,
                    is_aws_managed: told.key_metadata.key_manager == KeyManager::Aws.as_str(),
                })
            }
            (outcome::SERVED, "ScheduleKeyDeletion") => Some(KeyChange::DeletionScheduled),
            (outcome::SERVED, "CancelKeyDeletion") => Some(KeyChange::DeletionCancelled),
            (outcome::EVENT, "CreateKey") => Some(KeyChange::CreatedByService),
            (outcome::EVENT, "DeleteKey") => Some(KeyChange::Deleted),
            (outcome::EVENT, "RotateKey") => Some(KeyChange::Rotated),
            _ => None,
        }
    }
}

/// Parts of a record that may be left out for their length: then they are read as absent.
fn parse<'r, T: Deserialize<'r>>(part: &'r RawValue) -> Option<T> {
    serde_json::from_str(part.get()).ok()
}
