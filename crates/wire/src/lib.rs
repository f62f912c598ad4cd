//! What is said: shapes, names, limits and errors of the AWS APIs in their wire forms.
//!
//! This crate knows how requests and answers of AWS KMS, IAM, STS and CloudTrail look on the wire, and
//! nothing else. It reads no clock, does no I/O and decides nothing: a [`KeyRef`](names::KeyRef) parsed here
//! may name a key that does not exist. KMS and CloudTrail speak [`json`],
//! IAM and STS speak [`query`].
//!
//! The service models that AWS publishes with botocore are the outside truth.
//! [`model::description`] tells all that is built here as plain data, so that a test can compare
//! the two.

pub mod cloudtrail;
pub mod enums;
pub mod error_codes;
pub mod forward_access;
pub mod iam;
pub mod json;
pub mod kms;
pub mod limits;
pub mod model;
pub mod names;
pub mod query;
pub mod shape;
pub mod sts;
pub mod values;
mod writer;
