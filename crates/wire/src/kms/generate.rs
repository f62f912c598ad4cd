//! Data keys and random bytes: GenerateDataKey, GenerateDataKeyWithoutPlaintext,
//! GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext, GenerateRandom.

use serde::{Deserialize, Serialize};

use super::{
    encrypt::{RECIPIENT, RecipientInfo},
    family,
    rules::*,
};
use crate::{
    enums::{DataKeyPairSpec, DataKeySpec},
    model::answer,
    names::{KeyArn, KeyMaterialId},
    shape::{Shape, Visitor},
    values::{Blob, EncryptionContext, OneOf},
};

/// The request of GenerateDataKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyRequest {
    /// The key that encrypts the data key, in any form.
    pub key_id: Option<String>,
    /// What is to be bound to the encrypted data key.
    pub encryption_context: Option<EncryptionContext>,
    /// The data key's length in bytes; either this or `key_spec`.
    pub number_of_bytes: Option<i64>,
    /// The data key's length by name.
    pub key_spec: Option<OneOf<DataKeySpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// The enclave that alone is to read the data key.
    pub recipient: Option<RecipientInfo>,
    /// Whether everything but the cryptography itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for GenerateDataKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("EncryptionContext", &self.encryption_context, &ENCRYPTION_CONTEXT);
        visitor.member("NumberOfBytes", &self.number_of_bytes, &NUMBER_OF_BYTES);
        visitor.member("KeySpec", &self.key_spec, &DATA_KEY_SPEC);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("Recipient", &self.recipient, &RECIPIENT);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of GenerateDataKey.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyResponse {
    /// The encrypted data key.
    pub ciphertext_blob: Blob,
    /// The data key; absent when it is sealed for a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Blob>,
    /// The key that encrypted it.
    pub key_id: KeyArn,
    /// The data key sealed for the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_for_recipient: Option<Blob>,
    /// The version of the key's material; absent for keys outside this server's custody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<KeyMaterialId>,
}
answer!(
    GenerateDataKeyResponse: "CiphertextBlob", "Plaintext", "KeyId", "CiphertextForRecipient",
    "KeyMaterialId"
);

/// The request of GenerateDataKeyWithoutPlaintext.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyWithoutPlaintextRequest {
    /// The key that encrypts the data key, in any form.
    pub key_id: Option<String>,
    /// What is to be bound to the encrypted data key.
    pub encryption_context: Option<EncryptionContext>,
    /// The data key's length by name.
    pub key_spec: Option<OneOf<DataKeySpec>>,
    /// The data key's length in bytes; either this or `key_spec`.
    pub number_of_bytes: Option<i64>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the cryptography itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for GenerateDataKeyWithoutPlaintextRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("EncryptionContext", &self.encryption_context, &ENCRYPTION_CONTEXT);
        visitor.member("KeySpec", &self.key_spec, &DATA_KEY_SPEC);
        visitor.member("NumberOfBytes", &self.number_of_bytes, &NUMBER_OF_BYTES);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of GenerateDataKeyWithoutPlaintext.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyWithoutPlaintextResponse {
    /// The encrypted data key.
    pub ciphertext_blob: Blob,
    /// The key that encrypted it.
    pub key_id: KeyArn,
    /// The version of the key's material; absent for keys outside this server's custody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<KeyMaterialId>,
}
answer!(GenerateDataKeyWithoutPlaintextResponse: "CiphertextBlob", "KeyId", "KeyMaterialId");

