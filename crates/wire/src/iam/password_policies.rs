//! The rules for passwords of an account: GetAccountPasswordPolicy. Nobody has a password here, so no
//! account has such rules.

use serde::{Deserialize, Serialize};

use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
};

/// The rules for passwords.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PasswordPolicy {
    /// The fewest characters.
    pub minimum_password_length: i64,
    /// Whether a symbol must be among them.
    pub require_symbols: bool,
    /// Whether a digit must be among them.
    pub require_numbers: bool,
    /// Whether a capital letter must be among them.
    pub require_uppercase_characters: bool,
    /// Whether a small letter must be among them.
    pub require_lowercase_characters: bool,
    /// Whether users may change their own.
    pub allow_users_to_change_password: bool,
    /// Whether passwords expire.
    pub expire_passwords: bool,
    /// After how many days they expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_password_age: Option<i64>,
    /// How many former passwords must not be used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_reuse_prevention: Option<i64>,
    /// Whether an expired password keeps its user out until an administrator sets a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_expiry: Option<bool>,
}
answer!(
    PasswordPolicy: "MinimumPasswordLength", "RequireSymbols", "RequireNumbers",
    "RequireUppercaseCharacters", "RequireLowercaseCharacters", "AllowUsersToChangePassword",
    "ExpirePasswords", "MaxPasswordAge", "PasswordReusePrevention", "HardExpiry"
);

/// The request of GetAccountPasswordPolicy.
#[derive(Deserialize, Default)]
pub struct GetAccountPasswordPolicyRequest {}

impl Shape for GetAccountPasswordPolicyRequest {
    fn members(&self, _: &mut dyn Visitor) {}
}

/// The answer of GetAccountPasswordPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountPasswordPolicyResponse {
    /// The rules.
    pub password_policy: PasswordPolicy,
}
answer!(GetAccountPasswordPolicyResponse: "PasswordPolicy");

family! {
    GetAccountPasswordPolicyRequest = "GetAccountPasswordPolicy"
        -> GetAccountPasswordPolicyResponse;
}
