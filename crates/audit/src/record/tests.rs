use proptest::prelude::*;
use serde_json::Value;

use super::*;

const KEY_ARN: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

const ROOT: UserIdentity<'static> = UserIdentity::Root {
    account_id: "111122223333",
    arn: "arn:aws:iam::111122223333:root",
    access_key_id: "AKIAIOSFODNN7EXAMPLE",
};

fn encrypt() -> Record<'static> {
    Record {
        user_identity: ROOT,
        invoked_by: None,
        event_time: "2022-08-10T22:38:27.9Z".parse().unwrap(),
        event_source: "kms.amazonaws.com",
        event_name: "Encrypt",
        aws_region: "us-west-2",
        source_ip_address: "192.0.2.0",
        user_agent: b"aws-cli/2.15.0",
        failure: None,
        request_parameters: Some(br#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#),
        response_elements: None,
        additional_event_data: None,
        request_id: Some("request"),
        event_id: "event",
        read_only: true,
        resources: &[Resource {
            account_id: "111122223333",
            resource_type: "AWS::KMS::Key",
            arn: KEY_ARN,
        }],
        event_type: EventType::AwsApiCall,
        recipient_account_id: Some("111122223333"),
        shared_event_id: None,
        tls_details: Some(TlsDetails {
            tls_version: "TLSv1.3",
            cipher_suite: "TLS_AES_128_GCM_SHA256",
            client_provided_host_header: Some(b"kms.example.com"),
            key_exchange: Some("X25519MLKEM768"),
        }),
        service_event_details: None,
    }
}

fn line(record: &Record<'_>) -> String {
    let mut out = Vec::new();
    record.write(&mut out);
    String::from_utf8(out).unwrap()
}

fn json(record: &Record<'_>) -> Value {
    serde_json::from_str(&line(record)).unwrap()
}

#[test]
fn a_call_is_written_as_cloudtrail_writes_it() {
    let expected = concat!(
        r#"{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"111122223333","#,
        r#""arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","#,
        r#""accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2022-08-10T22:38:27Z","#,
        r#""eventSource":"kms.amazonaws.com","eventName":"Encrypt","awsRegion":"us-west-2","#,
        r#""sourceIPAddress":"192.0.2.0","userAgent":"aws-cli/2.15.0","#,
        r#""requestParameters":{"encryptionAlgorithm":"SYMMETRIC_DEFAULT"},"#,
        r#""responseElements":null,"requestID":"request","eventID":"event","readOnly":true,"#,
        r#""resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","#,
        r#""ARN":"arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}],"#,
        r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","#,
        r#""eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","#,
        r#""cipherSuite":"TLS_AES_128_GCM_SHA256","#,
        r#""clientProvidedHostHeader":"kms.example.com","keyExchange":"X25519MLKEM768"}}"#,
    );
    assert_eq!(line(&encrypt()), expected);
}

#[test]
fn a_refusal_tells_why() {
    let failure = Some(Failure { error_code: "AccessDenied", error_message: Some("no \"way\"") });
    let record = json(&Record { failure, tls_details: None, ..encrypt() });
    assert_eq!(record["errorCode"], "AccessDenied");
    assert_eq!(record["errorMessage"], "no \"way\"");
    assert_eq!(record.get("tlsDetails"), None);
}

#[test]
fn a_caller_who_could_not_be_identified_is_anonymous() {
    let user_identity = UserIdentity::Anonymous { access_key_id: None };
    let record = json(&Record { user_identity, recipient_account_id: None, ..encrypt() });
    assert_eq!(
        record["userIdentity"],
        serde_json::json!({
            "type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"
        })
    );
    assert_eq!(record.get("recipientAccountId"), None);
    let claimed = [b'A'; 4096];
    let user_identity = UserIdentity::Anonymous { access_key_id: Some(&claimed) };
    let record = json(&Record { user_identity, ..encrypt() });
    assert_eq!(record["userIdentity"]["accessKeyId"], "A".repeat(128));
}

