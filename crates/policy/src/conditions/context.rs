//! The facts of a request, as conditions ask for them.

use std::borrow::Cow;
use std::net::IpAddr;
use std::slice;

use jiff::Timestamp;

use crate::decimal::Decimal;

/// Answers what the request says about a condition key.
///
/// Only facts that the server itself established may be answered: nothing that a client merely
/// sends in a header becomes a condition key.
pub trait ConditionContext {
    /// The values of a condition key, `None` if the request has no such key.
    ///
    /// Condition keys know no upper and lower case, so `key` arrives in lower case (ASCII):
    /// `kms:calleraccount`, `aws:principaltag/costcentre`, `kms:encryptioncontext:appname`.
    fn values(&self, key: &str) -> Option<ConditionValues<'_>>;
}

/// One value of a condition key, typed as AWS lists the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConditionValue<'a> {
    /// A string, an ARN, or binary data in base64.
    Text(Cow<'a, str>),
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A moment.
    Date(Timestamp),
    /// An IP address.
    Address(IpAddr),
}

/// The values of a condition key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConditionValues<'a> {
    /// The value of a single-valued key.
    One(ConditionValue<'a>),
    /// The values of a multivalued key, in any order. None at all is the same as an absent key.
    Many(Vec<ConditionValue<'a>>),
}

impl<'a> ConditionValues<'a> {
    /// The texts of a multivalued key, such as `kms:EncryptionContextKeys`.
    pub fn many<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> ConditionValues<'a> {
        let values = texts.into_iter().map(|text| ConditionValue::Text(text.into())).collect();
        ConditionValues::Many(values)
    }

    /// The values, however many.
    pub fn as_slice(&self) -> &[ConditionValue<'a>] {
        match self {
            ConditionValues::One(value) => slice::from_ref(value),
            ConditionValues::Many(values) => values,
        }
    }

    /// The value of a single-valued key. A multivalued key is no policy variable, even while it
    /// happens to have one value (IAM User Guide, "Where you can use policy variables").
    pub(crate) fn single(&self) -> Option<&ConditionValue<'a>> {
        match self {
            ConditionValues::One(value) => Some(value),
            ConditionValues::Many(_) => None,
        }
    }
}

impl<'a> ConditionValue<'a> {
    /// The value as string operators and variables see it.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            ConditionValue::Text(text) => Cow::Borrowed(text),
            ConditionValue::Bool(true) => Cow::Borrowed("true"),
            ConditionValue::Bool(false) => Cow::Borrowed("false"),
            ConditionValue::Number(number) => Cow::Owned(number.to_string()),
            ConditionValue::Date(date) => Cow::Owned(date.to_string()),
            ConditionValue::Address(address) => Cow::Owned(address.to_string()),
        }
    }

    /// The value as numeric operators see it; a date counts its seconds since 1970.
    pub(crate) fn as_number(&self) -> Option<Decimal> {
        match self {
            ConditionValue::Text(text) => Decimal::parse(text),
            ConditionValue::Number(number) => Some(Decimal::from(*number)),
            ConditionValue::Date(date) => Some(Decimal::from(date.as_second())),
            ConditionValue::Bool(_) | ConditionValue::Address(_) => None,
        }
    }

    /// The value as date operators see it; a number is seconds since 1970.
    pub(crate) fn as_date(&self) -> Option<Timestamp> {
        match self {
            ConditionValue::Text(text) => parse_date(text),
            ConditionValue::Number(number) => Timestamp::from_second(*number).ok(),
            ConditionValue::Date(date) => Some(*date),
            ConditionValue::Bool(_) | ConditionValue::Address(_) => None,
        }
    }

    /// The value as `Bool` sees it.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            ConditionValue::Text(text) => parse_bool(text),
            ConditionValue::Bool(value) => Some(*value),
            ConditionValue::Number(_) | ConditionValue::Date(_) | ConditionValue::Address(_) => {
                None
            }
        }
    }

    /// The value as address operators see it. An IPv4 address that arrives on an IPv6 socket is
    /// the IPv4 address, or no policy would match it.
    pub(crate) fn as_address(&self) -> Option<IpAddr> {
        let address = match self {
            ConditionValue::Text(text) => text.parse().ok(),
            ConditionValue::Address(address) => Some(*address),
            ConditionValue::Bool(_) | ConditionValue::Number(_) | ConditionValue::Date(_) => None,
        };
        address.map(|address: IpAddr| address.to_canonical())
    }
}

/// Reads `true` or `false` in any case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

/// Reads a date as the IAM grammar allows: W3C's profile of ISO 8601 (`2026-05-01T12:00:00Z`,
/// `2026-05-01`, `2026-05`, `2026`; without a time it is midnight UTC) or seconds since 1970.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    const YEAR_DIGITS: usize = 4;
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let full = match (digits_only, text.len()) {
        (true, YEAR_DIGITS) => Cow::Owned(format!("{text}-01-01T00:00:00Z")),
        (true, _) => return Timestamp::from_second(text.parse().ok()?).ok(),
        (false, 7) => Cow::Owned(format!("{text}-01T00:00:00Z")),
        (false, 10) => Cow::Owned(format!("{text}T00:00:00Z")),
        (false, _) => Cow::Borrowed(text),
    };
    full.parse().ok()
}

impl<'a> From<&'a str> for ConditionValues<'a> {
    fn from(text: &'a str) -> Self {
        ConditionValues::One(ConditionValue::Text(Cow::Borrowed(text)))
    }
}

impl From<String> for ConditionValues<'_> {
    fn from(text: String) -> Self {
        ConditionValues::One(ConditionValue::Text(Cow::Owned(text)))
    }
}

impl From<bool> for ConditionValues<'_> {
    fn from(value: bool) -> Self {
        ConditionValues::One(ConditionValue::Bool(value))
    }
}

impl From<i64> for ConditionValues<'_> {
    fn from(number: i64) -> Self {
        ConditionValues::One(ConditionValue::Number(number))
    }
}

impl From<Timestamp> for ConditionValues<'_> {
    fn from(date: Timestamp) -> Self {
        ConditionValues::One(ConditionValue::Date(date))
    }
}

impl From<IpAddr> for ConditionValues<'_> {
    fn from(address: IpAddr) -> Self {
        ConditionValues::One(ConditionValue::Address(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_in_five_forms() {
        let expected = parse_date("2026-05-01T00:00:00Z");
        assert!(expected.is_some());
        assert_eq!(parse_date("2026-05-01"), expected);
        assert_eq!(parse_date("2026-05"), expected);
        assert_eq!(parse_date("1777593600"), expected);
        assert_eq!(parse_date("2026-05-01T02:00:00+02:00"), expected);
        assert_eq!(parse_date("2026"), parse_date("2026-01-01"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "tomorrow", "2026-13-01", "2026-05-01T00:00:00", "-", "99999999999999"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_of_an_ipv6_socket_is_its_ipv4_address() {
        let mapped = ConditionValue::Text("::ffff:203.0.113.7".into());
        assert_eq!(mapped.as_address(), "203.0.113.7".parse().ok());
    }
}
