//! The API listener's requests: bounded, given an id, handed to the service as they came, and answered.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPIRES, PRAGMA, TRANSFER_ENCODING,
    },
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use service::Service;
use uuid::Uuid;

use crate::{
    connection::{Connection, Handler},
    limits::BODY_BYTES_MAX,
    metrics::Metrics,
    refusals::Reason,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const NOT_KEPT: HeaderValue =
    HeaderValue::from_static("no-cache, no-store, must-revalidate, private");
const EXPIRED: HeaderValue = HeaderValue::from_static("0");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

const JSON: &str = "application/x-amz-json-1.1";
const TOO_LARGE_BODY: &[u8] =
    br#"{"__type":"RequestEntityTooLargeException","message":"Request size is too large."}"#;
const BROKEN_BODY: &[u8] = br#"{"__type":"SerializationException"}"#;
/// As the service says it when it has more to do than it accepts.
const UNAVAILABLE_BODY: &[u8] = br#"{"__type":"ServiceUnavailable","message":"The service is temporarily unavailable. Try again later."}"#;
/// The same in the query protocol, of IAM and STS.
const UNAVAILABLE_XML: &[u8] = b"<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>The service is temporarily unavailable. Try again later.</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>";
const XML: &str = "text/xml";
const INTERNAL_BODY: &[u8] = br#"{"__type":"InternalFailure"}"#;

/// Answers AWS clients.
pub(crate) struct Api {
    pub(crate) service: Service,
    pub(crate) metrics: Arc<Metrics>,
}

impl Handler for Api {
    async fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let head_arrived = connection.head_arrived();
        let answered = self.answer(&connection, request, head_arrived).await;
        let took = connection.answered(head_arrived);
        self.metrics.answered(answered.operation, answered.result, took);
        answered.response
    }
}

struct Answered {
    response: Response<Full<Bytes>>,
    operation: &'static str,
    result: &'static str,
}

impl Api {
    async fn answer(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
        head_arrived: tokio::time::Instant,
    ) -> Answered {
        let request_id = match self.service.request_id() {
            Ok(request_id) => request_id,
            Err(error) => {
                tracing::error!(%error, "no randomness for a request id");
                connection.refuse(Reason::NoRequestId);
                return refuse(Uuid::nil(), StatusCode::INTERNAL_SERVER_ERROR, INTERNAL_BODY);
            }
        };
        let (head, body) = request.into_parts();
        let body = match collect(body, head.headers.get(CONTENT_LENGTH)).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                connection.refuse(Reason::TooLargeBody);
                return refuse(request_id, StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE_BODY);
            }
            Err(BodyError::Broken) => {
                connection.refuse(Reason::BrokenBody);
                return refuse(request_id, StatusCode::BAD_REQUEST, BROKEN_BODY);
            }
        };
        connection.body_arrived(head_arrived);

        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let answer = self
            .service
            .call(&service::Incoming {
                request_id,
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query(),
                headers: &headers,
                body: &body,
                peer: &connection.peer,
            })
            .await;
        tracing::debug!(
            request_id = %request_id,
            peer = %connection.peer.address,
            operation = answer.operation,
            result = answer.result,
            "answered"
        );
        // The service's statuses are AWS's, all of them between 200 and 599.
        let status =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response =
            respond(request_id, status, answer.content_type, Bytes::from(answer.body));
        // No client of AWS KMS sends chunks, and a proxy that reads their end differently than we do could hide a
        // second request behind them: nothing follows them here.
        if head.headers.contains_key(TRANSFER_ENCODING) {
            response.headers_mut().insert(CONNECTION, CLOSE);
        }
        Answered { response, operation: answer.operation, result: answer.result }
    }
}

/// What a sealed server answers, before it looks at who asks and for what. There is no record of it, and so no request id.
pub(crate) async fn unavailable(body: Incoming, is_query: bool) -> Response<Full<Bytes>> {
    // Read first: a client that is still sending would not see the answer.
    let is_whole = collect(body, None).await.is_ok();
    let (content_type, text) =
        if is_query { (XML, UNAVAILABLE_XML) } else { (JSON, UNAVAILABLE_BODY) };
    let mut response = respond(
        Uuid::nil(),
        StatusCode::SERVICE_UNAVAILABLE,
        content_type,
        Bytes::from_static(text),
    );
    if !is_whole {
        response.headers_mut().insert(CONNECTION, CLOSE);
    }
    response
}

enum BodyError {
    TooLarge,
    Broken,
}

/// The whole body. It nearly always comes in one piece with the head and is then not copied.
async fn collect(
    mut body: Incoming,
    content_length: Option<&HeaderValue>,
) -> Result<Bytes, BodyError> {
    let announced = content_length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return Err(BodyError::TooLarge);
    }
    let Some(first) = next_piece(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() && first.len() <= BODY_BYTES_MAX {
        return Ok(first);
    }
    let mut whole = BytesMut::from(first);
    while let Some(piece) = next_piece(&mut body).await? {
        if whole.len().saturating_add(piece.len()) > BODY_BYTES_MAX {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The next piece of data; trailers are passed over.
async fn next_piece(body: &mut Incoming) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.map_err(|_| BodyError::Broken)?.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

/// An answer that the service has no part in, because no whole request was there; the connection ends with it.
fn refuse(request_id: Uuid, status: StatusCode, body: &'static [u8]) -> Answered {
    let mut response = respond(request_id, status, JSON, Bytes::from_static(body));
    response.headers_mut().insert(CONNECTION, CLOSE);
    Answered {
        response,
        operation: "Unknown",
        result: status.canonical_reason().unwrap_or("Unknown"),
    }
}

fn respond(
    request_id: Uuid,
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let mut text = Uuid::encode_buffer();
    let request_id = request_id.hyphenated().encode_lower(&mut text);
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(5);
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    headers.insert(CACHE_CONTROL, NOT_KEPT);
    headers.insert(EXPIRES, EXPIRED);
    headers.insert(PRAGMA, NO_CACHE);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
