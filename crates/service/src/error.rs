//! Every refusal of the service: AWS's name and sentence for the caller, the cause for the operator.
//!
//! This is the one place where errors of the lower crates become AWS's. Each public sentence is written once, in a
//! constructor named after the situation (reference 2.17).

use std::error::Error;
use std::fmt::{self, Display};

use custody::CustodyError;
use wire::enums::{KeySpec, KeyState, KeyUsage, OriginType};
use wire::error_codes::ErrorCode;
use wire::names::{AliasArn, GrantId, KeyArn};
use wire::shape::MissingMember;

/// An error with two texts: what the caller reads and what the operator reads.
#[derive(Debug)]
pub struct ServiceError {
    code: ErrorCode,
    message: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    superseded: bool,
}

impl ServiceError {
    /// An error whose sentence the caller reads.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> ServiceError {
        ServiceError { code, message: Some(message.into()), cause: None, superseded: false }
    }

    /// Whether a member was taken that the request does not have.
    pub(crate) fn is_missing_member(&self) -> bool {
        self.cause.as_ref().is_some_and(|cause| cause.is::<MissingMember>())
    }

    /// An error that AWS sends without a sentence.
    pub(crate) fn bare(code: ErrorCode) -> ServiceError {
        ServiceError { code, message: None, cause: None, superseded: false }
    }

    /// A failure of ours: the caller learns nothing of it, the operator everything.
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> ServiceError {
        ServiceError {
            code: ErrorCode::KMSInternalException,
            message: Some("The request was rejected because an internal exception occurred. The request can be retried.".to_owned()),
            cause: Some(cause.into()),
            superseded: false,
        }
    }

    /// The server has more to do than it accepts.
    pub(crate) fn overloaded(cause: impl Into<Box<dyn Error + Send + Sync>>) -> ServiceError {
        ServiceError {
            code: ErrorCode::ServiceUnavailable,
            message: Some("The service is temporarily unavailable. Try again later.".to_owned()),
            cause: Some(cause.into()),
            superseded: false,
        }
    }

    /// A request quota is used up.
    pub(crate) fn quota_exceeded() -> ServiceError {
        ServiceError::new(
            ErrorCode::ThrottlingException,
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        )
    }

    /// The same in the words of CloudTrail.
    pub(crate) fn rate_exceeded() -> ServiceError {
        ServiceError::new(ErrorCode::ThrottlingException, "Rate exceeded")
    }

    pub(crate) fn validation(message: impl Into<String>) -> ServiceError {
        ServiceError::new(ErrorCode::ValidationException, message)
    }

    pub(crate) fn key_not_found(arn: &KeyArn) -> ServiceError {
        ServiceError::new(ErrorCode::NotFoundException, format!("Key '{arn}' does not exist"))
    }

    pub(crate) fn alias_not_found(arn: &AliasArn) -> ServiceError {
        ServiceError::new(ErrorCode::NotFoundException, format!("Alias {arn} is not found."))
    }

    pub(crate) fn invalid_key_id(text: &str) -> ServiceError {
        ServiceError::new(ErrorCode::NotFoundException, format!("Invalid keyId '{text}'"))
    }

    /// A malformed ARN; `code` is what the operation's model has for it.
    pub(crate) fn invalid_arn(code: ErrorCode, text: &str) -> ServiceError {
        ServiceError::new(code, format!("Invalid arn '{text}'"))
    }

    /// An alias ARN where only keys may be named.
    pub(crate) fn alias_arn_unsupported(code: ErrorCode) -> ServiceError {
        ServiceError::new(code, "Key Aliases are not supported for this operation.")
    }

    /// An ARN that names a Region other than the one that was asked.
    pub(crate) fn arn_of_another_region(region: impl Display) -> ServiceError {
        ServiceError::new(ErrorCode::NotFoundException, format!("Invalid arn {region}"))
    }

    /// The caller may not; `because` is AWS's account of which policy decided.
    pub(crate) fn access_denied(
        principal: &str,
        action: &str,
        resource: &str,
        because: &str,
    ) -> ServiceError {
        ServiceError::new(
            ErrorCode::AccessDeniedException,
            format!(
                "User: {principal} is not authorized to perform: {action} on resource: {resource} {because}"
            ),
        )
    }

    /// The same refusal with its message for DecodeAuthorizationMessage, in the words of Amazon EC2's.
    pub(crate) fn with_authorization_message(self, encoded: &str) -> ServiceError {
        let message = self.message.unwrap_or_default();
        let message = format!("{message} Encoded authorization failure message: {encoded}");
        ServiceError { message: Some(message), ..self }
    }

    /// A message that was not made here for the account, or is too old.
    pub(crate) fn invalid_authorization_message() -> ServiceError {
        ServiceError::new(ErrorCode::InvalidAuthorizationMessage, "Message is not valid")
    }

    /// A ciphertext whose key is unknown here or belongs to somebody who did not share it.
    pub(crate) fn ciphertext_of_unknown_key() -> ServiceError {
        ServiceError::new(
            ErrorCode::AccessDeniedException,
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
        )
    }

    pub(crate) fn disabled(arn: &str) -> ServiceError {
        ServiceError::new(ErrorCode::DisabledException, format!("{arn} is disabled."))
    }

    /// The key's state does not allow the operation, said as AWS says it: `ARN is pending deletion.`
    pub(crate) fn invalid_state(arn: &str, state: KeyState) -> ServiceError {
        let state = match state {
            KeyState::Creating => "creating",
            KeyState::Enabled => "enabled",
            KeyState::Disabled => "disabled",
            KeyState::PendingDeletion => "pending deletion",
            KeyState::PendingImport => "pending import",
            KeyState::PendingReplicaDeletion => "pending replica deletion",
            KeyState::Unavailable => "unavailable",
            KeyState::Updating => "updating",
        };
        ServiceError::new(ErrorCode::KMSInvalidStateException, format!("{arn} is {state}."))
    }

    pub(crate) fn not_pending_deletion(arn: &str) -> ServiceError {
        ServiceError::new(
            ErrorCode::KMSInvalidStateException,
            format!("{arn} is not pending deletion."),
        )
    }

    pub(crate) fn wrong_usage(arn: &str, usage: KeyUsage, operation: &str) -> ServiceError {
        ServiceError::new(
            ErrorCode::InvalidKeyUsageException,
            format!("{arn} key usage is {} which is not valid for {operation}.", usage.as_str()),
        )
    }

    pub(crate) fn wrong_algorithm(algorithm: impl Display, spec: KeySpec) -> ServiceError {
        ServiceError::new(
            ErrorCode::InvalidKeyUsageException,
            format!("Algorithm {algorithm} is incompatible with key spec {spec}."),
        )
    }

    /// The key's material came from elsewhere than the operation wants.
    pub(crate) fn wrong_origin(arn: &str, origin: OriginType) -> ServiceError {
        ServiceError::unsupported(format!(
            "{arn} origin is {origin} which is not valid for this operation."
        ))
    }

    /// The operation is for the primary of multi-Region keys alone.
    pub(crate) fn not_primary(arn: &str) -> ServiceError {
        ServiceError::unsupported(format!("{arn} is not a multi-region primary key."))
    }

    /// The attestation document of a recipient is not to be believed.
    pub(crate) fn invalid_attestation(
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> ServiceError {
        ServiceError {
            cause: Some(cause.into()),
            ..ServiceError::validation("The attestation document is not valid.")
        }
    }

    /// Imported material is not what the key had, or not material of its spec.
    pub(crate) fn incorrect_key_material(message: impl Into<String>) -> ServiceError {
        ServiceError::new(ErrorCode::IncorrectKeyMaterialException, message)
    }

    /// More is asked for than is done; the caller should come back later.
    pub(crate) fn throttled(cause: impl Into<Box<dyn Error + Send + Sync>>) -> ServiceError {
        ServiceError { cause: Some(cause.into()), ..ServiceError::quota_exceeded() }
    }

    pub(crate) fn incorrect_key() -> ServiceError {
        ServiceError::new(
            ErrorCode::IncorrectKeyException,
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )
    }

    pub(crate) fn dry_run() -> ServiceError {
        ServiceError::new(
            ErrorCode::DryRunOperationException,
            "The request would have succeeded, but the DryRun option is set.",
        )
    }

    /// A token that was not issued here for a grant, or is too old.
    pub(crate) fn invalid_grant_token() -> ServiceError {
        ServiceError::new(ErrorCode::InvalidGrantTokenException, "The grant token is invalid.")
    }

    pub(crate) fn invalid_grant_id() -> ServiceError {
        ServiceError::new(ErrorCode::InvalidGrantIdException, "Invalid grant ID")
    }

    pub(crate) fn grant_not_found(grant_id: GrantId) -> ServiceError {
        ServiceError::new(ErrorCode::NotFoundException, format!("Grant ID {grant_id} not found"))
    }

    /// A grantee or retiring principal that is none, or does not exist.
    pub(crate) fn invalid_principal(arn: &str) -> ServiceError {
        ServiceError::new(
            ErrorCode::InvalidArnException,
            format!("ARN does not refer to a valid principal: {arn}"),
        )
    }

    pub(crate) fn invalid_marker() -> ServiceError {
        ServiceError::new(ErrorCode::InvalidMarkerException, "Could not deserialize marker")
    }

    /// The session behind a token has ended.
    pub(crate) fn expired_token() -> ServiceError {
        ServiceError::new(
            ErrorCode::ExpiredTokenException,
            "The security token included in the request is expired",
        )
    }

    /// The caller may not assume the role, or there is none: AWS does not tell which.
    pub(crate) fn role_denied(principal: &str, action: &str, role_arn: &str) -> ServiceError {
        ServiceError::new(
            ErrorCode::AccessDeniedException,
            format!(
                "User: {principal} is not authorized to perform: {action} on resource: {role_arn}"
            ),
        )
    }

    /// The role does not trust the web identity, or there is none: AWS does not tell which.
    pub(crate) fn web_identity_denied() -> ServiceError {
        ServiceError::new(
            ErrorCode::AccessDeniedException,
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )
    }

    /// Session policies and tags do not fit into a token.
    pub(crate) fn packed_policy_too_large() -> ServiceError {
        ServiceError::new(
            ErrorCode::PackedPolicyTooLarge,
            "The session policies and session tags are too large for a session token.",
        )
    }

    /// The caller may not make sessions of that kind.
    pub(crate) fn session_denied(message: impl Into<String>) -> ServiceError {
        ServiceError::new(ErrorCode::AccessDeniedException, message)
    }

    /// What the checks saw has been changed by somebody else before the transaction began. The pipeline checks again;
    /// the sentence is for a caller who lost the race every time.
    pub(crate) fn superseded() -> ServiceError {
        let error =
            ServiceError::overloaded("the key kept changing while the call was being checked");
        ServiceError { superseded: true, ..error }
    }

    /// Whether the same call may succeed when it is checked again.
    pub(crate) fn is_superseded(&self) -> bool {
        self.superseded
    }

    /// Something of AWS's model that this server cannot do; `what` says which.
    pub(crate) fn unsupported(what: impl Into<String>) -> ServiceError {
        ServiceError::new(ErrorCode::UnsupportedOperationException, what)
    }

    /// AWS's name and status.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence that the caller reads, where AWS sends one.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The row of the store that was refused, since it is not as this server left it, if that is why.
    pub(crate) fn refused_row(&self) -> Option<String> {
        let cause = self.cause.as_deref()?.downcast_ref::<store::StoreError>()?;
        let store::StoreError::Seal { table, identity, .. } = cause else { return None };
        Some(format!("{table} '{identity}'"))
    }

    /// What the operator reads, where there is more to know.
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.cause.as_deref()
    }
}

