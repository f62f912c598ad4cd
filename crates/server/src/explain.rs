//! The commands that explain who may do what: asked of whoever has the data directory open, and told.

use std::{fmt::Display, io::Write};

use serde::Serialize;
use service::{Service, SupposedCall};

use crate::{
    accounts::{AccountsError, command_outcome},
    configuration::Settings,
    control::protocol::{Command, Outcome},
    guard_rails::{self, GuardRailsFile},
    serve::ServeError,
};

/// How an explanation is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Tells how policies and grants decide a call that nobody makes.
pub fn explain(
    settings: &Settings,
    call: SupposedCall,
    format: Format,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    tell(settings, Command::Explain { call }, format, out)
}

pub(crate) fn tell(
    settings: &Settings,
    command: Command,
    format: Format,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    let Outcome::Explained { text, data } = command_outcome(settings, command)? else {
        return Err(AccountsError::Refused("the server answered something else".to_owned()));
    };
    let told = match format {
        Format::Text => out.write_all(text.as_bytes()),
        Format::Json => writeln!(out, "{data:#}"),
    };
    told.and_then(|()| out.flush()).map_err(AccountsError::Output)
}

/// Tells who can do to a key what the call asks for.
pub fn who_can(
    settings: &Settings,
    call: SupposedCall,
    format: Format,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    tell(settings, Command::WhoCan { call }, format, out)
}

/// Puts the guard rails in force that a server with these settings would have.
pub(crate) fn apply_guard_rails(settings: &Settings, service: &Service) -> Result<(), ServeError> {
    if let Some(path) = settings.guard_rails.as_deref() {
        // Nothing follows the file: the service lives for one answer.
        drop(GuardRailsFile::apply(guard_rails::read(path)?, service.clone()));
    }
    Ok(())
}

/// Answers in the server or in its absence.
pub(crate) async fn answer(service: &Service, call: &SupposedCall) -> Result<Outcome, String> {
    explained(&service.explain(call).await.map_err(|error| error.to_string())?)
}

/// The same for who can use a key.
pub(crate) async fn answer_who_can(
    service: &Service,
    call: &SupposedCall,
) -> Result<Outcome, String> {
    explained(&service.who_can(call).await.map_err(|error| error.to_string())?)
}

pub(crate) fn explained(told: &(impl Serialize + Display)) -> Result<Outcome, String> {
    let data = serde_json::to_value(told).map_err(|error| error.to_string())?;
    Ok(Outcome::Explained { text: told.to_string(), data })
}
