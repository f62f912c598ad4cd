//! `keystead usage`: what a month used and what it costs, told of whoever has the data directory open.
//!
//! The service counts; the prices are a file of whoever asks ([`tariff`]), so that they can be changed and compared without
//! the server.

mod amount;
mod charges;
mod csv;
mod focus;
mod table;
mod tariff;

use std::{
    io::{self, Write},
    path::PathBuf,
    str::FromStr,
};

use serde_json::json;
use service::{Month, Service, Usage};

pub use self::tariff::TariffError;

use self::{
    amount::Amount,
    charges::{Charge, charges},
    tariff::Tariff,
};
use crate::{
    accounts::{AccountsError, command_outcome},
    configuration::Settings,
    control::protocol::{Command, Outcome},
};

/// How usage is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageFormat {
    /// For people: charges by account, Region and price.
    Table,
    /// Charges by account, Region, key and price.
    Csv,
    /// The same with the columns of FOCUS 1.2.
    Focus,
    /// Everything, the counters of each day too.
    Json,
}

impl FromStr for UsageFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<UsageFormat, &'static str> {
        match text {
            "table" => Ok(UsageFormat::Table),
            "csv" => Ok(UsageFormat::Csv),
            "focus" => Ok(UsageFormat::Focus),
            "json" => Ok(UsageFormat::Json),
            _ => Err("expected table, csv, focus or json"),
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct AskedUsage {
    /// The month.
    pub month: Month,
    /// The account; all if none.
    pub account_id: Option<String>,
    /// The file with the prices; AWS's if none.
    pub tariff: Option<PathBuf>,
    /// How it is told.
    pub format: UsageFormat,
}

/// Why usage cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum TellUsageError {
    /// The tariff.
    #[error(transparent)]
    Tariff(#[from] TariffError),
    /// The command.
    #[error(transparent)]
    Command(#[from] AccountsError),
    /// What was answered is of another version.
    #[error("the server answered something else")]
    Answer(#[from] serde_json::Error),
}

/// A month with its prices.
struct Bill {
    usage: Usage,
    tariff: Tariff,
    charges: Vec<Charge>,
}

/// Tells what a month used and what that costs.
///
/// # Errors
/// See [`TellUsageError`].
pub fn tell(
    settings: &Settings,
    asked: AskedUsage,
    out: &mut impl Write,
) -> Result<(), TellUsageError> {
    let tariff = Tariff::read(asked.tariff.as_deref())?;
    let command = Command::Usage { month: asked.month.to_string(), account_id: asked.account_id };
    let Outcome::Explained { data, .. } = command_outcome(settings, command)? else {
        return Err(AccountsError::Refused("the server answered something else".to_owned()).into());
    };
    let usage: Usage = serde_json::from_value(data)?;
    let charges = charges(&usage, &tariff);
    let bill = Bill { usage, tariff, charges };
    let told = match asked.format {
        UsageFormat::Table => table::write(&bill, out),
        UsageFormat::Csv => csv::write(&bill, out),
        UsageFormat::Focus => focus::write(&bill, out),
        UsageFormat::Json => bill.write_json(out),
    };
    Ok(told.and_then(|()| out.flush()).map_err(AccountsError::Output)?)
}

impl Bill {
    fn total(&self) -> Amount {
        self.charges.iter().map(|charge| charge.cost).sum()
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let charges: Vec<_> = self
            .charges
            .iter()
            .map(|charge| {
                json!({
                    "account_id": charge.account_id,
                    "region": charge.region,
                    "key_arn": charge.key_arn,
                    "item": charge.item.name(),
                    "consumed": charge.consumed,
                    "quantity": charge.quantity.to_string(),
                    "unit_price": charge.unit_price.to_string(),
                    "cost": charge.cost.to_string(),
                })
            })
            .collect();
        let told = json!({
            "usage": self.usage,
            "tariff": { "name": self.tariff.name, "as_of": self.tariff.as_of },
            "currency": self.tariff.currency,
            "charges": charges,
            "total": self.total().to_string(),
        });
        writeln!(out, "{told:#}")
    }
}

/// Answers in the server or in its absence.
pub(crate) async fn answer(
    service: &Service,
    month: &str,
    account_id: Option<String>,
) -> Result<Outcome, String> {
    let month: Month = month.parse().map_err(|error: service::InvalidMonth| error.to_string())?;
    let account = account_id.map(|text| text.parse()).transpose();
    let account = account.map_err(|_| "expected an account id of 12 digits".to_owned())?;
    let usage = service.usage(month, account).await.map_err(|error| error.to_string())?;
    let data = serde_json::to_value(usage).map_err(|error| error.to_string())?;
    Ok(Outcome::Explained { text: String::new(), data })
}
