//! Rows that belong to an OIDC provider: its client ids and thumbprints.

use rusqlite::types::{Value, ValueRef};

use crate::aggregate::ChildRow;
use crate::columns::Columns;
use crate::error::Result;
use crate::identities::IdentityRow;
use crate::identity_rows::first_values;
use crate::schema::SealedTable;

/// An audience for which an OIDC provider may vouch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdRow {
    /// The client id, as tokens name it.
    pub client_id: String,
}

/// A certificate that an OIDC provider's may be signed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThumbprintRow {
    /// The SHA-1 fingerprint in hexadecimal.
    pub thumbprint: String,
    /// Its place in the provider's list, from 0.
    pub position: u32,
}

/// The fifth schema: what OIDC providers, which are identities, have besides tags.
pub(crate) const VERSION_5: &str = "
CREATE TABLE oidc_client_ids (
  account TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, identity_id, client_id),
  FOREIGN KEY (account, identity_id) REFERENCES identities (account, identity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE oidc_thumbprints (
  account TEXT NOT NULL,
  identity_id TEXT NOT NULL,
  thumbprint TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, identity_id, thumbprint),
  FOREIGN KEY (account, identity_id) REFERENCES identities (account, identity_id)
) STRICT, WITHOUT ROWID;
";

pub(crate) const OIDC_CLIENT_IDS: SealedTable = SealedTable {
    name: "oidc_client_ids",
    schema_version: 5,
    identity_columns: 3,
    sealed_columns: 4,
};
pub(crate) const OIDC_THUMBPRINTS: SealedTable = SealedTable {
    name: "oidc_thumbprints",
    schema_version: 5,
    identity_columns: 3,
    sealed_columns: 5,
};

impl ChildRow for ClientIdRow {
    type Owner = IdentityRow;

    const TABLE: &'static SealedTable = &OIDC_CLIENT_IDS;
    const OF_OWNER: &'static str = "
        SELECT account, identity_id, client_id, sequence, seal_version, seal
        FROM oidc_client_ids WHERE account = ?1 AND identity_id = ?2 ORDER BY client_id";
    const INSERT: &'static str = "
        INSERT INTO oidc_client_ids (account, identity_id, client_id, sequence, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const DELETE: &'static str = "
        DELETE FROM oidc_client_ids WHERE account = ?1 AND identity_id = ?2 AND client_id = ?3";

    fn owner_key(owner: &IdentityRow) -> Vec<Value> {
        owner.owner_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.client_id.as_str())
    }

    fn values(&self, owner: &IdentityRow, sequence: u64) -> Result<Vec<Value>> {
        Ok(first_values(owner, &self.client_id, sequence)?.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<ClientIdRow> {
        columns.skip(2);
        Ok(ClientIdRow { client_id: columns.text()? })
    }
}

impl ChildRow for ThumbprintRow {
    type Owner = IdentityRow;

    const TABLE: &'static SealedTable = &OIDC_THUMBPRINTS;
    const OF_OWNER: &'static str = "
        SELECT account, identity_id, thumbprint, sequence, position, seal_version, seal
        FROM oidc_thumbprints WHERE account = ?1 AND identity_id = ?2 ORDER BY thumbprint";
    const INSERT: &'static str = "
        INSERT INTO oidc_thumbprints
          (account, identity_id, thumbprint, sequence, position, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const DELETE: &'static str = "
        DELETE FROM oidc_thumbprints WHERE account = ?1 AND identity_id = ?2 AND thumbprint = ?3";

    fn owner_key(owner: &IdentityRow) -> Vec<Value> {
        owner.owner_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.thumbprint.as_str())
    }

    fn values(&self, owner: &IdentityRow, sequence: u64) -> Result<Vec<Value>> {
        Ok(first_values(owner, &self.thumbprint, sequence)?.small(self.position).finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<ThumbprintRow> {
        columns.skip(2);
        let thumbprint = columns.text()?;
        columns.skip(1);
        Ok(ThumbprintRow { thumbprint, position: columns.number()? })
    }
}