/// The request of GenerateDataKeyPair.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairRequest {
    /// What is to be bound to the encrypted private key.
    pub encryption_context: Option<EncryptionContext>,
    /// The key that encrypts the private key, in any form.
    pub key_id: Option<String>,
    /// The kind of pair.
    pub key_pair_spec: Option<OneOf<DataKeyPairSpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// The enclave that alone is to read the private key.
    pub recipient: Option<RecipientInfo>,
    /// Whether everything but the cryptography itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for GenerateDataKeyPairRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("EncryptionContext", &self.encryption_context, &ENCRYPTION_CONTEXT);
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("KeyPairSpec", &self.key_pair_spec, &REQUIRED_DATA_KEY_PAIR_SPEC);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("Recipient", &self.recipient, &RECIPIENT);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of GenerateDataKeyPair.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairResponse {
    /// The encrypted private key.
    pub private_key_ciphertext_blob: Blob,
    /// The private key: PKCS#8 (RFC 5208) in DER; absent when it is sealed for a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_plaintext: Option<Blob>,
    /// The public key: SubjectPublicKeyInfo (RFC 5280, section 4.1) in DER.
    pub public_key: Blob,
    /// The key that encrypted the private key.
    pub key_id: KeyArn,
    /// The kind of pair.
    pub key_pair_spec: DataKeyPairSpec,
    /// The private key sealed for the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_for_recipient: Option<Blob>,
    /// The version of the key's material; absent for keys outside this server's custody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<KeyMaterialId>,
}
answer!(
    GenerateDataKeyPairResponse: "PrivateKeyCiphertextBlob", "PrivateKeyPlaintext", "PublicKey",
    "KeyId", "KeyPairSpec", "CiphertextForRecipient", "KeyMaterialId"
);

/// The request of GenerateDataKeyPairWithoutPlaintext.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairWithoutPlaintextRequest {
    /// What is to be bound to the encrypted private key.
    pub encryption_context: Option<EncryptionContext>,
    /// The key that encrypts the private key, in any form.
    pub key_id: Option<String>,
    /// The kind of pair.
    pub key_pair_spec: Option<OneOf<DataKeyPairSpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the cryptography itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for GenerateDataKeyPairWithoutPlaintextRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("EncryptionContext", &self.encryption_context, &ENCRYPTION_CONTEXT);
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("KeyPairSpec", &self.key_pair_spec, &REQUIRED_DATA_KEY_PAIR_SPEC);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of GenerateDataKeyPairWithoutPlaintext.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyPairWithoutPlaintextResponse {
    /// The encrypted private key.
    pub private_key_ciphertext_blob: Blob,
    /// The public key: SubjectPublicKeyInfo (RFC 5280, section 4.1) in DER.
    pub public_key: Blob,
    /// The key that encrypted the private key.
    pub key_id: KeyArn,
    /// The kind of pair.
    pub key_pair_spec: DataKeyPairSpec,
    /// The version of the key's material; absent for keys outside this server's custody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<KeyMaterialId>,
}
answer!(
    GenerateDataKeyPairWithoutPlaintextResponse: "PrivateKeyCiphertextBlob", "PublicKey", "KeyId",
    "KeyPairSpec", "KeyMaterialId"
);

/// The request of GenerateRandom.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandomRequest {
    /// How many bytes; the service requires it although the model does not.
    pub number_of_bytes: Option<i64>,
    /// The custom key store whose hardware is to make them.
    pub custom_key_store_id: Option<String>,
    /// The enclave that alone is to read them.
    pub recipient: Option<RecipientInfo>,
}

impl Shape for GenerateRandomRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("NumberOfBytes", &self.number_of_bytes, &NUMBER_OF_BYTES);
        visitor.member("CustomKeyStoreId", &self.custom_key_store_id, &CUSTOM_KEY_STORE_ID);
        visitor.member("Recipient", &self.recipient, &RECIPIENT);
    }
}

/// The answer of GenerateRandom.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandomResponse {
    /// The bytes; absent when they are sealed for a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Blob>,
    /// The bytes sealed for the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_for_recipient: Option<Blob>,
}
answer!(GenerateRandomResponse: "Plaintext", "CiphertextForRecipient");

family! {
    GenerateDataKeyRequest = "GenerateDataKey" -> GenerateDataKeyResponse;
    GenerateDataKeyWithoutPlaintextRequest = "GenerateDataKeyWithoutPlaintext"
        -> GenerateDataKeyWithoutPlaintextResponse;
    GenerateDataKeyPairRequest = "GenerateDataKeyPair" -> GenerateDataKeyPairResponse;
    GenerateDataKeyPairWithoutPlaintextRequest = "GenerateDataKeyPairWithoutPlaintext"
        -> GenerateDataKeyPairWithoutPlaintextResponse;
    GenerateRandomRequest = "GenerateRandom" -> GenerateRandomResponse;
}
