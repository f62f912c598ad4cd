//! Every bound of a signed request, with its unit.
//!
//! They hold before anything is trusted, so that the work for a refusal is bounded by them. Each is
//! far above what AWS's own signers send.

/// Headers of one request, counted with repetitions. Also the width of the set that says which are
/// signed.
pub const HEADERS_MAX: usize = 64;

/// Bytes of the path.
pub const PATH_BYTES_MAX: usize = 2_048;

/// Bytes of the query string. A presigned query carries a session token of some thousand bytes.
pub const QUERY_BYTES_MAX: usize = 16_384;

/// Parameters of the query string.
pub const QUERY_PARAMETERS_MAX: usize = 64;

/// Bytes of the `Authorization` header.
pub const AUTHORIZATION_BYTES_MAX: usize = 4_096;

/// Bytes of the access key id (IAM's model: 16 to 128).
pub const ACCESS_KEY_ID_BYTES_MAX: usize = 128;

/// Bytes of each other part of the credential scope.
pub const SCOPE_PART_BYTES_MAX: usize = 32;

/// Bytes of the HTTP method.
pub const METHOD_BYTES_MAX: usize = 16;

/// Bytes of a caller's text repeated in a refusal.
pub const ECHO_BYTES_MAX: usize = 128;

/// How far `X-Amz-Date` may lie from our clock, either way, in seconds.
pub const CLOCK_WINDOW_SECONDS: i64 = 300;

/// The longest `X-Amz-Expires` of a presigned request, in seconds: seven days.
pub const PRESIGNED_EXPIRES_SECONDS_MAX: u32 = 604_800;
