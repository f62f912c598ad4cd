//! Timestamps: what requests may say and what answers say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use jiff::Timestamp;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use wire::json::{decode, encode};
use wire::kms::import::ImportKeyMaterialRequest;

#[derive(Default, Serialize, Deserialize)]
struct Probe {
    #[serde(with = "wire::json::epoch")]
    at: Timestamp,
}

fn read(value: &str) -> Result<Timestamp, Option<String>> {
    let body = format!(r#"{{"at": {value}}}"#);
    decode::<Probe>(body.as_bytes()).map(|probe| probe.at).map_err(|error| error.message)
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn three_forms_are_read() {
    assert_eq!(read("1680000000"), Ok(time("2023-03-28T10:40:00Z")));
    assert_eq!(read("1680000000.123"), Ok(time("2023-03-28T10:40:00.123Z")));
    assert_eq!(read("1.680000000123E9"), Ok(time("2023-03-28T10:40:00.123Z")));
    assert_eq!(read(r#""2023-03-28T10:40:00.123Z""#), Ok(time("2023-03-28T10:40:00.123Z")));
    assert_eq!(read(r#""2023-03-28T12:40:00+02:00""#), Ok(time("2023-03-28T10:40:00Z")));
    assert_eq!(read("-1"), Ok(time("1969-12-31T23:59:59Z")));
    assert_eq!(read("-0"), Ok(Timestamp::UNIX_EPOCH));
}

#[test]
fn other_values_are_refused() {
    let out_of_range = Err(Some("Timestamp is out of range".to_owned()));
    for number in ["1e300", "-1e300", "253402300800", "18446744073709551615", "9e15"] {
        assert_eq!(read(number), out_of_range, "{number}");
    }
    assert_eq!(read("1e999"), Err(None));
    for (value, text) in [
        (r#""""#, "STRING_VALUE can not be converted to a Timestamp"),
        (r#""yesterday""#, "STRING_VALUE can not be converted to a Timestamp"),
        (r#""1680000000""#, "STRING_VALUE can not be converted to a Timestamp"),
        (r#""2023-03-28T10:40:00""#, "STRING_VALUE can not be converted to a Timestamp"),
        ("true", "TRUE_VALUE can not be converted to a Timestamp"),
        ("[]", "Start of list found where not expected"),
        ("{}", "Start of structure or map found where not expected."),
    ] {
        assert_eq!(read(value), Err(Some(text.to_owned())), "{value}");
    }
    assert_eq!(read("null"), Err(None));
}

#[test]
fn an_optional_time_may_be_absent() {
    let valid_to = |body: &str| {
        decode::<ImportKeyMaterialRequest>(body.as_bytes())
            .map(|request| request.valid_to)
            .map_err(|error| error.message)
    };
    assert_eq!(valid_to("{}"), Ok(None));
    assert_eq!(valid_to(r#"{"ValidTo": null}"#), Ok(None));
    assert_eq!(valid_to(r#"{"ValidTo": 1680000000}"#), Ok(Some(time("2023-03-28T10:40:00Z"))));
    assert_eq!(
        valid_to(r#"{"ValidTo": false}"#),
        Err(Some("FALSE_VALUE can not be converted to a Timestamp".to_owned()))
    );
}

#[test]
fn answers_have_milliseconds() {
    let written = |text: &str| String::from_utf8(encode(&Probe { at: time(text) })).unwrap();
    assert_eq!(written("2023-03-28T10:40:00.123999Z"), r#"{"at":1680000000.123}"#);
    assert_eq!(written("2023-03-28T10:40:00Z"), r#"{"at":1680000000.0}"#);
    assert_eq!(written("1970-01-01T00:00:00.001Z"), r#"{"at":0.001}"#);
}

proptest! {
    #[test]
    fn what_is_written_is_read(milliseconds in 0_i64..253_402_300_799_000) {
        let at = Timestamp::from_millisecond(milliseconds).unwrap();
        let body = encode(&Probe { at });
        prop_assert_eq!(decode::<Probe>(&body).unwrap().at, at);
        let text = format!(r#"{{"at":{}.{:03}}}"#, milliseconds / 1000, milliseconds % 1000);
        let shown: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(shown, expected);
    }
}
