//! Temporary credentials, and what is asked of all sessions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rules::*;
use crate::{
    model::answer,
    query::iso8601,
    shape::{Kind, Range, Rule, Shape, Visitor},
    values::SecretText,
};

/// Temporary credentials.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: SecretText,
    /// The token that every request must bring.
    pub session_token: SecretText,
    /// When they expire.
    #[serde(with = "iso8601")]
    pub expiration: Timestamp,
}
answer!(Credentials: "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration");

/// A managed policy that narrows a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDescriptor {
    /// The policy's ARN.
    #[serde(rename = "arn")]
    pub arn: Option<String>,
}

impl Shape for PolicyDescriptor {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("arn", &self.arn, &ARN);
    }
}

pub(super) const POLICY_ARNS: Rule = Rule::of(Kind::List {
    length: Range::ANY,
    item: &Kind::Structure(|visitor| PolicyDescriptor::default().members(visitor)),
});
