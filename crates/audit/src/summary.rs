//! What events are looked up by, read out of a record.
//!
//! Source: AWS CloudTrail API Reference, "LookupEvents", "Event" and "LookupAttribute".

use jiff::Timestamp;
use serde::Deserialize;

/// A record as LookupEvents tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The account whose log it is in; absent when nobody could be identified.
    pub account_id: Option<String>,
    /// The Region called.
    pub region: String,
    /// The event's id.
    pub event_id: String,
    /// The operation.
    pub event_name: String,
    /// Whether the operation changes nothing.
    pub read_only: bool,
    /// The access key that signed.
    pub access_key_id: Option<String>,
    /// When it happened, in whole seconds.
    pub event_time: Timestamp,
    /// The service.
    pub event_source: String,
    /// A user's name, a session's, or `root`.
    pub username: Option<String>,
    /// What the call was about: types and names.
    pub resources: Vec<(String, String)>,
}

/// What events can be looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// The event's id.
    EventId,
    /// The operation.
    EventName,
    /// `true` or `false`.
    ReadOnly,
    /// A user's name, a session's, or `root`.
    Username,
    /// The type of one of the resources.
    ResourceType,
    /// The name of one of the resources.
    ResourceName,
    /// The service.
    EventSource,
    /// The access key that signed.
    AccessKeyId,
}

impl Attribute {
    /// Every attribute.
    pub const ALL: [Attribute; 8] = [
        Attribute::EventId,
        Attribute::EventName,
        Attribute::ReadOnly,
        Attribute::Username,
        Attribute::ResourceType,
        Attribute::ResourceName,
        Attribute::EventSource,
        Attribute::AccessKeyId,
    ];

    /// Tells the attribute in the keys of the index; never changed, since it is on disk.
    pub(crate) fn tag(self) -> u8 {
        match self {
            Attribute::EventId => 1,
            Attribute::EventName => 2,
            Attribute::ReadOnly => 3,
            Attribute::Username => 4,
            Attribute::ResourceType => 5,
            Attribute::ResourceName => 6,
            Attribute::EventSource => 7,
            Attribute::AccessKeyId => 8,
        }
    }
}

impl Summary {
    /// Reads it out of a record; `None` when that is not an event of CloudTrail.
    #[must_use]
    pub fn of(record: &[u8]) -> Option<Summary> {
        let told: Told = serde_json::from_slice(record).ok()?;
        let mut resources: Vec<(String, String)> = told
            .resources
            .into_iter()
            .flatten()
            .map(|resource| (resource.resource_type, resource.arn))
            .collect();
        if told.event_source == IAM
            && let Some(parameters) = told.request_parameters
        {
            resources.extend(parameters.resources());
        }
        Some(Summary {
            account_id: told.recipient_account_id,
            region: told.aws_region,
            event_id: told.event_id,
            event_name: told.event_name,
            read_only: told.read_only,
            access_key_id: told.user_identity.access_key_id.clone(),
            event_time: told.event_time,
            event_source: told.event_source,
            username: told.user_identity.username(),
            resources,
        })
    }

    /// The values that it has of an attribute.
    #[must_use]
    pub fn values(&self, attribute: Attribute) -> Vec<&str> {
        match attribute {
            Attribute::EventId => vec![&self.event_id],
            Attribute::EventName => vec![&self.event_name],
            Attribute::ReadOnly => vec![if self.read_only { "true" } else { "false" }],
            Attribute::Username => self.username.as_deref().into_iter().collect(),
            Attribute::ResourceType => {
                self.resources.iter().map(|(resource_type, _)| &**resource_type).collect()
            }
            Attribute::ResourceName => self.resources.iter().map(|(_, name)| &**name).collect(),
            Attribute::EventSource => vec![&self.event_source],
            Attribute::AccessKeyId => self.access_key_id.as_deref().into_iter().collect(),
        }
    }
}

