//! What a running service consists of, and its two look-ups that memory answers: a key and an alias.

use std::sync::Arc;

use arc_swap::ArcSwap;
use attestation::Roots;
use audit::{Index, Journal};
use crypto::Rng;
use crypto::token::TokenKey;
use custody::{
    AuthorizationMessages, Custodian, DeploymentId, Keyring, MaterialIdentity, Workshop,
};
use jiff::Timestamp;
use store::{Change, Store};
use uuid::Uuid;
use wire::names::{AccountId, AliasName, KeyId, Region};

use crate::buffers::Buffers;
use crate::clock::Clock;
use crate::coherent_cache::{CoherentCache, Weigh};
use crate::credentials::Credentials;
use crate::delivery::Delivery;
use crate::digest_keys::DigestKeys;
use crate::error::ServiceError;
use crate::grantee_grants::GranteeGrants;
use crate::guard_rails::GuardRails;
use crate::identities::Identities;
use crate::ids::Ids;
use crate::jobs::{LastKept, Retention, Scrub};
use crate::last_usage::LastUsage;
use crate::meter::Meter;
use crate::outbox::Outbox;
use crate::quotas::{Quotas, ResourceUses};
use crate::refused_rows::RefusedRows;
use crate::services::Services;
use crate::sessions::Sessions;
use crate::snapshot::KeySnapshot;
use crate::upcoming::Upcoming;
use crate::web_identity::Issuers;

/// The address of a key: ids are unique in a Region, and related multi-Region keys share theirs.
pub(crate) type KeyAddress = (Region, KeyId);

/// The address of an alias.
pub(crate) type AliasAddress = (AccountId, Region, AliasName);

/// The address of a grantee's grants on a key.
pub(crate) type GranteeAddress = (Region, KeyId, Box<str>);

/// The parts of a running service, shared by every call.
pub(crate) struct Host {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) ids: Ids,
    pub(crate) store: Store,
    pub(crate) custodian: Arc<dyn Custodian>,
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) token_key: TokenKey,
    pub(crate) journal: Journal,
    /// What events are looked up in.
    pub(crate) index: Arc<Index>,
    /// What counts the journal's records.
    pub(crate) meter: Meter,
    /// The trail; none where none is configured.
    pub(crate) delivery: Option<Arc<Delivery>>,
    /// What signs digests and the beginnings of the journal.
    pub(crate) digest_keys: Arc<DigestKeys>,
    /// How long records are kept in the journal.
    pub(crate) retention: Retention,
    pub(crate) buffers: Buffers,
    pub(crate) outbox: Outbox,
    pub(crate) last_usage: LastUsage,
    /// When the last uses of access keys and roles were last written.
    pub(crate) last_kept: LastKept,
    pub(crate) quotas: Quotas,
    /// How far quotas of numbers of things are used.
    pub(crate) resource_uses: ResourceUses,
    /// Rows of the store that are not as this server left them.
    pub(crate) refused_rows: RefusedRows,
    /// Dates of keys that come.
    pub(crate) upcoming: Upcoming,
    /// When the store wipes what rows of destroyed material leave behind.
    pub(crate) scrub: Scrub,
    /// When the deployment was made: before it nobody could see a key being used.
    pub(crate) tracking_start: Timestamp,
    pub(crate) deployment_id: DeploymentId,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) identities: Arc<Identities>,
    pub(crate) sessions: Sessions,
    /// What seals the messages of refusals; absent where refusals bear none.
    pub(crate) authorization_messages: Option<AuthorizationMessages>,
    /// The guard rails in force; each call is judged by those that it finds.
    pub(crate) guard_rails: ArcSwap<GuardRails>,
    /// Who may call on behalf of users; each call finds those that are registered when it arrives.
    pub(crate) services: Services,
    /// The signing keys of OIDC providers; absent when none is known.
    pub(crate) issuers: Option<Arc<dyn Issuers>>,
    /// Whose attestation documents are believed.
    pub(crate) attestation_roots: Arc<Roots>,
    /// The Regions that are served; all when absent.
    pub(crate) regions: Option<Vec<Region>>,
    pub(crate) keys: Arc<CoherentCache<KeyAddress, Arc<KeySnapshot>>>,
    pub(crate) aliases: Arc<CoherentCache<AliasAddress, KeyId>>,
    pub(crate) grants: Arc<CoherentCache<GranteeAddress, Arc<GranteeGrants>>>,
}

