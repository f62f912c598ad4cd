//! What is remembered: rows, transactions, seals and the change feed.
//!
//! All SQL of the project is in this crate. It knows neither what a policy means nor any plaintext:
//! key material and credentials arrive wrapped by `custody` and leave as they came.
//!
//! The database is not trusted. Every row that carries a decision has a seal (a MAC over its table,
//! identity, sequence and columns), every aggregate (a key, an account or an identity of IAM with
//! all its rows) has a manifest that lists its rows, and one sealed row, the head, proves which
//! aggregates there are and how new each is. A grant is an aggregate of its own, since a key may have
//! very many. A row that is edited, swapped, copied, deleted or replayed is refused with
//! [`StoreError::Seal`] and never used. Two kinds of rows decide nothing and are sealed without being
//! listed: the [last use](KeyUsageRow) of a key and that of a [caller](CallerUsageRow), of which an
//! older row passes.
//!
//! Work is done by threads of this crate, not by the async runtime: one [writer](Store::write) that
//! commits all that is waiting in one transaction, and a few [readers](Store::read).

mod access_keys;
mod account_aliases;
mod accounts;
mod aggregate;
mod aliases;
mod audit_outbox;
mod caller_usages;
mod change;
mod changes;
mod columns;
mod database;
mod digest_keys;
mod domain_keys;
mod error;
mod grants;
mod head;
mod identities;
mod identity_records;
mod identity_rows;
mod journal_positions;
mod key_materials;
mod key_policies;
mod key_records;
mod key_usages;
mod keys;
mod leases;
mod limits;
mod locked;
mod material_imports;
mod meter_counters;
mod metered_keys;
mod migrations;
mod multi_region_keys;
mod numbers;
mod oidc_provider_rows;
mod owned_key_materials;
mod queue;
mod readers;
mod role_deletions;
mod root_headers;
mod rotations;
mod schema;
mod scrub;
mod seal;
mod sequences;
mod set_digest;
mod snapshot;
mod store;
mod tags;
mod transaction;
mod unlock;
mod writer;

pub use access_keys::{AccessKeyRow, AccessKeyStatus};
pub use account_aliases::AccountAliasRow;
pub use accounts::{AccountRecord, AccountRow};
pub use aliases::AliasRow;
pub use audit_outbox::OutboxRecord;
pub use caller_usages::{CallerKind, CallerUsageRow};
pub use change::Change;
pub use digest_keys::DigestKeyRow;
pub use domain_keys::{DeploymentRow, DomainKeyRow};
pub use error::StoreError;
pub use grants::GrantRow;
pub use identities::{IdentityKind, IdentityRow};
pub use identity_records::IdentityRecord;
pub use identity_rows::{
    AttachmentRow, IdentityPolicyRow, IdentityTagRow, MembershipRow, UserAccessKeyRow,
};
pub use journal_positions::JournalPositionRow;
pub use key_materials::MaterialRow;
pub use key_policies::KeyPolicyRow;
pub use key_records::KeyRecord;
pub use key_usages::KeyUsageRow;
pub use keys::KeyRow;
pub use locked::{LockedStore, StoreOptions};
pub use material_imports::MaterialImportRow;
pub use meter_counters::MeterCounter;
pub use metered_keys::{METER, Metered, MeteredKeyRow};
pub use multi_region_keys::MultiRegionRow;
pub use oidc_provider_rows::{ClientIdRow, ThumbprintRow};
pub use owned_key_materials::{OWNED_WRAPPING_VERSIONS_START, OwnedKeyMaterialRow};
pub use role_deletions::RoleDeletionRow;
pub use root_headers::RootHeaderRow;
pub use rotations::{MaterialRotationRow, RotationRow};
pub use snapshot::Snapshot;
pub use store::Store;
pub use tags::TagRow;
pub use transaction::Transaction;
