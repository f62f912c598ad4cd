//! The services that a file registers: `[[service]]` tables (docs/services.md).

use service::{ForwardedAction, RegisteredService};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ConfigurationError, sources::line_of};

/// The name of the tables.
pub(super) const TABLE: &str = "service";
/// Characters of a name; AWS's longest is half of that.
const NAME_CHARACTERS_MAX: usize = 64;
/// Scopes that are never a service's: a captured request to this server itself must be worth nothing.
const RESERVED_NAMES: [&str; 4] = ["kms", "iam", "sts", "cloudtrail"];

/// One setting of a service: its name, what a right value is, an example, and what it does.
type Setting = (&'static str, &'static str, &'static str, Apply);
type Apply = fn(&mut RegisteredService, &[&str]) -> Option<()>;

const SETTINGS: [Setting; 6] = [
    (
        "name",
        "a name of lower-case letters, digits and -; not kms, iam, sts or cloudtrail",
        "name = \"s3\"",
        |_, values| one(values).filter(|name| is_name(name)).map(drop),
    ),
    ("principal", "a service principal", "principal = \"s3.amazonaws.com\"", |service, values| {
        service.principal = one(values).filter(|text| is_principal(text))?.to_owned();
        Some(())
    }),
    (
        "signing_name",
        "a service of credential scopes; not kms, iam, sts or cloudtrail",
        "signing_name = \"s3\"",
        |service, values| {
            service.signing_name = one(values).filter(|name| is_name(name))?.to_owned();
            Some(())
        },
    ),
    ("regions", "a list of AWS Regions", "regions = [\"us-east-1\"]", |service, values| {
        service.regions = Some(all(values, |text| text.parse().ok())?);
        Some(())
    }),
    (
        "accounts",
        "a list of AWS account ids",
        "accounts = [\"111122223333\"]",
        |service, values| {
            service.accounts = Some(all(values, |text| text.parse().ok())?);
            Some(())
        },
    ),
    (
        "actions",
        "a list of actions of KMS that grants can permit, kms:ListGrants or kms:RevokeGrant",
        "actions = [\"kms:Decrypt\"]",
        |service, values| {
            service.actions = all(values, ForwardedAction::from_action)?;
            Some(())
        },
    ),
];

/// The services that a TOML text registers.
pub(super) fn toml(path: &str, text: &str) -> Result<Vec<RegisteredService>, ConfigurationError> {
    let Ok(document) = DeTable::parse(text) else { return Ok(Vec::new()) };
    let Some(value) = document.get_ref().get(TABLE) else { return Ok(Vec::new()) };
    let file = File { path, text };
    let tables = value.get_ref().as_array().ok_or_else(|| file.no_table(value))?;
    let mut services: Vec<RegisteredService> = Vec::new();
    for table in tables {
        let settings = table.get_ref().as_table().ok_or_else(|| file.no_table(table))?;
        let service = file.service(table, settings)?;
        let is_same = |other: &&RegisteredService| {
            other.name == service.name || other.principal == service.principal
        };
        if services.iter().any(|other| is_same(&other)) {
            let found = format!("{:?} a second time", service.name);
            return Err(file.wrong(table, "name", found, "each service once", "name = \"s3\""));
        }
        services.push(service);
    }
    Ok(services)
}

struct File<'t> {
    path: &'t str,
    text: &'t str,
}

impl File<'_> {
    fn service(
        &self,
        table: &Spanned<DeValue<'_>>,
        settings: &DeTable<'_>,
    ) -> Result<RegisteredService, ConfigurationError> {
        let name = settings.get("name").and_then(|name| name.get_ref().as_str());
        let name = name.ok_or_else(|| {
            let found = "no name".to_owned();
            self.wrong(table, "name", found, "the name of the service", "name = \"s3\"")
        })?;
        let mut service = RegisteredService::named(name);
        for (name, value) in settings {
            let setting = SETTINGS.iter().find(|(known, ..)| known == name.get_ref());
            let Some((_, expected, example, apply)) = setting else {
                let expected = "name, principal, signing_name, regions, accounts or actions";
                let found = "an unknown setting".to_owned();
                return Err(self.wrong(value, name.get_ref(), found, expected, "name = \"s3\""));
            };
            let texts = texts(value.get_ref());
            if texts.and_then(|texts| apply(&mut service, &texts)).is_none() {
                let span = value.span();
                let found = self.text.get(span).unwrap_or_default().to_owned();
                return Err(self.wrong(value, name.get_ref(), found, expected, example));
            }
        }
        Ok(service)
    }

    fn no_table(&self, value: &Spanned<DeValue<'_>>) -> ConfigurationError {
        let found = format!("a TOML {}", value.get_ref().type_str());
        self.wrong(value, TABLE, found, "tables, each in double brackets", "name = \"s3\"")
    }

    fn wrong(
        &self,
        place: &Spanned<DeValue<'_>>,
        name: &str,
        found: String,
        expected: &'static str,
        example: &'static str,
    ) -> ConfigurationError {
        ConfigurationError::Service {
            path: self.path.to_owned(),
            line: line_of(self.text, &place.span()),
            name: name.to_owned(),
            found,
            expected,
            example,
        }
    }
}

/// A text, or the texts of a list; none for anything else.
fn texts<'v>(value: &'v DeValue<'_>) -> Option<Vec<&'v str>> {
    match value.as_array() {
        Some(values) => values.iter().map(|value| value.get_ref().as_str()).collect(),
        None => value.as_str().map(|text| vec![text]),
    }
}

fn one<'v>(values: &[&'v str]) -> Option<&'v str> {
    let [value] = values else { return None };
    Some(value)
}

/// Every value; an empty list would let nothing through that nobody could have meant.
fn all<T>(values: &[&str], parse: fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let parsed: Option<Vec<T>> = values.iter().map(|text| parse(text)).collect();
    parsed.filter(|values| !values.is_empty())
}

fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_CHARACTERS_MAX).contains(&text.len())
        && text.bytes().all(is_allowed)
        && !RESERVED_NAMES.contains(&text)
}

fn is_principal(text: &str) -> bool {
    let suffixes = [".amazonaws.com", ".amazonaws.com.cn"];
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    text.bytes().all(is_allowed)
        && suffixes
            .iter()
            .any(|suffix| text.strip_suffix(suffix).is_some_and(|rest| !rest.is_empty()))
}
