//! The trail that a file configures: the `[trail]` table (docs/trails.md).

use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

use service::{SystemClock, TrailDestination, TrailOptions};
use toml::de::{DeTable, DeValue};

use super::{ConfigurationError, sources::line_of};
use crate::{
    outgoing::Url,
    trail_bucket::{Bucket, BucketOptions},
};

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
    destination: Option<BucketAddress>,
    endpoint: Option<Url>,
    bucket_region: Option<wire::names::Region>,
    credentials_file: Option<PathBuf>,
    credentials_profile: Option<String>,
    ca_file: Option<PathBuf>,
    bucket: Option<String>,
    prefix: Option<String>,
    interval: Option<Duration>,
    digest_interval: Option<Duration>,
}

/// `s3://BUCKET/PREFIX`
struct BucketAddress {
    bucket: String,
    prefix: Option<String>,
}

impl BucketAddress {
    fn parse(text: &str) -> Option<BucketAddress> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) =
            rest.split_once('/').map_or((rest, None), |(bucket, prefix)| (bucket, Some(prefix)));
        let is_right = is_bucket(bucket) && prefix.is_none_or(is_prefix);
        is_right
            .then(|| BucketAddress { bucket: bucket.to_owned(), prefix: prefix.map(str::to_owned) })
    }
}

/// One setting of the trail: its name, what a right value is, an example, and what it does.
type Setting = (&'static str, &'static str, &'static str, Apply);
type Apply = fn(&mut Said, &str) -> Option<()>;

const SETTINGS: [Setting; 13] = [
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
        set(&mut said.directory, path(text))
    }),
    (
        "destination",
        "a bucket of S3, with a prefix or without",
        "destination = \"s3://audit-logs/keystead\"",
        |said, text| set(&mut said.destination, BucketAddress::parse(text)),
    ),
    (
        "endpoint",
        "an https URL without a path",
        "endpoint = \"https://s3.example.com:9000\"",
        |said, text| {
            let url = Url::parse(text).filter(|url| url.path() == "/");
            set(&mut said.endpoint, url)
        },
    ),
    ("bucket_region", "an AWS Region", "bucket_region = \"us-east-1\"", |said, text| {
        set(&mut said.bucket_region, text.parse().ok())
    }),
    (
        "credentials_file",
        "a shared credentials file",
        "credentials_file = \"/etc/keystead/trail-credentials\"",
        |said, text| set(&mut said.credentials_file, path(text)),
    ),
    (
        "credentials_profile",
        "a profile of the credentials file",
        "credentials_profile = \"default\"",
        |said, text| {
            set(&mut said.credentials_profile, (!text.is_empty()).then(|| text.to_owned()))
        },
    ),
    (
        "ca_file",
        "a file of certificates in PEM",
        "ca_file = \"/etc/keystead/ca.pem\"",
        |said, text| set(&mut said.ca_file, path(text)),
    ),
    ("bucket", "the name of an S3 bucket", "bucket = \"audit-logs\"", |said, text| {
        set(&mut said.bucket, is_bucket(text).then(|| text.to_owned()))
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
            let expected = "name, home_region, directory, bucket, prefix, destination, endpoint, \
                            bucket_region, credentials_file, credentials_profile, ca_file, interval \
                            or digest_interval";
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
    let Some(name) = said.name.take() else {
        return Err(missing("trail", "a name", "name = \"audit\""));
    };
    let home_region = said.home_region.or_else(|| "us-east-1".parse().ok());
    let Some(home_region) = home_region else {
        return Err(missing("home_region", "an AWS Region", "home_region = \"us-east-1\""));
    };
    let (interval, digest_interval) = (said.interval, said.digest_interval);
    let Delivered { destination, bucket, prefix } = delivered(said, home_region)
        .map_err(|(name, expected, example)| missing(name, expected, example))?;
    Ok(Some(TrailOptions {
        name,
        home_region,
        destination,
        bucket,
        prefix,
        interval: interval.unwrap_or(Duration::from_secs(60)),
        digest_interval: digest_interval.unwrap_or(DIGEST_INTERVAL_MAX),
    }))
}

/// Where files go, and what digests call it.
struct Delivered {
    destination: TrailDestination,
    bucket: String,
    prefix: Option<String>,
}

/// The setting that is missing, what it should be, and an example.
type Missing = (&'static str, &'static str, &'static str);

/// A folder or a bucket, with what belongs to it and nothing that belongs to the other.
fn delivered(said: Said, home_region: wire::names::Region) -> Result<Delivered, Missing> {
    const EITHER: Missing = (
        "trail",
        "a directory, with a bucket and a prefix if digests are to name them, or a destination, with a \
         credentials_file and what else belongs to it",
        "directory = \"/var/lib/keystead-trail\"",
    );
    let has_bucket_settings = said.endpoint.is_some()
        || said.bucket_region.is_some()
        || said.credentials_file.is_some()
        || said.credentials_profile.is_some()
        || said.ca_file.is_some();
    match (said.directory, said.destination) {
        (Some(directory), None) if !has_bucket_settings => Ok(Delivered {
            destination: TrailDestination::Folder(directory),
            bucket: said.bucket.unwrap_or_else(|| "keystead-trail".to_owned()),
            prefix: said.prefix,
        }),
        (None, Some(BucketAddress { bucket, prefix }))
            if said.bucket.is_none() && said.prefix.is_none() =>
        {
            let credentials_file = said.credentials_file.ok_or((
                "credentials_file",
                "a shared credentials file",
                "credentials_file = \"/etc/keystead/trail-credentials\"",
            ))?;
            let options = BucketOptions {
                name: bucket.clone(),
                region: said.bucket_region.unwrap_or(home_region),
                endpoint: said.endpoint,
                credentials_file,
                profile: said.credentials_profile.unwrap_or_else(|| "default".to_owned()),
                ca_file: said.ca_file,
            };
            // Whoever keeps the bucket has a clock of their own; a moved one signs nothing that they believe.
            let made = Bucket::new(options, Arc::new(SystemClock)).ok_or(EITHER)?;
            Ok(Delivered { destination: TrailDestination::Remote(Arc::new(made)), bucket, prefix })
        }
        (_, _) => Err(EITHER),
    }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    *place = Some(value?);
    Some(())
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn is_bucket(text: &str) -> bool {
    let is_lower = text == text.to_ascii_lowercase() && !text.contains('_');
    is_lower && is_name(text, BUCKET_CHARACTERS)
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