/// The service whose records have no resources, although they are about some.
const IAM: &str = "iam.amazonaws.com";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    user_identity: ToldIdentity,
    event_time: Timestamp,
    event_source: String,
    event_name: String,
    aws_region: String,
    #[serde(rename = "eventID")]
    event_id: String,
    read_only: bool,
    #[serde(default)]
    resources: Option<Vec<ToldResource>>,
    #[serde(default)]
    request_parameters: Option<ToldParameters>,
    #[serde(default)]
    recipient_account_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldIdentity {
    #[serde(default, rename = "type")]
    identity_type: String,
    #[serde(default)]
    principal_id: String,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    access_key_id: Option<String>,
}

impl ToldIdentity {
    fn username(self) -> Option<String> {
        match &*self.identity_type {
            "Root" => Some("root".to_owned()),
            // A session is called as it was named when it was made.
            "AssumedRole" | "FederatedUser" => {
                self.principal_id.split_once(':').map(|(_, name)| name.to_owned())
            }
            _ => self.user_name,
        }
    }
}

#[derive(Deserialize)]
struct ToldResource {
    #[serde(rename = "type")]
    resource_type: String,
    #[serde(rename = "ARN")]
    arn: String,
}

/// The names by which requests to IAM call what they are about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldParameters {
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    group_name: Option<String>,
    #[serde(default)]
    role_name: Option<String>,
    #[serde(default)]
    policy_arn: Option<String>,
    #[serde(default)]
    access_key_id: Option<String>,
}

impl ToldParameters {
    fn resources(self) -> impl Iterator<Item = (String, String)> {
        let named = [
            ("AWS::IAM::User", self.user_name),
            ("AWS::IAM::Group", self.group_name),
            ("AWS::IAM::Role", self.role_name),
            ("AWS::IAM::Policy", self.policy_arn),
            ("AWS::IAM::AccessKey", self.access_key_id),
        ];
        named
            .into_iter()
            .filter_map(|(resource_type, name)| Some((resource_type.to_owned(), name?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(identity: &str, event_source: &str, parameters: &str) -> Summary {
        let record = format!(
            r#"{{"userIdentity":{identity},"eventTime":"2026-11-25T16:00:00Z","eventSource":"{event_source}","eventName":"X","awsRegion":"us-east-1","eventID":"e","readOnly":false,"requestParameters":{parameters},"recipientAccountId":"111122223333"}}"#
        );
        Summary::of(record.as_bytes()).unwrap()
    }

    #[test]
    fn callers_are_called_as_cloudtrail_calls_them() {
        for (identity, username) in [
            (r#"{"type":"Root","principalId":"111122223333"}"#, Some("root")),
            (r#"{"type":"IAMUser","principalId":"AIDA","userName":"Alice"}"#, Some("Alice")),
            (r#"{"type":"AssumedRole","principalId":"AROA:night"}"#, Some("night")),
            (r#"{"type":"AWSService","invokedBy":"s3.amazonaws.com"}"#, None),
        ] {
            let told = summary(identity, "kms.amazonaws.com", "null");
            assert_eq!(told.username.as_deref(), username, "{identity}");
        }
    }

    #[test]
    fn only_requests_to_iam_name_resources_in_their_parameters() {
        let identity = r#"{"type":"Root"}"#;
        let parameters = r#"{"userName":"Bob","policyArn":"arn:aws:iam::aws:policy/P"}"#;
        let told = summary(identity, "iam.amazonaws.com", parameters);
        assert_eq!(told.values(Attribute::ResourceType), ["AWS::IAM::User", "AWS::IAM::Policy"]);
        assert_eq!(told.values(Attribute::ResourceName), ["Bob", "arn:aws:iam::aws:policy/P"]);
        let told = summary(identity, "kms.amazonaws.com", parameters);
        assert!(told.values(Attribute::ResourceName).is_empty());
        assert_eq!(told.values(Attribute::ReadOnly), ["false"]);
    }

    #[test]
    fn what_is_no_event_has_no_summary() {
        for wrong in ["", "{}", "[]", r#"{"eventID":"e"}"#] {
            assert_eq!(Summary::of(wrong.as_bytes()), None);
        }
    }
}
