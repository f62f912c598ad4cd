//! Where settings are said: flags over environment over file over defaults, each remembered with its place.

use std::{ffi::OsString, fs::File, io::Read, ops::Range, path::Path};

use toml::de::{DeTable, DeValue};

use super::{
    ConfigurationError, custody, event_sinks, issuers, services,
    table::{self, LISTS, SETTINGS, Setting, VARIABLE_PREFIX},
    trail,
};
use crate::limits::CONFIGURATION_BYTES_MAX;

/// Where one value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Default,
    File { path: String, line: usize },
    Environment,
    Flag,
}

/// One value as it was said.
#[derive(Clone)]
pub(super) struct Said {
    pub(super) setting: &'static Setting,
    pub(super) text: String,
    pub(super) place: Place,
}

/// Everything that was said, lowest precedence first.
#[derive(Default)]
pub(super) struct Sources(Vec<Said>);

impl Sources {
    pub(super) fn append(&mut self, above: Sources) {
        self.0.extend(above.0);
    }

    pub(super) fn add(&mut self, said: impl IntoIterator<Item = Said>) {
        self.0.extend(said);
    }

    /// What counts: the last word on this setting.
    pub(super) fn last(&self, name: &str) -> Option<&Said> {
        self.0.iter().rev().find(|said| said.setting.name == name)
    }
}

pub(super) fn defaults() -> impl Iterator<Item = Said> {
    SETTINGS.iter().filter_map(|setting| {
        let text = setting.default?.to_owned();
        Some(Said { setting, text, place: Place::Default })
    })
}

pub(super) fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Said>, ConfigurationError> {
    let mut all = Vec::new();
    for (variable, value) in variables {
        let Some(variable) = variable.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX))
        else {
            continue;
        };
        if is_service_link(variable) {
            continue;
        }
        let setting = SETTINGS
            .iter()
            .chain([&table::CONFIG])
            .find(|setting| setting.variable() == variable)
            .ok_or_else(|| ConfigurationError::UnknownVariable(variable.to_owned()))?;
        let text = value.to_string_lossy().into_owned();
        all.push(Said { setting, text, place: Place::Environment });
    }
    Ok(all)
}

/// Kubernetes tells each pod of a service named `keystead` by such variables; they are not settings of ours.
fn is_service_link(variable: &str) -> bool {
    ["KEYSTEAD_SERVICE_HOST", "KEYSTEAD_SERVICE_PORT", "KEYSTEAD_PORT"]
        .into_iter()
        .filter_map(|link| variable.strip_prefix(link))
        .any(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The text of a configuration file.
pub(super) fn file(path: &Path) -> Result<String, ConfigurationError> {
    let shown = path.display().to_string();
    let unreadable = |cause| ConfigurationError::Unreadable { path: shown.clone(), cause };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > CONFIGURATION_BYTES_MAX) {
        return Err(ConfigurationError::TooLong { path: shown });
    }
    Ok(text)
}

/// The settings said by a TOML text; unknown names are refused, whatever their value.
pub(super) fn toml(path: &str, text: &str) -> Result<Vec<Said>, ConfigurationError> {
    let table = DeTable::parse(text).map_err(|error| ConfigurationError::NotToml {
        path: path.to_owned(),
        line: line_of(text, &error.span().unwrap_or_default()),
        problem: error.message().replace('\n', ", "),
    })?;
    let mut all = Vec::new();
    for (name, value) in table.get_ref() {
        let plain = &&**name.get_ref();
        if [custody::TABLE, services::TABLE, trail::TABLE, event_sinks::TABLE].contains(plain)
            || issuers::TABLES.contains(plain)
        {
            continue;
        }
        let line = line_of(text, &name.span());
        let setting =
            SETTINGS.iter().find(|setting| setting.name == name.get_ref()).ok_or_else(|| {
                ConfigurationError::UnknownName {
                    path: path.to_owned(),
                    line,
                    name: name.get_ref().to_string(),
                }
            })?;
        let place = Place::File { path: path.to_owned(), line };
        let text = match scalar(value.get_ref()) {
            Some(text) => text,
            None => list(setting, value.get_ref()).ok_or_else(|| {
                let found = format!("a TOML {}", value.get_ref().type_str());
                ConfigurationError::wrong(setting, found, &place)
            })?,
        };
        all.push(Said { setting, text, place });
    }
    Ok(all)
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    let integer = || value.as_integer().filter(|integer| integer.radix() == 10);
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| integer().map(|integer| integer.as_str().to_owned()))
}

fn list(setting: &Setting, value: &DeValue<'_>) -> Option<String> {
    let values = value.as_array().filter(|_| LISTS.contains(&setting.name))?;
    let texts: Option<Vec<&str>> = values.iter().map(|value| value.get_ref().as_str()).collect();
    Some(texts?.join(","))
}

/// The line of a place in a text, from 1.
pub(super) fn line_of(text: &str, span: &Range<usize>) -> usize {
    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
}
