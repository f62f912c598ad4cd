//! The service as the layer above sees it: one call in, one answer out, and nothing of HTTP libraries.

use std::net::IpAddr;

use uuid::Uuid;

/// One request as it arrived, before anything in it is believed.
pub struct Incoming<'a> {
    /// The id answered in `x-amzn-RequestId` and written in the audit record.
    pub request_id: Uuid,
    /// The method, as sent.
    pub method: &'a str,
    /// The path, as sent and still encoded.
    pub path: &'a str,
    /// What followed the `?`, as sent.
    pub query: Option<&'a str>,
    /// Header names in lower case with their values, in order of arrival; a repeated header stands repeatedly.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The exact bytes of the body: they are hashed for the signature and parsed, in that order.
    pub body: &'a [u8],
    /// Who is at the other end of the connection.
    pub peer: &'a Peer,
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address that the connection came from.
    pub address: IpAddr,
    /// What TLS agreed on; absent on a plain connection.
    pub tls: Option<TlsDetails>,
}

/// What CloudTrail calls `tlsDetails`.
#[derive(Clone, Debug)]
pub struct TlsDetails {
    /// For example `TLSv1.3`.
    pub version: &'static str,
    /// For example `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: &'static str,
    /// For example `X25519MLKEM768`.
    pub key_exchange: &'static str,
}

/// What is sent back.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body; empty for operations that answer nothing.
    pub body: Vec<u8>,
    /// The operation for metrics, `Unknown` when the request named none of ours.
    pub operation: &'static str,
    /// `Success`, or the name of the error for metrics.
    pub result: &'static str,
}

/// Whether the server can do its work, for `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The journal accepts records; nothing is answered while it does not.
    pub journal: bool,
    /// The store accepts changes.
    pub store: bool,
    /// The trail's destination takes files. Calls are answered while it does not: the journal keeps their records for it.
    pub trail: bool,
}

impl Health {
    /// Whether everything that an answer needs is in order.
    pub fn is_ready(&self) -> bool {
        self.journal && self.store
    }
}

/// How a request quota is used, by all accounts in all Regions together.
#[derive(Clone, Debug)]
pub struct QuotaUse {
    /// Its name: of the operation, or of the kind of cryptography.
    pub quota: &'static str,
    /// Calls within the quota since the start.
    pub taken: u64,
    /// Calls beyond it since the start, refused only where quotas are enforced.
    pub exceeded: u64,
    /// How far the account and Region that use it most have used it up now, from 0 to 1.
    pub used: f64,
}

/// How a quota of a number of things is used by whoever uses most of it.
#[derive(Clone, Debug)]
pub struct ResourceQuotaUse {
    /// Its name: of keys of an account in a Region, or of aliases or grants of a key.
    pub quota: &'static str,
    /// Which part of it is used, from 0; above 1 where quotas are not enforced.
    pub used: f64,
    /// By whom: an account and Region, or a key.
    pub place: String,
}

/// Counters for `/metrics`.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Keys held in memory.
    pub cached_keys: u64,
    /// What those keys weigh, in bytes.
    pub cached_keys_bytes: u64,
    /// Look-ups of a key answered from memory.
    pub cache_hits: u64,
    /// Look-ups of a key that went to the store.
    pub cache_misses: u64,
    /// Records written to the journal since the start.
    pub journal_records: u64,
    /// Bytes written to the journal since the start.
    pub journal_bytes: u64,
    /// Syncs of the journal since the start.
    pub journal_syncs: u64,
    /// Records written and not yet synced: what a power cut would take now.
    pub journal_unsynced_records: u64,
    /// The request quotas that were asked for; none unless they are counted.
    pub request_quotas: Vec<QuotaUse>,
    /// The quotas of numbers of things; none unless quotas are counted.
    pub resource_quotas: Vec<ResourceQuotaUse>,
    /// Keys whose imported material expires first, by ARN, and how long that is, in seconds; at most 100.
    pub material_expirations: Vec<(String, i64)>,
    /// The sequence number of the store's last change.
    pub store_position: u64,
}
