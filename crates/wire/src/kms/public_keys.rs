//! Public keys: GetPublicKey.

use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    enums::{
        CustomerMasterKeySpec, EncapsulationAlgorithmSpec, EncryptionAlgorithmSpec,
        KeyAgreementAlgorithmSpec, KeySpec, KeyUsage, SigningAlgorithmSpec,
    },
    model::answer,
    names::KeyArn,
    shape::{Shape, Visitor},
    values::Blob,
};

/// The request of GetPublicKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetPublicKeyRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
}

impl Shape for GetPublicKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
    }
}

/// The answer of GetPublicKey. Of the lists of algorithms only that of the key's usage is there.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetPublicKeyResponse {
    /// The key.
    pub key_id: KeyArn,
    /// Its public half: SubjectPublicKeyInfo (RFC 5280, section 4.1) in DER.
    pub public_key: Blob,
    /// Its kind by the older name; newer kinds have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_master_key_spec: Option<CustomerMasterKeySpec>,
    /// Its kind.
    pub key_spec: KeySpec,
    /// What it may be used for.
    pub key_usage: KeyUsage,
    /// The encryption algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encryption_algorithms: Vec<EncryptionAlgorithmSpec>,
    /// The signing algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<SigningAlgorithmSpec>,
    /// The key agreement algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_agreement_algorithms: Vec<KeyAgreementAlgorithmSpec>,
    /// The encapsulation algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encapsulation_algorithms: Vec<EncapsulationAlgorithmSpec>,
}
answer!(
    GetPublicKeyResponse: "KeyId", "PublicKey", "CustomerMasterKeySpec", "KeySpec", "KeyUsage",
    "EncryptionAlgorithms", "SigningAlgorithms", "KeyAgreementAlgorithms",
    "EncapsulationAlgorithms"
);

family! {
    GetPublicKeyRequest = "GetPublicKey" -> GetPublicKeyResponse;
}
