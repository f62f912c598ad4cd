//! What a committed act changed, in the words of the change feed.

use wire::names::{AccountId, AliasName, GrantId, KeyId, Region};

/// A thing that is no longer as a reader may remember it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A key, or any row that belongs to it, was made, changed or deleted.
    Key {
        /// The account that owns the key.
        account: AccountId,
        /// The Region of the key.
        region: Region,
        /// The key.
        key_id: KeyId,
    },
    /// An alias was made, deleted, or points elsewhere.
    Alias {
        /// The account that owns the alias.
        account: AccountId,
        /// The Region of the alias.
        region: Region,
        /// The alias.
        alias: AliasName,
    },
    /// A grant was made or deleted.
    Grant {
        /// The Region of the key.
        region: Region,
        /// The key.
        key_id: KeyId,
        /// The grant.
        grant_id: GrantId,
        /// Who has or had it: an ARN, or the name of a service.
        grantee: String,
    },
    /// An account was made or changed.
    Account {
        /// The account.
        account: AccountId,
    },
    /// A user, group, role or managed policy, or any row that belongs to it, was made, changed or
    /// deleted.
    Identity {
        /// The account that it belongs to.
        account: AccountId,
        /// Its unique id.
        identity_id: String,
    },
    /// An access key was made, changed or deleted.
    AccessKey {
        /// The id of the access key.
        access_key_id: String,
    },
}
