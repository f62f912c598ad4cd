//! Events in the form in which EventBridge delivers them: what AWS tells of keys, read out of the journal's records, and
//! what only this server can tell of itself.
//!
//! Sources: AWS KMS Developer Guide, "Monitor KMS keys with Amazon EventBridge"; Amazon EventBridge User Guide, "AWS service
//! event metadata".

use std::sync::LazyLock;

use jiff::Timestamp;
use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::services::SYSTEM_ACCOUNT;
use crate::upcoming::KeyDate;

/// The Region of what concerns the whole server.
const NO_REGION: &str = "aws-global";

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum DetailType {
    /// AWS's: the key material of a key was rotated.
    Rotation,
    /// AWS's: imported key material expired and was deleted.
    MaterialExpiration,
    /// AWS's: a key was deleted on its date.
    Deletion,
    /// A key is to be deleted.
    DeletionScheduled,
    /// A key is deleted within a day.
    DeletionDue,
    /// A key that is to be deleted was asked for.
    PendingDeletionUse,
    /// A quota of a number of things is nearly used up.
    QuotaThreshold,
    /// A row of the store is not as this server left it.
    Tampering,
    /// A part of the server stopped working, or works again.
    HealthChange,
}

/// A text that is no detail type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a detail type of an event")]
pub struct InvalidDetailType;

impl DetailType {
    /// Every detail type.
    pub const ALL: [DetailType; 9] = [
        DetailType::Rotation,
        DetailType::MaterialExpiration,
        DetailType::Deletion,
        DetailType::DeletionScheduled,
        DetailType::DeletionDue,
        DetailType::PendingDeletionUse,
        DetailType::QuotaThreshold,
        DetailType::Tampering,
        DetailType::HealthChange,
    ];

    /// How `detail-type` calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DetailType::Rotation => "KMS CMK Rotation",
            DetailType::MaterialExpiration => "KMS Imported Key Material Expiration",
            DetailType::Deletion => "KMS CMK Deletion",
            DetailType::DeletionScheduled => "Keystead Key Deletion Scheduled",
            DetailType::DeletionDue => "Keystead Key Deletion Due",
            DetailType::PendingDeletionUse => "Keystead Use Of Key Pending Deletion",
            DetailType::QuotaThreshold => "Keystead Quota Threshold Reached",
            DetailType::Tampering => "Keystead Database Tampering",
            DetailType::HealthChange => "Keystead Health Change",
        }
    }

    /// Whose event it is.
    fn source(self) -> &'static str {
        match self {
            DetailType::Rotation | DetailType::MaterialExpiration | DetailType::Deletion => {
                "aws.kms"
            }
            DetailType::DeletionScheduled
            | DetailType::DeletionDue
            | DetailType::PendingDeletionUse
            | DetailType::QuotaThreshold
            | DetailType::Tampering
            | DetailType::HealthChange => "keystead",
        }
    }
}

impl TryFrom<String> for DetailType {
    type Error = InvalidDetailType;

    fn try_from(text: String) -> Result<DetailType, InvalidDetailType> {
        DetailType::ALL.into_iter().find(|known| known.as_str() == text).ok_or(InvalidDetailType)
    }
}

impl From<DetailType> for &'static str {
    fn from(detail_type: DetailType) -> &'static str {
        detail_type.as_str()
    }
}

/// An event, with the members of EventBridge in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    version: String,
    /// Its id: that of the record that it was read out of, so that it is the same whenever it is told.
    pub id: String,
    /// What it is about.
    pub detail_type: DetailType,
    source: String,
    /// The account concerned; twelve zeros for what concerns the whole server.
    pub account: String,
    /// When it happened, in whole seconds.
    pub time: Timestamp,
    region: String,
    resources: Vec<String>,
    detail: Map<String, Value>,
}

