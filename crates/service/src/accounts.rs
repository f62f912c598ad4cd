//! Accounts and the access keys of their root users, made by the operator.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crypto::Rng;
use crypto::fields::Fields;
use custody::Keyring;
use jiff::Timestamp;
use sigv4::SecretAccessKey;
use store::{AccessKeyRow, AccessKeyStatus, AccountRecord, AccountRow, Transaction};
use wire::names::{AccountId, Partition};
use zeroize::Zeroizing;

use crate::context::commit;
use crate::credentials::Credential;
use crate::error::ServiceError;
use crate::host::Host;
use crate::operator;
use crate::services::SYSTEM_ACCOUNT;

/// Characters of a generated access key id after `AKIA`.
const ACCESS_KEY_ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters of a generated secret.
const SECRET_LETTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An access key in the clear, on its way from or to the operator. It cannot be shown or copied.
pub struct AccessKey {
    /// The id that requests name.
    pub access_key_id: String,
    /// The secret that signs them.
    pub secret_access_key: Zeroizing<String>,
}

/// An account to be made, or a further access key for one that exists.
pub struct NewAccount {
    /// The account.
    pub account_id: AccountId,
    /// The access key of its root user; generated when absent.
    pub access_key: Option<AccessKey>,
}

/// An account as it was made.
pub struct AccountCredentials {
    /// The account.
    pub account_id: AccountId,
    /// The access key that now works.
    pub access_key: AccessKey,
}

/// An account as it is listed.
#[derive(Clone, Debug)]
pub struct AccountSummary {
    /// The account.
    pub account_id: AccountId,
    /// When it was made.
    pub created: Timestamp,
    /// The ids of its root user's access keys.
    pub access_key_ids: Vec<String>,
}

/// Why accounts were not made. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// An access key id is in use already.
    #[error("the access key id {access_key_id} is in use already")]
    AccessKeyTaken {
        /// The id.
        access_key_id: String,
    },
    /// The account is that of services.
    #[error("000000000000 is the account of services, which nobody else can have")]
    SystemAccount,
    /// The service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<store::StoreError> for AccountError {
    fn from(error: store::StoreError) -> AccountError {
        AccountError::Service(error.into())
    }
}

/// Makes accounts, all of them or none; their access keys are good when this returns.
pub(crate) async fn create(
    host: &Host,
    accounts: Vec<NewAccount>,
) -> Result<Vec<AccountCredentials>, AccountError> {
    let now = host.clock.now();
    let mut created = Vec::with_capacity(accounts.len());
    let mut rows = Vec::with_capacity(accounts.len());
    for NewAccount { account_id, access_key } in accounts {
        if account_id == *SYSTEM_ACCOUNT {
            return Err(AccountError::SystemAccount);
        }
        let access_key = match access_key {
            Some(access_key) => access_key,
            None => generate(&*host.rng)?,
        };
        let row = row(&host.keyring, account_id, &access_key, now)?;
        rows.push((account_id, row, host.uuid()?));
        created.push(AccountCredentials { account_id, access_key });
    }
    let committed = host
        .store
        .write(move |transaction| {
            let mut records: BTreeMap<AccountId, AccountRecord> = BTreeMap::new();
            let mut committed = Vec::new();
            for (account_id, row, event_id) in rows {
                if transaction.access_key(&row.access_key_id)?.is_some()
                    || transaction.is_user_access_key(&row.access_key_id)?
                {
                    return Err(AccountError::AccessKeyTaken { access_key_id: row.access_key_id });
                }
                let record = match records.entry(account_id) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let stored = transaction.account(account_id)?;
                        entry.insert(stored.unwrap_or_else(|| empty(account_id, now)))
                    }
                };
                let (key, is_new) = (&row.access_key_id, record.access_keys.is_empty());
                let event = operator::account_created(account_id, key, is_new, event_id, now);
                committed.push(commit(transaction, event)?);
                record.access_keys.push(row);
            }
            refuse_twice(&records)?;
            for record in records.values() {
                transaction.save_account(record)?;
            }
            Ok::<_, AccountError>(committed)
        })
        .await?;
    host.outbox.hand_over_all(&host.journal, &committed).await.map_err(ServiceError::from)?;
    let credentials = created.iter().map(|account| {
        let secret = SecretAccessKey::new(account.access_key.secret_access_key.to_string());
        Credential::of_root(&account.access_key.access_key_id, account.account_id, secret)
    });
    host.credentials.add(credentials.collect());
    Ok(created)
}

/// An account without access keys.
pub(crate) fn empty(account: AccountId, now: Timestamp) -> AccountRecord {
    AccountRecord {
        account: AccountRow { account, sequence: 0, created: now },
        access_keys: Vec::new(),
        owned_keys: Vec::new(),
        aliases: Vec::new(),
        role_deletions: Vec::new(),
    }
}

