//! AWS Query, the older protocol of STS and IAM: forms in, XML out.
//!
//! [`decode`] is the only reader of a form's members and [`encode`] the only writer of answers, so
//! that the shapes of IAM and STS are as plain as those of KMS.

mod decode;
mod encode;
pub mod iso8601;

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{error_codes::ErrorCode, limits::FORM_MEMBERS_MAX, model::Request};
use decode::{Place, Row};
use encode::Document;

/// The XML namespace of IAM.
pub const IAM_NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// The XML namespace of STS.
pub const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A form that cannot be read: AWS's MalformedInput. Nothing of the form is repeated.
///
/// The texts about types are those that callers of SES, SNS and CloudWatch reported, which share
/// the framework; IAM itself is still to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A member comes twice, and its readers could disagree about which counts.
    #[error("a member comes twice")]
    Duplicate,
    /// There are more members than any action takes.
    #[error("too many members")]
    TooMany,
    /// A name has more parts than any shape is deep.
    #[error("a name has too many parts")]
    TooDeep,
    /// The form is not UTF-8, before or after percent-decoding.
    #[error("not UTF-8")]
    NotUtf8,
    /// A member is both a text and a structure.
    #[error("a member is both a text and a structure")]
    Ambiguous,
    /// A structure or a list where a text should be.
    #[error("Start of list found where not expected")]
    NotText,
    /// A text where a structure or a list should be.
    #[error("Unexpected complex element termination")]
    NotStructure,
    /// Something other than `member.1`, `member.2` and so on, where a list should be.
    #[error("Unexpected list element termination")]
    NotList,
    /// Neither `true` nor `false`.
    #[error("boolean must follow xsd1.1 definition")]
    NotBoolean,
    /// Not a decimal number, or one too large.
    #[error("integer must follow xsd1.1 definition")]
    NotInteger,
    /// A value that its type does not take.
    #[error("a member cannot be read")]
    NotRead,
}

/// Reads a form body or a query string, in its order.
///
/// # Errors
/// [`QueryError`] for duplicates, for more than [`FORM_MEMBERS_MAX`] members, and for anything that
/// is not UTF-8. The latter is recognised by the replacement character that decoding leaves, so a
/// form that contains U+FFFD itself is refused as well.
pub fn parse_form(body: &[u8]) -> Result<Vec<(String, String)>, QueryError> {
    let mut members: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(body) {
        if members.len() == FORM_MEMBERS_MAX {
            return Err(QueryError::TooMany);
        }
        if [&name, &value].iter().any(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(QueryError::NotUtf8);
        }
        members.push((name.into_owned(), value.into_owned()));
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.array_windows().any(|[one, next]| one == next) {
        return Err(QueryError::Duplicate);
    }
    Ok(members)
}

/// Writes members as a form, in their order.
pub fn form(members: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish()
}

/// Reads a request from a form body or a query string.
///
/// Names are case-sensitive and unknown members, `Action` and `Version` among them, are ignored.
/// Lists are `Name.member.1`, `Name.member.2` and so on; numbers may be left out, and `Name=` is an
/// empty list. Texts are `true` or `false` for booleans and decimal digits for integers. Takes time
/// linear in the body but for sorting its members, whose number is bounded, and never panics.
///
/// # Errors
/// [`QueryError`], that of [`parse_form`] among them.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, QueryError> {
    let members: Vec<(String, Zeroizing<String>)> =
        parse_form(body)?.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect();
    let rows = members.iter().map(|(name, value)| Row::new(name, value));
    let mut rows = rows.collect::<Result<Vec<Row<'_>>, QueryError>>()?;
    rows.sort_unstable_by(|one, other| one.path().cmp(other.path()));
    T::deserialize(Place::outermost(&rows))
}

/// Writes the XML body of a successful answer. An operation without output has no result element.
///
/// While it grows, what is left behind is overwritten, as it may be a secret access key.
pub fn encode<R: Request>(namespace: &str, answer: &R::Answer, request_id: &str) -> Vec<u8> {
    let operation = R::OPERATION;
    Document::write(&format!("{operation}Response"), namespace, |document| {
        document.element(&format!("{operation}Result"), answer)?;
        document.element("ResponseMetadata", &ResponseMetadata { request_id })
    })
    .expect("answers are made of texts, numbers, lists and maps, and writing to memory cannot fail")
}

/// Writes the XML body of an error. Its code is the one of the Query protocol.
pub fn error_xml(namespace: &str, code: ErrorCode, message: &str, request_id: &str) -> Vec<u8> {
    let (code, status) = code.in_query();
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    Document::write("ErrorResponse", namespace, |document| {
        document.element("Error", &QueryFault { fault, code, message })?;
        document.element("RequestId", request_id)
    })
    .expect("an error is made of texts, and writing to memory cannot fail")
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseMetadata<'a> {
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct QueryFault<'a> {
    #[serde(rename = "Type")]
    fault: &'static str,
    code: &'static str,
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_in_order() {
        assert_eq!(
            parse_form(b"Action=GetCallerIdentity&Version=2011-06-15&x=a+b%2F&y").unwrap(),
            [
                ("Action".to_owned(), "GetCallerIdentity".to_owned()),
                ("Version".to_owned(), "2011-06-15".to_owned()),
                ("x".to_owned(), "a b/".to_owned()),
                ("y".to_owned(), String::new()),
            ]
        );
        assert_eq!(parse_form(b""), Ok(Vec::new()));
    }

    #[test]
    fn forms_that_could_be_read_twice_are_refused() {
        assert_eq!(parse_form(b"Action=a&%41ction=b"), Err(QueryError::Duplicate));
        assert_eq!(parse_form(b"Action=%ff"), Err(QueryError::NotUtf8));
        assert_eq!(parse_form(b"\xff=1"), Err(QueryError::NotUtf8));
        let many: String = (0..=FORM_MEMBERS_MAX).map(|n| format!("n{n}=&")).collect();
        assert_eq!(parse_form(many.as_bytes()), Err(QueryError::TooMany));
    }

    #[test]
    fn errors_have_the_query_protocols_code() {
        let xml =
            error_xml(STS_NAMESPACE, ErrorCode::UnrecognizedClientException, "a <b> & \u{1}", "id");
        assert_eq!(
            String::from_utf8(xml).unwrap(),
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
             <Type>Sender</Type><Code>InvalidClientTokenId</Code>\
             <Message>a &lt;b&gt; &amp; \u{fffd}</Message></Error>\
             <RequestId>id</RequestId></ErrorResponse>"
        );
    }
}
