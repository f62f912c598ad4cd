//! From a data directory to a running service, and the first start that makes one of an empty directory.

use std::cmp::Reverse;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use attestation::Roots;
use audit::{Index, Journal, JournalOptions, SignedBeginning};
use crypto::{Rng, SystemRng};
use custody::{
    AuthorizationMessages, Keyring, LockedRootKey, RootProvider, SoftwareCustodian, Workshop,
};
use jiff::Timestamp;
use store::{AccountRecord, IdentityRecord, Snapshot, Store, StoreError};
use wire::names::{AccountId, Region};

use crate::accounts::{self, AccessKey};
use crate::buffers::Buffers;
use crate::clock::Clock;
use crate::coherent_cache::CoherentCache;
use crate::credentials::Credentials;
use crate::data_directory::DataDirectory;
use crate::delivery::{Deliveries, Delivery, TrailOptions};
use crate::digest_keys::DigestKeys;
use crate::error::ServiceError;
use crate::host::{self, Host};
use crate::identities::{self, Identities};
use crate::ids::Ids;
use crate::jobs::{LastKept, Retention, Scrub};
use crate::last_usage::LastUsage;
use crate::meter::Meter;
use crate::outbox::Outbox;
use crate::owned_keys;
use crate::quotas::{QuotaAdjustment, QuotaMode, Quotas, ResourceUses};
use crate::refused_rows::RefusedRows;
use crate::service::Service;
use crate::services::{RegisteredService, SYSTEM_ACCOUNT, Services};
use crate::sessions::Sessions;
use crate::upcoming::Upcoming;
use crate::web_identity::Issuers;

/// What an ordinary key weighs in memory, to size the cache's tables.
const KEY_BYTES_USUAL: u64 = 3_000;
/// The part of the cache that aliases may take: one in this many bytes.
const ALIASES_SHARE: u64 = 8;
/// The part of the cache that grants may take: one in this many bytes.
const GRANTS_SHARE: u64 = 4;
/// Grantees that are expected to be known. So few make a cache of one piece, in which all grants of a grantee that has
/// very many find room.
const GRANTEES_EXPECTED: usize = 32;

/// What a service is made from.
pub struct Assembly<'a> {
    /// The directory that holds everything.
    pub data_dir: PathBuf,
    /// The account made at the first start.
    pub account_id: AccountId,
    /// Locked memory for unwrapped key material, in bytes.
    pub arena_bytes: usize,
    /// Memory for known keys and aliases, in bytes.
    pub cache_bytes: usize,
    /// When records are synced.
    pub durability: Durability,
    /// For how many days records are kept in the journal; for good when absent.
    pub journal_keep_days: Option<u16>,
    /// The Regions that are served; all when absent.
    pub regions: Option<Vec<Region>>,
    /// The services that may call.
    pub services: Vec<RegisteredService>,
    /// What is done with calls beyond a request quota.
    pub request_quotas: QuotaMode,
    /// Request quotas that are not AWS's.
    pub request_quota_adjustments: Vec<QuotaAdjustment>,
    /// Whether refusals bear encoded authorization messages.
    pub encoded_authorization_messages: bool,
    /// The certificates, in PEM, of those whose attestation documents are believed; AWS's when absent.
    pub attestation_roots_pem: Option<String>,
    /// The issuers of OIDC tokens whose keys can be had; none when absent.
    pub issuers: Option<Arc<dyn Issuers>>,
    /// The trail that records are delivered to.
    pub trail: Option<TrailOptions>,
    /// The clock of everything.
    pub clock: Arc<dyn Clock>,
    /// Keeps the first access key for the operator. It is called before the key is committed, so that no crash can
    /// leave a deployment that nobody can sign for.
    pub keep: &'a (dyn Fn(&AccessKey) -> std::io::Result<()> + Sync),
}

/// When the record of a call reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Before the answer.
    Strict,
    /// At most this long after it.
    Interval(Duration),
}

/// A service, opened.
pub struct Opened {
    /// The service.
    pub service: Service,
    /// Whether the directory was initialised just now.
    pub is_first_start: bool,
}

