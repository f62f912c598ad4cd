//! The fields of a document (AWS's attestation process, sections 2.2 and 3.2.2).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ciborium::Value;
use jiff::Timestamp;

use crate::{AttestationError, cbor};

/// Most certificates above a document's own, root included. AWS's documents have four; its rules
/// have no bound, so this is ours: twice as many.
pub const CABUNDLE_CERTIFICATES_MAX: usize = 8;

/// Length of a certificate, in bytes.
const CERTIFICATE_BYTES: RangeInclusive<usize> = 1..=1_024;
/// Length of `public_key`, in bytes.
const PUBLIC_KEY_BYTES: RangeInclusive<usize> = 1..=1_024;
/// Length of `user_data` and `nonce`, in bytes. AWS's grammar says 1,024, its checks say 512; they
/// decide nothing here, so the longer one holds.
const USER_DATA_BYTES: RangeInclusive<usize> = 0..=1_024;
/// How many registers a document tells.
const PCR_COUNT: RangeInclusive<usize> = 1..=32;
/// Highest index of a register.
const PCR_INDEX_MAX: u8 = 31;
/// Lengths of a register's value, in bytes.
const PCR_BYTES: [usize; 3] = [32, 48, 64];
/// The one digest that registers are extended with.
const DIGEST: &str = "SHA384";

const MODULE_ID: &str = "module_id";
const DIGEST_FIELD: &str = "digest";
const TIMESTAMP: &str = "timestamp";
const PCRS: &str = "pcrs";
const NITRO_TPM_PCRS: &str = "nitrotpm_pcrs";
const CERTIFICATE: &str = "certificate";
const CABUNDLE: &str = "cabundle";
const PUBLIC_KEY: &str = "public_key";
const USER_DATA: &str = "user_data";
const NONCE: &str = "nonce";

/// Every field that there is.
const FIELDS: [&str; 10] = [
    MODULE_ID,
    DIGEST_FIELD,
    TIMESTAMP,
    PCRS,
    NITRO_TPM_PCRS,
    CERTIFICATE,
    CABUNDLE,
    PUBLIC_KEY,
    USER_DATA,
    NONCE,
];

/// Values of registers, by index.
pub(crate) type Pcrs = BTreeMap<u8, Vec<u8>>;

/// What a document says, whether or not it is to be believed.
pub(crate) struct Payload {
    pub(crate) module_id: String,
    pub(crate) time: Timestamp,
    /// Of an enclave; empty for an instance.
    pub(crate) pcrs: Pcrs,
    /// Of an instance; empty for an enclave.
    pub(crate) nitro_tpm_pcrs: Pcrs,
    pub(crate) certificate: Vec<u8>,
    pub(crate) cabundle: Vec<Vec<u8>>,
    pub(crate) public_key: Option<Vec<u8>>,
}

impl Payload {
    /// Reads all fields and checks each.
    pub(crate) fn parse(payload: &[u8]) -> Result<Payload, AttestationError> {
        let mut fields = Fields::read(payload)?;
        let module_id = fields.module_id()?;
        fields.digest()?;
        let time = fields.timestamp()?;
        let (pcrs, nitro_tpm_pcrs) = fields.registers()?;
        let certificate = bytes(CERTIFICATE, fields.mandatory(CERTIFICATE)?, CERTIFICATE_BYTES)?;
        let cabundle = fields.cabundle()?;
        let public_key = fields.optional(PUBLIC_KEY, PUBLIC_KEY_BYTES)?;
        fields.optional(USER_DATA, USER_DATA_BYTES)?;
        fields.optional(NONCE, USER_DATA_BYTES)?;
        Ok(Payload { module_id, time, pcrs, nitro_tpm_pcrs, certificate, cabundle, public_key })
    }
}

