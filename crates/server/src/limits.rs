//! Every bound of the ways in, with its unit: what a stranger may cost before anything is trusted.

use std::time::Duration;

/// Connections served at once on the API listener; the next ones wait in the kernel's queue.
pub(crate) const CONNECTIONS_MAX: usize = 4_096;
/// Connections served at once on the admin listener.
pub(crate) const ADMIN_CONNECTIONS_MAX: usize = 64;
/// Control commands served at once.
pub(crate) const CONTROL_CONNECTIONS_MAX: usize = 8;
/// Connections that the kernel keeps waiting for each listener.
pub(crate) const BACKLOG_CONNECTIONS: i32 = 1_024;
/// File descriptors kept for everything that is not a connection.
pub(crate) const DESCRIPTORS_RESERVED: u64 = 256;

/// Headers of one request; AWS's clients send about twelve.
pub(crate) const HEADERS_MAX: usize = 64;
/// Bytes of the head of one request, and of what is read ahead of it.
pub(crate) const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Bytes of the body of one request; the largest of AWS KMS stays far below.
pub(crate) const BODY_BYTES_MAX: usize = 256 * 1024;

/// From the first byte of a head to its last.
pub(crate) const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// From the end of the head to the last byte of the body.
pub(crate) const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// From the end of an answer to the first byte of the next head, which covers a client that does not read its answer.
pub(crate) const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
/// From the whole request to its answer.
pub(crate) const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// From the accepted connection to the end of the TLS handshake.
pub(crate) const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(5);
/// How long accepting rests after the machine refused a connection, for example for want of descriptors.
pub(crate) const ACCEPT_REST: Duration = Duration::from_millis(100);

/// From the signal to end until the connections that remain are cut.
pub(crate) const DRAIN_TIME_MAX: Duration = Duration::from_secs(7);
/// From the last answer until the process ends even though the journal or the store has not closed.
pub(crate) const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);

/// How often files that are followed are looked at for a change.
pub(crate) const FILES_POLL: Duration = Duration::from_secs(5);
/// Bytes of a certificate chain's or private key's file.
pub(crate) const CERTIFICATE_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of the configuration file, of the file of guard rails and of each policy that it names.
pub(crate) const CONFIGURATION_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of one control command: a file of accounts is the largest.
pub(crate) const CONTROL_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of the outcome of one: who can use a key is told of every user and role of an account.
pub(crate) const CONTROL_OUTCOME_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Accounts that one command may create.
pub(crate) const CONTROL_ACCOUNTS_MAX: usize = 10_000;
/// From the accepted control connection to its answer's last byte.
pub(crate) const CONTROL_TIME_MAX: Duration = Duration::from_secs(60);

/// Issuers of OIDC tokens that the operator may name.
pub(crate) const OIDC_ISSUERS_MAX: usize = 256;
/// Issuers known at once that no operator named, each found on a host that one did name.
pub(crate) const OIDC_DISCOVERED_MAX: usize = 256;
/// Such issuers asked at the same time.
pub(crate) const OIDC_DISCOVERIES_MAX: usize = 4;
/// Bytes of what another server answers: a key set, a discovery document.
pub(crate) const OUTGOING_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Bytes of the file of those who are believed to be another server.
pub(crate) const OUTGOING_TRUST_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a bearer token's file.
pub(crate) const OIDC_TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Addresses of one host that are tried.
pub(crate) const OUTGOING_ADDRESSES_MAX: usize = 4;
/// From the first packet to a connection with one of them.
pub(crate) const OUTGOING_CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// From the look-up of a host's name to the last byte of the keys, the discovery document before them included.
pub(crate) const OIDC_FETCH_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a call waits for keys that are not at hand.
pub(crate) const OIDC_WAIT_TIME_MAX: Duration = Duration::from_secs(3);
/// How often it is looked whether keys are due.
pub(crate) const OIDC_POLL: Duration = Duration::from_secs(1);
/// Between fetches, where the issuer says nothing.
pub(crate) const OIDC_FRESH_SECONDS: i64 = 60 * 60;
/// Between fetches at the least, whatever the issuer says.
pub(crate) const OIDC_FRESH_SECONDS_MIN: i64 = 5 * 60;
/// Between fetches at the most, whatever the issuer says.
pub(crate) const OIDC_FRESH_SECONDS_MAX: i64 = 24 * 60 * 60;
/// From a fetch that failed to the next; and between two that tokens with unknown key ids asked for.
pub(crate) const OIDC_AGAIN_SECONDS: i64 = 60;
/// How long keys are believed while no newer ones can be fetched, in hours, where the operator says nothing.
pub(crate) const OIDC_KEYS_KEPT_HOURS: u16 = 24;
/// The most that the operator can say.
pub(crate) const OIDC_KEYS_KEPT_HOURS_MAX: u16 = 720;

/// Sinks of events that the operator may name.
pub(crate) const EVENT_SINKS_MAX: usize = 16;
/// Events that wait for their sinks; beyond them the oldest is dropped.
pub(crate) const EVENTS_QUEUED_MAX: usize = 10_000;
/// Records of the journal that are looked at in a row for events.
pub(crate) const EVENT_RECORDS_AT_ONCE_MAX: usize = 4_096;
/// How often it is looked for new records, and for what else is an event.
pub(crate) const EVENT_LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// How long the end of the server waits for the thread that looks.
pub(crate) const EVENTS_END_TIME_MAX: Duration = Duration::from_millis(500);
/// How often it is kept, where there was no event, how far the journal was looked at.
pub(crate) const EVENT_POSITION_INTERVAL: Duration = Duration::from_secs(10);
/// For how long the same use of a key pending deletion, by the same caller, is not told again.
pub(crate) const EVENT_REPEAT_SECONDS: i64 = 5 * 60;
/// Such uses that are remembered.
pub(crate) const EVENT_REPEATS_MAX: usize = 1_024;
/// The part of a quota of a number of things from which on it is told.
pub(crate) const EVENT_QUOTA_PART: f64 = 0.8;
/// From the look-up of a webhook's host to its answer.
pub(crate) const WEBHOOK_TIME_MAX: Duration = Duration::from_secs(20);
/// From a delivery that failed to the next; it doubles.
pub(crate) const EVENT_RETRY_WAIT: Duration = Duration::from_secs(1);
/// The longest such wait.
pub(crate) const EVENT_RETRY_WAIT_MAX: Duration = Duration::from_secs(60);
/// Bytes of a file of a webhook's secrets.
pub(crate) const WEBHOOK_SECRETS_BYTES_MAX: usize = 4 * 1024;
/// Secrets that one request is signed with.
pub(crate) const WEBHOOK_SECRETS_MAX: usize = 4;
/// From the look-up of a store's name to its answer that it has an object of the trail.
pub(crate) const BUCKET_PUT_TIME_MAX: Duration = Duration::from_secs(60);
/// Bytes of the file of the credentials for a bucket.
pub(crate) const BUCKET_CREDENTIALS_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer that an object was put, or why it was not.
pub(crate) const BUCKET_ERROR_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an object that is compared; a log file's records are bounded, and compressed.
pub(crate) const BUCKET_OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;
