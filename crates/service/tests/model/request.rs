//! Calls as requests on the wire: names become the ids that the server has told.

use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::ids::{Bytes, Ids};
use crate::names::Product;
use crate::rules::{At, Model};
use crate::step::{
    Call, CreateKey, ImportKeyMaterial, ImportType, KeyId, MakeVerb, Operation, Verb,
};
use crate::wrapping;

/// The parameters of a call that is made now.
pub(crate) fn parameters(ids: &Ids, model: &Model, call: &Call, now: Timestamp) -> Value {
    let id = |key| ids.key(model, call, key);
    let mut parameters = match &call.operation {
        Operation::CreateKey(create) => create_key(create),
        Operation::On(Verb::GetParametersForImport, key) => json!({
            "KeyId": id(*key),
            "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
            "WrappingKeySpec": "RSA_2048",
        }),
        Operation::On(_, key) => json!({ "KeyId": id(*key) }),
        Operation::UpdateKeyDescription { key, description } => {
            json!({ "KeyId": id(*key), "Description": named("description", *description) })
        }
        Operation::ScheduleKeyDeletion { key, days } => {
            json!({ "KeyId": id(*key), "PendingWindowInDays": days })
        }
        Operation::PointAlias { alias, key, .. } => {
            json!({ "AliasName": alias.to_string(), "TargetKeyId": id(*key) })
        }
        Operation::DeleteAlias { alias } => json!({ "AliasName": alias.to_string() }),
        Operation::TagResource { key, tag, value } => {
            json!({ "KeyId": id(*key), "Tags": [self::tag(*tag, *value)] })
        }
        Operation::UntagResource { key, tag } => {
            json!({ "KeyId": id(*key), "TagKeys": [named("tag", *tag)] })
        }
        Operation::EnableKeyRotation { key, days } => {
            json!({ "KeyId": id(*key), "RotationPeriodInDays": days })
        }
        Operation::ImportKeyMaterial(import) => import_key_material(ids, model, call, import, now),
        Operation::DeleteImportedKeyMaterial { key, material } => {
            let material = material.map(|material| ids.material(*key, material));
            json!({ "KeyId": id(*key), "KeyMaterialId": material })
        }
        Operation::ReplicateKey { key, to, tag } => json!({
            "KeyId": id(*key),
            "ReplicaRegion": to.as_str(),
            "Tags": [self::tag(*tag, *tag)],
        }),
        Operation::UpdatePrimaryRegion { key, to } => {
            json!({ "KeyId": id(*key), "PrimaryRegion": to.as_str() })
        }
        Operation::Make { verb, key: KeyId::Key(key), product } => make(*verb, &id(*key), *product),
        Operation::Make { verb, key: KeyId::Alias(alias), product } => {
            make(*verb, &alias.to_string(), *product)
        }
        Operation::Decrypt { product, key } => {
            json!({ "CiphertextBlob": ids.products[product].made, "KeyId": key.map(id) })
        }
        Operation::ReEncrypt { product, key, .. } => {
            json!({ "CiphertextBlob": ids.products[product].made, "DestinationKeyId": id(*key) })
        }
    };
    // What is absent is left out.
    if let Value::Object(members) = &mut parameters {
        members.retain(|_, value| !value.is_null());
    }
    parameters
}

fn create_key(create: &CreateKey) -> Value {
    json!({
        "KeySpec": create.key_spec.as_str(),
        "KeyUsage": create.key_spec.key_usage(),
        "Origin": create.origin.as_str(),
        "MultiRegion": create.multi_region,
    })
}

fn import_key_material(
    ids: &Ids,
    model: &Model,
    call: &Call,
    import: &ImportKeyMaterial,
    now: Timestamp,
) -> Value {
    let (key, region) = import.token;
    let parameters = &ids.import_parameters[&At { key, region }];
    let material = wrapping::material(model.key(import.key).key_spec, import.bytes);
    let valid_to = |days| (now + SignedDuration::from_hours(24 * i64::from(days))).as_second();
    json!({
        "KeyId": ids.key(model, call, import.key),
        "ImportToken": parameters.import_token,
        "EncryptedKeyMaterial": wrapping::wrap(&parameters.public_key, &material),
        "ExpirationModel": match import.valid_days {
            Some(_) => "KEY_MATERIAL_EXPIRES",
            None => "KEY_MATERIAL_DOES_NOT_EXPIRE",
        },
        "ValidTo": import.valid_days.map(valid_to),
        "ImportType": import.import_type.map(ImportType::as_str),
        "KeyMaterialDescription": import.description.map(|number| named("material", number)),
    })
}

fn make(verb: MakeVerb, key_id: &str, product: Product) -> Value {
    let message = BASE64_STANDARD.encode(format!("what {product} is made of"));
    match verb {
        MakeVerb::Encrypt => json!({ "KeyId": key_id, "Plaintext": message }),
        MakeVerb::GenerateDataKey => json!({ "KeyId": key_id, "KeySpec": "AES_256" }),
        MakeVerb::GenerateMac => {
            json!({ "KeyId": key_id, "MacAlgorithm": "HMAC_SHA_256", "Message": message })
        }
        MakeVerb::Sign => {
            json!({ "KeyId": key_id, "SigningAlgorithm": "ECDSA_SHA_256", "Message": message })
        }
    }
}

/// The operation that opens or checks a product, and its parameters.
pub(crate) fn check(bytes: &Bytes, key_id: &str) -> (&'static str, Value) {
    let Bytes { verb, made, plaintext } = bytes;
    match verb {
        // The ciphertext itself says which key made it.
        MakeVerb::Encrypt | MakeVerb::GenerateDataKey => {
            ("Decrypt", json!({ "CiphertextBlob": made }))
        }
        MakeVerb::GenerateMac => (
            "VerifyMac",
            json!({ "KeyId": key_id, "MacAlgorithm": "HMAC_SHA_256", "Message": plaintext, "Mac": made }),
        ),
        MakeVerb::Sign => (
            "Verify",
            json!({ "KeyId": key_id, "SigningAlgorithm": "ECDSA_SHA_256", "Message": plaintext, "Signature": made }),
        ),
    }
}

/// A text with a number, for tags and descriptions.
pub(crate) fn named(what: &str, number: u8) -> String {
    format!("{what}-{number}")
}

pub(crate) fn tag(tag: u8, value: u8) -> Value {
    json!({ "TagKey": named("tag", tag), "TagValue": named("value", value) })
}
