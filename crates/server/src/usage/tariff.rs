//! What things cost: a TOML file, of which AWS's public prices are one.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::amount::Amount;
use crate::limits::CONFIGURATION_BYTES_MAX;

/// AWS's public prices, with their date and doubts.
const AWS: &str = include_str!("aws.toml");
/// What requests may be priced as.
const REQUEST_CLASSES: [&str; 5] =
    ["symmetric", "rsa_2048", "asymmetric", "data_key_pair", "rsa_data_key_pair"];
/// How requests may end.
const OUTCOMES: [&str; 3] = ["served", "refused", "throttled"];

/// Why a tariff cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TariffError {
    /// The file cannot be read.
    #[error("--tariff {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The file is no tariff.
    #[error("--tariff {}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// What things cost.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tariff {
    /// What it is called.
    pub(super) name: String,
    /// The day on which the prices were right.
    pub(super) as_of: String,
    /// Three letters (ISO 4217).
    pub(super) currency: String,
    /// The requests that are charged for, by how they ended.
    pub(super) billed_outcomes: Vec<String>,
    pub(super) key_month: KeyMonth,
    /// By class, for 10,000 requests.
    #[serde(deserialize_with = "prices")]
    pub(super) requests: BTreeMap<String, Amount>,
    pub(super) free_tier: FreeTier,
}

/// What a key costs in a month.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyMonth {
    #[serde(deserialize_with = "price")]
    pub(super) key: Amount,
    #[serde(deserialize_with = "price")]
    pub(super) first_rotation: Amount,
    #[serde(deserialize_with = "price")]
    pub(super) second_rotation: Amount,
}

/// The requests of each account that cost nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreeTier {
    pub(super) requests_month: u64,
    pub(super) classes: Vec<String>,
}

fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn prices<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Amount>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    let prices = texts.into_iter().map(|(class, text)| Ok((class, text.parse()?)));
    prices.collect::<Result<_, super::amount::InvalidAmount>>().map_err(D::Error::custom)
}

impl Tariff {
    /// The tariff of a file; AWS's public prices when none is named.
    pub(super) fn read(path: Option<&Path>) -> Result<Tariff, TariffError> {
        let Some(path) = path else {
            return Ok(Tariff::parse(AWS).expect("a test reads AWS's prices"));
        };
        let mut text = String::new();
        let file = File::open(path);
        file.and_then(|file| file.take(CONFIGURATION_BYTES_MAX).read_to_string(&mut text))
            .map_err(|cause| TariffError::Unreadable { path: path.to_owned(), cause })?;
        Tariff::parse(&text)
            .map_err(|problem| TariffError::Invalid { path: path.to_owned(), problem })
    }

    fn parse(text: &str) -> Result<Tariff, String> {
        let tariff: Tariff = toml::from_str(text).map_err(|error| error.to_string())?;
        if let Some(class) = REQUEST_CLASSES.iter().find(|c| !tariff.requests.contains_key(**c)) {
            return Err(format!("requests: {class} has no price"));
        }
        for class in tariff.requests.keys().chain(&tariff.free_tier.classes) {
            if !REQUEST_CLASSES.contains(&&**class) {
                return Err(format!("{class}: no class of requests"));
            }
        }
        if let Some(outcome) = tariff.billed_outcomes.iter().find(|o| !OUTCOMES.contains(&&***o)) {
            return Err(format!("billed_outcomes: {outcome}: expected {}", OUTCOMES.join(", ")));
        }
        let is_letter = |byte: u8| byte.is_ascii_uppercase();
        if tariff.currency.len() != 3 || !tariff.currency.bytes().all(is_letter) {
            return Err("currency: expected three capital letters such as USD".to_owned());
        }
        Ok(tariff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awss_prices_are_a_tariff() {
        let tariff = Tariff::read(None).unwrap();
        assert_eq!(tariff.requests["rsa_data_key_pair"], "12".parse().unwrap());
        assert_eq!(tariff.free_tier.requests_month, 20_000);
    }

    #[test]
    fn a_wrong_tariff_says_what_is_wrong() {
        for (right, wrong, told) in [
            ("symmetric = \"0.03\"", "symmetric = \"free\"", "decimal number"),
            ("asymmetric = \"0.15\"\n", "", "asymmetric has no price"),
            ("classes = [\"symmetric\"]", "classes = [\"symetric\"]", "no class of requests"),
            ("[\"served\"]", "[\"served\", \"event\"]", "billed_outcomes: event"),
            ("\"USD\"", "\"Dollar\"", "three capital letters"),
            ("currency", "curency", "unknown field"),
        ] {
            assert!(AWS.contains(right), "{right}");
            let problem = Tariff::parse(&AWS.replacen(right, wrong, 1)).unwrap_err();
            assert!(problem.contains(told), "{wrong}: {problem}");
        }
    }
}
