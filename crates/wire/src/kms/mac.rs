//! Message authentication codes: GenerateMac, VerifyMac.

use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    enums::MacAlgorithmSpec,
    model::answer,
    names::KeyArn,
    shape::{Shape, Visitor},
    values::{Blob, OneOf},
};

/// The request of GenerateMac.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateMacRequest {
    /// What is to be authenticated.
    pub message: Option<Blob>,
    /// The key, in any form.
    pub key_id: Option<String>,
    /// The algorithm.
    pub mac_algorithm: Option<OneOf<MacAlgorithmSpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the MAC itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for GenerateMacRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Message", &self.message, &REQUIRED_PLAINTEXT);
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("MacAlgorithm", &self.mac_algorithm, &REQUIRED_MAC_ALGORITHM);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of GenerateMac.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateMacResponse {
    /// The MAC, as long as the algorithm's digest.
    pub mac: Blob,
    /// The algorithm that made it.
    pub mac_algorithm: MacAlgorithmSpec,
    /// The key that made it.
    pub key_id: KeyArn,
}
answer!(GenerateMacResponse: "Mac", "MacAlgorithm", "KeyId");

/// The request of VerifyMac.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyMacRequest {
    /// What was authenticated.
    pub message: Option<Blob>,
    /// The key, in any form.
    pub key_id: Option<String>,
    /// The algorithm that made the MAC.
    pub mac_algorithm: Option<OneOf<MacAlgorithmSpec>>,
    /// The MAC.
    pub mac: Option<Blob>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the verification itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for VerifyMacRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Message", &self.message, &REQUIRED_PLAINTEXT);
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("MacAlgorithm", &self.mac_algorithm, &REQUIRED_MAC_ALGORITHM);
        visitor.member("Mac", &self.mac, &REQUIRED_CIPHERTEXT);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of VerifyMac.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyMacResponse {
    /// The key that made the MAC.
    pub key_id: KeyArn,
    /// Always true: a MAC that does not fit is answered with an error.
    pub mac_valid: bool,
    /// The algorithm that made it.
    pub mac_algorithm: MacAlgorithmSpec,
}
answer!(VerifyMacResponse: "KeyId", "MacValid", "MacAlgorithm");

family! {
    GenerateMacRequest = "GenerateMac" -> GenerateMacResponse;
    VerifyMacRequest = "VerifyMac" -> VerifyMacResponse;
}
