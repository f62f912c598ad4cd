//! Rows that belong to an identity: its policies, attachments, memberships, tags and access keys.

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};

use crate::access_keys::AccessKeyStatus;
use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::identities::IdentityRow;
use crate::schema::SealedTable;

/// A policy document: an inline policy of a user, group or role, or a version of a managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPolicyRow {
    /// The name of the inline policy, or the id of the version (`v1`).
    pub policy_name: String,
    /// The document, as the caller gave it.
    pub document: String,
    /// When it was put.
    pub created: Timestamp,
    /// True for the version of a managed policy that is in force.
    pub is_default: bool,
}

/// A managed policy that is attached to a user, group or role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentRow {
    /// The ARN of the managed policy.
    pub policy_arn: String,
}

/// A group that a user is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipRow {
    /// The unique id of the group.
    pub group_id: String,
}

/// A tag of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityTagRow {
    /// The tag's key, unique for the identity whatever the case of the letters.
    pub tag_key: String,
    /// The tag's value.
    pub tag_value: String,
}

/// An access key of a user. Those of root users are rows of their accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAccessKeyRow {
    /// The id, unique in the deployment, those of root users included.
    pub access_key_id: String,
    /// Whether it may be used.
    pub status: AccessKeyStatus,
    /// The number of what wraps the secret, as in [`AccessKeyRow`](crate::AccessKeyRow).
    pub domain_key_version: u32,
    /// The wrapped secret. Custody authenticates it together with the user's and the key's identity.
    pub wrapped_secret: Vec<u8>,
    /// When the access key was made.
    pub created: Timestamp,
}

pub(crate) const IDENTITY_POLICIES: SealedTable = SealedTable {
    name: "identity_policies",
    schema_version: 4,
    identity_columns: 3,
    sealed_columns: 7,
};
pub(crate) const ATTACHMENTS: SealedTable =
    SealedTable { name: "attachments", schema_version: 4, identity_columns: 3, sealed_columns: 4 };
pub(crate) const MEMBERSHIPS: SealedTable =
    SealedTable { name: "memberships", schema_version: 4, identity_columns: 3, sealed_columns: 4 };
pub(crate) const IDENTITY_TAGS: SealedTable = SealedTable {
    name: "identity_tags",
    schema_version: 4,
    identity_columns: 3,
    sealed_columns: 5,
};
pub(crate) const USER_ACCESS_KEYS: SealedTable = SealedTable {
    name: "user_access_keys",
    schema_version: 4,
    identity_columns: 3,
    sealed_columns: 8,
};

/// The first columns of every row here: whose it is, what tells it from the owner's others, and its
/// sequence.
pub(crate) fn first_values(owner: &IdentityRow, identity: &str, sequence: u64) -> Result<Values> {
    Values::new()
        .text(owner.account.as_str())
        .text(&owner.identity_id)
        .text(identity)
        .number(sequence)
}

impl ChildRow for IdentityPolicyRow {
    type Owner = IdentityRow;

    const TABLE: &'static SealedTable = &IDENTITY_POLICIES;
    const OF_OWNER: &'static str = "
        SELECT account, identity_id, policy_name, sequence, document, created_nanos, is_default,
          seal_version, seal
        FROM identity_policies WHERE account = ?1 AND identity_id = ?2 ORDER BY policy_name";
    const INSERT: &'static str = "
        INSERT INTO identity_policies (account, identity_id, policy_name, sequence, document,
          created_nanos, is_default, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    const DELETE: &'static str = "
        DELETE FROM identity_policies
        WHERE account = ?1 AND identity_id = ?2 AND policy_name = ?3";

    fn owner_key(owner: &IdentityRow) -> Vec<Value> {
        owner.owner_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.policy_name.as_str())
    }

    fn values(&self, owner: &IdentityRow, sequence: u64) -> Result<Vec<Value>> {
        let values = first_values(owner, &self.policy_name, sequence)?
            .text(&self.document)
            .instant(self.created)?
            .flag(self.is_default);
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<IdentityPolicyRow> {
        columns.skip(2);
        let policy_name = columns.text()?;
        columns.skip(1);
        Ok(IdentityPolicyRow {
            policy_name,
            document: columns.text()?,
            created: columns.instant()?,
            is_default: columns.flag()?,
        })
    }
}

impl ChildRow for AttachmentRow {
    type Owner = IdentityRow;

