//! The texts of settings turned into values; `None` is a text that means nothing.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

use service::{Durability, QuotaAdjustment, QuotaMode};
use tracing_subscriber::filter::{LevelFilter, Targets};
use wire::names::{AccountId, Region};

use super::LogFormat;

const KIBIBYTE: usize = 1024;
const MEBIBYTE: usize = 1024 * KIBIBYTE;
const GIBIBYTE: usize = 1024 * MEBIBYTE;

pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

pub(super) fn address(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

pub(super) fn account_id(text: &str) -> Option<AccountId> {
    // The account of services is nobody else's.
    text.parse().ok().filter(|account_id| *account_id != *service::SYSTEM_ACCOUNT)
}

pub(super) fn regions(text: &str) -> Option<Vec<Region>> {
    text.split(',').map(|name| name.trim().parse().ok()).collect()
}

pub(super) fn journal_durability(text: &str) -> Option<Durability> {
    if text == "strict" {
        return Some(Durability::Strict);
    }
    let milliseconds = text.strip_suffix("ms")?.parse().ok()?;
    (1..=10_000)
        .contains(&milliseconds)
        .then(|| Durability::Interval(Duration::from_millis(milliseconds)))
}

pub(super) fn journal_keep_days(text: &str) -> Option<u16> {
    text.parse().ok().filter(|days| (1..=36_500).contains(days))
}

pub(super) fn cache_bytes(text: &str) -> Option<usize> {
    bytes(text).filter(|bytes| *bytes >= MEBIBYTE)
}

pub(super) fn arena_bytes(text: &str) -> Option<usize> {
    bytes(text).filter(|bytes| (64 * KIBIBYTE..=GIBIBYTE).contains(bytes))
}

fn bytes(text: &str) -> Option<usize> {
    let units = [("KiB", KIBIBYTE), ("MiB", MEBIBYTE), ("GiB", GIBIBYTE)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
        .unwrap_or((text, 1));
    number.trim_end().parse::<usize>().ok()?.checked_mul(unit)
}

pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

pub(super) fn log_level(text: &str) -> Option<Targets> {
    text.split(',').all(is_log_directive).then(|| text.parse().ok())?
}

/// A level alone or `part=level`; the library would take a misspelt level for the name of a part.
fn is_log_directive(directive: &str) -> bool {
    let level = directive.split_once('=').map_or(directive, |(_, level)| level);
    level.parse::<LevelFilter>().is_ok()
}

pub(super) fn request_quotas(text: &str) -> Option<QuotaMode> {
    match text {
        "off" => Some(QuotaMode::Off),
        "shadow" => Some(QuotaMode::Shadow),
        "enforced" => Some(QuotaMode::Enforced),
        _ => None,
    }
}

pub(super) fn request_quota_adjustments(text: &str) -> Option<Vec<QuotaAdjustment>> {
    text.split(',').map(|adjustment| adjustment.parse().ok()).collect()
}

/// `https://ISSUER=FILE,...`
pub(super) fn oidc_keys(text: &str) -> Option<Vec<(String, PathBuf)>> {
    let one = |pair: &str| {
        let (url, file) = pair.trim().split_once('=')?;
        let is_right = url.starts_with("https://") && !file.is_empty();
        is_right.then(|| (url.to_owned(), PathBuf::from(file)))
    };
    text.split(',').map(one).collect()
}

pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub(super) fn threads(text: &str) -> Option<NonZeroUsize> {
    text.parse().ok().filter(|threads: &NonZeroUsize| threads.get() <= 1024)
}

/// Whether only this machine reaches the address, so that plain HTTP shows nothing to anybody.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_stand_with_their_files() {
        let one = |url: &str, file: &str| (url.to_owned(), PathBuf::from(file));
        assert_eq!(
            oidc_keys("https://a.example.com=/a.json, https://b.example.com/x=b=c.json"),
            Some(vec![
                one("https://a.example.com", "/a.json"),
                one("https://b.example.com/x", "b=c.json"),
            ])
        );
        for text in
            ["", "https://a.example.com", "https://a.example.com=", "http://a.example.com=a"]
        {
            assert_eq!(oidc_keys(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_take_units_and_refuse_overflow() {
        assert_eq!(bytes("4096"), Some(4096));
        assert_eq!(bytes("64 KiB"), Some(65_536));
        assert_eq!(bytes("1GiB"), Some(1_073_741_824));
        assert_eq!(bytes("99999999999999GiB"), None);
        assert_eq!(bytes("-1"), None);
        assert_eq!(bytes("4MB"), None);
    }

    #[test]
    fn durability_is_strict_or_a_bounded_interval() {
        assert_eq!(journal_durability("strict"), Some(Durability::Strict));
        assert_eq!(
            journal_durability("20ms"),
            Some(Durability::Interval(Duration::from_millis(20)))
        );
        for wrong in ["0ms", "10001ms", "20", "20s", "", "Strict"] {
            assert_eq!(journal_durability(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn loopback_is_seen_through_mapped_addresses() {
        for near in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_loopback(near.parse().unwrap()), "{near}");
        }
        for far in ["0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1"] {
            assert!(!is_loopback(far.parse().unwrap()), "{far}");
        }
    }
}
