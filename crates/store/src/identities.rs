//! Rows of IAM's identities: users, groups, roles, managed policies and OIDC providers, each the
//! root of an aggregate of its own, so that a change of one touches no other.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::types::Value;
use wire::names::{AccountId, KeyId, Region};

use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::key_policies::KEY_POLICIES;
use crate::schema::SealedTable;
use crate::sequences::Aggregate;
use crate::snapshot::Snapshot;

/// What kind of thing an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
    /// A managed policy.
    Policy,
    /// An OIDC provider; its name is its URL without `https://`.
    OidcProvider,
}

impl IdentityKind {
    /// The kind as it stands in ARNs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::Policy => "policy",
            Self::OidcProvider => "oidc-provider",
        }
    }
}

impl FromStr for IdentityKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::User, Self::Group, Self::Role, Self::Policy, Self::OidcProvider]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}

/// The identity itself, without the rows that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// The account that it belongs to.
    pub account: AccountId,
    /// Its unique id (`AIDA...`, `AGPA...`, `AROA...`, `ANPA...`), never given twice.
    pub identity_id: String,
    /// What it is.
    pub kind: IdentityKind,
    /// The number of the newest change of the identity or any of its rows; 0 before the first save.
    /// Set by the store, which refuses to save a record that was not built on the newest one.
    pub sequence: u64,
    /// Its name, unique for its kind in the account whatever the case of the letters.
    pub name: String,
    /// Its path, `/` or `/division/`.
    pub path: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed, where IAM tells.
    pub updated: Timestamp,
    /// The description of a role or a managed policy.
    pub description: Option<String>,
    /// The ARN of the managed policy that is its permissions boundary.
    pub permissions_boundary: Option<String>,
    /// Who may assume a role: its trust policy.
    pub assume_role_policy: Option<String>,
    /// How long a session of a role may last, in seconds.
    pub max_session_seconds: Option<u32>,
    /// How many versions of a managed policy were ever made: no number is given twice.
    pub versions_made: Option<u32>,
}

pub(crate) const IDENTITIES: SealedTable =
    SealedTable { name: "identities", schema_version: 4, identity_columns: 2, sealed_columns: 13 };

/// The columns of every SELECT below.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account, identity_id, kind, sequence, name, path, created_nanos, updated_nanos,
               description, permissions_boundary, assume_role_policy, max_session_seconds,
               versions_made, seal_version, seal, manifest
             FROM identities ",
            $rest
        )
    };
}

/// Every identity's name and sequence.
pub(crate) const SEQUENCES: &str = "SELECT account, identity_id, sequence FROM identities";
pub(crate) const ALL: &str = select!("");
pub(crate) const ONE: &str = select!("WHERE account = ?1 AND identity_id = ?2");
const NAMES: &str = "SELECT account, identity_id FROM identities ORDER BY account, identity_id";
const BY_NAME: &str = "
    SELECT identity_id FROM identities WHERE account = ?1 AND kind = ?2 AND name = ?3 COLLATE NOCASE";

pub(crate) const HAS_MEMBERS: &str =
    "SELECT 1 FROM memberships WHERE account = ?1 AND group_id = ?2";
pub(crate) const IS_ATTACHED: &str =
    "SELECT 1 FROM attachments WHERE account = ?1 AND policy_arn = ?2";
pub(crate) const IS_BOUNDARY: &str =
    "SELECT 1 FROM identities WHERE account = ?1 AND permissions_boundary = ?2";

