//! The tables, and which of them carry decisions.
//!
//! Every sealed table ends in `seal_version` and `seal`; the root row of an aggregate also has a
//! `manifest`. A seal covers all the columns before it (see [`crate::seal`]). A test reads the
//! schema back and fails when a column stands outside the seal or a table is neither sealed nor
//! exempt with a reason.
//!
//! Instants are nanoseconds since 1970-01-01T00:00:00Z.

use crate::access_keys::ACCESS_KEYS;
use crate::account_aliases::ACCOUNT_ALIASES;
use crate::accounts::ACCOUNTS;
use crate::aliases::ALIASES;
use crate::audit_outbox::AUDIT_OUTBOX;
use crate::caller_usages::CALLER_USAGES;
use crate::changes::CHANGES;
use crate::grants::GRANTS;
use crate::head::HEAD;
use crate::identities::IDENTITIES;
use crate::identity_rows::{
    ATTACHMENTS, IDENTITY_POLICIES, IDENTITY_TAGS, MEMBERSHIPS, USER_ACCESS_KEYS,
};
use crate::journal_positions::JOURNAL_POSITIONS;
use crate::key_materials::KEY_MATERIALS;
use crate::key_policies::KEY_POLICIES;
use crate::key_usages::KEY_USAGES;
use crate::keys::KEYS;
use crate::material_imports::MATERIAL_IMPORTS;
use crate::meter_counters::{METER_COUNTERS, METER_MONTHS};
use crate::metered_keys::METERED_KEYS;
use crate::multi_region_keys::MULTI_REGION_KEYS;
use crate::oidc_provider_rows::{OIDC_CLIENT_IDS, OIDC_THUMBPRINTS};
use crate::owned_key_materials::OWNED_KEY_MATERIALS;
use crate::role_deletions::ROLE_DELETIONS;
use crate::rotations::{MATERIAL_ROTATIONS, ROTATIONS};
use crate::tags::TAGS;

/// The first schema.
pub(crate) const VERSION_1: &str = "
CREATE TABLE deployment (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  deployment_id BLOB NOT NULL,
  created_nanos INTEGER NOT NULL
) STRICT;

