//! AWS Query: forms are read into requests, answers are written as XML.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use serde::{Deserialize, Serialize};
use wire::{
    iam::{
        access_keys::{AccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse},
        accounts::{GetAccountSummaryRequest, GetAccountSummaryResponse},
        enums::{Status, SummaryKey},
        policies::ListPoliciesRequest,
        role_policies::{GetRolePolicyRequest, GetRolePolicyResponse},
        roles::{CreateRoleRequest, UpdateRoleRequest, UpdateRoleResponse},
        simulation::SimulateCustomPolicyRequest,
        tags::Tag,
        users::{
            CreateUserRequest, DeleteUserRequest, GetUserRequest, GetUserResponse,
            ListUsersRequest, ListUsersResponse, TagUserRequest, User,
        },
    },
    limits::{FORM_DEPTH_MAX, FORM_LIST_INDEX_MAX},
    query::{IAM_NAMESPACE, QueryError, STS_NAMESPACE, decode, encode},
    shape::validate,
    sts::caller_identity::{GetCallerIdentityRequest, GetCallerIdentityResponse},
    values::PolicyDocument,
};

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) }
}

fn user() -> User {
    User {
        path: "/".to_owned(),
        user_name: "alice".to_owned(),
        user_id: "AIDACKCEVSQ6C2EXAMPLE".to_owned(),
        arn: "arn:aws:iam::111122223333:user/alice".to_owned(),
        create_date: "2026-01-02T03:04:05.999Z".parse().unwrap(),
        password_last_used: None,
        permissions_boundary: None,
        tags: Vec::new(),
    }
}

fn written<R: wire::model::Request>(answer: &R::Answer) -> String {
    String::from_utf8(encode::<R>(IAM_NAMESPACE, answer, "id")).unwrap()
}