#[test]
fn a_web_identity_is_named_with_its_provider() {
    let user_identity = UserIdentity::WebIdentity {
        principal_id: "arn:aws:iam::111122223333:oidc-provider/issuer:app:\"me\"",
        user_name: "\"me\"",
        identity_provider: "arn:aws:iam::111122223333:oidc-provider/issuer",
    };
    assert_eq!(
        json(&Record { user_identity, ..encrypt() })["userIdentity"],
        serde_json::json!({
            "type": "WebIdentityUser",
            "principalId": "arn:aws:iam::111122223333:oidc-provider/issuer:app:\"me\"",
            "userName": "\"me\"",
            "identityProvider": "arn:aws:iam::111122223333:oidc-provider/issuer",
        })
    );
}

#[test]
fn a_user_is_told_by_name_and_unique_id() {
    let user_identity = UserIdentity::IamUser {
        principal_id: "AIDA1",
        arn: "arn:aws:iam::111122223333:user/Ada",
        account_id: "111122223333",
        access_key_id: "AKIA1",
        user_name: "Ada",
    };
    assert_eq!(
        json(&Record { user_identity, ..encrypt() })["userIdentity"],
        serde_json::json!({
            "type": "IAMUser", "principalId": "AIDA1",
            "arn": "arn:aws:iam::111122223333:user/Ada", "accountId": "111122223333",
            "accessKeyId": "AKIA1", "userName": "Ada"
        })
    );
}

#[test]
fn a_session_is_told_with_who_stands_behind_it() {
    let session = SessionIdentity {
        identity_type: "AssumedRole",
        principal_id: "AROA1:work",
        arn: "arn:aws:sts::111122223333:assumed-role/Role/work",
        account_id: "111122223333",
        access_key_id: "ASIA1",
        user_name: None,
        issuer: Some(SessionIssuer {
            issuer_type: "Role",
            principal_id: "AROA1",
            arn: "arn:aws:iam::111122223333:role/Role",
            user_name: Some("Role"),
        }),
        created: Timestamp::from_second(1_660_171_107).unwrap(),
        source_identity: Some("Ada"),
    };
    let user_identity = UserIdentity::Session(session);
    let expected = serde_json::json!({
        "type": "AssumedRole", "principalId": "AROA1:work",
        "arn": "arn:aws:sts::111122223333:assumed-role/Role/work", "accountId": "111122223333",
        "accessKeyId": "ASIA1",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": "AROA1",
                "arn": "arn:aws:iam::111122223333:role/Role", "accountId": "111122223333",
                "userName": "Role"
            },
            "sourceIdentity": "Ada",
            "attributes": { "creationDate": "2022-08-10T22:38:27Z", "mfaAuthenticated": "false" }
        }
    });
    assert_eq!(json(&Record { user_identity, ..encrypt() })["userIdentity"], expected);

    let of_root = SessionIdentity { issuer: None, source_identity: None, ..session };
    let user_identity = UserIdentity::Session(of_root);
    let told = &json(&Record { user_identity, ..encrypt() })["userIdentity"]["sessionContext"];
    assert_eq!(told["attributes"], expected["sessionContext"]["attributes"]);
    assert_eq!(told.as_object().unwrap().len(), 1);
}

