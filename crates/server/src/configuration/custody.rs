//! Where the root key comes from, as a file says it: the `[custody]` table (docs/custody.md).

use std::path::PathBuf;

use service::RootProvider;
use toml::de::{DeTable, DeValue};

use super::{ConfigurationError, sources::line_of};

/// The name of the table.
pub(super) const TABLE: &str = "custody";

/// What was said of the root key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustodySettings {
    /// Where the root key must come from; `None` takes what the directory says.
    pub provider: Option<RootProvider>,
    /// The file, or `/dev/fd/N`, that a start reads the passphrase from; without it, the server starts sealed.
    pub passphrase_file: Option<PathBuf>,
}

/// The custody that a TOML text configures.
pub(super) fn toml(path: &str, text: &str) -> Result<CustodySettings, ConfigurationError> {
    let mut said = CustodySettings::default();
    let Ok(document) = DeTable::parse(text) else { return Ok(said) };
    let Some(value) = document.get_ref().get(TABLE) else { return Ok(said) };
    let wrong = |value: &toml::Spanned<DeValue<'_>>| ConfigurationError::Custody {
        path: path.to_owned(),
        line: line_of(text, &value.span()),
        found: text.get(value.span()).unwrap_or_default().to_owned(),
    };
    let settings = value.get_ref().as_table().ok_or_else(|| wrong(value))?;
    for (name, value) in settings {
        let word = value.get_ref().as_str();
        let taken = match (&**name.get_ref(), word) {
            ("provider", Some(word)) => {
                said.provider = word.parse().ok();
                said.provider.is_some()
            }
            ("passphrase_file", Some(word)) if !word.is_empty() => {
                said.passphrase_file = Some(PathBuf::from(word));
                true
            }
            _ => false,
        };
        if !taken {
            return Err(wrong(value));
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_provider_and_file() {
        let said = toml("k", "[custody]\nprovider = \"passphrase\"\npassphrase_file = \"/p\"\n");
        let expected = CustodySettings {
            provider: Some(RootProvider::Passphrase),
            passphrase_file: Some(PathBuf::from("/p")),
        };
        assert_eq!(said.unwrap(), expected);
        assert_eq!(toml("k", "").unwrap(), CustodySettings::default());
    }

    #[test]
    fn anything_else_is_refused_with_its_line() {
        for wrong in ["provider = \"hsm\"", "provider = 1", "passphrase_file = \"\"", "pin = \"1\""]
        {
            let told = toml("k", &format!("[custody]\n{wrong}\n")).err().unwrap().to_string();
            assert!(told.contains("k:2: "), "{told}");
        }
        assert!(toml("k", "custody = 1").is_err());
    }
}
