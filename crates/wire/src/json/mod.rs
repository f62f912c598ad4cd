//! AWS JSON 1.1: how requests are read and answers are written.
//!
//! Reading is stricter than JSON libraries are by themselves and answers in AWS's words; see
//! [`decode`]. It is the only reader of a request's body, so that no two checks can disagree about
//! what a body says.

mod checked;
pub mod epoch;
mod skip;

use serde::{Serialize, de::DeserializeOwned};

use crate::{error_codes::ErrorCode, writer::SecretWriter};
use checked::Checked;

/// A body that cannot be read: AWS's SerializationException.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", message.as_deref().unwrap_or("the body is not JSON"))]
pub struct SerializationError {
    /// AWS's text for a member of the wrong type. For a body that is not JSON at all AWS sends none.
    pub message: Option<String>,
}

/// Reads a request. An empty body is an empty object.
///
/// Names are case-sensitive and unknown members are ignored. Refused are: members and map keys
/// that come twice, lists in place of structures, nesting deeper than
/// [`JSON_DEPTH_MAX`](crate::limits::JSON_DEPTH_MAX), text after the object, a byte order mark,
/// anything but UTF-8, lone surrogates. Takes time linear in the body and never panics.
///
/// # Errors
/// [`SerializationError`], without repeating anything from the body but single characters.
pub fn decode<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, SerializationError> {
    if body.is_empty() {
        return Ok(T::default());
    }
    let body = str::from_utf8(body).map_err(|_| SerializationError { message: None })?;
    let mut json = serde_json::Deserializer::from_str(body);
    let request = T::deserialize(Checked::outermost(&mut json)).and_then(|request| {
        json.end()?;
        Ok(request)
    });
    request.map_err(|error| SerializationError { message: message(&error) })
}

/// The text that a type of ours or the checking layer refused with, without serde_json's suffix.
fn message(error: &serde_json::Error) -> Option<String> {
    if !error.is_data() {
        return None;
    }
    let text = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&suffix).unwrap_or(&text);
    (!text.is_empty()).then(|| text.to_owned())
}

/// Writes an answer. While it grows, what is left behind is overwritten, as it may be a plaintext.
pub fn encode<T: Serialize>(answer: &T) -> Vec<u8> {
    let mut writer = SecretWriter::new();
    serde_json::to_writer(&mut writer, answer)
        .expect("answers have string keys only, and writing to memory cannot fail");
    writer.into_bytes()
}

/// Writes the body of an error.
///
/// AccessDeniedException says its message twice, since AWS capitalises the member for that one and
/// SDKs read either.
pub fn error_body(code: ErrorCode, message: Option<&str>) -> Vec<u8> {
    let mut body = br#"{"__type":"#.to_vec();
    write_text(code.name(), &mut body);
    if let Some(message) = message {
        if code == ErrorCode::AccessDeniedException {
            body.extend_from_slice(br#","Message":"#);
            write_text(message, &mut body);
        }
        body.extend_from_slice(br#","message":"#);
        write_text(message, &mut body);
    }
    body.push(b'}');
    body
}

/// Appends a text as a JSON string, with quotes and escapes.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a string can always be written to memory");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_have_the_members_that_aws_sends() {
        let body = |code, message| String::from_utf8(error_body(code, message)).unwrap();
        assert_eq!(
            body(ErrorCode::NotFoundException, Some("Invalid keyId 'a\"b'")),
            r#"{"__type":"NotFoundException","message":"Invalid keyId 'a\"b'"}"#
        );
        assert_eq!(
            body(ErrorCode::UnknownOperationException, None),
            r#"{"__type":"UnknownOperationException"}"#
        );
        assert_eq!(
            body(ErrorCode::AccessDeniedException, Some("no")),
            r#"{"__type":"AccessDeniedException","Message":"no","message":"no"}"#
        );
    }

    #[test]
    fn texts_are_escaped() {
        let mut out = Vec::new();
        write_text("a\"\\\n\u{1}é\u{2028}", &mut out);
        assert_eq!(out, "\"a\\\"\\\\\\n\\u0001é\u{2028}\"".as_bytes());
    }
}
