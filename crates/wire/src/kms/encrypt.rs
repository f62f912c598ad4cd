//! Encryption: Encrypt, Decrypt, ReEncrypt; and the recipient that an answer can be sealed for.

use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    enums::{DryRunModifier, EncryptionAlgorithmSpec, KeyEncryptionMechanism},
    model::answer,
    names::{KeyArn, KeyMaterialId},
    shape::{Kind, Rule, Shape, Visitor},
    values::{Blob, EncryptionContext, OneOf},
};

/// An attested enclave that alone is to read the answer's plaintext.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct RecipientInfo {
    /// How the plaintext is encrypted under the enclave's public key.
    pub key_encryption_algorithm: Option<OneOf<KeyEncryptionMechanism>>,
    /// The signed document that holds the enclave's public key and measurements.
    pub attestation_document: Option<Blob>,
}

impl Shape for RecipientInfo {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "KeyEncryptionAlgorithm",
            &self.key_encryption_algorithm,
            &KEY_ENCRYPTION_ALGORITHM,
        );
        visitor.member("AttestationDocument", &self.attestation_document, &ATTESTATION_DOCUMENT);
    }
}

/// The rule of a recipient, which data keys and random bytes have too.
pub(super) const RECIPIENT: Rule =
    Rule::of(Kind::Structure(|visitor| RecipientInfo::default().members(visitor)));

/// The request of Encrypt.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// What is to be encrypted.
    pub plaintext: Option<Blob>,
    /// What is to be bound to the ciphertext.
    pub encryption_context: Option<EncryptionContext>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// The algorithm; SYMMETRIC_DEFAULT if absent.
    pub encryption_algorithm: Option<OneOf<EncryptionAlgorithmSpec>>,
    /// Whether everything but the encryption itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for EncryptRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("Plaintext", &self.plaintext, &REQUIRED_PLAINTEXT);
        visitor.member("EncryptionContext", &self.encryption_context, &ENCRYPTION_CONTEXT);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("EncryptionAlgorithm", &self.encryption_algorithm, &ENCRYPTION_ALGORITHM);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of Encrypt.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptResponse {
    /// The ciphertext.
    pub ciphertext_blob: Blob,
    /// The key that made it.
    pub key_id: KeyArn,
    /// The algorithm that made it.
    pub encryption_algorithm: EncryptionAlgorithmSpec,
}
answer!(EncryptResponse: "CiphertextBlob", "KeyId", "EncryptionAlgorithm");

/// The request of Decrypt.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DecryptRequest {
    /// What is to be decrypted; needed unless a dry run ignores it.
    pub ciphertext_blob: Option<Blob>,
    /// What was bound to the ciphertext.
    pub encryption_context: Option<EncryptionContext>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// The key, in any form; a symmetric ciphertext tells its own.
    pub key_id: Option<String>,
    /// The algorithm; SYMMETRIC_DEFAULT if absent.
    pub encryption_algorithm: Option<OneOf<EncryptionAlgorithmSpec>>,
    /// The enclave that alone is to read the plaintext.
    pub recipient: Option<RecipientInfo>,
    /// Whether everything but the decryption itself is to be tried.
    pub dry_run: Option<bool>,
    /// How the dry run differs from the call.
    pub dry_run_modifiers: Option<Vec<OneOf<DryRunModifier>>>,
}

impl Shape for DecryptRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("CiphertextBlob", &self.ciphertext_blob, &CIPHERTEXT);
        visitor.member("EncryptionContext", &self.encryption_context, &ENCRYPTION_CONTEXT);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("KeyId", &self.key_id, &KEY_ID);
        visitor.member("EncryptionAlgorithm", &self.encryption_algorithm, &ENCRYPTION_ALGORITHM);
        visitor.member("Recipient", &self.recipient, &RECIPIENT);
        visitor.member("DryRun", &self.dry_run, &FLAG);
        visitor.member("DryRunModifiers", &self.dry_run_modifiers, &DRY_RUN_MODIFIERS);
    }
}

