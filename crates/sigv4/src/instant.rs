//! Dates of signed requests: ISO 8601 basic form, to the second, in UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Bytes of `20150830T123600Z`.
const BASIC_BYTES: usize = 16;

/// Bytes of `Sun, 30 Aug 2015 12:36:00 GMT`, the only form of HTTP date that may still be sent (RFC
/// 9110 5.6.7).
const HTTP_DATE_BYTES: usize = 29;

/// A time with its text in basic form, as the string to sign wants it.
#[derive(Clone, Copy)]
pub(crate) struct Instant {
    pub(crate) timestamp: Timestamp,
    text: [u8; BASIC_BYTES],
}

impl Instant {
    /// Reads `20150830T123600Z` and nothing else.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text: [u8; BASIC_BYTES] = text.try_into().ok()?;
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = text else {
            return None;
        };
        let date_time = DateTime::new(
            i16::from(two_digits(y1, y2)?) * 100 + i16::from(two_digits(y3, y4)?),
            two_digits(mo1, mo2)?,
            two_digits(d1, d2)?,
            two_digits(h1, h2)?,
            two_digits(mi1, mi2)?,
            two_digits(s1, s2)?,
            0,
        );
        let timestamp = Offset::UTC.to_timestamp(date_time.ok()?).ok()?;
        Some(Self { timestamp, text })
    }

    /// Reads the `Date` header: basic form, or the HTTP date that botocore sends there.
    pub(crate) fn parse_date_header(text: &[u8]) -> Option<Self> {
        if let Some(instant) = Self::parse(text) {
            return Some(instant);
        }
        let text = std::str::from_utf8(text).ok()?;
        if text.len() != HTTP_DATE_BYTES || !text.ends_with(" GMT") {
            return None;
        }
        jiff::fmt::rfc2822::parse(text).ok().map(|zoned| Self::from_timestamp(zoned.timestamp()))
    }

    /// The time cut to its second.
    pub(crate) fn from_timestamp(timestamp: Timestamp) -> Self {
        let date_time = Offset::UTC.to_datetime(timestamp);
        let mut text = *b"00000000T000000Z";
        let fields = [
            (3, 4, i32::from(date_time.year())),
            (5, 2, i32::from(date_time.month())),
            (7, 2, i32::from(date_time.day())),
            (10, 2, i32::from(date_time.hour())),
            (12, 2, i32::from(date_time.minute())),
            (14, 2, i32::from(date_time.second())),
        ];
        for (last, width, value) in fields {
            write_digits(&mut text, last, width, value);
        }
        let cut = Timestamp::from_second(timestamp.as_second()).unwrap_or(timestamp);
        Self { timestamp: cut, text }
    }

    /// `20150830T123600Z`
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("digits, T and Z are ASCII")
    }

    /// `20150830`
    pub(crate) fn day(&self) -> &str {
        self.as_str().get(..8).expect("the basic form has 16 ASCII bytes")
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<i8> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i8::try_from(byte - b'0').ok()).flatten();
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn write_digits(text: &mut [u8; BASIC_BYTES], last: usize, width: usize, value: i32) {
    let mut rest = value.max(0);
    for place in text.iter_mut().take(last + 1).rev().take(width) {
        *place = b'0' + u8::try_from(rest % 10).expect("a digit is below ten");
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_form_is_read_and_written_back() {
        for text in ["20150830T123600Z", "00010101T000000Z", "20240229T235959Z", "19691231T235959Z"]
        {
            let instant = Instant::parse(text.as_bytes()).unwrap();
            assert_eq!(instant.as_str(), text);
            assert_eq!(Instant::from_timestamp(instant.timestamp).as_str(), text);
        }
    }

    #[test]
    fn a_fraction_is_cut_off() {
        let timestamp: Timestamp = "2015-08-30T12:36:00.999Z".parse().unwrap();
        assert_eq!(Instant::from_timestamp(timestamp).as_str(), "20150830T123600Z");
        let timestamp: Timestamp = "1969-12-31T23:59:59.5Z".parse().unwrap();
        assert_eq!(Instant::from_timestamp(timestamp).as_str(), "19691231T235959Z");
    }

    #[test]
    fn an_http_date_is_read_in_its_one_form() {
        let instant = Instant::parse_date_header(b"Sun, 30 Aug 2015 12:36:00 GMT").unwrap();
        assert_eq!(instant.as_str(), "20150830T123600Z");
        assert_eq!(instant.day(), "20150830");
        for text in [
            "Sunday, 30-Aug-15 12:36:00 GMT",
            "Sun Aug 30 12:36:00 2015",
            "Sun, 30 Aug 2015 12:36:00 UTC",
            "Sun, 30 Aug 2015 12:36:00 +0000",
        ] {
            assert!(Instant::parse_date_header(text.as_bytes()).is_none(), "{text}");
        }
    }
}
