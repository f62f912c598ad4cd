//! A running service: the handle that the layer above holds.

use std::sync::{Arc, Mutex, PoisonError};

use audit::FollowingThread;
use tokio::task::JoinHandle;
use uuid::Uuid;
use wire::names::AccountId;

use crate::accounts::{
    self, AccessKey, AccountCredentials, AccountError, AccountSummary, NewAccount,
};
use crate::api::{Answer, Health, Incoming, ResourceQuotaUse, Statistics};
use crate::delivery::{self, Deliveries};
use crate::error::ServiceError;
use crate::explain::{self, ExplainError, Explained, KeyUsers, SupposedCall};
use crate::front;
use crate::guard_rails::GuardRails;
use crate::host::Host;
use crate::jobs;
use crate::last_used;
use crate::meter::{self, Month, Usage, UsageError};
use crate::open::OpenError;
use crate::operator::{self, OperatorAct};
use crate::owned_keys::{self, OwnedKeyError, OwnedKeyReport};
use crate::services::{self, RegisteredService, ServiceAccessKeyError, ServiceSummary};
use crate::upcoming::UpcomingDates;

/// A running service. Clones share it.
#[derive(Clone)]
pub struct Service {
    host: Arc<Host>,
    jobs: Arc<Mutex<Jobs>>,
}

/// What runs beside the calls, until the service is shut down.
#[derive(Default)]
struct Jobs {
    tasks: Vec<JoinHandle<()>>,
    index_follower: Option<FollowingThread>,
    meter: Option<FollowingThread>,
}