impl Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code.name())?;
        if let Some(message) = &self.message {
            write!(formatter, ": {message}")?;
        }
        if let Some(cause) = &self.cause {
            write!(formatter, " ({cause})")?;
        }
        Ok(())
    }
}

impl Error for ServiceError {}

impl From<wire::json::SerializationError> for ServiceError {
    fn from(error: wire::json::SerializationError) -> ServiceError {
        ServiceError {
            code: ErrorCode::SerializationException,
            message: error.message,
            cause: None,
            superseded: false,
        }
    }
}

impl From<wire::query::QueryError> for ServiceError {
    fn from(error: wire::query::QueryError) -> ServiceError {
        ServiceError::new(ErrorCode::SerializationException, error.to_string())
    }
}

impl From<wire::shape::Violations> for ServiceError {
    fn from(violations: wire::shape::Violations) -> ServiceError {
        ServiceError::validation(violations.to_string())
    }
}

impl From<MissingMember> for ServiceError {
    fn from(missing: MissingMember) -> ServiceError {
        ServiceError::internal(missing)
    }
}

impl From<store::StoreError> for ServiceError {
    fn from(error: store::StoreError) -> ServiceError {
        if matches!(error, store::StoreError::Busy) {
            return ServiceError::overloaded(error);
        }
        if matches!(error, store::StoreError::Conflict { .. }) {
            return ServiceError::superseded();
        }
        ServiceError::internal(error)
    }
}

