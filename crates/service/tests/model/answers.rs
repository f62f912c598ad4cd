//! Answers against what the model foretold, member by member.

use std::fmt::Display;

use jiff::Timestamp;
use serde_json::Value;

use crate::ids::Ids;
use crate::names::{KeyName, Material};
use crate::request::named;
use crate::rules::{Answer, At, KeyState, Metadata, Model, Seconds};

/// How far a date may lie behind the model's, which knows nothing of the time that calls take. Steps of the clock are longer.
pub(crate) const DRIFT_SECONDS_MAX: Seconds = 50;

/// A difference between the server and the model, in words.
pub(crate) type Difference = String;

/// An answer that is being compared.
pub(crate) struct Comparison<'a> {
    /// What was asked, for the difference.
    pub(crate) asked: &'a str,
    pub(crate) value: &'a Value,
    /// When the sequence began on the server's clock.
    pub(crate) began: Timestamp,
}

impl Comparison<'_> {
    fn of<'b>(&'b self, value: &'b Value) -> Comparison<'b> {
        Comparison { asked: self.asked, value, began: self.began }
    }

    fn differs(&self, member: &str, foretold: impl Display) -> Difference {
        format!("{}: {member} is {}, the model says {foretold}", self.asked, self.value[member])
    }

    /// A member has that value; `null` is absent.
    pub(crate) fn is(&self, member: &str, foretold: impl Into<Value>) -> Result<(), Difference> {
        let foretold = foretold.into();
        match self.value[member] == foretold {
            true => Ok(()),
            false => Err(self.differs(member, foretold)),
        }
    }

    /// A member is that date, or a little later; absent if there is none.
    pub(crate) fn is_date(&self, member: &str, date: Option<Seconds>) -> Result<(), Difference> {
        let told = self.value[member].as_f64();
        let Some(date) = date else { return self.is(member, Value::Null) };
        let began = self.began.as_duration().as_secs_f64();
        let late = told.map(|told| told - began - seconds(date));
        // Some dates are cut to whole seconds.
        match late.is_some_and(|late| (-1.0..=seconds(DRIFT_SECONDS_MAX)).contains(&late)) {
            true => Ok(()),
            false => Err(self.differs(member, self.began.as_second() + date)),
        }
    }

    /// A member is the id of that material; absent if there is none.
    pub(crate) fn is_material(
        &self,
        ids: &mut Ids,
        member: &str,
        key: KeyName,
        material: Option<Material>,
    ) -> Result<(), Difference> {
        let Some(material) = material else { return self.is(member, Value::Null) };
        let told = self.value[member].as_str().unwrap_or_default();
        match ids.is_material(key, material, told) {
            true => Ok(()),
            false => {
                let known = match ids.is_known(key, material) {
                    true => format!("{material}, which is {}", ids.material(key, material)),
                    false => format!("{material}, which is new"),
                };
                Err(self.differs(member, known))
            }
        }
    }

    /// A member is the ARN of that key.
    fn is_arn(&self, ids: &Ids, model: &Model, member: &str, at: At) -> Result<(), Difference> {
        self.is(member, ids.arn(model.key(at.key).account, at))
    }

    /// The answer to a call.
    pub(crate) fn is_answer(
        &self,
        ids: &mut Ids,
        model: &Model,
        answer: &Answer,
    ) -> Result<(), Difference> {
        match answer {
            Answer::Empty if self.value.is_null() => Ok(()),
            Answer::Empty => Err(format!("{}: answered {}", self.asked, self.value)),
            Answer::Key(at) => self.is_arn(ids, model, "KeyId", *at),
            Answer::Metadata(metadata) => {
                let members = ["KeyMetadata", "ReplicaKeyMetadata"];
                let member = members.into_iter().find(|name| self.value.get(name).is_some());
                self.of(&self.value[member.unwrap_or_default()]).is_metadata(ids, metadata)
            }
            Answer::Deletion { at, key_state, deletion_date, days } => {
                self.is_arn(ids, model, "KeyId", *at)?;
                self.is("KeyState", format!("{key_state:?}"))?;
                self.is("PendingWindowInDays", *days)?;
                self.is_date("DeletionDate", *deletion_date)
            }
            Answer::ImportParameters { at, valid_to } => {
                self.is_arn(ids, model, "KeyId", *at)?;
                self.is_date("ParametersValidTo", Some(*valid_to))
            }
            Answer::Material { at, material } => {
                self.is_arn(ids, model, "KeyId", *at)?;
                self.is_material(ids, "KeyMaterialId", at.key, *material)
            }
            Answer::Made { at, material } => {
                self.is_arn(ids, model, "KeyId", *at)?;
                // Of what is made, a data key alone tells its material.
                let told = self.value.get("Plaintext").map(|_| *material);
                self.is_material(ids, "KeyMaterialId", at.key, told)
            }
            Answer::Decrypted { at, material } => {
                self.is_arn(ids, model, "KeyId", *at)?;
                self.is_material(ids, "KeyMaterialId", at.key, Some(*material))
            }
            Answer::ReEncrypted { from, source, to, destination } => {
                self.is_arn(ids, model, "SourceKeyId", *from)?;
                self.is_arn(ids, model, "KeyId", *to)?;
                self.is_material(ids, "SourceKeyMaterialId", from.key, Some(*source))?;
                self.is_material(ids, "DestinationKeyMaterialId", to.key, Some(*destination))
            }
        }
    }

    /// `KeyMetadata`.
    pub(crate) fn is_metadata(&self, ids: &mut Ids, metadata: &Metadata) -> Result<(), Difference> {
        let at = metadata.at;
        self.is("Arn", ids.arn(metadata.account, at))?;
        self.is("KeyId", ids.keys[&at.key].as_str())?;
        self.is("AWSAccountId", metadata.account.as_str())?;
        self.is("KeySpec", metadata.key_spec)?;
        self.is("KeyUsage", metadata.key_usage)?;
        self.is("Origin", metadata.origin)?;
        self.is("KeyManager", "CUSTOMER")?;
        self.is("KeyState", state(metadata.key_state))?;
        self.is("Enabled", metadata.enabled)?;
        let description = metadata.description.map(|number| named("description", number));
        self.is("Description", description.unwrap_or_default())?;
        self.is_date("CreationDate", Some(metadata.created))?;
        self.is_date("DeletionDate", metadata.deletion_date)?;
        self.is("PendingDeletionWindowInDays", metadata.pending_deletion_window_in_days)?;
        let current = metadata.current_key_material_id;
        self.is_material(ids, "CurrentKeyMaterialId", at.key, current)?;
        let expiration_model = metadata.expiration.map(expiration_model);
        self.is("ExpirationModel", expiration_model)?;
        self.is_date("ValidTo", metadata.expiration.flatten())?;
        self.is("MultiRegion", metadata.multi_region.is_some())?;
        self.is_multi_region(ids, metadata)
    }

    /// `MultiRegionConfiguration`.
    fn is_multi_region(&self, ids: &Ids, metadata: &Metadata) -> Result<(), Difference> {
        let Some(multi_region) = &metadata.multi_region else {
            return self.is("MultiRegionConfiguration", Value::Null);
        };
        let told = self.of(&self.value["MultiRegionConfiguration"]);
        told.is("MultiRegionKeyType", if multi_region.is_primary { "PRIMARY" } else { "REPLICA" })?;
        let related = |region| {
            let arn = ids.arn(metadata.account, At { region, ..metadata.at });
            serde_json::json!({ "Arn": arn, "Region": region.as_str() })
        };
        told.is("PrimaryKey", related(multi_region.primary))?;
        let mut replicas = told.value["ReplicaKeys"].as_array().cloned().unwrap_or_default();
        let mut foretold: Vec<Value> = multi_region.replicas.iter().copied().map(related).collect();
        replicas.sort_by_key(Value::to_string);
        foretold.sort_by_key(Value::to_string);
        match replicas == foretold {
            true => Ok(()),
            false => Err(told.differs("ReplicaKeys", Value::from(foretold))),
        }
    }
}

fn state(key_state: KeyState) -> String {
    format!("{key_state:?}")
}

pub(crate) fn expiration_model(valid_to: Option<Seconds>) -> &'static str {
    match valid_to {
        Some(_) => "KEY_MATERIAL_EXPIRES",
        None => "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
}

/// Seconds as the floating numbers that dates are told in.
fn seconds(count: Seconds) -> f64 {
    std::time::Duration::from_secs(count.unsigned_abs()).as_secs_f64()
}
