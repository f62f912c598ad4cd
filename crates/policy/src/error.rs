//! Why a policy text is refused.

use crate::limits::{DOCUMENT_BYTES_MAX, STATEMENTS_MAX};

/// Why a policy text is refused. `Display` is the text for the caller, in AWS's words where they
/// are known; [`DocumentError::cause`] adds what an operator wants to read.
///
/// All of them are AWS's `MalformedPolicyDocumentException`, except [`DocumentError::TooLong`],
/// which is `LimitExceededException`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is longer than [`DOCUMENT_BYTES_MAX`].
    #[error("The policy document exceeds the maximum size of {DOCUMENT_BYTES_MAX} bytes.")]
    TooLong {
        /// Length of the text in bytes.
        length_bytes: usize,
    },
    /// The text is not JSON, or not a policy: unknown, missing, duplicate or wrongly typed elements.
    #[error("Syntax errors in policy.")]
    Syntax {
        /// What the parser met, for the operator.
        cause: Box<str>,
    },
    /// `Version` is neither `2012-10-17` nor `2008-10-17`.
    #[error("The policy must contain a valid version string.")]
    Version,
    /// More statements than [`STATEMENTS_MAX`].
    #[error("The policy contains more than {STATEMENTS_MAX} statements.")]
    TooManyStatements,
    /// The patterns need more than [`SEARCHES_MAX`](crate::SEARCHES_MAX) searches.
    #[error("The policy contains too many wildcards.")]
    TooManyWildcards,
    /// More policy variables than [`VARIABLES_MAX`](crate::VARIABLES_MAX).
    #[error("The policy contains too many variables.")]
    TooManyVariables,
    /// A statement of a key policy has neither `Principal` nor `NotPrincipal`.
    #[error("Policy contains a statement with no principal.")]
    MissingPrincipal,
    /// A principal is no account, user, role, session, service or federated provider.
    #[error("Policy contains a statement with one or more invalid principals.")]
    InvalidPrincipal {
        /// The principal as written, for the operator.
        principal: Box<str>,
    },
    /// An identity policy names a principal; it applies to whoever holds it.
    #[error("Policy document should not specify a principal.")]
    UnexpectedPrincipal,
    /// A statement has neither `Action` nor `NotAction`, or an empty one.
    #[error("Policy statement must contain actions.")]
    MissingAction,
    /// An action or a condition key has no service prefix.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    MissingVendor {
        /// The action or condition key as written, for the operator.
        name: Box<str>,
    },
    /// A statement of an identity policy has neither `Resource` nor `NotResource`, or an empty one.
    #[error("Policy statement must contain resources.")]
    MissingResource,
    /// The trust policy of a role names a resource; it is about its role.
    #[error("Has prohibited field Resource")]
    UnexpectedResource,
    /// A resource is neither an ARN nor `*`.
    #[error("Resource {resource} must be in ARN format or \"*\".")]
    InvalidResource {
        /// The resource as written.
        resource: Box<str>,
    },
    /// An identity policy uses one `Sid` twice.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid,
    /// A condition operator that does not exist.
    #[error("Invalid Condition type : {operator}.")]
    UnknownOperator {
        /// The operator as written.
        operator: Box<str>,
    },
    /// A condition value is not of the operator's type, such as a date that is none.
    #[error("Syntax errors in policy.")]
    InvalidConditionValue {
        /// The operator as written.
        operator: Box<str>,
        /// The value as written.
        value: Box<str>,
    },
    /// `${` without `}`, or a default value without its quotes.
    #[error("Syntax errors in policy.")]
    InvalidVariable {
        /// The text that holds the variable.
        text: Box<str>,
    },
    /// `ForAllValues` on a condition key with one value, which is true when the key is absent
    /// (AWS KMS Developer Guide, "Using condition keys with set operators").
    #[error(
        "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued \
         condition key matches requests without the specified [encryption context or tag] or with \
         an unspecified [encryption context or tag]. To fix, remove ForAllValues."
    )]
    OverlyPermissiveCondition {
        /// The condition key in lower case, for the operator.
        key: Box<str>,
    },
}

impl DocumentError {
    /// What made the policy be refused, for the operator; `None` where the public text says all.
    pub fn cause(&self) -> Option<String> {
        match self {
            DocumentError::TooLong { length_bytes } => Some(format!("{length_bytes} bytes")),
            DocumentError::Syntax { cause } => Some(cause.to_string()),
            DocumentError::InvalidPrincipal { principal } => Some(format!("principal {principal}")),
            DocumentError::MissingVendor { name } => Some(format!("no service in {name}")),
            DocumentError::InvalidConditionValue { operator, value } => {
                Some(format!("{value} is no value for {operator}"))
            }
            DocumentError::InvalidVariable { text } => Some(format!("variable in {text}")),
            DocumentError::OverlyPermissiveCondition { key } => {
                Some(format!("condition key {key}"))
            }
            DocumentError::Version
            | DocumentError::TooManyStatements
            | DocumentError::TooManyWildcards
            | DocumentError::TooManyVariables
            | DocumentError::MissingPrincipal
            | DocumentError::UnexpectedPrincipal
            | DocumentError::MissingAction
            | DocumentError::MissingResource
            | DocumentError::UnexpectedResource
            | DocumentError::InvalidResource { .. }
            | DocumentError::DuplicateSid
            | DocumentError::UnknownOperator { .. } => None,
        }
    }
}