/// One access key id stands for one caller, also within one file of accounts.
fn refuse_twice(records: &BTreeMap<AccountId, AccountRecord>) -> Result<(), AccountError> {
    let mut ids: Vec<&str> = records
        .values()
        .flat_map(|record| &record.access_keys)
        .map(|row| row.access_key_id.as_str())
        .collect();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair.first() == pair.last()).and_then(<[&str]>::first) {
        Some(id) => Err(AccountError::AccessKeyTaken { access_key_id: (*id).to_owned() }),
        None => Ok(()),
    }
}

/// Lists the accounts and the ids of their access keys.
pub(crate) async fn list(host: &Host) -> Result<Vec<AccountSummary>, AccountError> {
    let mut summaries = Vec::new();
    for account_id in host.credentials.accounts() {
        let record = host
            .store
            .read(move |snapshot| snapshot.account(account_id))
            .await
            .map_err(ServiceError::from)?;
        summaries.extend(record.map(|record| AccountSummary {
            account_id,
            created: record.account.created,
            access_key_ids: record.access_keys.into_iter().map(|row| row.access_key_id).collect(),
        }));
    }
    Ok(summaries)
}

/// A fresh access key in AWS's form: `AKIA` and 16 letters, and a secret of 40.
pub(crate) fn generate(rng: &dyn Rng) -> Result<AccessKey, ServiceError> {
    generate_with("AKIA", rng)
}

/// The same for a session: `ASIA` and 16 letters.
pub(crate) fn generate_temporary(rng: &dyn Rng) -> Result<AccessKey, ServiceError> {
    generate_with("ASIA", rng)
}

fn generate_with(prefix: &str, rng: &dyn Rng) -> Result<AccessKey, ServiceError> {
    let id_bytes: [u8; 16] = crypto::rng::array(rng)?;
    let secret_bytes: Zeroizing<[u8; 40]> = Zeroizing::new(crypto::rng::array(rng)?);
    // Both alphabets have a power of two letters, so that the remainder is as random as the byte.
    let letter = |letters: &[u8], byte: u8| {
        letters.get(usize::from(byte) % letters.len()).map_or('A', |letter| char::from(*letter))
    };
    let id = id_bytes.iter().map(|byte| letter(ACCESS_KEY_ID_LETTERS, *byte));
    Ok(AccessKey {
        access_key_id: prefix.chars().chain(id).collect(),
        secret_access_key: Zeroizing::new(
            secret_bytes.iter().map(|byte| letter(SECRET_LETTERS, *byte)).collect(),
        ),
    })
}

/// The row of a root user's access key, its secret wrapped.
pub(crate) fn row(
    keyring: &Keyring,
    account: AccountId,
    access_key: &AccessKey,
    now: Timestamp,
) -> Result<AccessKeyRow, ServiceError> {
    let aad = aad(account, &access_key.access_key_id);
    let (domain_key_version, wrapped_secret) =
        keyring.wrap_credential(&aad, access_key.secret_access_key.as_bytes())?;
    Ok(AccessKeyRow {
        access_key_id: access_key.access_key_id.clone(),
        principal_arn: policy::root_arn(account, Partition::Aws),
        status: AccessKeyStatus::Active,
        domain_key_version,
        wrapped_secret,
        created: now,
    })
}

/// An account record with one access key, for the first start.
pub(crate) fn first(account: AccountId, row: AccessKeyRow, now: Timestamp) -> AccountRecord {
    AccountRecord { access_keys: vec![row], ..empty(account, now) }
}

/// The credentials of an account as memory holds them.
pub(crate) fn unwrap(
    keyring: &Keyring,
    record: &AccountRecord,
) -> Result<Vec<Credential>, ServiceError> {
    let account = record.account.account;
    let active = record.access_keys.iter().filter(|row| row.status == AccessKeyStatus::Active);
    active
        .map(|row| {
            let aad = aad(account, &row.access_key_id);
            let secret =
                keyring.unwrap_credential(row.domain_key_version, &aad, &row.wrapped_secret)?;
            let secret = String::from_utf8(secret.into_exposed())
                .map_err(|_| ServiceError::internal("an unwrapped secret access key is no text"))?;
            Ok(Credential::of_root(&row.access_key_id, account, SecretAccessKey::new(secret)))
        })
        .collect()
}

/// Wraps the secrets of a root user's access keys anew that something older than this version wraps.
pub(crate) fn rewrap(
    keyring: &Keyring,
    transaction: &mut Transaction<'_>,
    account: AccountId,
    newest: u32,
) -> Result<(), ServiceError> {
    let Some(mut record) = transaction.account(account)? else { return Ok(()) };
    for row in record.access_keys.iter_mut().filter(|row| row.domain_key_version < newest) {
        let aad = aad(account, &row.access_key_id);
        let secret =
            keyring.unwrap_credential(row.domain_key_version, &aad, &row.wrapped_secret)?;
        (row.domain_key_version, row.wrapped_secret) =
            keyring.wrap_credential(&aad, secret.expose())?;
    }
    transaction.save_account(&record)?;
    Ok(())
}

fn aad(account: AccountId, access_key_id: &str) -> Vec<u8> {
    Fields::new("keystead access key 1").text(account.as_str()).text(access_key_id).finish()
}
