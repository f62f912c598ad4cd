//! The commands that explain who may do what: asked of whoever has the data directory open, and told.

use std::io::Write;

use service::{Service, SupposedCall};

use crate::{
    accounts::{AccountsError, command_outcome},
    configuration::Settings,
    control::protocol::{Command, Outcome},
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

fn tell(
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

/// Obeys in the server or in its absence.
pub(crate) async fn obey(service: &Service, call: &SupposedCall) -> Result<Outcome, String> {
    let explained = service.explain(call).await.map_err(|error| error.to_string())?;
    let data = serde_json::to_value(&explained).map_err(|error| error.to_string())?;
    Ok(Outcome::Explained { text: explained.to_string(), data })
}
