//! The trail that a file configures: the `[trail]` table (docs/trails.md).

use std::{ops::Range, path::PathBuf, time::Duration};

use service::TrailOptions;
use toml::de::{DeTable, DeValue};

use super::{ConfigurationError, sources::line_of};

/// The name of the table.
pub(super) const TABLE: &str = "trail";
/// Characters of a trail's name; CloudTrail's bounds.
const NAME_CHARACTERS: Range<usize> = 3..129;
/// Characters of a bucket's name; S3's bounds.
const BUCKET_CHARACTERS: Range<usize> = 3..64;
/// Characters of a prefix; CloudTrail's bound.
const PREFIX_CHARACTERS: Range<usize> = 1..201;
/// The longest that a record may wait.
const INTERVAL_MAX: Duration = Duration::from_secs(5 * 60);
/// The longest interval of a digest, and the usual one: CloudTrail's.
const DIGEST_INTERVAL_MAX: Duration = Duration::from_secs(60 * 60);

/// What was said of the trail so far.
#[derive(Default)]
struct Said {
    name: Option<String>,
    home_region: Option<wire::names::Region>,
    directory: Option<PathBuf>,
    bucket: Option<String>,
    prefix: Option<String>,
    interval: Option<Duration>,
    digest_interval: Option<Duration>,
}

/// One setting of the trail: its name, what a right value is, an example, and what it does.
type Setting = (&'static str, &'static str, &'static str, Apply);
type Apply = fn(&mut Said, &str) -> Option<()>;

const SETTINGS: [Setting; 7] = [
    (
        "name",
        "a name of 3 to 128 letters, digits and ._- that begins and ends with a letter or digit",
        "name = \"audit\"",
        |said, text| set(&mut said.name, is_name(text, NAME_CHARACTERS).then(|| text.to_owned())),
    ),
    ("home_region", "an AWS Region", "home_region = \"us-east-1\"", |said, text| {
        set(&mut said.home_region, text.parse().ok())
    }),
    ("directory", "a folder", "directory = \"/var/lib/keystead-trail\"", |said, text| {
        set(&mut said.directory, (!text.is_empty()).then(|| PathBuf::from(text)))
    }),
    ("bucket", "the name of an S3 bucket", "bucket = \"audit-logs\"", |said, text| {
        let is_lower = text == text.to_ascii_lowercase() && !text.contains('_');
        let is_bucket = is_lower && is_name(text, BUCKET_CHARACTERS);
        set(&mut said.bucket, is_bucket.then(|| text.to_owned()))
    }),
    (
        "prefix",
        "at most 200 letters, digits and ._-/ without a slash at the ends",
        "prefix = \"keystead\"",
        |said, text| set(&mut said.prefix, is_prefix(text).then(|| text.to_owned())),
    ),
    ("interval", "an interval from 1s to 300s", "interval = \"60s\"", |said, text| {
        set(&mut said.interval, interval(text, INTERVAL_MAX))
    }),
    (
        "digest_interval",
        "an interval from 1s to 3600s",
        "digest_interval = \"3600s\"",
        |said, text| set(&mut said.digest_interval, interval(text, DIGEST_INTERVAL_MAX)),
    ),
];

/// The trail that a TOML text configures.
pub(super) fn toml(path: &str, text: &str) -> Result<Option<TrailOptions>, ConfigurationError> {
    let Ok(document) = DeTable::parse(text) else { return Ok(None) };
    let Some(value) = document.get_ref().get(TABLE) else { return Ok(None) };
    let wrong = |span: Range<usize>, name: &str, found, expected, example| {
        let (path, line) = (path.to_owned(), line_of(text, &span));
        ConfigurationError::Trail { path, line, name: name.to_owned(), found, expected, example }
    };
    let Some(settings) = value.get_ref().as_table() else {
        let found = format!("a TOML {}", value.get_ref().type_str());
        return Err(wrong(value.span(), TABLE, found, "one table", "name = \"audit\""));
    };
    let mut said = Said::default();
    for (name, value) in settings {
        let setting = SETTINGS.iter().find(|(known, ..)| known == name.get_ref());
        let Some((_, expected, example, apply)) = setting else {
            let expected =
                "name, home_region, directory, bucket, prefix, interval or digest_interval";
            let found = "an unknown setting".to_owned();
            return Err(wrong(value.span(), name.get_ref(), found, expected, "name = \"audit\""));
        };
        if DeValue::as_str(value.get_ref()).and_then(|value| apply(&mut said, value)).is_none() {
            let found = text.get(value.span()).unwrap_or_default().to_owned();
            return Err(wrong(value.span(), name.get_ref(), found, expected, example));
        }
    }
    let missing = |name, expected, example| {
        wrong(value.span(), name, "nothing".to_owned(), expected, example)
    };
    let (Some(name), Some(directory)) = (said.name, said.directory) else {
        return Err(missing("trail", "a name and a directory", "name = \"audit\""));
    };
    let home_region = said.home_region.or_else(|| "us-east-1".parse().ok());
    let Some(home_region) = home_region else {
        return Err(missing("home_region", "an AWS Region", "home_region = \"us-east-1\""));
    };
    Ok(Some(TrailOptions {
        name,
        home_region,
        directory,
        bucket: said.bucket.unwrap_or_else(|| "keystead-trail".to_owned()),
        prefix: said.prefix,
        interval: said.interval.unwrap_or(Duration::from_secs(60)),
        digest_interval: said.digest_interval.unwrap_or(DIGEST_INTERVAL_MAX),
    }))
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    *place = Some(value?);
    Some(())
}

fn is_name(text: &str, characters: Range<usize>) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    characters.contains(&text.len())
        && text.bytes().all(is_allowed)
        && is_end(text.bytes().next())
        && is_end(text.bytes().next_back())
}

/// No part may lead elsewhere.
fn is_prefix(text: &str) -> bool {
    PREFIX_CHARACTERS.contains(&text.len())
        && text.split('/').all(|part| is_name(part, 1..PREFIX_CHARACTERS.end))
}

/// Whole seconds.
fn interval(text: &str, max: Duration) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?.parse().ok()?;
    Some(Duration::from_secs(seconds)).filter(|interval| !interval.is_zero() && *interval <= max)
}