#[test]
fn members_of_every_type_are_read() {
    let request: CreateRoleRequest = decode(
        b"Action=CreateRole&Version=2010-05-08&RoleName=reader&MaxSessionDuration=7200\
          &Tags.member.2.Key=b&Tags.member.2.Value=&Tags.member.1.Value=x+y&Tags.member.1.Key=a\
          &Unknown.member.1=z",
    )
    .unwrap();
    assert_eq!(request.role_name.as_deref(), Some("reader"));
    assert_eq!(request.max_session_duration, Some(7200));
    assert_eq!(request.tags, Some(vec![tag("a", "x y"), tag("b", "")]));
    assert!(request.path.is_none() && request.assume_role_policy_document.is_none());

    let request: ListPoliciesRequest = decode(b"Scope=Local&OnlyAttached=true").unwrap();
    assert_eq!(request.scope.unwrap().as_str(), "Local");
    assert_eq!(request.only_attached, Some(true));

    let request: SimulateCustomPolicyRequest = decode(
        b"PolicyInputList.member.1=%7B%7D&ActionNames.member.1=kms%3ADecrypt\
          &ContextEntries.member.1.ContextKeyName=aws%3ASourceIp\
          &ContextEntries.member.1.ContextKeyValues.member.1=10.0.0.1\
          &ContextEntries.member.1.ContextKeyValues.member.2=10.0.0.2",
    )
    .unwrap();
    assert_eq!(request.policy_input_list, Some(vec!["{}".to_owned()]));
    let entries = request.context_entries.unwrap();
    let values = entries[0].context_key_values.as_ref().unwrap();
    assert_eq!(*values, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn lists_are_in_the_order_of_their_numbers() {
    let keys = |form: &str| {
        let request: TagUserRequest = decode(form.as_bytes()).unwrap();
        let tags = request.tags.unwrap();
        tags.into_iter().map(|tag| tag.key.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(
        keys("Tags.member.10.Key=c&Tags.member.9.Key=b&Tags.member.2.Key=a"),
        ["a", "b", "c"]
    );
    assert_eq!(keys("Tags="), [""; 0]);
}

#[test]
fn forms_of_the_wrong_shape_are_refused() {
    let refused = |form: &str| decode::<CreateRoleRequest>(form.as_bytes()).err();
    for (form, why) in [
        ("RoleName.member.1=a", QueryError::NotText),
        ("RoleName.=a", QueryError::NotText),
        ("Tags=a", QueryError::NotStructure),
        ("Tags.member.1=a", QueryError::NotStructure),
        ("Tags.1.Key=a", QueryError::NotList),
        ("Tags.member.0.Key=a", QueryError::NotList),
        ("Tags.member.01.Key=a", QueryError::NotList),
        ("Tags.member.%2B1.Key=a", QueryError::NotList),
        ("Tags.member.-1.Key=a", QueryError::NotList),
        ("Tags.member.x.Key=a", QueryError::NotList),
        ("Tags.member.99999999999999999999.Key=a", QueryError::NotList),
        ("RoleName=a&RoleName.member.1=b", QueryError::Ambiguous),
        ("Tags=&Tags.member.1.Key=a", QueryError::Ambiguous),
        ("MaxSessionDuration=1h", QueryError::NotInteger),
        ("MaxSessionDuration=", QueryError::NotInteger),
        ("MaxSessionDuration=9223372036854775808", QueryError::NotInteger),
        ("RoleName=a&RoleName=a", QueryError::Duplicate),
    ] {
        assert_eq!(refused(form), Some(why), "{form}");
    }
    assert_eq!(refused(&format!("Tags.member.{FORM_LIST_INDEX_MAX}.Key=a")), None);
    let beyond = format!("Tags.member.{}.Key=a", FORM_LIST_INDEX_MAX + 1);
    assert_eq!(refused(&beyond), Some(QueryError::NotList));
    assert_eq!(refused(&["a"; FORM_DEPTH_MAX].join(".")), None);
    assert_eq!(refused(&["a"; FORM_DEPTH_MAX + 1].join(".")), Some(QueryError::TooDeep));
    for text in ["True", "1", "", "yes"] {
        let form = format!("OnlyAttached={text}");
        let error = decode::<ListPoliciesRequest>(form.as_bytes()).err();
        assert_eq!(error, Some(QueryError::NotBoolean), "{text}");
    }
}

#[test]
fn violations_are_told_as_those_of_kms() {
    let request: CreateUserRequest =
        decode(b"Path=a&Tags.member.1.Key=k&Tags.member.2.Value=*").unwrap();
    assert_eq!(
        validate(&request).unwrap_err().to_string(),
        "5 validation errors detected: Value 'a' at 'path' failed to satisfy constraint: Member \
         must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F); \
         Value null at 'userName' failed to satisfy constraint: Member must not be null; Value \
         null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null; \
         Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null; \
         Value '*' at 'tags.2.member.value' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"
    );
}

#[test]
fn answers_are_xml() {
    assert_eq!(
        written::<GetUserRequest>(&GetUserResponse { user: user() }),
        "<GetUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetUserResult>\
         <User><Path>/</Path><UserName>alice</UserName><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>\
         <Arn>arn:aws:iam::111122223333:user/alice</Arn>\
         <CreateDate>2026-01-02T03:04:05Z</CreateDate></User></GetUserResult>\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetUserResponse>"
    );
    let tagged = User { tags: vec![tag("a", "1\r\n"), tag("b", "<&>")], ..user() };
    let answer = ListUsersResponse { users: vec![tagged], is_truncated: false, marker: None };
    let xml = written::<ListUsersRequest>(&answer);
    assert!(xml.contains("<ListUsersResult><Users><member><Path>/</Path>"), "{xml}");
    assert!(
        xml.contains(
            "<Tags><member><Key>a</Key><Value>1&#13;\n</Value></member>\
             <member><Key>b</Key><Value>&lt;&amp;&gt;</Value></member></Tags></member></Users>\
             <IsTruncated>false</IsTruncated></ListUsersResult>"
        ),
        "{xml}"
    );
    let nobody =
        ListUsersResponse { users: Vec::new(), is_truncated: true, marker: Some("m".to_owned()) };
    let xml = written::<ListUsersRequest>(&nobody);
    assert!(
        xml.contains("<Users></Users><IsTruncated>true</IsTruncated><Marker>m</Marker>"),
        "{xml}"
    );
}

#[test]
fn operations_without_output_have_only_metadata() {
    assert_eq!(
        written::<DeleteUserRequest>(&()),
        "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteUserResponse>"
    );
    // An output without members is another thing.
    assert!(
        written::<UpdateRoleRequest>(&UpdateRoleResponse {})
            .contains("<UpdateRoleResult></UpdateRoleResult><ResponseMetadata>")
    );
}

#[test]
fn maps_policies_and_secrets_are_written() {
    let summary_map = BTreeMap::from([(SummaryKey::Users, 3), (SummaryKey::UsersQuota, 5000)]);
    assert!(
        written::<GetAccountSummaryRequest>(&GetAccountSummaryResponse { summary_map }).contains(
            "<SummaryMap><entry><key>Users</key><value>3</value></entry>\
             <entry><key>UsersQuota</key><value>5000</value></entry></SummaryMap>"
        )
    );
    let answer = GetRolePolicyResponse {
        role_name: "r".to_owned(),
        policy_name: "p".to_owned(),
        policy_document: PolicyDocument::from("{\"Action\": \"kms:*\"}".to_owned()),
    };
    assert!(
        written::<GetRolePolicyRequest>(&answer)
            .contains("<PolicyDocument>%7B%22Action%22%3A%20%22kms%3A%2A%22%7D</PolicyDocument>")
    );
    let access_key = AccessKey {
        user_name: "alice".to_owned(),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        status: Status::Active,
        secret_access_key: "a/b+c".to_owned().into(),
        create_date: Timestamp::UNIX_EPOCH,
    };
    let answer = CreateAccessKeyResponse { access_key };
    assert!(written::<CreateAccessKeyRequest>(&answer).contains(
        "<Status>Active</Status><SecretAccessKey>a/b+c</SecretAccessKey>\
         <CreateDate>1970-01-01T00:00:00Z</CreateDate>"
    ));
    // As the audit record has it.
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!(json["AccessKey"]["AccessKeyId"], "AKIAIOSFODNN7EXAMPLE");
    assert!(json["AccessKey"]["SecretAccessKey"].is_null());
}

#[test]
fn who_am_i() {
    let answer = GetCallerIdentityResponse {
        user_id: "111122223333".to_owned(),
        account: "111122223333".parse().unwrap(),
        arn: "arn:aws:iam::111122223333:root".to_owned(),
    };
    assert_eq!(
        String::from_utf8(encode::<GetCallerIdentityRequest>(STS_NAMESPACE, &answer, "id"))
            .unwrap(),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><UserId>111122223333</UserId><Account>111122223333</Account>\
         <Arn>arn:aws:iam::111122223333:root</Arn></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>"
    );
}

/// A structure of every type, deeper than those of IAM.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Everything {
    text: Option<String>,
    number: Option<i64>,
    flag: Option<bool>,
    list: Option<Vec<String>>,
    inner: Option<Vec<Inner>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Inner {
    text: String,
    list: Vec<i64>,
}

impl Everything {
    /// The members as SDKs write them.
    fn form(&self) -> Vec<(String, String)> {
        let mut form = Vec::new();
        let mut push = |name: String, text: String| form.push((name, text));
        if let Some(text) = &self.text {
            push("Text".to_owned(), text.clone());
        }
        if let Some(number) = self.number {
            push("Number".to_owned(), number.to_string());
        }
        if let Some(flag) = self.flag {
            push("Flag".to_owned(), flag.to_string());
        }
        let mut list = |name: &str, items: Vec<String>| {
            if items.is_empty() {
                push(name.to_owned(), String::new());
            }
            for (place, item) in items.into_iter().enumerate() {
                push(format!("{name}.member.{}", place + 1), item);
            }
        };
        if let Some(items) = &self.list {
            list("List", items.clone());
        }
        for (place, inner) in self.inner.iter().flatten().enumerate() {
            let name = format!("Inner.member.{}", place + 1);
            list(&format!("{name}.List"), inner.list.iter().map(i64::to_string).collect());
        }
        for (place, inner) in self.inner.iter().flatten().enumerate() {
            form.push((format!("Inner.member.{}.Text", place + 1), inner.text.clone()));
        }
        if self.inner.as_ref().is_some_and(Vec::is_empty) {
            form.push(("Inner".to_owned(), String::new()));
        }
        form
    }
}

fn encoded(form: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

/// What an odd form is read as must be sayable plainly.
fn is_read_again_or_refused(body: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(everything) = decode::<Everything>(body) {
        let plain = encoded(&everything.form());
        prop_assert_eq!(decode::<Everything>(plain.as_bytes()), Ok(everything));
    }
    Ok(())
}

/// A text of any characters, those that XML or forms write otherwise among them.
fn text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec!['\0', '\r', '\n', '\t', '\u{7f}', '&', '<', ']', '%', '+']);
    let character = prop_oneof![odd, any::<char>()];
    prop::collection::vec(character, 0..20).prop_map(|characters| {
        characters.into_iter().filter(|c| *c != char::REPLACEMENT_CHARACTER).collect()
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    let inner = (text(), prop::collection::vec(any::<i64>(), 0..12))
        .prop_map(|(text, list)| Inner { text, list });
    (
        prop::option::of(text()),
        any::<Option<i64>>(),
        any::<Option<bool>>(),
        prop::option::of(prop::collection::vec(text(), 0..12)),
        prop::option::of(prop::collection::vec(inner, 0..12)),
    )
        .prop_map(|(text, number, flag, list, inner)| Everything {
            text,
            number,
            flag,
            list,
            inner,
        })
}

/// The text of the element with that name, as an XML reader understands it.
fn text_in(xml: &str, name: &str) -> String {
    let mut reader = Reader::from_str(xml);
    let mut text = String::new();
    let mut is_inside = false;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => is_inside = start.name().as_ref() == name.as_bytes(),
            Event::End(_) => is_inside = false,
            Event::Text(part) if is_inside => text.push_str(&part.decode().unwrap()),
            Event::GeneralRef(reference) if is_inside => {
                match reference.resolve_char_ref().unwrap() {
                    Some(character) => text.push(character),
                    None => {
                        let name = reference.decode().unwrap();
                        text.push_str(resolve_predefined_entity(&name).unwrap());
                    }
                }
            }
            Event::Eof => return text,
            Event::Text(_)
            | Event::GeneralRef(_)
            | Event::Empty(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

proptest! {
    #[test]
    fn texts_of_answers_are_read_as_they_were_written(marker in text()) {
        let answer = ListUsersResponse {
            users: Vec::new(),
            is_truncated: true,
            marker: Some(marker.clone()),
        };
        let expressible = |c: char| {
            matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
        };
        let expected: String = marker
            .chars()
            .map(|c| if expressible(c) { c } else { char::REPLACEMENT_CHARACTER })
            .collect();
        prop_assert_eq!(text_in(&written::<ListUsersRequest>(&answer), "Marker"), expected);
    }

    #[test]
    fn what_is_written_as_a_form_is_read_again(
        everything in everything(),
        order in any::<prop::sample::Index>(),
    ) {
        let mut form = everything.form();
        let middle = order.index(form.len().max(1));
        form.rotate_left(middle);
        prop_assert_eq!(decode::<Everything>(encoded(&form).as_bytes()), Ok(everything));
    }

    #[test]
    fn no_form_is_too_odd(body in prop::collection::vec(any::<u8>(), 0..200)) {
        is_read_again_or_refused(&body)?;
    }

    #[test]
    fn no_name_is_too_odd(
        names in prop::collection::vec("(Text|Number|List|Inner|member|0|1|2|\\.){1,8}", 0..6),
        text in "(true|1||x)",
    ) {
        let body: String = names.iter().map(|name| format!("{name}={text}&")).collect();
        is_read_again_or_refused(body.as_bytes())?;
    }
}