impl Weigh for KeyId {
    fn weight_bytes(&self) -> u64 {
        // An alias entry is its address and its target; names average well below this.
        192
    }
}

impl Host {
    /// The key at an address, from memory if it is known.
    pub(crate) async fn key(
        &self,
        address: KeyAddress,
    ) -> Result<Option<Arc<KeySnapshot>>, ServiceError> {
        if let Some(snapshot) = self.keys.get(&address) {
            return Ok(Some(snapshot));
        }
        // Boxed, so that the walk of a call does not carry the room that only cold keys need.
        Box::pin(self.load_key(address)).await
    }

    async fn load_key(
        &self,
        address: KeyAddress,
    ) -> Result<Option<Arc<KeySnapshot>>, ServiceError> {
        let ticket = self.keys.ticket(&address);
        let record = self.store.read(move |snapshot| snapshot.key(address.0, address.1)).await?;
        let Some(record) = record else { return Ok(None) };
        let snapshot = Arc::new(KeySnapshot::new(self.deployment_id, record)?);
        self.keys.insert(&ticket, address, Arc::clone(&snapshot));
        Ok(Some(snapshot))
    }

    /// The id of the key that an alias stands for.
    ///
    /// The alias row is sealed, and the key that it names must list it in its manifest; the caller loads that key and
    /// so notices a row that was put back from an older state.
    pub(crate) async fn alias_target(
        &self,
        account: AccountId,
        region: Region,
        alias: &AliasName,
    ) -> Result<Option<KeyId>, ServiceError> {
        let address = (account, region, alias.clone());
        if let Some(key_id) = self.aliases.get(&address) {
            return Ok(Some(key_id));
        }
        Box::pin(self.load_alias(address)).await
    }

    async fn load_alias(&self, address: AliasAddress) -> Result<Option<KeyId>, ServiceError> {
        let ticket = self.aliases.ticket(&address);
        let (account, region, name) = address.clone();
        let row = self.store.read(move |snapshot| snapshot.alias(account, region, &name)).await?;
        let Some(row) = row else { return Ok(None) };
        self.aliases.insert(&ticket, address, row.key_id);
        Ok(Some(row.key_id))
    }

    /// All grants that a grantee has on a key, from memory if they are known.
    pub(crate) async fn grants_of(
        &self,
        key: &KeySnapshot,
        grantee: Box<str>,
    ) -> Result<Arc<GranteeGrants>, ServiceError> {
        let (region, key_id) = (key.key().region, key.key_id());
        let address = (region, key_id, grantee);
        if let Some(known) = self.grants.get(&address).filter(|known| known.are_of(key)) {
            return Ok(known);
        }
        let ticket = self.grants.ticket(&address);
        let grantee = address.2.clone();
        let rows =
            self.store.read(move |snapshot| snapshot.grants_of(region, key_id, &grantee)).await?;
        let grants = Arc::new(GranteeGrants::new(key, &rows)?);
        self.grants.insert(&ticket, address, Arc::clone(&grants));
        Ok(grants)
    }

    /// Drops material that has been destroyed from memory, and has the store wiped of what its row left behind.
    pub(crate) fn forget_destroyed(&self, identity: &MaterialIdentity) {
        self.custodian.forget(identity);
        self.scrub.set_due();
    }

    /// A fresh random UUID.
    pub(crate) fn uuid(&self) -> Result<Uuid, ServiceError> {
        Ok(self.ids.uuid()?)
    }

    /// Whether a Region is served here.
    pub(crate) fn serves(&self, region: Region) -> bool {
        self.regions.as_ref().is_none_or(|regions| regions.contains(&region))
    }
}

/// Drops from memory what committed changes have made old; the store calls this before it acknowledges them.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a new kind of change is remembered nowhere yet"
)]
pub(crate) fn evict(
    keys: &CoherentCache<KeyAddress, Arc<KeySnapshot>>,
    aliases: &CoherentCache<AliasAddress, KeyId>,
    grants: &CoherentCache<GranteeAddress, Arc<GranteeGrants>>,
    changes: &[Change],
) {
    for change in changes {
        match change {
            Change::Key { region, key_id, .. } => keys.evict(&(*region, *key_id)),
            Change::Alias { account, region, alias } => {
                aliases.evict(&(*account, *region, alias.clone()));
            }
            Change::Grant { region, key_id, grantee, .. } => {
                grants.evict(&(*region, *key_id, grantee.as_str().into()));
            }
            // Credentials and identities are taken over by whoever commits them.
            _ => {}
        }
    }
}
