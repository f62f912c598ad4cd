//! A deployment for tests: its seal key, sample records and a store in a folder of its own.

use std::path::{Path, PathBuf};

use crypto::SecretKey;
use crypto::seal::{SealKey, SealKeys};
use jiff::Timestamp;
use store::{
    AccessKeyRow, AccessKeyStatus, AccountRecord, AccountRow, AliasRow, AttachmentRow, CallerKind,
    CallerUsageRow, ClientIdRow, GrantRow, IdentityKind, IdentityPolicyRow, IdentityRecord,
    IdentityRow, IdentityTagRow, KeyPolicyRow, KeyRecord, KeyRow, KeyUsageRow, LockedStore,
    MaterialImportRow, MaterialRotationRow, MaterialRow, MembershipRow, MultiRegionRow,
    OWNED_WRAPPING_VERSIONS_START, OwnedKeyMaterialRow, RoleDeletionRow, RotationRow, Store,
    StoreError, StoreOptions, TagRow, ThumbprintRow, UserAccessKeyRow,
};
use tempfile::TempDir;
use wire::enums::{
    GrantOperation, ImportState, KeyLastUsageOperation, KeyManager, KeyMaterialState, KeySpec,
    KeyState, KeyUsage, OriginType, RotationType,
};
use wire::names::{AccountId, AliasName, GrantId, KeyId, KeyMaterialId, Region};

pub(crate) fn seal_keys() -> SealKeys {
    seal_keys_of(7)
}

/// The seal keys of another deployment for each byte.
pub(crate) fn seal_keys_of(byte: u8) -> SealKeys {
    SealKeys::new(SealKey::new(1, &SecretKey::new([byte; 32])), Vec::new())
}

pub(crate) fn open(path: &Path) -> Result<Store, StoreError> {
    LockedStore::open(path, StoreOptions::default())?.unlock(seal_keys())
}

/// A store and the folder that holds it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = in_memory();
        let store = open(&folder.path().join("keystead.db")).unwrap();
        Place { folder, store }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("keystead.db")
    }

    /// A stranger's connection to the same database.
    pub(crate) fn stranger(&self) -> rusqlite::Connection {
        stranger(&self.path())
    }

    pub(crate) fn close_and_open(self) -> Place {
        let Place { folder, store } = self;
        drop(store);
        let store = open(&folder.path().join("keystead.db")).unwrap();
        Place { folder, store }
    }
}

/// A folder whose syncs cost nothing, where the machine has one. What must survive a power cut is
/// not tested here.
pub(crate) fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Opens the database as somebody who may write to the file and keeps no rules.
pub(crate) fn stranger(path: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;")
        .unwrap();
    connection
}

pub(crate) fn account(number: u8) -> AccountId {
    format!("1111222233{number:02}").parse().unwrap()
}

pub(crate) fn region(number: u8) -> Region {
    ["eu-central-1", "us-east-1"][usize::from(number % 2)].parse().unwrap()
}

pub(crate) fn key_id(number: u8) -> KeyId {
    KeyId::from_uuid_bytes([number; 16])
}

pub(crate) fn alias(name: &str) -> AliasName {
    format!("alias/{name}").parse().unwrap()
}

pub(crate) fn instant(second: i64) -> Timestamp {
    Timestamp::new(1_700_000_000 + second, 123_456_789).unwrap()
}

pub(crate) fn material(number: u8) -> MaterialRow {
    MaterialRow {
        key_material_id: KeyMaterialId::from_bytes([number; 32]),
        domain_key_version: 3,
        wrapped: vec![number; 60],
        created: instant(1),
        state: KeyMaterialState::Current,
    }
}

pub(crate) fn alias_row(name: &str, key_id: KeyId) -> AliasRow {
    AliasRow { alias: alias(name), key_id, created: instant(2), updated: instant(3) }
}

pub(crate) fn tag(tag_key: &str, tag_value: &str) -> TagRow {
    TagRow { tag_key: tag_key.to_owned(), tag_value: tag_value.to_owned() }
}

pub(crate) fn rotation(days: u16, next: i64) -> RotationRow {
    let next_rotation = instant(next);
    RotationRow { rotation_period_days: days, enabled: instant(6), next_rotation }
}

/// The Regions of a multi-Region key that has related keys in both Regions.
pub(crate) fn multi_region(primary: u8) -> MultiRegionRow {
    let replica_regions = vec![region(primary + 1)];
    MultiRegionRow { primary_region: region(primary), replica_regions }
}

pub(crate) fn material_rotation(number: u8, second: i64) -> MaterialRotationRow {
    let key_material_id = KeyMaterialId::from_bytes([number; 32]);
    let rotation_type =
        if second % 2 == 0 { RotationType::Automatic } else { RotationType::OnDemand };
    MaterialRotationRow { key_material_id, rotated: instant(second), rotation_type }
}

/// Imported material that is here, and expires or does not.
pub(crate) fn material_import(number: u8, valid_to: Option<i64>) -> MaterialImportRow {
    MaterialImportRow {
        key_material_id: KeyMaterialId::from_bytes([number; 32]),
        description: format!("import {number}"),
        valid_to: valid_to.map(instant),
        import_state: ImportState::Imported,
        imported: instant(7),
    }
}