impl Event {
    /// What a record of the journal tells, if that is an event.
    #[must_use]
    pub fn of_record(record: &[u8]) -> Option<Event> {
        // Nearly all records are told by this to be none.
        if !MARKS.iter().any(|mark| mark.find(record).is_some()) {
            return None;
        }
        let told: Told = serde_json::from_slice(record).ok()?;
        if told.event_source != "kms.amazonaws.com" {
            return None;
        }
        match told.error_code.as_deref() {
            Some("KMSInvalidStateException") => told.pending_deletion_use(),
            Some(_) => None,
            None if told.event_type == "AwsServiceEvent" => told.service_event(),
            None if told.event_name == "ScheduleKeyDeletion" => told.deletion_scheduled(),
            None => None,
        }
    }

    /// A part of the server stopped working, or works again.
    #[must_use]
    pub fn health_change(
        id: Uuid,
        component: &'static str,
        healthy: bool,
        now: Timestamp,
    ) -> Event {
        let state = if healthy { "healthy" } else { "failed" };
        let detail = [("component", component.into()), ("state", state.into())];
        Event::of_server(DetailType::HealthChange, id, detail, now)
    }

    /// A quota of a number of things is nearly used up: which part of it, and by whom.
    #[must_use]
    pub fn quota_threshold(
        id: Uuid,
        quota: &'static str,
        (used, place): (f64, &str),
        now: Timestamp,
    ) -> Event {
        let detail = [("quota", quota.into()), ("used", used.into()), ("place", place.into())];
        Event::of_server(DetailType::QuotaThreshold, id, detail, now)
    }

    /// A key is deleted within a day, on this date.
    #[must_use]
    pub fn deletion_due(id: Uuid, key: &KeyDate, now: Timestamp) -> Event {
        let date = Timestamp::from_second(key.date.as_second()).unwrap_or(key.date);
        let detail =
            [("key-id", key.key_id.as_str().into()), ("deletion-date", date.to_string().into())];
        Event {
            account: key.account.clone(),
            region: key.region.clone(),
            resources: vec![key.key_arn.clone()],
            ..Event::of_server(DetailType::DeletionDue, id, detail, now)
        }
    }

    /// A row of the store was refused, since it is not as this server left it.
    #[must_use]
    pub fn tampering(id: Uuid, row: &str, now: Timestamp) -> Event {
        let detail = [("row", row.into())];
        Event::of_server(DetailType::Tampering, id, detail, now)
    }

    /// What is alike in events that are not to be told again and again: key and caller. None for those that stand for
    /// themselves.
    #[must_use]
    pub fn repeated(&self) -> Option<String> {
        (self.detail_type == DetailType::PendingDeletionUse).then(|| {
            let principal = self.detail.get("principal-arn").and_then(Value::as_str);
            format!("{} {}", self.resources.join(" "), principal.unwrap_or_default())
        })
    }

    /// The event as one line of JSON, without the line's end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an event has names and texts only")
    }

    fn of_server<const N: usize>(
        detail_type: DetailType,
        id: Uuid,
        detail: [(&str, Value); N],
        now: Timestamp,
    ) -> Event {
        Event {
            version: "0".to_owned(),
            id: id.to_string(),
            detail_type,
            source: detail_type.source().to_owned(),
            account: SYSTEM_ACCOUNT.to_string(),
            time: Timestamp::from_second(now.as_second()).unwrap_or(now),
            region: NO_REGION.to_owned(),
            resources: Vec::new(),
            detail: detail.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        }
    }
}

/// One of them stands in every record that is an event.
static MARKS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| {
    ["\"AwsServiceEvent\"", "\"KMSInvalidStateException\"", "\"ScheduleKeyDeletion\""]
        .map(Finder::new)
});

/// What counts of a record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default)]
    user_identity: Identity,
    event_time: Timestamp,
    event_source: String,
    event_name: String,
    aws_region: String,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: String,
    error_code: Option<String>,
    error_message: Option<String>,
    response_elements: Option<Value>,
    #[serde(rename = "eventID")]
    event_id: String,
    #[serde(default)]
    resources: Vec<Resource>,
    event_type: String,
    recipient_account_id: Option<String>,
    service_event_details: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Identity {
    arn: Option<String>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "ARN")]
    arn: String,
}