impl From<CustodyError> for ServiceError {
    fn from(error: CustodyError) -> ServiceError {
        match error {
            CustodyError::InvalidCiphertext => {
                ServiceError::bare(ErrorCode::InvalidCiphertextException)
            }
            CustodyError::InvalidPublicKey => ServiceError::bare(ErrorCode::ValidationException),
            CustodyError::InvalidKeyMaterial => ServiceError::incorrect_key_material(
                "The key material is not valid for the key spec of the KMS key.",
            ),
            CustodyError::InvalidImportToken => {
                ServiceError::bare(ErrorCode::InvalidImportTokenException)
            }
            CustodyError::Busy => ServiceError::throttled(error),
            CustodyError::MaterialRefused { .. }
            | CustodyError::DigestKeyRefused
            | CustodyError::SelfTestFailed
            | CustodyError::NotCapable { .. }
            | CustodyError::UnknownDomainKey { .. }
            | CustodyError::UnknownOwnedKeyVersion { .. }
            | CustodyError::WrongRootKey { .. }
            | CustodyError::DomainKeysIncomplete { .. }
            | CustodyError::RootKeyRefused
            | CustodyError::RootHeader { .. }
            | CustodyError::PassphraseLength
            | CustodyError::PassphraseHash
            | CustodyError::ShareCounts
            | CustodyError::InvalidShare(_)
            | CustodyError::ForeignShare
            | CustodyError::WrongSecret
            | CustodyError::RepeatedShare
            | CustodyError::RootKeyFile { .. }
            | CustodyError::RootKeyIo { .. }
            | CustodyError::Arena(_)
            | CustodyError::ArenaFull
            | CustodyError::Harden { .. }
            | CustodyError::Crypto(_) => ServiceError::internal(error),
        }
    }
}

impl From<audit::JournalError> for ServiceError {
    fn from(error: audit::JournalError) -> ServiceError {
        ServiceError::internal(error)
    }
}

impl From<audit::trail::TrailError> for ServiceError {
    fn from(error: audit::trail::TrailError) -> ServiceError {
        ServiceError::internal(error)
    }
}

impl From<crypto::RngError> for ServiceError {
    fn from(error: crypto::RngError) -> ServiceError {
        ServiceError::internal(error)
    }
}

impl From<sigv4::Refusal> for ServiceError {
    fn from(refusal: sigv4::Refusal) -> ServiceError {
        let code = match refusal.code() {
            "MissingAuthenticationTokenException" => ErrorCode::MissingAuthenticationTokenException,
            "IncompleteSignatureException" => ErrorCode::IncompleteSignatureException,
            "UnrecognizedClientException" => ErrorCode::UnrecognizedClientException,
            _ => ErrorCode::InvalidSignatureException,
        };
        ServiceError::new(code, refusal.to_string())
    }
}
