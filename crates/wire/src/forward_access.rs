//! CreateForwardAccessSession: the one operation that is not AWS's, in the protocol of KMS
//! (docs/forward-access-sessions.md).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{answer, family},
    shape::{Kind, Range, Rule, Shape, Visitor},
};

const TEXT_CHARS_MAX: u64 = 16_384;
const NAME_CHARS_MAX: u64 = 128;
const ACTIONS_MAX: u64 = 64;
const HEADERS_MAX: u64 = 64;

const NAME_KIND: Kind = Kind::text(Range::of(1, NAME_CHARS_MAX));
const NAME: Rule = Rule::of(NAME_KIND);
const TEXT: Rule = Rule::of(Kind::text(Range::of(0, TEXT_CHARS_MAX))).sensitive();
const REQUIRED_NAME: Rule = NAME.required();
const REQUIRED_TEXT: Rule = TEXT.required();
const ACTIONS: Rule = Rule::of(Kind::List { length: Range::of(1, ACTIONS_MAX), item: &NAME_KIND });
const REQUIRED_HEADERS: Rule = Rule::of(Kind::List {
    length: Range::of(1, HEADERS_MAX),
    item: &Kind::Structure(|visitor| Header::default().members(visitor)),
})
.required();
const REQUEST: Rule =
    Rule::of(Kind::Structure(|visitor| ForwardedRequest::default().members(visitor)));

/// The request of CreateForwardAccessSession.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateForwardAccessSessionRequest {
    /// The name of the service that is to call; for a user who asks.
    pub service: Option<String>,
    /// What the session is for, such as `kms:Decrypt`; all that the service may if absent.
    pub actions: Option<Vec<String>>,
    /// What the user signed; for a service that asks.
    pub request: Option<ForwardedRequest>,
}

impl Shape for CreateForwardAccessSessionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Service", &self.service, &NAME);
        visitor.member("Actions", &self.actions, &ACTIONS);
        visitor.member("Request", &self.request, &REQUEST);
    }
}

/// A request that a user signed and a service received.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForwardedRequest {
    /// The method, as sent.
    pub method: Option<String>,
    /// The path, as sent and still encoded.
    pub path: Option<String>,
    /// What followed the `?`, as sent.
    pub query: Option<String>,
    /// The headers: `Authorization` and all that are signed.
    pub headers: Option<Vec<Header>>,
    /// SHA-256 of the body in hexadecimal digits, or what the protocol has in its place.
    pub payload_hash: Option<String>,
}

impl Shape for ForwardedRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Method", &self.method, &REQUIRED_NAME);
        visitor.member("Path", &self.path, &REQUIRED_TEXT);
        visitor.member("Query", &self.query, &TEXT);
        visitor.member("Headers", &self.headers, &REQUIRED_HEADERS);
        visitor.member("PayloadHash", &self.payload_hash, &REQUIRED_NAME);
    }
}

/// A header of that request.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Header {
    /// The name, in any case.
    pub name: Option<String>,
    /// The value.
    pub value: Option<String>,
}

impl Shape for Header {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Name", &self.name, &REQUIRED_NAME);
        visitor.member("Value", &self.value, &REQUIRED_TEXT);
    }
}

/// The answer of CreateForwardAccessSession.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateForwardAccessSessionResponse {
    /// What the service sends as `X-Amz-Forward-Access-Token`.
    pub forward_access_token: String,
    /// When the session ends.
    #[serde(with = "crate::json::epoch")]
    pub expiration: Timestamp,
}
answer!(CreateForwardAccessSessionResponse: "ForwardAccessToken", "Expiration");

family! {
    CreateForwardAccessSessionRequest = "CreateForwardAccessSession" -> CreateForwardAccessSessionResponse;
}