/// AWS's names of the members of `detail`, and the names of the same in `serviceEventDetails`.
const DETAILS: [(&str, &str); 5] = [
    ("key-id", "keyId"),
    ("key-origin", "keyOrigin"),
    ("rotation-type", "rotationType"),
    ("previous-key-material-id", "previousKeyMaterialId"),
    ("current-key-material-id", "currentKeyMaterialId"),
];

impl Told {
    fn service_event(self) -> Option<Event> {
        let (detail_type, details) = match self.event_name.as_str() {
            "RotateKey" => (DetailType::Rotation, DETAILS.as_slice()),
            "DeleteExpiredKeyMaterial" => (DetailType::MaterialExpiration, DETAILS.get(..1)?),
            "DeleteKey" => (DetailType::Deletion, DETAILS.get(..1)?),
            _ => return None,
        };
        // AWS owned keys are nobody's, and nobody is told of them.
        if self.recipient_account_id.as_deref() == Some(&SYSTEM_ACCOUNT.to_string()) {
            return None;
        }
        let told = self.service_event_details.as_ref()?;
        let detail = details
            .iter()
            .filter_map(|(name, recorded)| Some(((*name).to_owned(), told.get(recorded)?.clone())))
            .collect();
        let arn = self.resources.first()?.arn.clone();
        self.event(detail_type, arn, detail)
    }

    fn deletion_scheduled(self) -> Option<Event> {
        let arn = self.resources.first()?.arn.clone();
        let mut detail = Map::new();
        detail.insert("key-id".to_owned(), key_id(&arn).into());
        let elements = self.response_elements.as_ref();
        for (name, recorded) in
            [("deletion-date", "deletionDate"), ("pending-window-in-days", "pendingWindowInDays")]
        {
            if let Some(value) = elements.and_then(|elements| elements.get(recorded)) {
                detail.insert(name.to_owned(), value.clone());
            }
        }
        self.add_caller(&mut detail);
        self.event(DetailType::DeletionScheduled, arn, detail)
    }

    fn pending_deletion_use(self) -> Option<Event> {
        let message = self.error_message.as_deref()?;
        let states = [" is pending deletion.", " is pending replica deletion."];
        let arn = states.iter().find_map(|state| message.strip_suffix(state))?.to_owned();
        let mut detail = Map::new();
        detail.insert("key-id".to_owned(), key_id(&arn).into());
        self.add_caller(&mut detail);
        self.event(DetailType::PendingDeletionUse, arn, detail)
    }

    fn add_caller(&self, detail: &mut Map<String, Value>) {
        detail.insert("event-name".to_owned(), self.event_name.as_str().into());
        detail.insert("source-ip-address".to_owned(), self.source_ip_address.as_str().into());
        if let Some(arn) = &self.user_identity.arn {
            detail.insert("principal-arn".to_owned(), arn.as_str().into());
        }
    }

    fn event(
        self,
        detail_type: DetailType,
        arn: String,
        detail: Map<String, Value>,
    ) -> Option<Event> {
        Some(Event {
            version: "0".to_owned(),
            id: self.event_id,
            detail_type,
            source: detail_type.source().to_owned(),
            account: self.recipient_account_id?,
            time: self.event_time,
            region: self.aws_region,
            resources: vec![arn],
            detail,
        })
    }
}

