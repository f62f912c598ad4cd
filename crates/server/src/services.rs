//! The service commands: access keys of registered services, obeyed by whoever has the data directory open.

use std::io::Write;

use service::Service;
use zeroize::Zeroizing;

use crate::{
    accounts::{AccountsError, command_outcome},
    configuration::Settings,
    control::protocol::{AccessKey, Command, ListedService, Outcome, Secret},
};

/// Makes an access key for a service and tells it in credentials-file form, this once.
///
/// # Errors
/// See [`AccountsError`]; nothing has changed then.
pub fn create_access_key(
    settings: &Settings,
    name: &str,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    let command = Command::CreateServiceAccessKey { name: name.to_owned() };
    let Outcome::ServiceAccessKey { access_key } = command_outcome(settings, command)? else {
        return Err(something_else());
    };
    writeln!(
        out,
        "[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}",
        access_key.access_key_id,
        access_key.secret_access_key.0.as_str()
    )
    .and_then(|()| out.flush())
    .map_err(AccountsError::Output)
}

/// Deletes an access key of a service.
///
/// # Errors
/// See [`AccountsError`]; nothing has changed then.
pub fn delete_access_key(
    settings: &Settings,
    access_key_id: &str,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    let command = Command::DeleteServiceAccessKey { access_key_id: access_key_id.to_owned() };
    let Outcome::ServiceAccessKeyDeleted = command_outcome(settings, command)? else {
        return Err(something_else());
    };
    writeln!(out, "deleted {access_key_id}")
        .and_then(|()| out.flush())
        .map_err(AccountsError::Output)
}

/// Tells every service: its name, its service principal, its access keys.
///
/// # Errors
/// See [`AccountsError`].
pub fn list(settings: &Settings, out: &mut impl Write) -> Result<(), AccountsError> {
    let Outcome::Services { services } = command_outcome(settings, Command::ListServices)? else {
        return Err(something_else());
    };
    for ListedService { name, principal, access_key_ids } in services {
        let principal = principal.unwrap_or_else(|| "(not registered)".to_owned());
        writeln!(out, "{name}  {principal}  {}", access_key_ids.join(","))
            .map_err(AccountsError::Output)?;
    }
    out.flush().map_err(AccountsError::Output)
}

fn something_else() -> AccountsError {
    AccountsError::Refused("the server answered something else".to_owned())
}

pub(crate) async fn create(service: &Service, name: String) -> Result<Outcome, String> {
    let made = service.create_service_access_key(name).await.map_err(|error| error.to_string())?;
    let secret_access_key = Secret(Zeroizing::new(made.secret_access_key.to_string()));
    let access_key = AccessKey { access_key_id: made.access_key_id, secret_access_key };
    Ok(Outcome::ServiceAccessKey { access_key })
}

pub(crate) async fn delete(service: &Service, access_key_id: String) -> Result<Outcome, String> {
    let deleted = service.delete_service_access_key(access_key_id).await;
    deleted.map(|()| Outcome::ServiceAccessKeyDeleted).map_err(|error| error.to_string())
}

pub(crate) fn list_all(service: &Service) -> Outcome {
    let services = service.services().into_iter().map(|service| ListedService {
        name: service.name,
        principal: service.principal,
        access_key_ids: service.access_key_ids,
    });
    Outcome::Services { services: services.collect() }
}