/// Who has grants.
pub(crate) const GRANTEES: [&str; 2] =
    ["arn:aws:iam::444455556666:user/a/b", "arn:aws:iam::444455556666:root"];
/// Who may retire them.
pub(crate) const RETIRING: &str = "arn:aws:iam::444455556666:user/retiring";

pub(crate) fn grant_id(number: u8) -> GrantId {
    GrantId::from_bytes([number; 32])
}

pub(crate) fn grant(region: Region, key_id: KeyId, number: u8, grantee: &str) -> GrantRow {
    GrantRow {
        region,
        key_id,
        grant_id: grant_id(number),
        grantee: grantee.to_owned(),
        retiring: Some(RETIRING.to_owned()).filter(|_| number % 2 == 1),
        issuing_account: account(1),
        name: format!("grant {number}"),
        operations: vec![GrantOperation::Decrypt, GrantOperation::Encrypt],
        constraints: format!("constraints {number}"),
        created: instant(i64::from(number)),
    }
}

pub(crate) async fn save_grants(store: &Store, grants: &[GrantRow]) {
    let grants = grants.to_vec();
    let saved: Result<(), StoreError> = store
        .write(move |transaction| grants.iter().try_for_each(|row| transaction.add_grant(row)))
        .await;
    saved.unwrap();
}

pub(crate) fn key_usage(region: Region, key_id: KeyId, second: i64) -> KeyUsageRow {
    KeyUsageRow {
        region,
        key_id,
        operation: KeyLastUsageOperation::Encrypt,
        used: instant(second),
        event_id: [1; 16],
        request_id: [2; 16],
    }
}

/// A use of KMS in Region 0 with an access key or role of an account.
pub(crate) fn caller_usage(
    number: u8,
    kind: CallerKind,
    caller_id: &str,
    second: i64,
) -> CallerUsageRow {
    CallerUsageRow {
        account: account(number),
        kind,
        caller_id: caller_id.to_owned(),
        used: instant(second),
        service_name: "kms".to_owned(),
        region: region(0),
    }
}

/// A new key of account 1 in Region 0 with one material, no aliases, no tags, and nothing of what
/// later schemas brought.
pub(crate) fn key(number: u8) -> KeyRecord {
    KeyRecord {
        key: KeyRow {
            account: account(1),
            region: region(0),
            key_id: key_id(number),
            sequence: 0,
            key_spec: KeySpec::SymmetricDefault,
            key_usage: KeyUsage::EncryptDecrypt,
            origin: OriginType::AwsKms,
            key_manager: KeyManager::Customer,
            multi_region: false,
            state: KeyState::Enabled,
            description: format!("key {number}"),
            created: instant(0),
            deletion_date: None,
            pending_window_days: None,
            current_key_material_id: Some(KeyMaterialId::from_bytes([number; 32])),
        },
        materials: vec![material(number)],
        policy: KeyPolicyRow { document: format!("{{\"Id\":\"{number}\"}}") },
        aliases: Vec::new(),
        tags: Vec::new(),
        rotation: None,
        multi_region: None,
        material_rotations: Vec::new(),
        material_imports: Vec::new(),
    }
}

pub(crate) fn access_key(name: &str, account: AccountId) -> AccessKeyRow {
    AccessKeyRow {
        access_key_id: name.to_owned(),
        principal_arn: format!("arn:aws:iam::{account}:root"),
        status: AccessKeyStatus::Active,
        domain_key_version: 2,
        wrapped_secret: name.as_bytes().to_vec(),
        created: instant(5),
    }
}

pub(crate) fn account_record(number: u8, access_keys: &[&str]) -> AccountRecord {
    let account = account(number);
    let access_keys = access_keys.iter().map(|name| access_key(name, account)).collect();
    AccountRecord {
        account: AccountRow { account, sequence: 0, created: instant(4) },
        access_keys,
        owned_keys: Vec::new(),
        aliases: Vec::new(),
        role_deletions: Vec::new(),
    }
}

/// A deletion of a service-linked role that failed for this reason, or succeeded.
pub(crate) fn role_deletion(failure: Option<String>) -> RoleDeletionRow {
    let (outcome, resources) = match failure {
        Some(_) => ("failed", vec!["arn:1".to_owned(), "arn:2".to_owned()]),
        None => ("succeeded", Vec::new()),
    };
    let deletion_task_id = format!("task/aws-service-role/a.amazonaws.com/Role/{outcome}");
    RoleDeletionRow { deletion_task_id, created: instant(8), failure, resources }
}

/// The n-th version of an owned key.
pub(crate) fn owned_key_material(number: u8) -> OwnedKeyMaterialRow {
    OwnedKeyMaterialRow {
        key_material_id: KeyMaterialId::from_bytes([number; 32]),
        name: "iam-access-keys".to_owned(),
        key_id: key_id(9),
        wrapping_version: OWNED_WRAPPING_VERSIONS_START + u32::from(number),
        domain_key_version: 3,
        wrapped: vec![number; 60],
        key_created: instant(6),
        created: instant(7),
    }
}

