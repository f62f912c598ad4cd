//! Why a request is not believed: one AWS error name and one sentence for each reason.
//!
//! Sentences are AWS's own wherever AWS has one. A signature, a token and a secret never stand in
//! them: of the `Authorization` header only the algorithm is repeated, and no text of the caller's
//! is longer than [`ECHO_BYTES_MAX`].

use crate::limits::{CLOCK_WINDOW_SECONDS, ECHO_BYTES_MAX, PRESIGNED_EXPIRES_SECONDS_MAX};

/// A refused request. [`Refusal::code`] is the error's name, `Display` its public sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No AWS credential at all, or one of another scheme.
    #[error("Missing Authentication Token")]
    MissingToken,
    /// Parts of the `Authorization` header or of the date are absent; the text lists them as AWS
    /// does.
    #[error("{missing}Authorization={algorithm}")]
    IncompleteHeader {
        /// One sentence for each absent part, each followed by a space.
        missing: String,
        /// The algorithm, the only part of the header that is repeated.
        algorithm: &'static str,
    },
    /// Parts of a presigned query are absent; the text lists them as AWS does.
    #[error("{missing}Re-examine the query-string parameters.")]
    IncompleteQuery {
        /// One sentence for each absent part, each followed by a space.
        missing: String,
    },
    /// The `Authorization` header does not read as `Name=value` pairs, each once.
    #[error("{why} in Authorization header.")]
    MalformedAuthorization {
        /// What is wrong.
        why: &'static str,
    },
    /// Not `AWS4-HMAC-SHA256`.
    #[error("Unsupported AWS 'algorithm': '{algorithm}'.")]
    UnsupportedAlgorithm {
        /// The algorithm named, cut short.
        algorithm: String,
    },
    /// `Credential` is not `keyid/date/region/service/term`.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
    )]
    MalformedCredential {
        /// The credential given, cut short.
        credential: String,
    },
    /// The date of the request does not read as one.
    #[error(
        "Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )]
    MalformedDate {
        /// The date given, cut short.
        date: String,
    },
    /// `X-Amz-Expires` is not a number of seconds of at most a week.
    #[error(
        "X-Amz-Expires must be a number of seconds between 1 and {PRESIGNED_EXPIRES_SECONDS_MAX}."
    )]
    MalformedExpires,
    /// The query string is not percent-encoded UTF-8, or a signing parameter is written in another
    /// case.
    #[error("{why} in the query string.")]
    MalformedQuery {
        /// What is wrong.
        why: &'static str,
    },
    /// A header name, or a signed header's value, that cannot be signed without doubt.
    #[error("'{name}' holds characters that cannot be signed.")]
    MalformedHeader {
        /// The header, cut short.
        name: String,
    },
    /// A request larger than the bounds in [`crate::limits`].
    #[error("The {what} of the request exceeds the maximum that can be signed.")]
    TooLarge {
        /// The part that is too large.
        what: &'static str,
    },
    /// An `Authorization` header and a presigned query in one request.
    #[error("Found both '{parameter}' as a query-string param and 'Authorization' as HTTP header.")]
    TwoCredentials {
        /// The parameter that makes the query look signed.
        parameter: &'static str,
    },
    /// Two places that say the same thing, of which only one could be believed.
    #[error("'{name}' must be given exactly once.")]
    Repeated {
        /// The header or parameter.
        name: String,
    },
    /// `SignedHeaders` is not a sorted list of distinct lower-case names, or names a header that is
    /// not there.
    #[error("SignedHeaders {why}.")]
    SignedHeaders {
        /// What is wrong.
        why: &'static str,
    },
    /// A header that decides what the request means is not signed.
    #[error("{name} must be a 'SignedHeader' in the AWS Authorization.")]
    Unsigned {
        /// The header, quoted as AWS does.
        name: String,
    },
    /// `x-amz-content-sha256` is not the hash of the body. Unsigned and streamed payloads are not
    /// accepted.
    #[error(
        "The value passed in x-amz-content-sha256 does not match the SHA-256 hash of the request body."
    )]
    ContentHash,
    /// The credential scope is for another region, service, day or protocol; the text lists all
    /// that differ.
    #[error("{differences}")]
    Scope {
        /// One sentence for each difference.
        differences: String,
    },
    /// Signed too long ago.
    #[error("Signature expired: {signed_at} is now earlier than {limit} ({now} - {allowance})")]
    Expired {
        /// `X-Amz-Date`, basic form.
        signed_at: String,
        /// The earliest date still accepted.
        limit: String,
        /// Our time.
        now: String,
        /// The time allowed, with its unit.
        allowance: String,
    },
    /// Signed in the future.
    #[error(
        "Signature not yet current: {signed_at} is still later than {limit} ({now} + {} min.)",
        CLOCK_WINDOW_SECONDS / 60
    )]
    NotYetCurrent {
        /// `X-Amz-Date`, basic form.
        signed_at: String,
        /// The latest date already accepted.
        limit: String,
        /// Our time.
        now: String,
    },
    /// The signature is another one than ours. Also every signature that is not 64 lower-case
    /// hexadecimal digits.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    SignatureMismatch,
    /// No such access key, or a session token that is not of this access key.
    #[error("The security token included in the request is invalid.")]
    UnknownAccessKey,
}

impl Refusal {
    /// The error's name in AWS JSON services such as KMS; the HTTP status is 400 for all of them.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind().0
    }

    /// The error's name in AWS Query services such as STS and IAM.
    #[must_use]
    pub fn query_code(&self) -> &'static str {
        self.kind().1
    }

    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::MissingToken => {
                ("MissingAuthenticationTokenException", "MissingAuthenticationToken")
            }
            Self::IncompleteHeader { .. }
            | Self::IncompleteQuery { .. }
            | Self::MalformedAuthorization { .. }
            | Self::UnsupportedAlgorithm { .. }
            | Self::MalformedCredential { .. }
            | Self::MalformedDate { .. }
            | Self::MalformedExpires => ("IncompleteSignatureException", "IncompleteSignature"),
            Self::MalformedQuery { .. }
            | Self::MalformedHeader { .. }
            | Self::TooLarge { .. }
            | Self::TwoCredentials { .. }
            | Self::Repeated { .. }
            | Self::SignedHeaders { .. }
            | Self::Unsigned { .. }
            | Self::ContentHash
            | Self::Scope { .. }
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::SignatureMismatch => ("InvalidSignatureException", "SignatureDoesNotMatch"),
            Self::UnknownAccessKey => ("UnrecognizedClientException", "InvalidClientTokenId"),
        }
    }

    pub(crate) fn repeated_header(name: &str) -> Self {
        Self::Repeated { name: echo(name) }
    }

    pub(crate) fn malformed_header(name: &str) -> Self {
        Self::MalformedHeader { name: echo(name) }
    }

    pub(crate) fn unsigned(name: &str) -> Self {
        let name = match name {
            "host" => "'Host' or ':authority'".to_owned(),
            other => format!("'{}'", echo(other)),
        };
        Self::Unsigned { name }
    }
}

/// The caller's text as a refusal may repeat it: printable ASCII, bounded.
pub(crate) fn echo(text: &str) -> String {
    text.chars()
        .take(ECHO_BYTES_MAX)
        .map(|letter| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' })
        .collect()
}
