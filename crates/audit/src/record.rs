//! One event as CloudTrail writes it: JSON of event version 1.11, members in a fixed order.
//!
//! The record is written by hand, not through serde: it is made for every call, before its answer.
//! Source: AWS CloudTrail user guide, "CloudTrail record contents for management, data, and
//! network activity events"; AWS KMS developer guide, "AWS KMS log entries".

mod identity;

use jiff::{Timestamp, tz::Offset};

use crate::json;

pub use identity::{SessionIdentity, SessionIssuer, UserIdentity};

/// Bytes of a user agent that are kept; CloudTrail's 1 KB.
pub const USER_AGENT_BYTES_MAX: usize = 1024;

/// Bytes of an error message that are kept; CloudTrail's 1 KB.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 1024;

/// Bytes that the JSON of `requestParameters`, `responseElements`, `additionalEventData` or
/// `serviceEventDetails` may have; CloudTrail's 100 KB. A longer one is left out and said so.
pub const PARAMETERS_BYTES_MAX: usize = 100 * 1024;

/// Bytes of any other text that a caller can choose (host header, address).
const TEXT_BYTES_MAX: usize = 1024;

/// Room reserved for the fixed part of a record; the variable members are added to it.
const FIXED_BYTES: usize = 1024;

/// What happened, in the order in which CloudTrail writes it.
///
/// Texts are borrowed and written once. Members that are JSON are given as the bytes of one JSON
/// value, written by whoever knows the operation, already redacted.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Who called.
    pub user_identity: UserIdentity<'a>,
    /// The service principal of the service that called as that user.
    pub invoked_by: Option<&'a str>,
    /// When the call was completed; written in whole seconds, UTC.
    pub event_time: Timestamp,
    /// The service: `kms.amazonaws.com`.
    pub event_source: &'a str,
    /// The operation as the model names it, or what the caller called it.
    pub event_name: &'a str,
    /// The Region called.
    pub aws_region: &'a str,
    /// The peer's address, or `AWS Internal`.
    pub source_ip_address: &'a str,
    /// The `User-Agent` header as it came; cut at [`USER_AGENT_BYTES_MAX`].
    pub user_agent: &'a [u8],
    /// Why the call failed; `None` when it succeeded.
    pub failure: Option<Failure<'a>>,
    /// JSON of the recorded request members; `None` is written as `null`.
    pub request_parameters: Option<&'a [u8]>,
    /// JSON of the recorded answer members; `None` is written as `null`.
    pub response_elements: Option<&'a [u8]>,
    /// JSON of facts that stood in neither; left out when `None`.
    pub additional_event_data: Option<&'a [u8]>,
    /// The id that the caller saw in `x-amzn-RequestId`; `None` for a service event.
    pub request_id: Option<&'a str>,
    /// The event's own id, a UUID.
    pub event_id: &'a str,
    /// Whether the operation changes nothing (reference 2.18).
    pub read_only: bool,
    /// What the call touched; left out when empty.
    pub resources: &'a [Resource<'a>],
    /// A call or an event of the service itself.
    pub event_type: EventType,
    /// The account whose log this is; left out when nobody could be identified.
    pub recipient_account_id: Option<&'a str>,
    /// The same in the records of both accounts of one cross-account call.
    pub shared_event_id: Option<&'a str>,
    /// The connection's TLS; `None` for plain HTTP and service events.
    pub tls_details: Option<TlsDetails<'a>>,
    /// JSON of what a service event was about.
    pub service_event_details: Option<&'a [u8]>,
}

/// How a call failed.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The error's name: `AccessDenied`, `NotFoundException`.
    pub error_code: &'a str,
    /// The text the caller read; cut at [`ERROR_MESSAGE_BYTES_MAX`].
    pub error_message: Option<&'a str>,
}

/// A resource that a call touched.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The owner's account.
    pub account_id: &'a str,
    /// `AWS::KMS::Key` or `AWS::KMS::Alias`.
    pub resource_type: &'a str,
    /// The resource's ARN.
    pub arn: &'a str,
}

/// The connection's TLS, as the server negotiated it.
#[derive(Clone, Copy, Debug)]
pub struct TlsDetails<'a> {
    /// `TLSv1.2` or `TLSv1.3`.
    pub tls_version: &'a str,
    /// The cipher suite's IANA name.
    pub cipher_suite: &'a str,
    /// The host that the client asked for.
    pub client_provided_host_header: Option<&'a [u8]>,
    /// The key exchange group: `X25519MLKEM768`.
    pub key_exchange: Option<&'a str>,
}

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// Somebody called an operation.
    AwsApiCall,
    /// The service acted by itself: rotation, deletion, expiry.
    AwsServiceEvent,
}

