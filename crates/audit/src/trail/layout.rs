//! Where the files of a trail lie.
//!
//! ```text
//! log    = AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz
//! digest = AWSLogs/ACCOUNT/CloudTrail-Digest/REGION/YYYY/MM/DD/
//!          ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOMEREGION_YYYYMMDDTHHmmssZ.json.gz
//! ```
//!
//! both behind the prefix and a slash if there is a prefix. The time of a log file is that of its delivery, the time of a
//! digest the end of what it tells. UNIQUE is sixteen letters and digits that the content decides.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

const UNIQUE_ALPHABET: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const UNIQUE_CHARACTERS: usize = 16;
/// Bytes of a Region's name that become a folder.
const REGION_BYTES_MAX: usize = 32;

/// What a trail is called, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// Its name, part of its ARN and of each digest's name.
    pub name: String,
    /// The Region that it belongs to.
    pub home_region: String,
    /// Whose records those are that name no account.
    pub account: String,
    /// The bucket that the digests name.
    pub bucket: String,
    /// What stands before `AWSLogs`.
    pub prefix: Option<String>,
}

/// Whose records, of which Region: log files and digests are kept apart by it, and each has a chain of digests of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// Twelve digits.
    pub account: String,
    /// The Region's name.
    pub region: String,
}

impl Chain {
    /// The names as part of a path; none where one could lead elsewhere.
    #[must_use]
    pub fn new(account: &str, region: &str) -> Option<Chain> {
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_region =
            (1..=REGION_BYTES_MAX).contains(&region.len()) && region.bytes().all(is_allowed);
        (is_account && is_region)
            .then(|| Chain { account: account.to_owned(), region: region.to_owned() })
    }

    /// The folder that a kind of file lies in, on a day.
    fn folder(&self, kind: &str, time: Timestamp) -> String {
        let day = time.strftime("%Y/%m/%d");
        format!("AWSLogs/{}/{kind}/{}/{day}", self.account, self.region)
    }
}

impl Trail {
    /// The chain of records that name no account.
    pub(super) fn home(&self) -> Chain {
        Chain { account: self.account.clone(), region: self.home_region.clone() }
    }

    /// The object of a log file with that content.
    pub(super) fn log_file(&self, chain: &Chain, delivered: Timestamp, content: &[u8]) -> String {
        let Chain { account, region } = chain;
        let folder = chain.folder("CloudTrail", delivered);
        let time = delivered.strftime("%Y%m%dT%H%MZ");
        let unique = unique(content);
        self.prefixed(format!("{folder}/{account}_CloudTrail_{region}_{time}_{unique}.json.gz"))
    }

    /// The object of the digest of what was delivered until a moment.
    pub(super) fn digest(&self, chain: &Chain, end: Timestamp) -> String {
        let Chain { account, region } = chain;
        let folder = chain.folder("CloudTrail-Digest", end);
        let (name, home_region) = (&self.name, &self.home_region);
        let time = end.strftime("%Y%m%dT%H%M%SZ");
        self.prefixed(format!(
            "{folder}/{account}_CloudTrail-Digest_{region}_{name}_{home_region}_{time}.json.gz"
        ))
    }

    fn prefixed(&self, object: String) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{object}"),
            None => object,
        }
    }
}

fn unique(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    let letter = |byte: &u8| {
        let letter = UNIQUE_ALPHABET.get(usize::from(*byte) % UNIQUE_ALPHABET.len());
        letter.copied().map_or('0', char::from)
    };
    hash.as_ref().iter().take(UNIQUE_CHARACTERS).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_where_cloudtrail_puts_them() {
        let mut trail = Trail {
            name: "audit".to_owned(),
            home_region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            bucket: "logs".to_owned(),
            prefix: None,
        };
        let chain = Chain::new("444455556666", "eu-west-1").unwrap();
        let time: Timestamp = "2026-11-25T09:08:07Z".parse().unwrap();
        let log_file = trail.log_file(&chain, time, b"x");
        let (start, unique) = log_file.rsplit_once('_').unwrap();
        assert_eq!(
            start,
            "AWSLogs/444455556666/CloudTrail/eu-west-1/2026/11/25/444455556666_CloudTrail_eu-west-1_20261125T0908Z"
        );
        assert_eq!(unique.len(), 16 + ".json.gz".len());
        assert_ne!(log_file, trail.log_file(&chain, time, b"y"));
        trail.prefix = Some("a/b".to_owned());
        assert_eq!(
            trail.digest(&chain, time),
            "a/b/AWSLogs/444455556666/CloudTrail-Digest/eu-west-1/2026/11/25/\
             444455556666_CloudTrail-Digest_eu-west-1_audit_us-east-1_20261125T090807Z.json.gz"
        );
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for (account, region) in [
            ("1", "a-b-1"),
            ("11112222333.", "a-b-1"),
            ("111122223333", ""),
            ("111122223333", "../x"),
        ] {
            assert_eq!(Chain::new(account, region), None, "{account} {region}");
        }
    }
}