#[test]
fn a_service_event_names_no_caller() {
    let record = json(&Record {
        user_identity: UserIdentity::AwsInternal { account_id: "111122223333" },
        event_name: "DeleteKey",
        source_ip_address: "AWS Internal",
        user_agent: b"AWS Internal",
        request_parameters: None,
        request_id: None,
        read_only: false,
        resources: &[],
        event_type: EventType::AwsServiceEvent,
        tls_details: None,
        service_event_details: Some(br#"{"keyId":"1234abcd"}"#),
        shared_event_id: Some("shared"),
        additional_event_data: Some(b"{}"),
        ..encrypt()
    });
    assert_eq!(
        record["userIdentity"],
        serde_json::json!({ "accountId": "111122223333", "invokedBy": "AWS Internal" })
    );
    assert_eq!(record["eventType"], "AwsServiceEvent");
    assert_eq!(record["readOnly"], false);
    assert_eq!(record["serviceEventDetails"]["keyId"], "1234abcd");
    assert_eq!(record["sharedEventID"], "shared");
    assert_eq!(record["requestParameters"], Value::Null);
    assert_eq!(record.get("requestID"), None);
    assert_eq!(record.get("resources"), None);
}

#[test]
fn two_resources_stand_in_one_list() {
    let resource = encrypt().resources[0];
    let record = json(&Record { resources: &[resource, resource], ..encrypt() });
    assert_eq!(record["resources"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_a_caller_chooses_is_bounded() {
    let agent = vec![b'\x1b'; 1024 * 1024];
    let parameters = format!("\"{}\"", "x".repeat(PARAMETERS_BYTES_MAX));
    let message = "é".repeat(ERROR_MESSAGE_BYTES_MAX);
    let record = Record {
        user_agent: &agent,
        request_parameters: Some(parameters.as_bytes()),
        failure: Some(Failure { error_code: "X", error_message: Some(&message) }),
        ..encrypt()
    };
    assert!(line(&record).len() < 16 * 1024);
    let record = json(&record);
    assert_eq!(record["userAgent"].as_str().map(str::len), Some(USER_AGENT_BYTES_MAX));
    assert_eq!(record["errorMessage"].as_str().map(str::len), Some(ERROR_MESSAGE_BYTES_MAX));
    assert_eq!(
        record["requestParameters"],
        serde_json::json!({
            "reason": "requestParameters too large",
            "omitted": true,
            "originalSize": PARAMETERS_BYTES_MAX + 2
        })
    );
}

#[test]
fn the_first_and_last_day_are_written() {
    for time in ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-30T21:59:59Z"] {
        let record = json(&Record { event_time: time.parse().unwrap(), ..encrypt() });
        assert_eq!(record["eventTime"], time);
    }
}

/// What people send to break logs: line breaks, terminal commands, quotes, bad UTF-8, fake events.
const INJECTIONS: [&[u8]; 12] = [
    b"a\r\nb",
    b"\n{\"eventName\":\"Fake\"}",
    b"\",\"errorCode\":\"None\",\"x\":\"",
    b"\\",
    b"\\\"",
    b"\x1b[2J\x1b]0;title\x07",
    b"\xc2\x9b31m",
    b"\x00\x01\x7f",
    b"\xff\xfe\xc0\x80",
    b"\xed\xa0\x80\xed\xb0\x80",
    "\u{2028}\u{2029}\u{202e}\u{feff}".as_bytes(),
    "${jndi:ldap://x} \u{1F511}".as_bytes(),
];

#[test]
fn no_text_of_a_caller_leaves_its_place() {
    for injection in INJECTIONS {
        let text = String::from_utf8_lossy(injection);
        let record = Record {
            user_identity: UserIdentity::Anonymous { access_key_id: Some(injection) },
            event_name: &text,
            aws_region: &text,
            source_ip_address: &text,
            user_agent: injection,
            failure: Some(Failure { error_code: "X", error_message: Some(&text) }),
            tls_details: Some(TlsDetails {
                tls_version: "TLSv1.3",
                cipher_suite: "",
                client_provided_host_header: Some(injection),
                key_exchange: None,
            }),
            ..encrypt()
        };
        let line = line(&record);
        assert!(line.chars().all(|character| !character.is_control()), "{line}");
        let record: Value = serde_json::from_str(&line).unwrap();
        for written in [
            &record["userIdentity"]["accessKeyId"],
            &record["eventName"],
            &record["awsRegion"],
            &record["sourceIPAddress"],
            &record["userAgent"],
            &record["errorMessage"],
            &record["tlsDetails"]["clientProvidedHostHeader"],
        ] {
            assert_eq!(written.as_str(), Some(&*text));
        }
    }
}

proptest! {
    #[test]
    fn any_call_is_one_line_of_json(name: String, agent: Vec<u8>, host: Vec<u8>, message: String) {
        let record = Record {
            event_name: &name,
            user_agent: &agent,
            failure: Some(Failure { error_code: "X", error_message: Some(&message) }),
            tls_details: Some(TlsDetails {
                tls_version: "TLSv1.2",
                cipher_suite: "x",
                client_provided_host_header: Some(&host),
                key_exchange: None,
            }),
            ..encrypt()
        };
        let line = line(&record);
        prop_assert!(line.chars().all(|character| !character.is_control()));
        let read: Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(read["eventName"].as_str(), Some(&*name));
    }
}