CREATE TABLE domain_keys (
  purpose TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  created_nanos INTEGER NOT NULL,
  PRIMARY KEY (purpose, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL,
  changes_first INTEGER NOT NULL,
  outbox_first INTEGER NOT NULL,
  outbox_next INTEGER NOT NULL,
  aggregates BLOB NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL
) STRICT;

CREATE TABLE keys (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  account TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  key_spec TEXT NOT NULL,
  key_usage TEXT NOT NULL,
  origin TEXT NOT NULL,
  key_manager TEXT NOT NULL,
  multi_region INTEGER NOT NULL,
  state TEXT NOT NULL,
  description TEXT NOT NULL,
  created_nanos INTEGER NOT NULL,
  deletion_date_nanos INTEGER,
  pending_window_days INTEGER,
  current_key_material_id BLOB,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  manifest BLOB NOT NULL,
  PRIMARY KEY (region, key_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_by_account ON keys (account, region, key_id);
CREATE INDEX keys_by_deletion_date ON keys (deletion_date_nanos)
  WHERE deletion_date_nanos IS NOT NULL;

CREATE TABLE key_materials (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  key_material_id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  domain_key_version INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  created_nanos INTEGER NOT NULL,
  state TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id, key_material_id),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_policies (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  policy_name TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  document TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id, policy_name),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  alias TEXT NOT NULL,
  key_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  created_nanos INTEGER NOT NULL,
  updated_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, region, alias),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_key ON aliases (region, key_id, alias);

CREATE TABLE tags (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  tag_key TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  tag_value TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id, tag_key),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  account TEXT NOT NULL PRIMARY KEY,
  sequence INTEGER NOT NULL,
  created_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  manifest BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_keys (
  account TEXT NOT NULL REFERENCES accounts (account),
  access_key_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  principal_arn TEXT NOT NULL,
  status TEXT NOT NULL,
  domain_key_version INTEGER NOT NULL,
  wrapped_secret BLOB NOT NULL,
  created_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, access_key_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX access_keys_by_id ON access_keys (access_key_id);

CREATE TABLE audit_outbox (
  number INTEGER PRIMARY KEY,
  record BLOB NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL
) STRICT;

CREATE TABLE changes (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  account TEXT,
  region TEXT,
  name TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL
) STRICT;

CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  expires_nanos INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The second schema: rotation, import, multi-Region keys and the last use of a key. The tables of
/// the first one keep their columns: a seal covers all columns of a row, so that one more would
/// break every seal that stands.
pub(crate) const VERSION_2: &str = "
CREATE TABLE rotations (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  rotation_period_days INTEGER NOT NULL,
  enabled_nanos INTEGER NOT NULL,
  next_rotation_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rotations_by_next_rotation ON rotations (next_rotation_nanos);

CREATE TABLE multi_region_keys (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  primary_region TEXT NOT NULL,
  replica_regions TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE material_rotations (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  key_material_id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  rotated_nanos INTEGER NOT NULL,
  rotation_type TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id, key_material_id),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE material_imports (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  key_material_id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  description TEXT NOT NULL,
  valid_to_nanos INTEGER,
  import_state TEXT NOT NULL,
  imported_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id, key_material_id),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX material_imports_by_valid_to ON material_imports (valid_to_nanos)
  WHERE valid_to_nanos IS NOT NULL AND import_state = 'IMPORTED';

CREATE TABLE key_usages (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  used_nanos INTEGER NOT NULL,
  event_id BLOB NOT NULL,
  request_id BLOB NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE upkeep (
  name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_in_transit ON keys (state) WHERE state IN ('Creating', 'Updating');
";

/// The third schema: grants.
pub(crate) const VERSION_3: &str = "
CREATE TABLE grants (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  grant_id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  grantee TEXT NOT NULL,
  retiring TEXT,
  issuing_account TEXT NOT NULL,
  name TEXT NOT NULL,
  operations TEXT NOT NULL,
  constraints TEXT NOT NULL,
  created_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id, grant_id),
  FOREIGN KEY (region, key_id) REFERENCES keys (region, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_grantee ON grants (grantee, region, key_id, grant_id);
CREATE INDEX grants_by_name ON grants (region, key_id, name, grant_id) WHERE name <> '';
CREATE INDEX grants_by_retiring ON grants (retiring, region, key_id, grant_id)
  WHERE retiring IS NOT NULL;
";

/// The fourth schema: IAM's users, groups, roles and managed policies. Foreign keys make them an
/// account's; that a user's groups and attached policies exist is for `service` to see to, as they
/// may be gone while a newer version of the user is not.
pub(crate) const VERSION_4: &str = "
CREATE TABLE identities (
  account TEXT NOT NULL REFERENCES accounts (account),
  identity_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  created_nanos INTEGER NOT NULL,
  updated_nanos INTEGER NOT NULL,
  description TEXT,
  permissions_boundary TEXT,
  assume_role_policy TEXT,
  max_session_seconds INTEGER,
  versions_made INTEGER,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  manifest BLOB NOT NULL,
  PRIMARY KEY (account, identity_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX identities_by_name ON identities (account, kind, name COLLATE NOCASE);
CREATE INDEX identities_by_boundary ON identities (account, permissions_boundary)
  WHERE permissions_boundary IS NOT NULL;

CREATE TABLE identity_policies (
  account TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  policy_name TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  document TEXT NOT NULL,
  created_nanos INTEGER NOT NULL,
  is_default INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, identity_id, policy_name),
  FOREIGN KEY (account, identity_id) REFERENCES identities (account, identity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attachments (
  account TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  policy_arn TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, identity_id, policy_arn),
  FOREIGN KEY (account, identity_id) REFERENCES identities (account, identity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_policy ON attachments (account, policy_arn);

CREATE TABLE memberships (
  account TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, identity_id, group_id),
  FOREIGN KEY (account, identity_id) REFERENCES identities (account, identity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_group ON memberships (account, group_id);

CREATE TABLE identity_tags (
  account TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  tag_key TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  tag_value TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, identity_id, tag_key),
  FOREIGN KEY (account, identity_id) REFERENCES identities (account, identity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_access_keys (
  account TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  access_key_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  status TEXT NOT NULL,
  domain_key_version INTEGER NOT NULL,
  wrapped_secret BLOB NOT NULL,
  created_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, identity_id, access_key_id),
  FOREIGN KEY (account, identity_id) REFERENCES identities (account, identity_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX user_access_keys_by_id ON user_access_keys (access_key_id);
";

/// A table whose rows are sealed.
pub(crate) struct SealedTable {
    pub(crate) name: &'static str,
    /// The version of the schema that the table came with.
    pub(crate) schema_version: u32,
    /// How many of the first columns are the identity of a row.
    pub(crate) identity_columns: usize,
    /// How many of the first columns the seal covers: all of them but the seal itself and the
    /// manifest.
    pub(crate) sealed_columns: usize,
}

/// All tables whose rows carry decisions.
pub(crate) const SEALED_TABLES: &[&SealedTable] = &[
    &HEAD,
    &KEYS,
    &KEY_MATERIALS,
    &KEY_POLICIES,
    &ALIASES,
    &TAGS,
    &ROTATIONS,
    &MULTI_REGION_KEYS,
    &MATERIAL_ROTATIONS,
    &MATERIAL_IMPORTS,
    &KEY_USAGES,
    &GRANTS,
    &ACCOUNTS,
    &ACCESS_KEYS,
    &ACCOUNT_ALIASES,
    &ROLE_DELETIONS,
    &OWNED_KEY_MATERIALS,
    &IDENTITIES,
    &IDENTITY_POLICIES,
    &ATTACHMENTS,
    &MEMBERSHIPS,
    &IDENTITY_TAGS,
    &USER_ACCESS_KEYS,
    &OIDC_CLIENT_IDS,
    &OIDC_THUMBPRINTS,
    &CALLER_USAGES,
    &AUDIT_OUTBOX,
    &CHANGES,
    &JOURNAL_POSITIONS,
    &METER_COUNTERS,
    &METER_MONTHS,
    &METERED_KEYS,
];

/// The tables without seals, each with the reason why that is safe.
#[cfg(test)]
pub(crate) const EXEMPT_TABLES: &[(&str, &str)] = &[
    (
        "deployment",
        "Read before the seal key is known. The id goes into the wrapping of every key: with \
         another id no domain key unwraps.",
    ),
    (
        "domain_keys",
        "Read before the seal key is known. Each is wrapped by the root key together with the \
         deployment, its purpose and its version: an edited, swapped or foreign row does not \
         unwrap, and what an absent one wrapped or sealed is refused.",
    ),
    crate::digest_keys::EXEMPT,
    crate::root_headers::EXEMPT,
    (
        "upkeep",
        "Says that a scrub is due. Whoever takes the row away could as well keep a copy of the file \
         with what the scrub would wipe.",
    ),
    (
        "leases",
        "A job decides on sealed rows in a transaction of its own; a forged lease makes it wait \
         or run twice, and a second run finds nothing to do.",
    ),
];

#[cfg(test)]
mod tests;
