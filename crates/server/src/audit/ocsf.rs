//! Records in the Open Cybersecurity Schema Framework, version 1.9.0: class API Activity (6003) with the profile `cloud`.
//!
//! A pure mapping. What the class has no place for stands under `unmapped`, by CloudTrail's names, so that nothing is lost.
//! Source: the schema of OCSF, `events/application/api_activity.json` and what it includes.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const VERSION: &str = "1.9.0";
const CATEGORY_UID: u32 = 6;
const CLASS_UID: u32 = 6003;

/// What the call did, as the class tells it.
#[derive(Clone, Copy)]
enum Activity {
    Create,
    Read,
    Update,
    Delete,
}

impl Activity {
    /// By what CloudTrail says, and otherwise by how AWS calls its operations.
    fn of(event_name: &str, is_read: bool) -> Activity {
        match event_name {
            _ if is_read => Activity::Read,
            name if name.starts_with("Create") => Activity::Create,
            name if name.starts_with("Delete") => Activity::Delete,
            _ => Activity::Update,
        }
    }

    fn id(self) -> u32 {
        match self {
            Activity::Create => 1,
            Activity::Read => 2,
            Activity::Update => 3,
            Activity::Delete => 4,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Activity::Create => "Create",
            Activity::Read => "Read",
            Activity::Update => "Update",
            Activity::Delete => "Delete",
        }
    }
}