impl Record<'_> {
    /// Appends the record to `out` as one line of JSON, without the line's end.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(FIXED_BYTES + self.variable_bytes());
        self.write_caller(out);
        self.write_outcome(out);
        self.write_event(out);
        out.push(b'}');
    }

    /// About how long the members are whose length differs most.
    fn variable_bytes(&self) -> usize {
        let json = [self.request_parameters, self.response_elements, self.additional_event_data];
        json.iter().flatten().map(|value| value.len()).sum::<usize>() + self.user_agent.len()
    }

    fn write_caller(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"eventVersion":"1.11","userIdentity":"#);
        self.user_identity.write(self.invoked_by, out);
        out.extend_from_slice(br#","eventTime":""#);
        write_time(out, self.event_time);
        out.extend_from_slice(br#"","eventSource":"#);
        json::text(out, self.event_source.as_bytes());
        out.extend_from_slice(br#","eventName":"#);
        json::text_bounded(out, self.event_name.as_bytes(), TEXT_BYTES_MAX);
        out.extend_from_slice(br#","awsRegion":"#);
        json::text_bounded(out, self.aws_region.as_bytes(), TEXT_BYTES_MAX);
        out.extend_from_slice(br#","sourceIPAddress":"#);
        json::text_bounded(out, self.source_ip_address.as_bytes(), TEXT_BYTES_MAX);
        out.extend_from_slice(br#","userAgent":"#);
        json::text_bounded(out, self.user_agent, USER_AGENT_BYTES_MAX);
    }

    fn write_outcome(&self, out: &mut Vec<u8>) {
        if let Some(failure) = self.failure {
            out.extend_from_slice(br#","errorCode":"#);
            json::text(out, failure.error_code.as_bytes());
            if let Some(message) = failure.error_message {
                out.extend_from_slice(br#","errorMessage":"#);
                json::text_bounded(out, message.as_bytes(), ERROR_MESSAGE_BYTES_MAX);
            }
        }
        write_json(out, "requestParameters", self.request_parameters);
        write_json(out, "responseElements", self.response_elements);
        if self.additional_event_data.is_some() {
            write_json(out, "additionalEventData", self.additional_event_data);
        }
    }

    fn write_event(&self, out: &mut Vec<u8>) {
        write_optional(out, br#","requestID":"#, self.request_id);
        write_optional(out, br#","eventID":"#, Some(self.event_id));
        out.extend_from_slice(match self.read_only {
            true => br#","readOnly":true"#,
            false => br#","readOnly":false"#,
        });
        self.write_resources(out);
        out.extend_from_slice(match self.event_type {
            EventType::AwsApiCall => br#","eventType":"AwsApiCall","managementEvent":true"#,
            EventType::AwsServiceEvent => {
                br#","eventType":"AwsServiceEvent","managementEvent":true"#
            }
        });
        write_optional(out, br#","recipientAccountId":"#, self.recipient_account_id);
        write_optional(out, br#","sharedEventID":"#, self.shared_event_id);
        if self.service_event_details.is_some() {
            write_json(out, "serviceEventDetails", self.service_event_details);
        }
        out.extend_from_slice(br#","eventCategory":"Management""#);
        if let Some(tls) = self.tls_details {
            tls.write(out);
        }
    }

    fn write_resources(&self, out: &mut Vec<u8>) {
        for (position, resource) in self.resources.iter().enumerate() {
            out.extend_from_slice(if position == 0 { br#","resources":["# } else { b"," });
            out.extend_from_slice(br#"{"accountId":"#);
            json::text(out, resource.account_id.as_bytes());
            out.extend_from_slice(br#","type":"#);
            json::text(out, resource.resource_type.as_bytes());
            out.extend_from_slice(br#","ARN":"#);
            json::text(out, resource.arn.as_bytes());
            out.push(b'}');
        }
        if !self.resources.is_empty() {
            out.push(b']');
        }
    }
}

impl TlsDetails<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","tlsDetails":{"tlsVersion":"#);
        json::text(out, self.tls_version.as_bytes());
        out.extend_from_slice(br#","cipherSuite":"#);
        json::text(out, self.cipher_suite.as_bytes());
        if let Some(host) = self.client_provided_host_header {
            out.extend_from_slice(br#","clientProvidedHostHeader":"#);
            json::text_bounded(out, host, TEXT_BYTES_MAX);
        }
        write_optional(out, br#","keyExchange":"#, self.key_exchange);
        out.push(b'}');
    }
}

fn write_optional(out: &mut Vec<u8>, name: &[u8], value: Option<&str>) {
    if let Some(text) = value {
        out.extend_from_slice(name);
        json::text(out, text.as_bytes());
    }
}

/// Writes `,"name":` and the value, `null` when there is none; a value over the limit becomes the
/// note that CloudTrail writes in its place.
fn write_json(out: &mut Vec<u8>, name: &str, value: Option<&[u8]>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    let Some(value) = value else { return out.extend_from_slice(b"null") };
    let start = out.len();
    if value.len() <= PARAMETERS_BYTES_MAX {
        json::raw(out, value);
    }
    // Escapes count too.
    if value.len() > PARAMETERS_BYTES_MAX || out.len() - start > PARAMETERS_BYTES_MAX {
        out.truncate(start);
        let bytes = value.len();
        let note =
            format!(r#"{{"reason":"{name} too large","omitted":true,"originalSize":{bytes}}}"#);
        out.extend_from_slice(note.as_bytes());
    }
}

/// `2022-08-10T22:38:27Z`, written digit by digit: jiff's printer takes ten times as long.
fn write_time(out: &mut Vec<u8>, time: Timestamp) {
    let time = Offset::UTC.to_datetime(time);
    let century = i8::try_from(time.year() / 100).unwrap_or_default();
    let year = i8::try_from(time.year() % 100).unwrap_or_default();
    for (value, end) in [
        (century, None),
        (year, Some(b'-')),
        (time.month(), Some(b'-')),
        (time.day(), Some(b'T')),
        (time.hour(), Some(b':')),
        (time.minute(), Some(b':')),
        (time.second(), Some(b'Z')),
    ] {
        let value = value.unsigned_abs();
        out.extend([b'0' + value / 10 % 10, b'0' + value % 10]);
        out.extend(end);
    }
}

#[cfg(test)]
mod tests;