/// What stands behind the last slash of a key's ARN.
fn key_id(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, key_id)| key_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn record(members: &str) -> Vec<u8> {
        format!(
            r#"{{"userIdentity":{{"arn":"arn:aws:iam::111122223333:user/Anna"}},"eventTime":"2026-05-23T03:11:54Z","eventSource":"kms.amazonaws.com","awsRegion":"us-west-2","sourceIPAddress":"192.0.2.7","eventID":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","resources":[{{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"{ARN}"}}],{members}}}"#
        )
        .into_bytes()
    }

    fn told(members: &str) -> Option<Value> {
        let json = Event::of_record(&record(members))?.to_json();
        Some(serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn a_rotation_is_told_as_aws_tells_it() {
        let told = told(
            r#""eventName":"RotateKey","eventType":"AwsServiceEvent","recipientAccountId":"111122223333","serviceEventDetails":{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab","keyOrigin":"AWS_KMS","rotationType":"ON_DEMAND","previousKeyMaterialId":"12","currentKeyMaterialId":"96"}"#,
        );
        let expected = serde_json::json!({
            "version": "0",
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "detail-type": "KMS CMK Rotation",
            "source": "aws.kms",
            "account": "111122223333",
            "time": "2026-05-23T03:11:54Z",
            "region": "us-west-2",
            "resources": [ARN],
            "detail": {
                "key-id": "1234abcd-12ab-34cd-56ef-1234567890ab",
                "key-origin": "AWS_KMS",
                "rotation-type": "ON_DEMAND",
                "previous-key-material-id": "12",
                "current-key-material-id": "96",
            },
        });
        assert_eq!(told, Some(expected));
    }

    #[test]
    fn a_use_of_a_key_pending_deletion_names_key_and_caller() {
        for state in ["deletion", "replica deletion"] {
            let told = told(&format!(
                r#""eventName":"Decrypt","eventType":"AwsApiCall","recipientAccountId":"111122223333","errorCode":"KMSInvalidStateException","errorMessage":"{ARN} is pending {state}.""#
            ));
            let told = told.unwrap();
            assert_eq!(told["source"], "keystead");
            assert_eq!(told["resources"], serde_json::json!([ARN]));
            assert_eq!(told["detail"]["principal-arn"], "arn:aws:iam::111122223333:user/Anna");
            assert_eq!(told["detail"]["event-name"], "Decrypt");
        }
    }

    #[test]
    fn what_only_looks_like_an_event_is_none() {
        let service = r#""eventType":"AwsServiceEvent","serviceEventDetails":{"keyId":"a"}"#;
        for members in [
            // A key of nobody's, another service event, and a call that has an event's name.
            format!(r#""eventName":"RotateKey","recipientAccountId":"000000000000",{service}"#),
            format!(r#""eventName":"CreateKey","recipientAccountId":"111122223333",{service}"#),
            r#""eventName":"RotateKey","eventType":"AwsApiCall","recipientAccountId":"111122223333","userAgent":"\"AwsServiceEvent\"""#.to_owned(),
            r#""eventName":"ScheduleKeyDeletion","eventType":"AwsApiCall","recipientAccountId":"111122223333","errorCode":"AccessDenied""#.to_owned(),
            format!(r#""eventName":"Decrypt","eventType":"AwsApiCall","recipientAccountId":"111122223333","errorCode":"KMSInvalidStateException","errorMessage":"{ARN} is pending import.""#),
        ] {
            assert_eq!(told(&members), None, "{members}");
        }
        assert_eq!(Event::of_record(b"\"AwsServiceEvent\""), None);
    }

    #[test]
    fn names_are_told_apart_and_read_back() {
        let now = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        for event in [
            Event::health_change(Uuid::nil(), "journal", false, now),
            Event::quota_threshold(Uuid::nil(), "Keys", (0.85, "111122223333 in us-east-1"), now),
            Event::tampering(Uuid::nil(), "keys '1'", now),
        ] {
            assert_eq!(serde_json::from_str::<Event>(&event.to_json()).unwrap(), event);
            assert!(event.to_json().contains(r#""time":"2023-11-14T22:13:20Z""#));
        }
        let mut names: Vec<_> = DetailType::ALL.map(DetailType::as_str).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DetailType::ALL.len());
    }
}