    const TABLE: &'static SealedTable = &ATTACHMENTS;
    const OF_OWNER: &'static str = "
        SELECT account, identity_id, policy_arn, sequence, seal_version, seal
        FROM attachments WHERE account = ?1 AND identity_id = ?2 ORDER BY policy_arn";
    const INSERT: &'static str = "
        INSERT INTO attachments (account, identity_id, policy_arn, sequence, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const DELETE: &'static str = "
        DELETE FROM attachments WHERE account = ?1 AND identity_id = ?2 AND policy_arn = ?3";

    fn owner_key(owner: &IdentityRow) -> Vec<Value> {
        owner.owner_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.policy_arn.as_str())
    }

    fn values(&self, owner: &IdentityRow, sequence: u64) -> Result<Vec<Value>> {
        Ok(first_values(owner, &self.policy_arn, sequence)?.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<AttachmentRow> {
        columns.skip(2);
        Ok(AttachmentRow { policy_arn: columns.text()? })
    }
}

impl ChildRow for MembershipRow {
    type Owner = IdentityRow;

    const TABLE: &'static SealedTable = &MEMBERSHIPS;
    const OF_OWNER: &'static str = "
        SELECT account, identity_id, group_id, sequence, seal_version, seal
        FROM memberships WHERE account = ?1 AND identity_id = ?2 ORDER BY group_id";
    const INSERT: &'static str = "
        INSERT INTO memberships (account, identity_id, group_id, sequence, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const DELETE: &'static str = "
        DELETE FROM memberships WHERE account = ?1 AND identity_id = ?2 AND group_id = ?3";

    fn owner_key(owner: &IdentityRow) -> Vec<Value> {
        owner.owner_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.group_id.as_str())
    }

    fn values(&self, owner: &IdentityRow, sequence: u64) -> Result<Vec<Value>> {
        Ok(first_values(owner, &self.group_id, sequence)?.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<MembershipRow> {
        columns.skip(2);
        Ok(MembershipRow { group_id: columns.text()? })
    }
}

impl ChildRow for IdentityTagRow {
    type Owner = IdentityRow;

    const TABLE: &'static SealedTable = &IDENTITY_TAGS;
    const OF_OWNER: &'static str = "
        SELECT account, identity_id, tag_key, sequence, tag_value, seal_version, seal
        FROM identity_tags WHERE account = ?1 AND identity_id = ?2 ORDER BY tag_key";
    const INSERT: &'static str = "
        INSERT INTO identity_tags
          (account, identity_id, tag_key, sequence, tag_value, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const DELETE: &'static str = "
        DELETE FROM identity_tags WHERE account = ?1 AND identity_id = ?2 AND tag_key = ?3";

    fn owner_key(owner: &IdentityRow) -> Vec<Value> {
        owner.owner_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.tag_key.as_str())
    }

    fn values(&self, owner: &IdentityRow, sequence: u64) -> Result<Vec<Value>> {
        Ok(first_values(owner, &self.tag_key, sequence)?.text(&self.tag_value).finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<IdentityTagRow> {
        columns.skip(2);
        let tag_key = columns.text()?;
        columns.skip(1);
        Ok(IdentityTagRow { tag_key, tag_value: columns.text()? })
    }
}

impl ChildRow for UserAccessKeyRow {
    type Owner = IdentityRow;

    const TABLE: &'static SealedTable = &USER_ACCESS_KEYS;
    const OF_OWNER: &'static str = "
        SELECT account, identity_id, access_key_id, sequence, status, domain_key_version,
          wrapped_secret, created_nanos, seal_version, seal
        FROM user_access_keys WHERE account = ?1 AND identity_id = ?2 ORDER BY access_key_id";
    const INSERT: &'static str = "
        INSERT INTO user_access_keys (account, identity_id, access_key_id, sequence, status,
          domain_key_version, wrapped_secret, created_nanos, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const DELETE: &'static str = "
        DELETE FROM user_access_keys
        WHERE account = ?1 AND identity_id = ?2 AND access_key_id = ?3";

    fn owner_key(owner: &IdentityRow) -> Vec<Value> {
        owner.owner_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.access_key_id.as_str())
    }

    fn values(&self, owner: &IdentityRow, sequence: u64) -> Result<Vec<Value>> {
        let values = first_values(owner, &self.access_key_id, sequence)?
            .text(self.status.as_str())
            .small(self.domain_key_version)
            .bytes(&self.wrapped_secret)
            .instant(self.created)?;
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<UserAccessKeyRow> {
        columns.skip(2);
        let access_key_id = columns.text()?;
        columns.skip(1);
        Ok(UserAccessKeyRow {
            access_key_id,
            status: columns.parse()?,
            domain_key_version: columns.number()?,
            wrapped_secret: columns.bytes()?,
            created: columns.instant()?,
        })
    }
}
