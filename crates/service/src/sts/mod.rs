//! The operations of AWS STS that clients of KMS ask for.

pub(crate) mod caller_identity;
