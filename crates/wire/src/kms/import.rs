//! Imported key material: GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    enums::{ExpirationModel, ImportType, WrappingAlgorithm, WrappingKeySpec},
    json::epoch,
    model::answer,
    names::{KeyArn, KeyMaterialId},
    shape::{Shape, Visitor},
    values::{Blob, OneOf},
};

/// The request of GetParametersForImport.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetParametersForImportRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// How the material is to be wrapped.
    pub wrapping_algorithm: Option<OneOf<WrappingAlgorithm>>,
    /// The kind of key that is to wrap it.
    pub wrapping_key_spec: Option<OneOf<WrappingKeySpec>>,
}

impl Shape for GetParametersForImportRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("WrappingAlgorithm", &self.wrapping_algorithm, &REQUIRED_WRAPPING_ALGORITHM);
        visitor.member("WrappingKeySpec", &self.wrapping_key_spec, &REQUIRED_WRAPPING_KEY_SPEC);
    }
}

/// The answer of GetParametersForImport.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParametersForImportResponse {
    /// The key.
    pub key_id: KeyArn,
    /// What ImportKeyMaterial is to be handed together with the wrapped material.
    pub import_token: Blob,
    /// The key that wraps the material: SubjectPublicKeyInfo (RFC 5280, section 4.1) in DER.
    pub public_key: Blob,
    /// When token and public key cease to be good.
    #[serde(with = "epoch")]
    pub parameters_valid_to: Timestamp,
}
answer!(
    GetParametersForImportResponse: "KeyId", "ImportToken", "PublicKey", "ParametersValidTo"
);

/// The request of ImportKeyMaterial.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ImportKeyMaterialRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The token that came with the public key.
    pub import_token: Option<Blob>,
    /// The material, wrapped under that public key.
    pub encrypted_key_material: Option<Blob>,
    /// When the material expires; needed unless it does not.
    #[serde(default, with = "epoch::option")]
    pub valid_to: Option<Timestamp>,
    /// Whether the material expires; it does if absent.
    pub expiration_model: Option<OneOf<ExpirationModel>>,
    /// Whether the key knows this material already.
    pub import_type: Option<OneOf<ImportType>>,
    /// A description of the material for people.
    pub key_material_description: Option<String>,
    /// The id of the material that this is to be.
    pub key_material_id: Option<String>,
}

impl Shape for ImportKeyMaterialRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("ImportToken", &self.import_token, &REQUIRED_CIPHERTEXT);
        visitor.member("EncryptedKeyMaterial", &self.encrypted_key_material, &REQUIRED_CIPHERTEXT);
        visitor.member("ValidTo", &self.valid_to, &DATE);
        visitor.member("ExpirationModel", &self.expiration_model, &EXPIRATION_MODEL);
        visitor.member("ImportType", &self.import_type, &IMPORT_TYPE);
        visitor.member(
            "KeyMaterialDescription",
            &self.key_material_description,
            &KEY_MATERIAL_DESCRIPTION,
        );
        visitor.member("KeyMaterialId", &self.key_material_id, &KEY_MATERIAL_ID);
    }
}

/// The answer of ImportKeyMaterial.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImportKeyMaterialResponse {
    /// The key.
    pub key_id: KeyArn,
    /// The imported material; symmetric keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<KeyMaterialId>,
}
answer!(ImportKeyMaterialResponse: "KeyId", "KeyMaterialId");

/// The request of DeleteImportedKeyMaterial.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteImportedKeyMaterialRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The material to delete; the current one if absent.
    pub key_material_id: Option<String>,
}

impl Shape for DeleteImportedKeyMaterialRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("KeyMaterialId", &self.key_material_id, &KEY_MATERIAL_ID);
    }
}

/// The answer of DeleteImportedKeyMaterial.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteImportedKeyMaterialResponse {
    /// The key.
    pub key_id: KeyArn,
    /// The deleted material; symmetric keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<KeyMaterialId>,
}
answer!(DeleteImportedKeyMaterialResponse: "KeyId", "KeyMaterialId");

family! {
    GetParametersForImportRequest = "GetParametersForImport" -> GetParametersForImportResponse;
    ImportKeyMaterialRequest = "ImportKeyMaterial" -> ImportKeyMaterialResponse;
    DeleteImportedKeyMaterialRequest = "DeleteImportedKeyMaterial"
        -> DeleteImportedKeyMaterialResponse;
}
