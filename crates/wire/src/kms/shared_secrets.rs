//! Shared secrets: DeriveSharedSecret, Encapsulate, Decapsulate.

use serde::{Deserialize, Serialize};

use super::{
    encrypt::{RECIPIENT, RecipientInfo},
    family,
    rules::*,
};
use crate::{
    enums::{EncapsulationAlgorithmSpec, KeyAgreementAlgorithmSpec, OriginType},
    model::answer,
    names::KeyArn,
    shape::{Shape, Visitor},
    values::{Blob, OneOf},
};

/// The request of DeriveSharedSecret.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeriveSharedSecretRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// The algorithm.
    pub key_agreement_algorithm: Option<OneOf<KeyAgreementAlgorithmSpec>>,
    /// The peer's public key on the same curve: SubjectPublicKeyInfo (RFC 5280) in DER.
    pub public_key: Option<Blob>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the derivation itself is to be tried.
    pub dry_run: Option<bool>,
    /// The enclave that alone is to read the secret.
    pub recipient: Option<RecipientInfo>,
}

impl Shape for DeriveSharedSecretRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member(
            "KeyAgreementAlgorithm",
            &self.key_agreement_algorithm,
            &REQUIRED_KEY_AGREEMENT_ALGORITHM,
        );
        visitor.member("PublicKey", &self.public_key, &REQUIRED_PUBLIC_KEY);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
        visitor.member("Recipient", &self.recipient, &RECIPIENT);
    }
}

/// The answer of DeriveSharedSecret.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeriveSharedSecretResponse {
    /// The key.
    pub key_id: KeyArn,
    /// The secret as the agreement yields it; absent when it is sealed for a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<Blob>,
    /// The secret sealed for the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_for_recipient: Option<Blob>,
    /// The algorithm.
    pub key_agreement_algorithm: KeyAgreementAlgorithmSpec,
    /// Where the key's material comes from.
    pub key_origin: OriginType,
}
answer!(
    DeriveSharedSecretResponse: "KeyId", "SharedSecret", "CiphertextForRecipient",
    "KeyAgreementAlgorithm", "KeyOrigin"
);

/// The request of Encapsulate.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct EncapsulateRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// The algorithm.
    pub encapsulation_algorithm: Option<OneOf<EncapsulationAlgorithmSpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the encapsulation itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for EncapsulateRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member(
            "EncapsulationAlgorithm",
            &self.encapsulation_algorithm,
            &REQUIRED_ENCAPSULATION_ALGORITHM,
        );
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of Encapsulate.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncapsulateResponse {
    /// The key.
    pub key_id: KeyArn,
    /// The fresh secret.
    pub shared_secret: Blob,
    /// The ciphertext that carries it to the holder of the key.
    pub shared_secret_ciphertext_blob: Blob,
    /// The algorithm.
    pub encapsulation_algorithm: EncapsulationAlgorithmSpec,
}
answer!(
    EncapsulateResponse: "KeyId", "SharedSecret", "SharedSecretCiphertextBlob",
    "EncapsulationAlgorithm"
);

/// The request of Decapsulate.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DecapsulateRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// The ciphertext that carries the secret.
    pub shared_secret_ciphertext_blob: Option<Blob>,
    /// The algorithm.
    pub encapsulation_algorithm: Option<OneOf<EncapsulationAlgorithmSpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the decapsulation itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for DecapsulateRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member(
            "SharedSecretCiphertextBlob",
            &self.shared_secret_ciphertext_blob,
            &REQUIRED_CIPHERTEXT,
        );
        visitor.member(
            "EncapsulationAlgorithm",
            &self.encapsulation_algorithm,
            &REQUIRED_ENCAPSULATION_ALGORITHM,
        );
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of Decapsulate.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecapsulateResponse {
    /// The key.
    pub key_id: KeyArn,
    /// The secret; a ciphertext made for another key yields another one (FIPS 203, section 6.3).
    pub shared_secret: Blob,
    /// The algorithm.
    pub encapsulation_algorithm: EncapsulationAlgorithmSpec,
}
answer!(DecapsulateResponse: "KeyId", "SharedSecret", "EncapsulationAlgorithm");

family! {
    DeriveSharedSecretRequest = "DeriveSharedSecret" -> DeriveSharedSecretResponse;
    EncapsulateRequest = "Encapsulate" -> EncapsulateResponse;
    DecapsulateRequest = "Decapsulate" -> DecapsulateResponse;
}
