//! Money and quantities as exact decimals: whole numbers of one ten-thousand-millionth. No float is ever near them.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

/// Digits behind the point.
const DECIMALS: usize = 10;
/// One, in the smallest part.
const ONE: i128 = 10_i128.pow(10);

/// An amount in parts of 1e-10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Amount(i128);

/// A text that is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a decimal number such as 0.03, with at most 10 digits behind the point")]
pub(super) struct InvalidAmount;

impl Amount {
    /// `self · count / divisor`, rounded half away from zero; exact where the quotient has so few digits.
    pub(super) fn share(self, count: u64, divisor: u64) -> Amount {
        let product = self.0.saturating_mul(i128::from(count));
        let divisor = i128::from(divisor.max(1));
        Amount((product + divisor / 2) / divisor)
    }

    /// One.
    pub(super) fn one() -> Amount {
        Amount(ONE)
    }

    /// The nearest amount with so few digits behind the point, as text.
    pub(super) fn rounded(self, decimals: usize) -> String {
        let dropped = DECIMALS.saturating_sub(decimals);
        let part = 10_i128.pow(u32::try_from(dropped).unwrap_or(0));
        let text = Amount((self.0 + part / 2) / part * part).to_string();
        let kept = text.len().saturating_sub(dropped);
        text.get(..kept).unwrap_or(&text).to_owned()
    }
}

impl Add for Amount {
    type Output = Amount;

    fn add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::default(), Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:0DECIMALS$}", self.0 / ONE, self.0 % ONE)
    }
}

impl FromStr for Amount {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Amount, InvalidAmount> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !is_digits(decimals) || whole.len() > DECIMALS {
            return Err(InvalidAmount);
        }
        let padded = format!("{decimals:0<DECIMALS$}");
        let parse = |part: &str| part.parse::<i128>().map_err(|_| InvalidAmount);
        match padded.len() {
            DECIMALS => Ok(Amount(parse(whole)? * ONE + parse(&padded)?)),
            _ => Err(InvalidAmount),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, written) in [
            ("0", "0.0000000000"),
            ("1.00", "1.0000000000"),
            ("0.03", "0.0300000000"),
            ("12", "12.0000000000"),
            ("0.0000000001", "0.0000000001"),
        ] {
            assert_eq!(amount(text).to_string(), written);
        }
        for wrong in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.00000000001", "99999999999"]
        {
            assert_eq!(wrong.parse::<Amount>(), Err(InvalidAmount), "{wrong}");
        }
    }

    #[test]
    fn shares_are_rounded_once() {
        assert_eq!(amount("0.03").share(1, 10_000), amount("0.000003"));
        assert_eq!(amount("12").share(7, 10_000), amount("0.0084"));
        assert_eq!(amount("1").share(1, 720), amount("0.0013888889"));
        assert_eq!(amount("1").share(720, 720), amount("1"));
        assert_eq!(amount("0.0000000001").share(1, 2), amount("0.0000000001"));
        assert_eq!(amount("1.00499").rounded(2), "1.00");
        assert_eq!(amount("1.005").rounded(2), "1.01");
        assert_eq!(amount("1.5").rounded(0), "2.");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(parts in 0_i128..10_i128.pow(20)) {
            prop_assert_eq!(Amount(parts).to_string().parse(), Ok(Amount(parts)));
        }

        #[test]
        fn the_parts_of_a_count_cost_what_the_count_costs(one in 0_u64..1_000_000, other in 0_u64..1_000_000) {
            let price = amount("0.15");
            let parts = price.share(one, 10_000) + price.share(other, 10_000);
            prop_assert_eq!(parts, price.share(one + other, 10_000));
        }
    }
}
