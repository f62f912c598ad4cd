//! May they: policy documents, conditions and the decision, as pure functions.
//!
//! A policy text is parsed and compiled once, when it is written or first loaded
//! ([`Document::parse`]); after that [`decide`] answers from memory. Nothing here reads a clock, a
//! store or a key: the caller brings the facts of the request as a [`ConditionContext`] and the
//! documents that apply as [`Policies`]. The crate knows AWS's rules of evaluation and nothing of
//! the operations that they guard; the sentences of a refusal are written by `service`.
//!
//! Sources: the IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference";
//! the AWS KMS Developer Guide, "Key policies" and "Condition keys for AWS KMS".

mod conditions;
mod decide;
mod decimal;
mod default_key_policy;
mod document;
mod error;
mod explain;
mod grants;
mod limits;
mod policies;
mod principal;
mod statement;
mod syntax;
mod template;
mod wildcard;

pub use conditions::context::{ConditionContext, ConditionValue, ConditionValues};
pub use decide::{
    Decision, Denial, Grounds, IdentityGrounds, Query, decide, decide_at_best, lets_in,
};
pub use default_key_policy::default_key_policy;
pub use document::{Document, DocumentKind};
pub use error::DocumentError;
pub use explain::{
    ConditionExplanation, DocumentExplanation, Explanation, StatementExplanation, explain,
};
pub use grants::{Grant, GrantConstraints, GrantPermissions, GrantSet, GrantedRequest, Grants};
pub use limits::{DOCUMENT_BYTES_MAX, SEARCHES_MAX, STATEMENTS_MAX, VARIABLES_MAX};
pub use policies::{Policies, PolicyKind, StatementRef};
pub use principal::{Principal, PrincipalKind, PrincipalPattern, Reach, root_arn};
pub use statement::Effect;