/// Why a data directory cannot be served. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error("the store cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// Custody.
    #[error("the keys cannot be opened: {0}")]
    Custody(#[from] custody::CustodyError),
    /// The journal.
    #[error("the audit journal cannot be opened: {0}")]
    Journal(#[from] audit::JournalError),
    /// Somebody else deleted the journal's beginning.
    #[error(
        "the audit journal cannot be opened: its beginning was deleted by the key {fingerprint}, \
         which is none of this deployment"
    )]
    Beginning {
        /// The fingerprint of the key that signed the statement.
        fingerprint: String,
    },
    /// The thread that follows the journal cannot start.
    #[error("the thread that follows the audit journal: {0}")]
    IndexFollower(std::io::Error),
    /// The meter's thread cannot start.
    #[error("the meter's thread: {0}")]
    Meter(std::io::Error),
    /// Chance.
    #[error("the source of randomness failed: {0}")]
    Rng(#[from] crypto::RngError),
    /// The first access key cannot be kept.
    #[error("the root credentials cannot be written: {0}")]
    Keep(std::io::Error),
    /// The root key must be given to open the directory.
    #[error(
        "the root key comes from elsewhere ({0}): start the server and `keystead unseal` it, or name a passphrase_file in the \
         [custody] table of the configuration file"
    )]
    Sealed(RootProvider),
    /// There is no root key yet.
    #[error("the directory is not initialised: run `keystead init`")]
    NotInitialized,
    /// There is a root key already.
    #[error("the directory has a root key: `keystead root migrate` and `rotate` exchange it")]
    Initialized,
    /// The root key is not one that operators give.
    #[error("the root key is a file in the directory: there is nothing to unseal")]
    NothingToUnseal,
    /// A new passphrase is too short.
    #[error("the passphrase is too short: a new one must have 16 bytes or more")]
    ShortPassphrase,
    /// The shares could not be told, so that nothing was done.
    #[error("the shares cannot be told, so nothing has changed: {0}")]
    TellShares(std::io::Error),
    /// The root key comes from where this version knows no way.
    #[error("the root key comes from the unknown provider {0:?}")]
    UnknownProvider(String),
    /// A stored domain key is for something that this version does not know.
    #[error("the store holds a domain key for the unknown purpose {0:?}")]
    UnknownPurpose(String),
    /// The cryptographic module is not the one that the build is for.
    #[error(transparent)]
    Module(#[from] crypto::module::NotFips),
    /// The roots of attestation documents.
    #[error("the attestation roots cannot be used: {0}")]
    AttestationRoots(#[from] attestation::InvalidRoot),
    /// The service itself.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Opens a data directory, which the caller has locked, and whose root key is a file in it; the first start makes it.
///
/// # Errors
/// See [`OpenError`]; nothing is served then.
pub async fn open(assembly: Assembly<'_>) -> Result<Opened, OpenError> {
    let mut directory = DataDirectory::open(&assembly.data_dir)?;
    let root = directory.root_key_of_file(assembly.clock.now())?;
    open_with(assembly, directory, &root).await
}

/// Opens a data directory with its root key.
///
/// # Errors
/// See [`OpenError`]; nothing is served then.
pub async fn open_with(
    assembly: Assembly<'_>,
    directory: DataDirectory,
    root: &LockedRootKey,
) -> Result<Opened, OpenError> {
    crypto::module::check()?;
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let attestation_roots = match &assembly.attestation_roots_pem {
        Some(pem) => Roots::from_pem(pem)?,
        None => Roots::aws_nitro(),
    };
    let attestation_roots = Arc::new(attestation_roots);
    let tracking_start = directory.created().unwrap_or_else(|| assembly.clock.now());
    let (keyring, store) = directory.unlock(root)?;
    owned_keys::open(&store, &keyring, &*rng, assembly.clock.now()).await?;
    // A first start that ended before its account was committed is still the first start.
    let is_of_tenant = |record: &AccountRecord| record.account.account != *SYSTEM_ACCOUNT;
    let is_first_start = !store.read(all_accounts).await?.iter().any(is_of_tenant);
    if is_first_start {
        let record = first_account(&assembly, &keyring, &*rng)?;
        store.write(move |transaction| transaction.save_account(&record)).await?;
    }
    let credentials = Credentials::default();
    for record in store.read(all_accounts).await? {
        credentials.add(accounts::unwrap(&keyring, &record)?);
    }
    let identities = Identities::default();
    let mut records = store.read(all_identities).await?;
    // Managed policies and groups before those whom they concern, so that nobody's standing is made twice.
    records.sort_by_key(|record| Reverse(record.identity.kind));
    for record in records {
        identities::load(&keyring, &credentials, &identities, record)?;
    }
    let parts =
        Parts { store, keyring, credentials, identities, rng, tracking_start, attestation_roots };
    let (host, deliveries) = assemble(assembly, parts).await?;
    let index_follower = Arc::clone(&host.index).follow().map_err(OpenError::IndexFollower)?;
    let service = Service::start(host, deliveries, index_follower)?;
    Ok(Opened { service, is_first_start })
}

fn all_accounts(snapshot: &Snapshot<'_>) -> Result<Vec<AccountRecord>, StoreError> {
    let mut records = Vec::new();
    for row in snapshot.accounts()? {
        records.extend(snapshot.account(row.account)?);
    }
    Ok(records)
}

fn all_identities(snapshot: &Snapshot<'_>) -> Result<Vec<IdentityRecord>, StoreError> {
    let mut records = Vec::new();
    for (account, identity_id) in snapshot.identity_ids()? {
        records.extend(snapshot.identity(account, &identity_id)?);
    }
    Ok(records)
}

fn is_scrub_due(snapshot: &Snapshot<'_>) -> Result<bool, StoreError> {
    snapshot.is_scrub_due()
}

/// The first account and its root user's access key, which the operator has before the store has it.
fn first_account(
    assembly: &Assembly<'_>,
    keyring: &Keyring,
    rng: &dyn Rng,
) -> Result<AccountRecord, OpenError> {
    let now = assembly.clock.now();
    let access_key = accounts::generate(rng)?;
    let row = accounts::row(keyring, assembly.account_id, &access_key, now)?;
    (assembly.keep)(&access_key).map_err(OpenError::Keep)?;
    Ok(accounts::first(assembly.account_id, row, now))
}

/// What the first steps of opening give the last one.
struct Parts {
    store: Store,
    keyring: Keyring,
    credentials: Credentials,
    identities: Identities,
    rng: Arc<dyn Rng>,
    tracking_start: Timestamp,
    attestation_roots: Arc<Roots>,
}

async fn assemble(
    assembly: Assembly<'_>,
    parts: Parts,
) -> Result<(Host, Option<Deliveries>), OpenError> {
    let Parts { store, keyring, credentials, identities, rng, tracking_start, attestation_roots } =
        parts;
    let keyring = Arc::new(keyring);
    let deployment_id = keyring.deployment_id();
    let journal_dir = assembly.data_dir.join("journal");
    let options = JournalOptions {
        durability: match assembly.durability {
            Durability::Strict => audit::Durability::Strict,
            Durability::Interval(interval) => audit::Durability::Interval(interval),
        },
        ..JournalOptions::new(*deployment_id.as_bytes())
    };
    let digest_keys = Arc::new(digest_keys(&assembly, &store, &keyring).await?);
    check_beginning(&journal_dir, &digest_keys)?;
    let (journal, _) = Journal::open(&journal_dir, options)?;
    // What a life before destroyed and did not wipe is wiped by this one.
    let scrub = Scrub::new(store.read(is_scrub_due).await?);
    let outbox = Outbox::default();
    let recovered_count = outbox.recover(&store, &journal, &journal_dir).await?;
    if recovered_count > 0 {
        tracing::warn!(
            records = recovered_count,
            "handed the journal records that a crash had kept from it"
        );
    }
    let index = Arc::new(Index::open(&journal_dir, &assembly.data_dir.join("journal-index"))?);

    let (delivery, deliveries) = open_trail(&assembly, &digest_keys, &keyring)?;
    let cache_bytes = u64::try_from(assembly.cache_bytes).unwrap_or(u64::MAX);
    let entries_expected = usize::try_from(cache_bytes / KEY_BYTES_USUAL).unwrap_or(usize::MAX);
    let aliases_bytes = cache_bytes / ALIASES_SHARE;
    let grants_bytes = cache_bytes / GRANTS_SHARE;
    let keys_bytes = cache_bytes - aliases_bytes - grants_bytes;
    let keys = Arc::new(CoherentCache::new(keys_bytes, entries_expected));
    let aliases = Arc::new(CoherentCache::new(aliases_bytes, entries_expected));
    let grants = Arc::new(CoherentCache::new(grants_bytes, GRANTEES_EXPECTED));
    let (old_keys, old_aliases, old_grants) =
        (Arc::clone(&keys), Arc::clone(&aliases), Arc::clone(&grants));
    store.on_commit(Box::new(move |changes| {
        host::evict(&old_keys, &old_aliases, &old_grants, changes);
    }));

    let authorization_messages = match assembly.encoded_authorization_messages {
        true => Some(AuthorizationMessages::new(&*rng)?),
        false => None,
    };
    let workshop = Arc::new(Workshop::start());
    let custodian = SoftwareCustodian::new(
        Arc::clone(&keyring),
        Arc::clone(&rng),
        assembly.arena_bytes,
        Arc::clone(&workshop),
    )?;
    let host = Host {
        clock: assembly.clock,
        ids: Ids::new(Arc::clone(&rng)),
        rng,
        store,
        custodian: Arc::new(custodian),
        workshop,
        token_key: keyring.token_key(),
        keyring,
        journal,
        index,
        meter: Meter::new(journal_dir),
        delivery,
        digest_keys,
        retention: Retention::new(assembly.journal_keep_days),
        buffers: Buffers::default(),
        outbox,
        last_usage: LastUsage::default(),
        last_kept: LastKept::default(),
        quotas: Quotas::new(assembly.request_quotas, assembly.request_quota_adjustments),
        resource_uses: ResourceUses::default(),
        refused_rows: RefusedRows::default(),
        upcoming: Upcoming::default(),
        scrub,
        tracking_start,
        attestation_roots,
        deployment_id,
        credentials: Arc::new(credentials),
        identities: Arc::new(identities),
        sessions: Sessions::default(),
        authorization_messages,
        guard_rails: arc_swap::ArcSwap::default(),
        services: Services::new(assembly.services),
        issuers: assembly.issuers,
        regions: assembly.regions,
        keys,
        aliases,
        grants,
    };
    Ok((host, deliveries))
}

/// The keys that sign, if anything is to be signed.
async fn digest_keys(
    assembly: &Assembly<'_>,
    store: &Store,
    keyring: &Keyring,
) -> Result<DigestKeys, OpenError> {
    let keys = DigestKeys::load(store, keyring).await?;
    match assembly.trail.is_some() || assembly.journal_keep_days.is_some() {
        true => Ok(keys.able_to_sign(store, keyring, assembly.clock.now()).await?),
        false => Ok(keys),
    }
}

/// Where older segments of the journal were deleted, it was this server that did it.
fn check_beginning(journal_dir: &Path, keys: &DigestKeys) -> Result<(), OpenError> {
    let Some(signed) = SignedBeginning::find(journal_dir)? else { return Ok(()) };
    match signed.is_of(keys.iter().map(|key| key.key.public_key_der())) {
        true => Ok(()),
        false => Err(OpenError::Beginning { fingerprint: signed.public_key.fingerprint }),
    }
}

/// Opens the trail, if one is configured.
fn open_trail(
    assembly: &Assembly<'_>,
    keys: &Arc<DigestKeys>,
    keyring: &Arc<Keyring>,
) -> Result<(Option<Arc<Delivery>>, Option<Deliveries>), OpenError> {
    let Some(options) = assembly.trail.clone() else { return Ok((None, None)) };
    let (account, clock) = (assembly.account_id, assembly.clock.as_ref());
    let (delivery, deliveries) =
        Delivery::open(options, account, &assembly.data_dir, Arc::clone(keys), keyring, clock)?;
    Ok((Some(Arc::new(delivery)), Some(deliveries)))
}