/// A new identity of account 1 without rows.
pub(crate) fn identity(kind: IdentityKind, identity_id: &str, name: &str) -> IdentityRecord {
    IdentityRecord {
        identity: IdentityRow {
            account: account(1),
            identity_id: identity_id.to_owned(),
            kind,
            sequence: 0,
            name: name.to_owned(),
            path: "/".to_owned(),
            created: instant(8),
            updated: instant(9),
            description: None,
            permissions_boundary: None,
            assume_role_policy: None,
            max_session_seconds: None,
            versions_made: None,
        },
        policies: Vec::new(),
        attachments: Vec::new(),
        memberships: Vec::new(),
        tags: Vec::new(),
        access_keys: Vec::new(),
        client_ids: Vec::new(),
        thumbprints: Vec::new(),
    }
}

/// A user with two rows of each kind that users have, and of those that OIDC providers have; its access keys begin with
/// its name.
pub(crate) fn user(identity_id: &str, name: &str) -> IdentityRecord {
    let mut record = identity(IdentityKind::User, identity_id, name);
    record.identity.permissions_boundary = Some("arn:aws:iam::aws:policy/Bound".to_owned());
    record.policies = ["First", "Second"].map(|name| identity_policy(name, "{}")).into();
    record.attachments = ["A", "B"].map(attachment).into();
    record.memberships =
        ["AGPA1", "AGPA2"].map(|id| MembershipRow { group_id: id.to_owned() }).into();
    record.tags = ["Department", "Stage"]
        .map(|key| IdentityTagRow { tag_key: key.to_owned(), tag_value: "x".to_owned() })
        .into();
    record.access_keys = ["1", "2"].map(|n| user_access_key(&format!("AKIA{name}{n}"))).into();
    record.client_ids = ["one", "two"].map(|id| ClientIdRow { client_id: id.to_owned() }).into();
    record.thumbprints = [("a", 1), ("b", 0)]
        .map(|(text, position)| ThumbprintRow { thumbprint: text.repeat(40), position })
        .into();
    record
}

pub(crate) fn identity_policy(policy_name: &str, document: &str) -> IdentityPolicyRow {
    IdentityPolicyRow {
        policy_name: policy_name.to_owned(),
        document: document.to_owned(),
        created: instant(10),
        is_default: false,
    }
}

pub(crate) fn attachment(name: &str) -> AttachmentRow {
    AttachmentRow { policy_arn: format!("arn:aws:iam::aws:policy/{name}") }
}

pub(crate) fn user_access_key(access_key_id: &str) -> UserAccessKeyRow {
    UserAccessKeyRow {
        access_key_id: access_key_id.to_owned(),
        status: AccessKeyStatus::Active,
        domain_key_version: 2,
        wrapped_secret: access_key_id.as_bytes().to_vec(),
        created: instant(11),
    }
}

/// Saves an identity and returns it as it stands then.
pub(crate) async fn save_identity(
    store: &Store,
    record: &IdentityRecord,
) -> Result<IdentityRecord, StoreError> {
    let mut record = record.clone();
    store
        .write(move |transaction| {
            record.identity.sequence = transaction.save_identity(&record)?;
            Ok(record)
        })
        .await
}

pub(crate) async fn load_identity(
    store: &Store,
    identity_id: &str,
) -> Result<Option<IdentityRecord>, StoreError> {
    let identity_id = identity_id.to_owned();
    store.read(move |snapshot| snapshot.identity(account(1), &identity_id)).await
}

/// Saves a key and returns it as it stands then.
pub(crate) async fn save(store: &Store, record: &KeyRecord) -> KeyRecord {
    let mut record = record.clone();
    store
        .write(move |transaction| {
            record.key.sequence = transaction.save_key(&record)?;
            Ok::<_, StoreError>(record)
        })
        .await
        .unwrap()
}

pub(crate) async fn save_account(store: &Store, record: &AccountRecord) -> AccountRecord {
    let mut record = record.clone();
    store
        .write(move |transaction| {
            record.account.sequence = transaction.save_account(&record)?;
            Ok::<_, StoreError>(record)
        })
        .await
        .unwrap()
}

pub(crate) async fn save_usages(store: &Store, usages: &[KeyUsageRow]) {
    let usages = usages.to_vec();
    let saved: Result<(), StoreError> =
        store.write(move |transaction| transaction.save_key_usages(&usages)).await;
    saved.unwrap();
}

pub(crate) async fn load_usage(
    store: &Store,
    region: Region,
    key_id: KeyId,
) -> Result<Option<KeyUsageRow>, StoreError> {
    store.read(move |snapshot| snapshot.key_usage(region, key_id)).await
}

pub(crate) async fn load(
    store: &Store,
    region: Region,
    key_id: KeyId,
) -> Result<Option<KeyRecord>, StoreError> {
    store.read(move |snapshot| snapshot.key(region, key_id)).await
}

pub(crate) fn is_seal(error: &StoreError) -> bool {
    matches!(error, StoreError::Seal { .. })
}