impl Service {
    /// Starts the jobs; from now on calls are answered.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn start(
        host: Host,
        deliveries: Option<Deliveries>,
        index_follower: FollowingThread,
    ) -> Result<Service, OpenError> {
        let host = Arc::new(host);
        let mut tasks = vec![tokio::spawn(jobs::run(Arc::clone(&host)))];
        if let Some((delivery, deliveries)) = host.delivery.clone().zip(deliveries) {
            tasks.push(tokio::spawn(delivery::run(Arc::clone(&host), delivery, deliveries)));
        }
        let meter = meter::start(Arc::clone(&host)).map_err(OpenError::Meter)?;
        let jobs = Jobs { tasks, index_follower: Some(index_follower), meter: Some(meter) };
        Ok(Service { host, jobs: Arc::new(Mutex::new(jobs)) })
    }

    /// Answers one request.
    pub async fn call(&self, incoming: &Incoming<'_>) -> Answer {
        front::answer(&self.host, incoming).await
    }

    /// An id for a request that has just arrived.
    ///
    /// # Errors
    /// When the source of randomness fails; then nothing can be answered.
    pub fn request_id(&self) -> Result<Uuid, ServiceError> {
        self.host.uuid()
    }

    /// Makes accounts, all of them or none; their access keys are good when this returns.
    ///
    /// # Errors
    /// See [`AccountError`]; nothing has changed then.
    pub async fn create_accounts(
        &self,
        accounts: Vec<NewAccount>,
    ) -> Result<Vec<AccountCredentials>, AccountError> {
        accounts::create(&self.host, accounts).await
    }

    /// Lists the accounts.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn accounts(&self) -> Result<Vec<AccountSummary>, AccountError> {
        accounts::list(&self.host).await
    }

    /// Tells what the operator did, in the trail of the account 000000000000.
    ///
    /// # Errors
    /// When the journal cannot be written; then no call is answered either.
    pub async fn tell(&self, act: OperatorAct<'_>) -> Result<(), ServiceError> {
        operator::tell(&self.host, act).await
    }

    /// Puts guard rails in force for all calls that arrive from now on.
    pub fn set_guard_rails(&self, guard_rails: GuardRails) {
        self.host.guard_rails.store(Arc::new(guard_rails));
    }

    /// Registers these services and no others, for all calls that arrive from now on.
    pub fn set_services(&self, services: Vec<RegisteredService>) {
        self.host.services.set(services);
    }

    /// Explains how policies and grants would decide a call. Nothing is done, and nothing is recorded.
    ///
    /// # Errors
    /// See [`ExplainError`].
    pub async fn explain(&self, supposed: &SupposedCall) -> Result<Explained, ExplainError> {
        explain::explain(&self.host, supposed).await
    }

    /// Tells who may do to a key what the call asks for, whoever its principal is.
    ///
    /// # Errors
    /// See [`ExplainError`].
    pub async fn who_can(&self, supposed: &SupposedCall) -> Result<KeyUsers, ExplainError> {
        explain::who_can(&self.host, supposed).await
    }

    /// Makes an access key for a registered service; it is good when this returns.
    ///
    /// # Errors
    /// See [`ServiceAccessKeyError`]; nothing has changed then.
    pub async fn create_service_access_key(
        &self,
        name: String,
    ) -> Result<AccessKey, ServiceAccessKeyError> {
        services::create_access_key(&self.host, name).await
    }

    /// Deletes an access key of a service; it is good no longer when this returns.
    ///
    /// # Errors
    /// See [`ServiceAccessKeyError`]; nothing has changed then.
    pub async fn delete_service_access_key(
        &self,
        access_key_id: String,
    ) -> Result<(), ServiceAccessKeyError> {
        services::delete_access_key(&self.host, access_key_id).await
    }

    /// Lists the services.
    pub fn services(&self) -> Vec<ServiceSummary> {
        services::list(&self.host)
    }

    /// Tells the AWS owned keys: that they exist, what stands under them and when they rotated.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn owned_keys(&self) -> Result<OwnedKeyReport, ServiceError> {
        owned_keys::list(&self.host).await
    }

    /// Rotates an AWS owned key now; answers the number of its new version. The jobs move what older versions wrap.
    ///
    /// # Errors
    /// See [`OwnedKeyError`]; nothing has changed then.
    pub async fn rotate_owned_key(&self, name: &str) -> Result<u32, OwnedKeyError> {
        owned_keys::rotate_on_demand(&self.host, name).await
    }

    /// Tells what was used in a month, by one account or by all; every call that was answered is in it.
    ///
    /// # Errors
    /// See [`UsageError`].
    pub async fn usage(
        &self,
        month: Month,
        account_id: Option<AccountId>,
    ) -> Result<Usage, UsageError> {
        meter::tell(Arc::clone(&self.host), month, account_id).await
    }

    /// Runs the jobs now instead of at their next look.
    #[cfg(feature = "test-clock")]
    pub async fn run_jobs(&self) {
        jobs::run_once(&self.host).await;
    }

    /// Whether calls can be answered.
    pub fn health(&self) -> Health {
        let delivery = self.host.delivery.as_ref();
        Health {
            journal: self.host.journal.is_healthy(),
            store: self.host.store.is_healthy(),
            trail: delivery.is_none_or(|delivery| delivery.progress().failure.is_none()),
        }
    }

    /// The number of the journal's last frame that is known to be synced.
    pub fn journal_synced(&self) -> u64 {
        self.host.journal.synced()
    }

    /// The rows of the store that were refused since the start, since they are not as this server left them: table and
    /// identity of each, in the order in which they were met.
    pub fn refused_rows(&self) -> Vec<String> {
        self.host.refused_rows.all()
    }

    /// Dates of keys that come, as they were seen some seconds ago.
    pub fn upcoming_dates(&self) -> UpcomingDates {
        self.host.upcoming.dates()
    }

    /// How far quotas of numbers of things are used, as they were counted last; none unless quotas are counted.
    pub fn resource_quotas(&self) -> Vec<ResourceQuotaUse> {
        self.host.resource_uses.all()
    }

    /// Counters for metrics.
    pub fn statistics(&self) -> Statistics {
        let host = &self.host;
        let journal = host.journal.stats();
        Statistics {
            cached_keys: host.keys.entries_count(),
            cached_keys_bytes: host.keys.weight_bytes(),
            cache_hits: host.keys.hits(),
            cache_misses: host.keys.misses(),
            journal_records: journal.records,
            journal_bytes: journal.bytes,
            journal_syncs: journal.syncs,
            journal_unsynced_records: journal.unsynced_frames,
            request_quotas: host.quotas.uses(host.clock.now()),
            resource_quotas: self.resource_quotas(),
            material_expirations: host.upcoming.seconds_until_expiry(host.clock.now()),
            store_position: host.store.position(),
        }
    }

    /// Whether nobody else holds the service, so that dropping this value wipes its keys.
    #[must_use]
    pub fn is_last(&self) -> bool {
        Arc::strong_count(&self.host) == 1
    }

    /// Ends the jobs, hands the journal to the disk and closes the store. Calls made after this are refused.
    pub async fn shut_down(&self) {
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        jobs.tasks.iter().for_each(JoinHandle::abort);
        drop(jobs.index_follower);
        // It holds the store, which the next life of this process may want at once.
        if let Some(meter) = jobs.meter
            && let Err(error) = tokio::task::spawn_blocking(|| meter.end()).await
        {
            tracing::warn!(%error, "the meter did not end in order");
        }
        if let Err(error) = self.host.last_usage.keep(&self.host.store).await {
            tracing::warn!(%error, "the newest uses of keys were not kept");
        }
        if let Err(error) = last_used::keep(&self.host).await {
            tracing::warn!(%error, "the newest uses of access keys and roles were not kept");
        }
        if let Err(error) = self.host.outbox.clear(&self.host.store, &self.host.journal).await {
            tracing::warn!(%error, "the outbox was not cleared; the next start hands it over");
        }
        if let Err(error) = self.host.journal.close().await {
            tracing::error!(%error, "the journal was not closed in order");
        }
        if let Err(error) = self.host.store.close().await {
            tracing::error!(%error, "the store was not closed in order");
        }
    }
}

/// What does the cryptography, for whoever asks which version this is: a line for the module, in a FIPS build one for what
/// the module does without approval, and in an SM2 build one for what is not the module's.
#[must_use]
pub fn module_description() -> String {
    let name = crypto::module::name();
    let module = match (crypto::module::IS_FIPS_BUILD, crypto::module::check()) {
        (false, _) => format!("cryptographic module: {name}, not in FIPS mode\n"),
        (true, Ok(())) => format!(
            "cryptographic module: {name}, in FIPS mode\nnot approved there, and served all the same: {}\n",
            crypto::module::NOT_APPROVED.join("; ")
        ),
        (true, Err(error)) => format!("cryptographic module: {name}; {error}\n"),
    };
    match crypto::module::IS_SM2_BUILD {
        true => format!("{module}outside the module: SM2, in China Regions\n"),
        false => module,
    }
}

/// Keeps this process out of core dumps and away from debuggers of the same user; to be called before keys are read.
///
/// # Errors
/// When the kernel refuses.
pub fn harden_process() -> Result<(), custody::CustodyError> {
    custody::harden_process()
}
