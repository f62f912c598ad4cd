//! AWS Query, the older protocol of STS and IAM: forms in, XML out.

use quick_xml::{
    Writer,
    events::{BytesStart, BytesText, Event},
};

use crate::{error_codes::ErrorCode, limits::FORM_MEMBERS_MAX};

/// The XML namespace of STS.
pub const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A form that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A member comes twice, and its readers could disagree about which counts.
    #[error("a member comes twice")]
    Duplicate,
    /// There are more members than any action takes.
    #[error("too many members")]
    TooMany,
    /// The form is not UTF-8, before or after percent-decoding.
    #[error("not UTF-8")]
    NotUtf8,
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
        // A search through 256 names at most needs no set of them.
        if members.iter().any(|(earlier, _)| *earlier == name) {
            return Err(QueryError::Duplicate);
        }
        members.push((name.into_owned(), value.into_owned()));
    }
    Ok(members)
}

/// Writes the XML body of an error. Its code is the one of the Query protocol.
pub fn error_xml(code: ErrorCode, message: &str, request_id: &str) -> String {
    let (code, status) = code.in_query();
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    Element::with(
        "ErrorResponse",
        vec![
            Element::with(
                "Error",
                vec![
                    Element::text("Type", fault),
                    Element::text("Code", code),
                    Element::text("Message", message),
                ],
            ),
            Element::text("RequestId", request_id),
        ],
    )
    .document(STS_NAMESPACE)
}

/// An XML element of an answer.
pub(crate) struct Element<'a> {
    name: &'static str,
    content: Content<'a>,
}

enum Content<'a> {
    Text(&'a str),
    Elements(Vec<Element<'a>>),
}

impl<'a> Element<'a> {
    /// An element with text in it.
    pub(crate) fn text(name: &'static str, text: &'a str) -> Element<'a> {
        Element { name, content: Content::Text(text) }
    }

    /// An element with elements in it.
    pub(crate) fn with(name: &'static str, elements: Vec<Element<'a>>) -> Element<'a> {
        Element { name, content: Content::Elements(elements) }
    }

    /// The whole document, with this element outermost.
    pub(crate) fn document(&self, namespace: &str) -> String {
        let mut writer = Writer::new(Vec::new());
        let start = BytesStart::new(self.name).with_attributes([("xmlns", namespace)]);
        self.write(start, &mut writer).expect("writing to memory cannot fail");
        String::from_utf8(writer.into_inner()).expect("names and texts are UTF-8")
    }

    fn write(&self, start: BytesStart<'_>, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let end = start.to_end().into_owned();
        writer.write_event(Event::Start(start))?;
        match &self.content {
            Content::Text(text) => {
                writer.write_event(Event::Text(BytesText::new(&xml_characters(text))))?;
            }
            Content::Elements(elements) => {
                for element in elements {
                    element.write(BytesStart::new(element.name), writer)?;
                }
            }
        }
        writer.write_event(Event::End(end))
    }
}

/// Replaces the characters that XML 1.0 (section 2.2) cannot express, even escaped.
fn xml_characters(text: &str) -> String {
    let allowed = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        other => other >= ' ' && !matches!(other, '\u{fffe}' | '\u{ffff}'),
    };
    text.chars().map(|c| if allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
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
        assert_eq!(
            error_xml(ErrorCode::UnrecognizedClientException, "a <b> & \u{1}", "id"),
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
             <Type>Sender</Type><Code>InvalidClientTokenId</Code>\
             <Message>a &lt;b&gt; &amp; \u{fffd}</Message></Error>\
             <RequestId>id</RequestId></ErrorResponse>"
        );
    }
}
