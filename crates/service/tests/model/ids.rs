//! What the server has told of the things that the model knows by names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::names::{Account, KeyName, Material, Product};
use crate::rules::{At, Model};
use crate::step::{Call, MakeVerb, Operation, Verb};

#[derive(Default)]
pub(crate) struct Ids {
    /// Key IDs.
    pub(crate) keys: BTreeMap<KeyName, String>,
    /// The last answer of GetParametersForImport.
    pub(crate) import_parameters: BTreeMap<At, ImportParameters>,
    pub(crate) products: BTreeMap<Product, Bytes>,
    /// Key material IDs, learnt when they are first seen.
    materials: BTreeMap<(KeyName, Material), String>,
    /// Public keys, the same for all related keys.
    public_keys: BTreeMap<KeyName, String>,
}

/// What wraps material on its way, in base64.
pub(crate) struct ImportParameters {
    pub(crate) import_token: String,
    pub(crate) public_key: String,
}

/// What a key made, and of what, in base64.
#[derive(Clone)]
pub(crate) struct Bytes {
    pub(crate) verb: MakeVerb,
    pub(crate) made: String,
    pub(crate) plaintext: String,
}

impl Ids {
    /// A key as a caller names it: by id in its own account, by ARN in another.
    pub(crate) fn key(&self, model: &Model, call: &Call, key: KeyName) -> String {
        let owner = model.key(key).account;
        match owner == call.by {
            true => self.keys[&key].clone(),
            false => self.arn(owner, At { key, region: call.region }),
        }
    }

    pub(crate) fn arn(&self, owner: Account, at: At) -> String {
        format!("arn:aws:kms:{}:{owner}:key/{}", at.region, self.keys[&at.key])
    }

    /// The id of a material; one that the key never had is called what none is called.
    pub(crate) fn material(&self, key: KeyName, material: Material) -> String {
        let known = self.materials.get(&(key, material)).cloned();
        known.unwrap_or_else(|| "0".repeat(64))
    }

    /// Whether the id of a material has been seen.
    pub(crate) fn is_known(&self, key: KeyName, material: Material) -> bool {
        self.materials.contains_key(&(key, material))
    }

    /// Whether an id is that of a material. A material that was never seen before has an id that nothing had before.
    pub(crate) fn is_material(&mut self, key: KeyName, material: Material, id: &str) -> bool {
        if let Some(known) = self.materials.get(&(key, material)) {
            return known == id;
        }
        let is_new = !self.materials.values().any(|known| known == id);
        if is_new {
            self.materials.insert((key, material), id.to_owned());
        }
        is_new
    }

    /// Whether a public key is that of a key.
    pub(crate) fn is_public_key(&mut self, key: KeyName, public_key: &str) -> bool {
        self.public_keys.entry(key).or_insert_with(|| public_key.to_owned()) == public_key
    }

    /// Learns what only the server can know from a success.
    pub(crate) fn learn(&mut self, call: &Call, sent: &Value, answer: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match &call.operation {
            Operation::CreateKey(create) => {
                self.keys.insert(create.key, text(&answer["KeyMetadata"]["KeyId"]));
            }
            Operation::On(Verb::GetParametersForImport, key) => {
                let parameters = ImportParameters {
                    import_token: text(&answer["ImportToken"]),
                    public_key: text(&answer["PublicKey"]),
                };
                self.import_parameters.insert(At { key: *key, region: call.region }, parameters);
            }
            Operation::Make { verb, product, .. } => {
                let (made, plaintext) = match verb {
                    MakeVerb::Encrypt => (&answer["CiphertextBlob"], &sent["Plaintext"]),
                    MakeVerb::GenerateDataKey => (&answer["CiphertextBlob"], &answer["Plaintext"]),
                    MakeVerb::GenerateMac => (&answer["Mac"], &sent["Message"]),
                    MakeVerb::Sign => (&answer["Signature"], &sent["Message"]),
                };
                let bytes = Bytes { verb: *verb, made: text(made), plaintext: text(plaintext) };
                self.products.insert(*product, bytes);
            }
            Operation::ReEncrypt { product, made, .. } => {
                let made_bytes = text(&answer["CiphertextBlob"]);
                let bytes = Bytes { made: made_bytes, ..self.products[product].clone() };
                self.products.insert(*made, bytes);
            }
            Operation::On(..)
            | Operation::UpdateKeyDescription { .. }
            | Operation::ScheduleKeyDeletion { .. }
            | Operation::PointAlias { .. }
            | Operation::DeleteAlias { .. }
            | Operation::TagResource { .. }
            | Operation::UntagResource { .. }
            | Operation::EnableKeyRotation { .. }
            | Operation::ImportKeyMaterial(_)
            | Operation::DeleteImportedKeyMaterial { .. }
            | Operation::ReplicateKey { .. }
            | Operation::UpdatePrimaryRegion { .. }
            | Operation::Decrypt { .. } => {}
        }
    }
}
