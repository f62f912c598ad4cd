//! What each kind of record is for the meter, and what a batch of them makes of keys.

use serde_json::{Value, json};
use store::MeterCounter;

use super::*;

const OWNER: &str = "111122223333";
const OTHER: &str = "444455556666";
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const RELATED: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

fn arn(region: &str, key_id: &str) -> String {
    format!("arn:aws:kms:{region}:{OWNER}:key/{key_id}")
}

/// A record of a call of the owner's on a key.
fn call(event_name: &str, key_id: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "Root", "accountId": OWNER },
        "eventTime": "2026-11-25T16:00:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": event_name,
        "awsRegion": "us-east-1",
        "requestParameters": null,
        "responseElements": null,
        "resources": [
            { "accountId": OWNER, "type": "AWS::KMS::Key", "ARN": arn("us-east-1", key_id) },
        ],
        "eventType": "AwsApiCall",
        "recipientAccountId": OWNER,
    })
}

/// The same with some members changed.
fn with(mut record: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

fn created(key_id: &str, key_spec: &str, key_manager: &str) -> Value {
    let metadata = json!({ "keySpec": key_spec, "keyManager": key_manager });
    with(call("CreateKey", key_id), &json!({ "responseElements": { "keyMetadata": metadata } }))
}

fn event(event_name: &str, region: &str, key_id: &str) -> Value {
    let key = json!({ "accountId": OWNER, "type": "AWS::KMS::Key", "ARN": arn(region, key_id) });
    let members = json!({
        "awsRegion": region,
        "eventType": "AwsServiceEvent",
        "resources": [key],
        "userIdentity": { "type": "AWSInternal", "accountId": OWNER },
    });
    with(call(event_name, key_id), &members)
}

fn batch(records: &[Value]) -> Batch {
    let (mut batch, mut classes) = (Batch::default(), KeyClasses::default());
    for record in records {
        let flow = batch.take(&mut classes, record.to_string().as_bytes());
        assert!(flow.is_continue());
    }
    batch
}

/// Operation, class, outcome and who pays of the last record.
fn last_of(records: &[Value]) -> [String; 4] {
    let before = batch(&records[..records.len() - 1]).counts;
    let mut after = batch(records).counts;
    for (counter, count) in before {
        *after.get_mut(&counter).unwrap() -= count;
    }
    after.retain(|_, count| *count > 0);
    let (counter, count) = after.pop_first().unwrap();
    assert_eq!((count, after.len()), (1, 0));
    let MeterCounter { operation, request_class, outcome, account, .. } = counter;
    [operation, request_class, outcome, account]
}

#[test]
fn every_record_counts_in_one_counter() {
    let denied = json!({ "errorCode": "AccessDenied" });
    let throttled = json!({ "errorCode": "ThrottlingException" });
    let copy = json!({
        "userIdentity": { "type": "AWSAccount", "accountId": OTHER },
        "sharedEventID": "e",
    });
    let nobody = json!({
        "userIdentity": { "type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL" },
        "errorCode": "UnrecognizedClientException",
        "awsRegion": "",
        "recipientAccountId": null,
        "resources": null,
    });
    let asked = |spec: &str| json!({ "requestParameters": { "keyPairSpec": spec } });
    let iam = json!({ "eventSource": "iam.amazonaws.com" });
    for (record, expected) in [
        (call("Decrypt", KEY), ["kms:Decrypt", "symmetric", "served", OWNER]),
        (call("ListKeys", KEY), ["kms:ListKeys", "symmetric", "served", OWNER]),
        (with(call("Decrypt", KEY), &denied), ["kms:Decrypt", "symmetric", "refused", OWNER]),
        (with(call("Decrypt", KEY), &throttled), ["kms:Decrypt", "symmetric", "throttled", OWNER]),
        (with(call("Decrypt", KEY), &copy), ["kms:Decrypt", "free", "copy", OWNER]),
        (with(call("Decrypt", KEY), &nobody), ["kms:Decrypt", "symmetric", "refused", ""]),
        (
            with(call("GenerateDataKeyPair", KEY), &asked("RSA_3072")),
            ["kms:GenerateDataKeyPair", "rsa_data_key_pair", "served", OWNER],
        ),
        (
            with(call("GenerateDataKeyPairWithoutPlaintext", KEY), &asked("ECC_NIST_P256")),
            ["kms:GenerateDataKeyPairWithoutPlaintext", "data_key_pair", "served", OWNER],
        ),
        (
            with(call("GenerateDataKeyPair", KEY), &json!({ "requestParameters": "too long" })),
            ["kms:GenerateDataKeyPair", "data_key_pair", "served", OWNER],
        ),
        (with(call("CreateUser", KEY), &iam), ["iam:CreateUser", "free", "served", OWNER]),
        (with(call("Decrypt", KEY), &iam), ["iam:Unknown", "free", "served", OWNER]),
        (call("SomebodysInvention", KEY), ["kms:Unknown", "free", "served", OWNER]),
        (event("RotateKey", "us-east-1", KEY), ["kms:RotateKey", "free", "event", OWNER]),
        (json!({ "eventID": "no record of ours" }), ["Unknown", "free", "event", ""]),
    ] {
        assert_eq!(last_of(&[record]), expected);
    }
}

#[test]
fn the_dearest_key_decides() {
    for (key_spec, class) in [
        ("SYMMETRIC_DEFAULT", "symmetric"),
        ("HMAC_512", "symmetric"),
        ("RSA_2048", "rsa_2048"),
        ("RSA_4096", "asymmetric"),
        ("ECC_NIST_P256", "asymmetric"),
        ("ML_DSA_44", "asymmetric"),
    ] {
        let made = created(KEY, key_spec, "CUSTOMER");
        assert_eq!(last_of(&[made.clone(), call("Encrypt", KEY)])[1], class, "{key_spec}");
        assert_eq!(last_of(&[made.clone(), call("GetPublicKey", KEY)])[1], class, "{key_spec}");
        // What does not use the key costs the same for all.
        assert_eq!(last_of(&[made.clone(), call("DescribeKey", KEY)])[1], "symmetric");
        let keys = [RELATED, KEY]
            .map(|key_id| json!({ "type": "AWS::KMS::Key", "ARN": arn("us-east-1", key_id) }));
        let both = with(call("ReEncrypt", KEY), &json!({ "resources": keys }));
        assert_eq!(last_of(&[made, both])[1], class, "{key_spec}");
    }
}

/// What a life of keys leaves, in the order of Regions.
fn life(records: &[Value]) -> Vec<MeteredKeyRow> {
    let mut rows: Vec<MeteredKeyRow> = Vec::new();
    for (key, change, time) in batch(records).changes {
        let known = rows.iter().filter(|row| row.key_id == key.key_id).cloned().collect();
        for row in changed(known, &key, change, time) {
            rows.retain(|old| (old.region, old.key_id) != (row.region, row.key_id));
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| row.region);
    rows
}

fn at(record: Value, time: &str) -> Value {
    with(record, &json!({ "eventTime": time }))
}

#[test]
fn a_keys_life_is_read_from_its_records() {
    let denied = json!({ "errorCode": "AccessDenied" });
    let times: Vec<String> = (1..=9).map(|day| format!("2026-11-0{day}T00:00:00Z")).collect();
    let rows = life(&[
        at(created(KEY, "RSA_2048", "CUSTOMER"), &times[0]),
        at(call("ScheduleKeyDeletion", KEY), &times[1]),
        at(call("CancelKeyDeletion", KEY), &times[2]),
        with(at(call("ScheduleKeyDeletion", KEY), &times[3]), &denied),
        at(event("RotateKey", "us-east-1", KEY), &times[4]),
        at(event("RotateKey", "us-east-1", KEY), &times[5]),
        at(event("RotateKey", "us-east-1", KEY), &times[6]),
        at(call("ScheduleKeyDeletion", KEY), &times[7]),
        at(event("DeleteKey", "us-east-1", KEY), &times[8]),
    ]);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let time = |index: usize| Some(times[index].parse::<Timestamp>().unwrap());
    assert_eq!(row.key_spec, KeySpec::Rsa2048);
    assert_eq!(Some(row.created), time(0));
    assert_eq!([row.first_rotation, row.second_rotation], [time(4), time(5)]);
    assert_eq!([row.deletion_scheduled, row.deleted], [time(7), time(8)]);
    assert!(!row.is_aws_managed);
}

#[test]
fn replicas_are_keys_of_their_own_and_rotate_with_their_relatives() {
    let rows = life(&[
        created(RELATED, "HMAC_256", "CUSTOMER"),
        event("RotateKey", "us-east-1", RELATED),
        event("CreateKey", "eu-central-1", RELATED),
        event("RotateKey", "us-east-1", RELATED),
    ]);
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.region.as_str(), row.key_spec, row.second_rotation.is_some()))
        .collect();
    let expected =
        [("eu-central-1", KeySpec::Hmac256, false), ("us-east-1", KeySpec::Hmac256, true)];
    assert_eq!(told, expected);
    assert!(rows.iter().all(|row| row.first_rotation.is_some() && !row.is_aws_managed));
}

#[test]
fn a_key_that_nobody_made_is_a_managed_one() {
    let rows = life(&[event("CreateKey", "us-east-1", KEY), call("ScheduleKeyDeletion", RELATED)]);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].is_aws_managed);
}

#[test]
fn a_batch_is_bounded() {
    let (mut batch, mut classes) = (Batch::default(), KeyClasses::default());
    let mut taken = 0;
    loop {
        let day = format!("2{:03}-01-01T00:00:00Z", taken);
        let record = at(call("Decrypt", KEY), &day).to_string();
        taken += 1;
        if batch.take(&mut classes, record.as_bytes()).is_break() {
            break;
        }
    }
    assert_eq!((taken, batch.counts.len()), (ROWS_AT_ONCE_MAX, ROWS_AT_ONCE_MAX));
}
