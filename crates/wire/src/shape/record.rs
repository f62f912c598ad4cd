//! Writes the `requestParameters` of a CloudTrail record.
//!
//! This runs once for each call before its answer, so it writes straight into the record's bytes.

use jiff::Timestamp;

use super::{Member, Rule, Shape, Value, Visitor};
use crate::json::write_text;

/// Appends one JSON object with the members of a request, as CloudTrail names and writes them.
///
/// Absent members are left out. Blobs and sensitive members are never written, nor are the members
/// whose wire names stand in `unrecorded`.
pub fn record(shape: &dyn Shape, unrecorded: &[&str], out: &mut Vec<u8>) {
    out.push(b'{');
    shape.members(&mut Record { unrecorded, out, is_first: true });
    out.push(b'}');
}

/// A date as CloudTrail writes it inside parameters, such as `Aug 10, 2022, 10:38:27 PM`, in UTC.
pub fn cloudtrail_date(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string()
}

struct Record<'a> {
    unrecorded: &'a [&'a str],
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl Visitor for Record<'_> {
    fn member(&mut self, name: &'static str, member: &dyn Member, rule: &'static Rule) {
        let Some(value) = member.value() else { return };
        if rule.sensitive || matches!(value, Value::Blob(_)) || self.unrecorded.contains(&name) {
            return;
        }
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        write_name(name, self.out);
        self.value(value);
    }
}

impl Record<'_> {
    fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Text(text) => write_text(text, self.out),
            Value::Integer(number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Timestamp(time) => write_text(&cloudtrail_date(time), self.out),
            Value::List(list) => {
                let mut separator = b'[';
                list.each(&mut |item| {
                    self.out.push(separator);
                    separator = b',';
                    self.value(item);
                });
                self.out.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
            }
            Value::Map(pairs) => {
                let mut separator = b'{';
                for (key, value) in pairs.iter() {
                    self.out.push(separator);
                    separator = b',';
                    write_text(key, self.out);
                    self.out.push(b':');
                    write_text(value, self.out);
                }
                self.out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
            }
            Value::Structure(shape) => record(shape, self.unrecorded, self.out),
            // Bytes are never recorded, in a list neither.
            Value::Blob(_) => self.out.extend_from_slice(b"null"),
        }
    }
}

/// Writes `"keyId":` for `KeyId`. Names of the model are ASCII and need no escapes.
fn write_name(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    if let Some(first) = out.get_mut(start) {
        first.make_ascii_lowercase();
    }
    out.extend_from_slice(b"\":");
}
