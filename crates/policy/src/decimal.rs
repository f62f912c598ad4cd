//! Exact decimal numbers for the numeric condition operators.
//!
//! Floating point would make `2.10` and `2.1000000000000001` equal and large integers collide; a
//! decision must not depend on that.

/// Digits kept behind the point.
const FRACTION_DIGITS: usize = 18;
/// `10^FRACTION_DIGITS`.
const ONE: i128 = 1_000_000_000_000_000_000;
/// Digits allowed before the point: as many as the largest `i64` has.
const INTEGER_DIGITS_MAX: usize = 19;

/// A number in units of `10^-18`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Decimal(i128);

impl Decimal {
    /// Reads an integer or a decimal number: `-12`, `0.5`. No exponent, no blanks.
    pub(crate) fn parse(text: &str) -> Option<Decimal> {
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, text),
        };
        let (integer, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
        if integer.len() > INTEGER_DIGITS_MAX || fraction.len() > FRACTION_DIGITS {
            return None;
        }
        let integer = digits(integer)?;
        let fraction = digits(&format!("{fraction:0<FRACTION_DIGITS$}"))?;
        let units = integer.checked_mul(ONE)?.checked_add(fraction)?;
        Some(Decimal(if negative { -units } else { units }))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        // |i64| times 10^18 is below 10^37, and i128 holds 1.7 times 10^38.
        Decimal(i128::from(number) * ONE)
    }
}

fn digits(text: &str) -> Option<i128> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_json_policies_write() {
        assert_eq!(Decimal::parse("7"), Some(Decimal::from(7)));
        assert_eq!(Decimal::parse("-7.000"), Some(Decimal::from(-7)));
        assert_eq!(Decimal::parse("9223372036854775807"), Some(Decimal::from(i64::MAX)));
        assert!(Decimal::parse("2.10") > Decimal::parse("2.09"));
        assert!(Decimal::parse("-0.5") < Decimal::parse("0"));
        let tenth = Decimal::parse("0.1");
        assert!(tenth.is_some() && Decimal::parse("0.100000000000000000") == tenth);
        assert!(Decimal::parse("0.100000000000000001") > tenth);
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "-", ".", ".5", "+1", "1e3", " 1", "1 ", "0x1", "NaN", "--1", "1.-2"] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
        assert_eq!(Decimal::parse(&"9".repeat(20)), None);
        assert_eq!(Decimal::parse(&format!("1.{}", "0".repeat(19))), None);
    }
}
