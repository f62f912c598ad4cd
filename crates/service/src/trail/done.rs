//! What a handler hands back, and what of it the record tells.

use serde::Serialize;
use serde_json::{Map, Value};
use wire::names::KeyMaterialId;

use super::elements::camel_case;
use super::{Draft, KEY_TYPE, Resource};
use crate::error::ServiceError;
use crate::operation::Spec;

/// What a handler hands back.
pub(crate) struct Done<R> {
    /// The answer.
    pub(crate) response: R,
    /// The records that have been committed together with a change; of a call that changed nothing, none.
    pub(crate) committed: Vec<Committed>,
    /// The key material that served the call. Boxed, so that the walk of a call does not carry the room.
    pub(crate) materials: Option<Box<Materials>>,
}

/// A record that is durable in the store and still to be handed to the journal.
pub(crate) struct Committed {
    /// Its number in the store's outbox.
    pub(crate) outbox: u64,
    /// The record.
    pub(crate) record: Vec<u8>,
}

/// The key material that a call used; only that of symmetric encryption has an id that is told.
#[derive(Clone, Copy, Default)]
pub(crate) struct Materials {
    /// What encrypted or decrypted: `keyMaterialId`.
    pub(crate) only: Option<KeyMaterialId>,
    /// What ReEncrypt decrypted with: `sourceKeyMaterialId`.
    pub(crate) source: Option<KeyMaterialId>,
    /// What ReEncrypt encrypted with: `destinationKeyMaterialId`.
    pub(crate) destination: Option<KeyMaterialId>,
}

/// Bytes of `additionalEventData` with two key materials.
const MATERIALS_BYTES_USUAL: usize = 256;

impl<R> Done<R> {
    /// The answer of an operation that changed nothing; its record is still to be written.
    pub(crate) fn read(response: R) -> Done<R> {
        Done { response, committed: Vec::new(), materials: None }
    }

    /// The same, served by this key material.
    pub(crate) fn by_material(self, only: Option<KeyMaterialId>) -> Done<R> {
        self.by_materials(Materials { only, ..Materials::default() })
    }

    /// The same, served by these.
    pub(crate) fn by_materials(self, materials: Materials) -> Done<R> {
        Done { materials: Some(Box::new(materials)), ..self }
    }
}

impl Draft<'_> {
    /// Notes what the record of a success tells of it. A change's record has been written with it and is not touched.
    pub(crate) fn set_done<R: Serialize>(&mut self, done: &Done<R>) -> Result<(), ServiceError> {
        if !done.committed.is_empty() {
            return Ok(());
        }
        if let Some(materials) = &done.materials {
            self.told.add_materials(materials);
        }
        if self.spec.records_answer || self.spec.records_key {
            let elements = response_elements(self.spec, &self.resources, &done.response)?;
            self.told.besides.get_or_insert_default().response_elements = elements;
        }
        Ok(())
    }
}

/// Members of the record that are JSON already.
#[derive(Clone, Default)]
pub(super) struct Told {
    pub(super) request_parameters: Option<Vec<u8>>,
    // Boxed, so that the walk of a call does not carry the room.
    besides: Option<Box<Besides>>,
}

/// Those that not every record has.
#[derive(Clone, Default)]
struct Besides {
    response_elements: Option<Vec<u8>>,
    additional_event_data: Option<Vec<u8>>,
}

impl Told {
    /// What was answered, of an operation that records it and changed nothing.
    pub(super) fn response_elements(&self) -> Option<&[u8]> {
        self.besides.as_ref()?.response_elements.as_deref()
    }

    /// What stood in neither request nor answer.
    pub(super) fn additional_event_data(&self) -> Option<&[u8]> {
        self.besides.as_ref()?.additional_event_data.as_deref()
    }

    /// Notes it, in place of what was noted before.
    pub(super) fn set_additional(&mut self, data: Option<Vec<u8>>) {
        if data.is_some() || self.besides.is_some() {
            self.besides.get_or_insert_default().additional_event_data = data;
        }
    }

    /// Puts the key material before what else stands in `additionalEventData`.
    fn add_materials(&mut self, materials: &Materials) {
        let Materials { only, source, destination } = *materials;
        let named = [
            ("keyMaterialId", only),
            ("destinationKeyMaterialId", destination),
            ("sourceKeyMaterialId", source),
        ];
        let mut out = Vec::new();
        for (name, id) in named {
            let Some(id) = id else { continue };
            if out.is_empty() {
                out.reserve(MATERIALS_BYTES_USUAL);
            }
            out.push(if out.is_empty() { b'{' } else { b',' });
            out.extend_from_slice(format!(r#""{name}":"{id}""#).as_bytes());
        }
        if out.is_empty() {
            return;
        }
        match self.additional_event_data().and_then(|data| data.strip_prefix(b"{")) {
            Some(rest) => {
                out.push(b',');
                out.extend_from_slice(rest);
            }
            None => out.push(b'}'),
        }
        self.set_additional(Some(out));
    }
}

/// The answer as CloudTrail shows it, for the operations that record it, and the key, for those that record that.
pub(super) fn response_elements<R: Serialize>(
    spec: &Spec,
    resources: &[Resource],
    response: &R,
) -> Result<Option<Vec<u8>>, ServiceError> {
    if !spec.records_answer && !spec.records_key {
        return Ok(None);
    }
    let mut elements = match spec.records_answer {
        true => camel_case(serde_json::to_value(response).map_err(ServiceError::internal)?),
        false => Value::Object(Map::new()),
    };
    // Of an alias that is moved, the key that it stands for now.
    let key = resources.iter().map(Resource::entry).rfind(|entry| entry.resource_type == KEY_TYPE);
    if let (true, Some(members), Some(key)) = (spec.records_key, elements.as_object_mut(), key) {
        members.insert("keyId".to_owned(), key.arn.into());
    }
    serde_json::to_vec(&elements).map(Some).map_err(ServiceError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> KeyMaterialId {
        KeyMaterialId::from_bytes([byte; 32])
    }

    fn told(data: Option<&str>, materials: Materials) -> Option<String> {
        let mut told = Told::default();
        told.set_additional(data.map(|data| data.as_bytes().to_vec()));
        told.add_materials(&materials);
        told.additional_event_data().map(|data| String::from_utf8(data.to_vec()).unwrap())
    }

    #[test]
    fn key_material_stands_beside_what_else_is_told() {
        let one = Materials { only: Some(id(0xAB)), ..Materials::default() };
        let hex = "ab".repeat(32);
        let alone = format!(r#"{{"keyMaterialId":"{hex}"}}"#);
        assert_eq!(told(None, one), Some(alone));
        let beside = format!(r#"{{"keyMaterialId":"{hex}","recipient":{{"a":"b"}}}}"#);
        assert_eq!(told(Some(r#"{"recipient":{"a":"b"}}"#), one), Some(beside));
        let none = Materials::default();
        assert_eq!(told(None, none), None);
        assert_eq!(told(Some(r#"{"grantId":"a"}"#), none), Some(r#"{"grantId":"a"}"#.to_owned()));
        let both = Materials { source: Some(id(1)), destination: Some(id(2)), only: None };
        let (source, destination) = ("01".repeat(32), "02".repeat(32));
        let both_told = format!(
            r#"{{"destinationKeyMaterialId":"{destination}","sourceKeyMaterialId":"{source}"}}"#
        );
        assert_eq!(told(None, both), Some(both_told));
    }
}
