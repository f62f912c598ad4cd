//! Answers as CloudTrail shows them in `responseElements`.

use jiff::Timestamp;
use serde_json::Value;
use wire::shape;

/// `{"KeyMetadata":{"KeyId":…}}` as CloudTrail writes it: `{"keyMetadata":{"keyId":…}}`, with dates as texts.
pub(super) fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                // Secrets are null.
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| {
                    let value = date(&name, &value).unwrap_or_else(|| camel_case(value));
                    (lower_first(&name), value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel_case).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A member that is a date: epoch seconds or ISO 8601 on the wire, `Aug 10, 2022, 10:38:27 PM` in the record.
fn date(name: &str, value: &Value) -> Option<Value> {
    if !name.ends_with("Date") && name != "Expiration" {
        return None;
    }
    let time = match value {
        Value::String(text) => text.parse().ok()?,
        Value::Number(seconds) => {
            let milliseconds = seconds.as_f64()? * 1000.0;
            #[expect(
                clippy::as_conversions,
                reason = "a float becomes an integer in no other way; it saturates"
            )]
            Timestamp::from_millisecond(milliseconds as i64).ok()?
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(Value::String(shape::cloudtrail_date(time)))
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
