//! Access keys of services, made by the operator. They are kept as those of users of the system account are.

use store::{IdentityKind, IdentityRecord};

use super::SYSTEM_ACCOUNT;
use crate::accounts::{self, AccessKey};
use crate::context::commit;
use crate::error::ServiceError;
use crate::host::Host;
use crate::identities::{Changes, Identity, access_key_row, fresh_record};
use crate::operator;

/// Access keys of one service: one in use, and one to take its place.
const ACCESS_KEYS_MAX: usize = 2;
/// The path of services among the identities of the system account.
const PATH: &str = "/service/";

/// A service as it is listed.
#[derive(Clone, Debug)]
pub struct ServiceSummary {
    /// Its name.
    pub name: String,
    /// Its service principal; none if it has access keys and is not registered.
    pub principal: Option<String>,
    /// The ids of its access keys.
    pub access_key_ids: Vec<String>,
}

/// Why an access key of a service was not made or deleted. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServiceAccessKeyError {
    /// The configuration registers no such service.
    #[error(
        "no service {0:?} is registered; expected a [[service]] of that name in the configuration file"
    )]
    NotRegistered(String),
    /// It has as many as it may have.
    #[error("the service {0} has 2 access keys already; delete one first")]
    TooMany(String),
    /// No service has the access key.
    #[error("no service has the access key {0:?}")]
    NoSuchAccessKey(String),
    /// The service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<store::StoreError> for ServiceAccessKeyError {
    fn from(error: store::StoreError) -> ServiceAccessKeyError {
        ServiceAccessKeyError::Service(error.into())
    }
}

/// Makes an access key for a registered service; it is good when this returns.
pub(crate) async fn create_access_key(
    host: &Host,
    name: String,
) -> Result<AccessKey, ServiceAccessKeyError> {
    if host.services.find(&name).is_none() {
        return Err(ServiceAccessKeyError::NotRegistered(name));
    }
    let now = host.clock.now();
    let known = host.identities.find(*SYSTEM_ACCOUNT, IdentityKind::User, &name);
    let mut record = match &known {
        Some(identity) => identity.record().clone(),
        None => {
            let kind = IdentityKind::User;
            fresh_record(&*host.rng, *SYSTEM_ACCOUNT, kind, (PATH, &name), now)?
        }
    };
    if record.access_keys.len() >= ACCESS_KEYS_MAX {
        return Err(ServiceAccessKeyError::TooMany(name));
    }
    let access_key = accounts::generate(&*host.rng)?;
    let identity = Identity::new(record.clone())?;
    record.access_keys.push(access_key_row(&host.keyring, &identity, &access_key, now)?);
    let key = &access_key.access_key_id;
    let event = operator::service_access_key_created(&name, key, host.uuid()?, now);
    save(host, record, event).await?;
    Ok(access_key)
}

/// Deletes an access key; it is good no longer when this returns.
pub(crate) async fn delete_access_key(
    host: &Host,
    access_key_id: String,
) -> Result<(), ServiceAccessKeyError> {
    let has_it = |identity: &&std::sync::Arc<Identity>| {
        identity.record().access_keys.iter().any(|row| row.access_key_id == access_key_id)
    };
    let services = host.identities.all(*SYSTEM_ACCOUNT, IdentityKind::User);
    let Some(identity) = services.iter().find(has_it) else {
        return Err(ServiceAccessKeyError::NoSuchAccessKey(access_key_id));
    };
    let mut record = identity.record().clone();
    record.access_keys.retain(|row| row.access_key_id != access_key_id);
    let (event_id, now) = (host.uuid()?, host.clock.now());
    let name = identity.name();
    let event = operator::service_access_key_deleted(name, &access_key_id, event_id, now);
    save(host, record, event).await
}

/// All registered services, and after them those that only have access keys left.
pub(crate) fn list(host: &Host) -> Vec<ServiceSummary> {
    let identities = host.identities.all(*SYSTEM_ACCOUNT, IdentityKind::User);
    let ids = |identity: &Identity| {
        identity.record().access_keys.iter().map(|row| row.access_key_id.clone()).collect()
    };
    let registered = host.services.all();
    let registered = registered.iter().map(|service| ServiceSummary {
        name: service.name.clone(),
        principal: Some(service.principal.clone()),
        access_key_ids: identities
            .iter()
            .find(|identity| identity.name() == service.name)
            .map_or_else(Vec::new, |identity| ids(identity)),
    });
    let left = identities
        .iter()
        .filter(|identity| host.services.find(identity.name()).is_none())
        .map(|identity| ServiceSummary {
            name: identity.name().to_owned(),
            principal: None,
            access_key_ids: ids(identity),
        });
    registered.chain(left).collect()
}

/// Saves a service's access keys and what is told of it, in one change.
async fn save(
    host: &Host,
    record: IdentityRecord,
    event: Vec<u8>,
) -> Result<(), ServiceAccessKeyError> {
    let changes = Changes::new(host);
    let now = host.clock.now();
    let save = move |transaction: &mut store::Transaction<'_>| {
        if transaction.account(*SYSTEM_ACCOUNT)?.is_none() {
            transaction.save_account(&accounts::empty(*SYSTEM_ACCOUNT, now))?;
        }
        changes.save(transaction, record)?;
        commit(transaction, event).map_err(ServiceAccessKeyError::from)
    };
    let committed = host.store.write(save).await?;
    Ok(host.outbox.hand_over(&host.journal, &committed).await.map_err(ServiceError::from)?)
}