/// The answer of Decrypt.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecryptResponse {
    /// The key that the ciphertext was made with.
    pub key_id: KeyArn,
    /// The plaintext; absent when it is sealed for a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Blob>,
    /// The algorithm that the ciphertext was made with.
    pub encryption_algorithm: EncryptionAlgorithmSpec,
    /// The plaintext sealed for the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_for_recipient: Option<Blob>,
    /// The version of the key's material; symmetric keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<KeyMaterialId>,
}
answer!(
    DecryptResponse: "KeyId", "Plaintext", "EncryptionAlgorithm", "CiphertextForRecipient",
    "KeyMaterialId"
);

/// The request of ReEncrypt.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncryptRequest {
    /// What is to be encrypted anew; needed unless a dry run ignores it.
    pub ciphertext_blob: Option<Blob>,
    /// What was bound to the old ciphertext.
    pub source_encryption_context: Option<EncryptionContext>,
    /// The old key, in any form; a symmetric ciphertext tells its own.
    pub source_key_id: Option<String>,
    /// The new key, in any form.
    pub destination_key_id: Option<String>,
    /// What is to be bound to the new ciphertext.
    pub destination_encryption_context: Option<EncryptionContext>,
    /// The old algorithm; SYMMETRIC_DEFAULT if absent.
    pub source_encryption_algorithm: Option<OneOf<EncryptionAlgorithmSpec>>,
    /// The new algorithm; SYMMETRIC_DEFAULT if absent.
    pub destination_encryption_algorithm: Option<OneOf<EncryptionAlgorithmSpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the cryptography itself is to be tried.
    pub dry_run: Option<bool>,
    /// How the dry run differs from the call.
    pub dry_run_modifiers: Option<Vec<OneOf<DryRunModifier>>>,
}

impl Shape for ReEncryptRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("CiphertextBlob", &self.ciphertext_blob, &CIPHERTEXT);
        visitor.member(
            "SourceEncryptionContext",
            &self.source_encryption_context,
            &ENCRYPTION_CONTEXT,
        );
        visitor.member("SourceKeyId", &self.source_key_id, &KEY_ID);
        visitor.member("DestinationKeyId", &self.destination_key_id, &REQUIRED_KEY_ID);
        visitor.member(
            "DestinationEncryptionContext",
            &self.destination_encryption_context,
            &ENCRYPTION_CONTEXT,
        );
        visitor.member(
            "SourceEncryptionAlgorithm",
            &self.source_encryption_algorithm,
            &ENCRYPTION_ALGORITHM,
        );
        visitor.member(
            "DestinationEncryptionAlgorithm",
            &self.destination_encryption_algorithm,
            &ENCRYPTION_ALGORITHM,
        );
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
        visitor.member("DryRunModifiers", &self.dry_run_modifiers, &DRY_RUN_MODIFIERS);
    }
}

/// The answer of ReEncrypt.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncryptResponse {
    /// The new ciphertext.
    pub ciphertext_blob: Blob,
    /// The old key.
    pub source_key_id: KeyArn,
    /// The new key.
    pub key_id: KeyArn,
    /// The old algorithm.
    pub source_encryption_algorithm: EncryptionAlgorithmSpec,
    /// The new algorithm.
    pub destination_encryption_algorithm: EncryptionAlgorithmSpec,
    /// The version of the old key's material; symmetric keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_key_material_id: Option<KeyMaterialId>,
    /// The version of the new key's material; symmetric keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_key_material_id: Option<KeyMaterialId>,
}
answer!(
    ReEncryptResponse: "CiphertextBlob", "SourceKeyId", "KeyId", "SourceEncryptionAlgorithm",
    "DestinationEncryptionAlgorithm", "SourceKeyMaterialId", "DestinationKeyMaterialId"
);

family! {
    EncryptRequest = "Encrypt" -> EncryptResponse;
    DecryptRequest = "Decrypt" -> DecryptResponse;
    ReEncryptRequest = "ReEncrypt" -> ReEncryptResponse;
}
