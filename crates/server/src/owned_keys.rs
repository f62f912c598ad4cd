//! The commands about AWS owned keys, obeyed by whoever has the data directory open.

use std::io::Write;

use service::Service;

use crate::{
    accounts::{AccountsError, command_outcome},
    configuration::Settings,
    control::protocol::{Command, Outcome},
    explain::{self, Format},
};

/// Tells every AWS owned key: what it protects, its versions and when it rotates.
///
/// # Errors
/// See [`AccountsError`].
pub fn list(
    settings: &Settings,
    format: Format,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    explain::tell(settings, Command::ListOwnedKeys, format, out)
}

/// Rotates an AWS owned key now.
///
/// # Errors
/// See [`AccountsError`]; nothing has changed then.
pub fn rotate(settings: &Settings, name: &str, out: &mut impl Write) -> Result<(), AccountsError> {
    let command = Command::RotateOwnedKey { name: name.to_owned() };
    let Outcome::OwnedKeyRotated { version } = command_outcome(settings, command)? else {
        return Err(AccountsError::Refused("the server answered something else".to_owned()));
    };
    writeln!(out, "{name} has version {version} now; the server moves what older ones protect")
        .and_then(|()| out.flush())
        .map_err(AccountsError::Output)
}

pub(crate) async fn list_all(service: &Service) -> Result<Outcome, String> {
    explain::explained(&service.owned_keys().await.map_err(|error| error.to_string())?)
}

pub(crate) async fn rotate_now(service: &Service, name: &str) -> Result<Outcome, String> {
    let rotated = service.rotate_owned_key(name).await;
    let version = rotated.map_err(|error| error.to_string())?;
    Ok(Outcome::OwnedKeyRotated { version })
}