/// Texts with escapes may hold any other.
const KEY_POLICIES_WITH: &str = r"
    SELECT region, key_id, document FROM key_policies
    WHERE instr(document, ?1) > 0 OR instr(document, '\') > 0";
const TRUST_POLICIES_WITH: &str = r"
    SELECT account, identity_id, assume_role_policy FROM identities
    WHERE instr(assume_role_policy, ?1) > 0 OR instr(assume_role_policy, '\') > 0";

impl IdentityRow {
    pub(crate) fn owner_values(&self) -> Vec<Value> {
        Values::new().text(self.account.as_str()).text(&self.identity_id).finish()
    }

    pub(crate) fn values(&self, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(self.account.as_str())
            .text(&self.identity_id)
            .text(self.kind.as_str())
            .number(sequence)?
            .text(&self.name)
            .text(&self.path)
            .instant(self.created)?
            .instant(self.updated)?
            .optional_text(self.description.as_deref())
            .optional_text(self.permissions_boundary.as_deref())
            .optional_text(self.assume_role_policy.as_deref())
            .optional_small(self.max_session_seconds)
            .optional_small(self.versions_made);
        Ok(values.finish())
    }

    pub(crate) fn read(columns: &mut Columns<'_>) -> Result<IdentityRow> {
        Ok(IdentityRow {
            account: columns.parse()?,
            identity_id: columns.text()?,
            kind: columns.parse()?,
            sequence: columns.number()?,
            name: columns.text()?,
            path: columns.text()?,
            created: columns.instant()?,
            updated: columns.instant()?,
            description: columns.optional_text()?,
            permissions_boundary: columns.optional_text()?,
            assume_role_policy: columns.optional_text()?,
            max_session_seconds: columns.optional_number()?,
            versions_made: columns.optional_number()?,
        })
    }

    pub(crate) fn aggregate(&self) -> Aggregate {
        Aggregate::identity(self.account, &self.identity_id)
    }
}

impl Snapshot<'_> {
    /// Which identities there are, by account and unique id. These are hints only: whoever uses one
    /// loads it, which verifies it; and that none is missing was proved when the store was unlocked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn identity_ids(&self) -> Result<Vec<(AccountId, String)>> {
        let mut statement = self.connection().prepare_cached(NAMES)?;
        let mut rows = statement.query([])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&IDENTITIES, row);
            ids.push((columns.parse()?, columns.text()?));
        }
        Ok(ids)
    }

    /// The unique id of the identity of that kind and name, whatever the case of the letters. It is
    /// a hint only, like those of [`identity_ids`](Snapshot::identity_ids).
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn identity_named(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
    ) -> Result<Option<String>> {
        let mut statement = self.connection().prepare_cached(BY_NAME)?;
        let identity_id = statement
            .query_row([account.as_str(), kind.as_str(), name], |row| row.get(0))
            .optional()?;
        Ok(identity_id)
    }

    /// The keys whose policies hold a text, or an escape in which it may hide, and are wanted. Reads
    /// every policy, about 100 milliseconds for 100,000 of them. These are hints only: whoever uses
    /// one loads the key, which verifies it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn keys_with_policies(
        &self,
        text: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(Region, KeyId)>> {
        let mut statement = self.connection().prepare_cached(KEY_POLICIES_WITH)?;
        let mut rows = statement.query([text])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&KEY_POLICIES, row);
            let key = (columns.parse()?, columns.parse()?);
            if is_wanted(&columns.text()?) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// The roles whose trust policies hold a text; as
    /// [`keys_with_policies`](Snapshot::keys_with_policies).
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn roles_with_policies(
        &self,
        text: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(AccountId, String)>> {
        let mut statement = self.connection().prepare_cached(TRUST_POLICIES_WITH)?;
        let mut rows = statement.query([text])?;
        let mut roles = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&IDENTITIES, row);
            let role = (columns.parse()?, columns.text()?);
            if is_wanted(&columns.text()?) {
                roles.push(role);
            }
        }
        Ok(roles)
    }

    /// True if a group has members. A hint only.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn has_members(&self, account: AccountId, group_id: &str) -> Result<bool> {
        let mut statement = self.connection().prepare_cached(HAS_MEMBERS)?;
        Ok(statement.exists([account.as_str(), group_id])?)
    }

    /// True if a managed policy is attached to an identity of the account, or is the boundary of
    /// one. A hint only.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn is_policy_in_use(&self, account: AccountId, policy_arn: &str) -> Result<bool> {
        let key = [account.as_str(), policy_arn];
        Ok(self.connection().prepare_cached(IS_ATTACHED)?.exists(key)?
            || self.connection().prepare_cached(IS_BOUNDARY)?.exists(key)?)
    }
}

/// The refusal of an identity.
pub(crate) fn refuse(account: AccountId, identity_id: &str, why: &'static str) -> StoreError {
    StoreError::Seal { table: IDENTITIES.name, identity: format!("{account}/{identity_id}"), why }
}