/// The event of a record.
pub(super) fn event(mut record: Map<String, Value>) -> Value {
    let mut take = |name: &str| record.remove(name).unwrap_or(Value::Null);
    let (event_name, event_id) = (take("eventName"), take("eventID"));
    let (error_code, error_message) = (take("errorCode"), take("errorMessage"));
    let (identity, resources) = (take("userIdentity"), take("resources"));
    let activity = Activity::of(text(&event_name), take("readOnly") == Value::Bool(true));
    let (status_id, status) = match error_code.is_null() {
        true => (1, "Success"),
        false => (2, "Failure"),
    };
    let event = json!({
        "activity_id": activity.id(),
        "activity_name": activity.name(),
        "category_uid": CATEGORY_UID,
        "category_name": "Application Activity",
        "class_uid": CLASS_UID,
        "class_name": "API Activity",
        "type_uid": CLASS_UID * 100 + activity.id(),
        "time": milliseconds(&take("eventTime")),
        "severity_id": 1,
        "severity": "Informational",
        "status_id": status_id,
        "status": status,
        "status_code": error_code,
        "status_detail": error_message,
        "metadata": {
            "version": VERSION,
            "uid": event_id,
            "original_event_uid": event_id,
            "correlation_uid": take("sharedEventID"),
            "event_code": take("eventType"),
            "product": { "name": "Keystead", "vendor_name": "Keystead" },
            "log_provider": "CloudTrail",
            "profiles": ["cloud"],
        },
        "cloud": {
            "provider": "Keystead",
            "region": take("awsRegion"),
            "account": account(&take("recipientAccountId")),
        },
        "actor": actor(&identity),
        "api": {
            "operation": event_name,
            "service": { "name": take("eventSource") },
            "request": { "uid": take("requestID") },
            "response": { "error": error_code, "error_message": error_message },
        },
        "src_endpoint": endpoint(&take("sourceIPAddress")),
        "http_request": { "user_agent": take("userAgent") },
        "resources": resources.as_array().into_iter().flatten().map(resource).collect::<Vec<_>>(),
    });
    let Value::Object(mut event) = without_nulls(event) else { return Value::Null };
    record.insert("userIdentity".to_owned(), identity);
    event.insert("unmapped".to_owned(), without_nulls(Value::Object(record)));
    Value::Object(event)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A time of CloudTrail in milliseconds since 1970.
fn milliseconds(time: &Value) -> Option<i64> {
    text(time).parse().ok().map(Timestamp::as_millisecond)
}

fn account(account_id: &Value) -> Value {
    json!({ "uid": account_id, "type": "AWS Account", "type_id": 10 })
}

/// Who called, which the class requires: a type at least, of a caller who could not be identified.
fn actor(identity: &Value) -> Value {
    let kind = text(&identity["type"]);
    let (type_id, user_type) = match kind {
        "Root" => (2, "Admin"),
        "AWSService" => (4, "Service"),
        "" => (3, "System"),
        _ => (1, "User"),
    };
    let session = |pointer| identity.pointer("/sessionContext")?.pointer(pointer);
    let created = session("/attributes/creationDate").map(milliseconds);
    json!({
        "user": {
            "type_id": type_id,
            "type": user_type,
            "uid": identity["principalId"],
            "uid_alt": identity["arn"],
            "name": identity["userName"],
            "credential_uid": identity["accessKeyId"],
            "account": account(&identity["accountId"]),
        },
        "session": {
            "issuer": session("/sessionIssuer/arn"),
            "created_time": created,
        },
        "invoked_by": identity["invokedBy"],
    })
}

/// Where the call came from: an address, or a service by name.
fn endpoint(source: &Value) -> Value {
    match text(source).parse::<IpAddr>() {
        Ok(address) => json!({ "ip": address }),
        Err(_) => json!({ "svc_name": source }),
    }
}

fn resource(resource: &Value) -> Value {
    json!({
        "uid": resource["ARN"],
        "type": resource["type"],
        "owner": { "account": account(&resource["accountId"]) },
    })
}

/// The same without members that say nothing, and without objects that have no others.
fn without_nulls(value: Value) -> Value {
    let is_told = |value: &Value| match value {
        Value::Null => false,
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
    };
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, without_nulls(value)))
                .filter(|(_, value)| is_told(value))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_of(record: Value) -> Value {
        let Value::Object(record) = record else { panic!("a record is an object") };
        event(record)
    }

    fn record() -> Value {
        json!({
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "principalId": "AIDA", "accountId": "111122223333",
                "arn": "arn:aws:iam::111122223333:user/Alice", "userName": "Alice", "accessKeyId": "AKIA"},
            "eventTime": "2026-11-25T16:00:00Z", "eventSource": "kms.amazonaws.com",
            "eventName": "CreateKey", "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.7",
            "userAgent": "cli", "errorCode": "AccessDenied", "errorMessage": "no",
            "requestParameters": {"description": null, "keySpec": "RSA_2048"}, "responseElements": null,
            "requestID": "r", "eventID": "e", "readOnly": false, "eventType": "AwsApiCall",
            "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": "arn"}],
            "recipientAccountId": "111122223333",
        })
    }

    #[test]
    fn what_the_class_requires_is_there_of_every_kind_of_record() {
        let service_event = json!({
            "userIdentity": {"accountId": "111122223333", "invokedBy": "AWS Internal"},
            "eventTime": "2026-11-25T16:00:00Z", "eventSource": "kms.amazonaws.com",
            "eventName": "RotateKey", "awsRegion": "us-east-1", "sourceIPAddress": "AWS Internal",
            "eventID": "e", "readOnly": false, "eventType": "AwsServiceEvent",
        });
        for event in [event_of(record()), event_of(service_event)] {
            for required in [
                "activity_id",
                "category_uid",
                "class_uid",
                "type_uid",
                "time",
                "severity_id",
                "metadata",
                "cloud",
                "actor",
                "api",
                "src_endpoint",
            ] {
                assert!(!event[required].is_null(), "{required} is missing in {event}");
            }
            for required in [
                &event["metadata"]["version"],
                &event["metadata"]["product"]["name"],
                &event["cloud"]["provider"],
                &event["api"]["operation"],
                &event["actor"]["user"]["type_id"],
            ] {
                assert!(!required.is_null(), "{event}");
            }
            let endpoint = &event["src_endpoint"];
            assert!(endpoint["ip"].is_string() || endpoint["svc_name"].is_string(), "{event}");
        }
    }

    #[test]
    fn members_stand_where_the_class_has_them_and_the_rest_is_kept() {
        let event = event_of(record());
        for (found, expected) in [
            (&event["type_uid"], json!(600_301)),
            (&event["time"], json!(1_795_622_400_000_i64)),
            (&event["status_id"], json!(2)),
            (&event["status_code"], json!("AccessDenied")),
            (&event["metadata"]["uid"], json!("e")),
            (&event["cloud"]["account"]["uid"], json!("111122223333")),
            (&event["actor"]["user"]["name"], json!("Alice")),
            (&event["api"]["request"]["uid"], json!("r")),
            (&event["src_endpoint"], json!({"ip": "192.0.2.7"})),
            (&event["resources"][0]["uid"], json!("arn")),
            (&event["unmapped"]["requestParameters"], json!({"keySpec": "RSA_2048"})),
            (&event["unmapped"]["eventVersion"], json!("1.11")),
        ] {
            assert_eq!(*found, expected, "{event}");
        }
        assert!(event["unmapped"].get("responseElements").is_none());
    }

    #[test]
    fn operations_are_told_apart() {
        for (name, is_read, id) in [
            ("CreateAlias", false, 1),
            ("Encrypt", true, 2),
            ("EnableKey", false, 3),
            ("DeleteAlias", false, 4),
        ] {
            assert_eq!(Activity::of(name, is_read).id(), id, "{name}");
        }
    }
}