/// Fields by name, each taken once.
struct Fields(BTreeMap<&'static str, Value>);

impl Fields {
    /// Reads a map whose keys are all known and all different.
    fn read(payload: &[u8]) -> Result<Fields, AttestationError> {
        let Some(Value::Map(entries)) = cbor::read(payload) else {
            return Err(AttestationError::Payload);
        };
        let mut fields = BTreeMap::new();
        for (key, value) in entries {
            let Value::Text(key) = key else { return Err(AttestationError::Payload) };
            let name = FIELDS
                .into_iter()
                .find(|name| *name == key)
                .ok_or(AttestationError::UnknownField)?;
            if fields.insert(name, value).is_some() {
                return Err(AttestationError::RepeatedField(name));
            }
        }
        Ok(Fields(fields))
    }

    fn mandatory(&mut self, name: &'static str) -> Result<Value, AttestationError> {
        self.0.remove(name).ok_or(AttestationError::MissingField(name))
    }

    /// Bytes that need not be there. AWS's rules say that no field is null; its documents have null
    /// where the enclave gave nothing.
    fn optional(
        &mut self,
        name: &'static str,
        lengths: RangeInclusive<usize>,
    ) -> Result<Option<Vec<u8>>, AttestationError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => bytes(name, value, lengths).map(Some),
        }
    }

    fn module_id(&mut self) -> Result<String, AttestationError> {
        let id = self.mandatory(MODULE_ID)?.into_text();
        id.ok().filter(|id| !id.is_empty()).ok_or(AttestationError::Field(MODULE_ID))
    }

    fn digest(&mut self) -> Result<(), AttestationError> {
        let digest = self.mandatory(DIGEST_FIELD)?;
        let known = digest.as_text() == Some(DIGEST);
        known.then_some(()).ok_or(AttestationError::Field(DIGEST_FIELD))
    }

    /// Milliseconds since 1970, UTC.
    fn timestamp(&mut self) -> Result<Timestamp, AttestationError> {
        let value = self.mandatory(TIMESTAMP)?;
        value
            .as_integer()
            .and_then(|integer| i64::try_from(integer).ok())
            .filter(|milliseconds| *milliseconds > 0)
            .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
            .ok_or(AttestationError::Field(TIMESTAMP))
    }

    /// The registers of an enclave and those of an instance: one of the two is there.
    fn registers(&mut self) -> Result<(Pcrs, Pcrs), AttestationError> {
        match (self.0.remove(PCRS), self.0.remove(NITRO_TPM_PCRS)) {
            (Some(enclave), None) => Ok((pcrs(PCRS, enclave)?, Pcrs::new())),
            (None, Some(instance)) => Ok((Pcrs::new(), pcrs(NITRO_TPM_PCRS, instance)?)),
            (None, None) => Err(AttestationError::MissingField(PCRS)),
            (Some(_), Some(_)) => Err(AttestationError::RepeatedField(PCRS)),
        }
    }

    fn cabundle(&mut self) -> Result<Vec<Vec<u8>>, AttestationError> {
        let Value::Array(certificates) = self.mandatory(CABUNDLE)? else {
            return Err(AttestationError::Field(CABUNDLE));
        };
        if !(1..=CABUNDLE_CERTIFICATES_MAX).contains(&certificates.len()) {
            return Err(AttestationError::Field(CABUNDLE));
        }
        certificates
            .into_iter()
            .map(|certificate| bytes(CABUNDLE, certificate, CERTIFICATE_BYTES))
            .collect()
    }
}

/// A byte string of such a length.
fn bytes(
    name: &'static str,
    value: Value,
    lengths: RangeInclusive<usize>,
) -> Result<Vec<u8>, AttestationError> {
    let bytes = value.into_bytes().ok().filter(|bytes| lengths.contains(&bytes.len()));
    bytes.ok_or(AttestationError::Field(name))
}

/// A map of registers: known indexes, none twice, values as long as digests.
fn pcrs(name: &'static str, value: Value) -> Result<Pcrs, AttestationError> {
    let invalid = || AttestationError::Field(name);
    let entries = value.into_map().map_err(|_| invalid())?;
    if !PCR_COUNT.contains(&entries.len()) {
        return Err(invalid());
    }
    let mut pcrs = Pcrs::new();
    for (index, value) in entries {
        let index = index
            .as_integer()
            .and_then(|index| u8::try_from(index).ok())
            .filter(|index| *index <= PCR_INDEX_MAX)
            .ok_or_else(invalid)?;
        let value = value.into_bytes().map_err(|_| invalid())?;
        if !PCR_BYTES.contains(&value.len()) || pcrs.insert(index, value).is_some() {
            return Err(invalid());
        }
    }
    Ok(pcrs)
}
