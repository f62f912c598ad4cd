//! The operator's report on AWS owned keys: that they exist, what stands under them, and when they rotated.

use std::collections::BTreeMap;
use std::fmt;

use custody::{OwnedKey, WRAPPING_VERSIONS_START};
use serde::Serialize;
use store::{AccountRecord, Snapshot, StoreError};

use super::{newest, next_rotation, of, system_account, version_of};
use crate::error::ServiceError;
use crate::host::Host;

/// All AWS owned keys. `Display` is the text, `Serialize` the data.
#[derive(Clone, Debug, Serialize)]
pub struct OwnedKeyReport {
    /// The keys, by name.
    pub owned_keys: Vec<OwnedKeySummary>,
    /// Secrets of access keys from before there were owned keys, which the job has not moved yet.
    pub secrets_under_domain_keys: u64,
}

/// An AWS owned key as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct OwnedKeySummary {
    /// Its name.
    pub name: &'static str,
    /// What it protects.
    pub protects: &'static str,
    /// Its key id.
    pub key_id: String,
    /// When it was made.
    pub created: String,
    /// The version that wraps, from 1.
    pub current_version: u32,
    /// When it was rotated last; none before the first time.
    pub last_rotated: Option<String>,
    /// When the server rotates it next.
    pub next_rotation: String,
    /// The versions that are left, oldest first.
    pub versions: Vec<OwnedKeyVersion>,
}

/// A version of an AWS owned key as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct OwnedKeyVersion {
    /// Its number.
    pub version: u32,
    /// When it was made.
    pub created: String,
    /// Stored secrets that it wraps; none for keys whose secrets are handed out and not stored.
    pub secrets: Option<u64>,
}

/// Tells all owned keys.
pub(crate) async fn list(host: &Host) -> Result<OwnedKeyReport, ServiceError> {
    let (record, counts) = host.store.read(look).await?;
    let owned_keys = OwnedKey::ALL.into_iter().filter_map(|key| summary(&record, &counts, key));
    let under_domain_keys = counts.range(..WRAPPING_VERSIONS_START);
    Ok(OwnedKeyReport {
        owned_keys: owned_keys.collect(),
        secrets_under_domain_keys: under_domain_keys.map(|(_, count)| count).sum(),
    })
}

type Looked = (Option<AccountRecord>, BTreeMap<u32, u64>);

fn look(snapshot: &Snapshot<'_>) -> Result<Looked, StoreError> {
    Ok((system_account(snapshot)?, snapshot.count_wrapped_secrets()?))
}

fn summary(
    record: &Option<AccountRecord>,
    counts: &BTreeMap<u32, u64>,
    owned_key: OwnedKey,
) -> Option<OwnedKeySummary> {
    let record = record.as_ref()?;
    let current = newest(record, owned_key)?;
    let (protects, is_stored) = match owned_key {
        OwnedKey::AccessKeys => ("secret access keys of root users, users and services", true),
        OwnedKey::SessionTokens => ("session tokens and forward access tokens", false),
    };
    let mut versions: Vec<OwnedKeyVersion> = of(record, owned_key)
        .map(|row| OwnedKeyVersion {
            version: version_of(owned_key, row),
            created: row.created.to_string(),
            secrets: is_stored
                .then(|| counts.get(&row.wrapping_version).copied().unwrap_or_default()),
        })
        .collect();
    versions.sort_by_key(|version| version.version);
    let current_version = version_of(owned_key, current);
    Some(OwnedKeySummary {
        name: owned_key.as_str(),
        protects,
        key_id: current.key_id.to_string(),
        created: current.key_created.to_string(),
        current_version,
        last_rotated: (current_version > 1).then(|| current.created.to_string()),
        next_rotation: next_rotation(current).to_string(),
        versions,
    })
}

impl fmt::Display for OwnedKeyReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.owned_keys {
            writeln!(formatter, "{}", key.name)?;
            writeln!(formatter, "  protects      {}", key.protects)?;
            writeln!(formatter, "  key id        {}", key.key_id)?;
            writeln!(formatter, "  created       {}", key.created)?;
            writeln!(formatter, "  version       {}", key.current_version)?;
            let last_rotated = key.last_rotated.as_deref().unwrap_or("never");
            writeln!(formatter, "  last rotated  {last_rotated}")?;
            writeln!(formatter, "  next rotation {}", key.next_rotation)?;
            for OwnedKeyVersion { version, created, secrets } in &key.versions {
                write!(formatter, "  version {version}, made {created}")?;
                match secrets {
                    Some(secrets) => writeln!(formatter, ": {secrets} secrets")?,
                    None => writeln!(formatter)?,
                }
            }
        }
        let waiting = self.secrets_under_domain_keys;
        match waiting {
            0 => Ok(()),
            _ => writeln!(formatter, "{waiting} secrets stand under domain keys and will be moved"),
        }
    }
}
