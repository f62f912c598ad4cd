//! What the operator does to the deployment, told as events of the service.
//!
//! Whoever owns the data directory is above all accounts, and nobody asks for a name; so the events say what was done, to which
//! account and when. Acts that change the store commit their event with the change. What only reads leaves no event
//! (docs/unaudited.md).

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::names::AccountId;

use crate::error::ServiceError;
use crate::events::ServiceEvent;
use crate::host::Host;
use crate::owned_keys::HOME_REGION;
use crate::services::SYSTEM_ACCOUNT;

/// Not AWS's, so that nobody takes it for that.
const EVENT_SOURCE: &str = "operator.keystead";

/// An act that changes no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAct<'a> {
    /// `StartServer`: a server is about to take calls.
    Start {
        /// Its version.
        version: &'a str,
    },
    /// `StopServer`: it has answered all calls that it took, and ends.
    Stop,
    /// `ReloadConfiguration`: files were read again, since they changed or the operator asked for it.
    Reload {
        /// What they configure, as `keystead_reloads_total` names it.
        name: &'a str,
        /// Whether what they say is in force now; else what was before stays.
        is_in_force: bool,
    },
}

/// Tells an act in the system account's trail, before its consequences are seen.
pub(crate) async fn tell(host: &Host, act: OperatorAct<'_>) -> Result<(), ServiceError> {
    let (event_name, details) = match act {
        OperatorAct::Start { version } => ("StartServer", json!({ "version": version })),
        OperatorAct::Stop => ("StopServer", json!({})),
        OperatorAct::Reload { name, is_in_force } => {
            ("ReloadConfiguration", json!({ "name": name, "inForce": is_in_force }))
        }
    };
    let event = event(*SYSTEM_ACCOUNT, event_name, &details, host.uuid()?, host.clock.now());
    Ok(host.journal.append(&event, None).await?)
}

/// `CreateAccount`, or `CreateRootAccessKey` when the account was there already; told to the account.
pub(crate) fn account_created(
    account: AccountId,
    access_key_id: &str,
    is_new: bool,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let event_name = if is_new { "CreateAccount" } else { "CreateRootAccessKey" };
    let details = json!({ "accountId": account.to_string(), "accessKeyId": access_key_id });
    event(account, event_name, &details, event_id, now)
}

/// `CreateServiceAccessKey`.
pub(crate) fn service_access_key_created(
    service: &str,
    access_key_id: &str,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let details = json!({ "service": service, "accessKeyId": access_key_id });
    event(*SYSTEM_ACCOUNT, "CreateServiceAccessKey", &details, event_id, now)
}

/// `DeleteServiceAccessKey`.
pub(crate) fn service_access_key_deleted(
    service: &str,
    access_key_id: &str,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let details = json!({ "service": service, "accessKeyId": access_key_id });
    event(*SYSTEM_ACCOUNT, "DeleteServiceAccessKey", &details, event_id, now)
}

fn event(
    account: AccountId,
    event_name: &str,
    details: &Value,
    event_id: Uuid,
    now: Timestamp,
) -> Vec<u8> {
    let event = ServiceEvent {
        source: EVENT_SOURCE,
        name: event_name,
        account_id: &account.to_string(),
        region: *HOME_REGION,
        resources: &[],
    };
    event.write(details, event_id, now)
}
