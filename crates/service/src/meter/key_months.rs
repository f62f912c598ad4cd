//! How many hours of a month a key is charged for (AWS KMS pricing page, "Key storage": "prorated hourly").
//!
//! Hours are those of the clock in UTC; one that has begun counts. So a key that stands all month is charged for exactly one
//! month, whatever the month's length.

use jiff::Timestamp;
use store::MeteredKeyRow;

use super::usage::Month;

const HOUR_SECONDS: i64 = 3_600;

/// The hours of a month in which a key cost something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyHours {
    /// The key itself.
    pub(super) kept: u64,
    /// What its first rotation adds.
    pub(super) first_rotation: u64,
    /// What its second rotation adds.
    pub(super) second_rotation: u64,
}

impl KeyHours {
    /// Those of a key up to a moment. AWS managed keys cost nothing. A key costs nothing from the moment at which its deletion
    /// is scheduled on, unless that is cancelled: then it is charged for as if it had not been.
    pub(super) fn of(key: &MeteredKeyRow, month: Month, now: Timestamp) -> KeyHours {
        if key.is_aws_managed {
            return KeyHours::default();
        }
        let end = key.deletion_scheduled.or(key.deleted).unwrap_or(now).min(now);
        let since = |start: Option<Timestamp>| {
            start.map_or(0, |start| hours(month, start.max(key.created), end))
        };
        KeyHours {
            kept: since(Some(key.created)),
            first_rotation: since(key.first_rotation),
            second_rotation: since(key.second_rotation),
        }
    }
}

/// The hours of the clock that begin before `end` and end after `start`, of a month.
fn hours(month: Month, start: Timestamp, end: Timestamp) -> u64 {
    if end <= start {
        return 0;
    }
    let (month_start, month_end) = (month.start().as_second(), month.end().as_second());
    let first = start.as_second().max(month_start).div_euclid(HOUR_SECONDS);
    // A moment within a second belongs to it.
    let end_second = end.as_second() + i64::from(end.subsec_nanosecond() > 0);
    let last = (end_second.min(month_end) + HOUR_SECONDS - 1).div_euclid(HOUR_SECONDS);
    u64::try_from(last - first).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::made;
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn key(created: &str) -> MeteredKeyRow {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        made(&arn.parse().unwrap(), wire::enums::KeySpec::SymmetricDefault, false, time(created))
    }

    fn kept(key: &MeteredKeyRow, month: &str, now: &str) -> u64 {
        KeyHours::of(key, month.parse().unwrap(), time(now)).kept
    }

    const LATER: &str = "2029-01-01T00:00:00Z";

    #[test]
    fn a_whole_month_has_its_own_length() {
        let key = key("2026-01-31T23:59:59Z");
        for (month, hours) in [
            ("2026-01", 1),
            ("2026-11", 720),
            ("2026-12", 744),
            ("2027-02", 672),
            ("2028-02", 696),
            ("2025-12", 0),
        ] {
            assert_eq!(kept(&key, month, LATER), hours, "{month}");
        }
    }

    #[test]
    fn an_hour_that_has_begun_counts() {
        for (created, scheduled, hours) in [
            ("2026-11-10T10:50:00Z", "2026-11-10T10:50:00Z", 0),
            ("2026-11-10T10:50:00Z", "2026-11-10T10:50:00.000001Z", 1),
            ("2026-11-10T10:50:00Z", "2026-11-10T11:00:00Z", 1),
            ("2026-11-10T10:50:00Z", "2026-11-10T11:00:00.5Z", 2),
            ("2026-11-10T10:50:00Z", "2026-11-10T11:10:00Z", 2),
            ("2026-11-30T23:00:00Z", "2026-12-01T00:00:00Z", 1),
            ("2026-11-30T23:30:00Z", "2026-12-02T00:00:00Z", 1),
            ("2026-10-31T23:30:00Z", "2026-11-01T00:00:00.1Z", 1),
            ("2026-10-31T23:30:00Z", "2026-11-01T00:00:00Z", 0),
        ] {
            let key = MeteredKeyRow { deletion_scheduled: Some(time(scheduled)), ..key(created) };
            assert_eq!(kept(&key, "2026-11", LATER), hours, "{created} to {scheduled}");
        }
    }

    #[test]
    fn a_month_that_is_not_over_counts_up_to_now() {
        let key = key("2026-10-01T00:00:00Z");
        assert_eq!(kept(&key, "2026-11", "2026-11-25T16:30:00Z"), 24 * 24 + 17);
        assert_eq!(kept(&key, "2026-12", "2026-11-25T16:30:00Z"), 0);
    }

    #[test]
    fn keys_pending_deletion_and_managed_keys_cost_nothing() {
        let scheduled = MeteredKeyRow {
            deletion_scheduled: Some(time("2026-11-03T00:00:00Z")),
            deleted: Some(time("2026-11-10T00:00:00Z")),
            first_rotation: Some(time("2026-11-02T00:00:00Z")),
            ..key("2026-10-01T00:00:00Z")
        };
        let hours = KeyHours::of(&scheduled, "2026-11".parse().unwrap(), time(LATER));
        assert_eq!(hours, KeyHours { kept: 48, first_rotation: 24, second_rotation: 0 });
        assert_eq!(kept(&scheduled, "2026-12", LATER), 0);
        let cancelled = MeteredKeyRow { deletion_scheduled: None, deleted: None, ..scheduled };
        assert_eq!(kept(&cancelled, "2026-11", LATER), 720);
        let managed = MeteredKeyRow { is_aws_managed: true, ..cancelled };
        let hours = KeyHours::of(&managed, "2026-11".parse().unwrap(), time(LATER));
        assert_eq!(hours, KeyHours::default());
    }

    #[test]
    fn rotations_add_from_their_moment_on() {
        let key = MeteredKeyRow {
            first_rotation: Some(time("2026-11-15T00:00:00Z")),
            second_rotation: Some(time("2026-11-30T12:00:00Z")),
            ..key("2026-10-01T00:00:00Z")
        };
        let hours = KeyHours::of(&key, "2026-11".parse().unwrap(), time(LATER));
        assert_eq!(hours, KeyHours { kept: 720, first_rotation: 384, second_rotation: 12 });
        let hours = KeyHours::of(&key, "2026-12".parse().unwrap(), time(LATER));
        assert_eq!(hours, KeyHours { kept: 744, first_rotation: 744, second_rotation: 744 });
    }

    proptest! {
        /// However a life is cut into months, its hours are those of the clock from its first to its last.
        #[test]
        fn months_add_up(start in 0_i64..70_000_000, seconds in 1_i64..70_000_000) {
            let epoch = time("2026-01-01T00:00:00Z").as_second();
            let created = Timestamp::from_second(epoch + start).unwrap();
            let end = Timestamp::from_second(epoch + start + seconds).unwrap();
            let key = MeteredKeyRow { created, deletion_scheduled: Some(end), ..key(LATER) };
            let months = (2026..2031).flat_map(|year| (1..13).map(move |month| (year, month)));
            let mut sum = 0;
            for (year, month) in months {
                let month: Month = format!("{year:04}-{month:02}").parse().unwrap();
                let hours = KeyHours::of(&key, month, time("2031-01-01T00:00:00Z")).kept;
                let length = month.end().as_second() - month.start().as_second();
                prop_assert!(i64::try_from(hours).unwrap() * HOUR_SECONDS <= length);
                sum += hours;
            }
            let (first, last) = (created.as_second() / 3_600, (end.as_second() + 3_599) / 3_600);
            prop_assert_eq!(i64::try_from(sum).unwrap(), last - first);
        }
    }
}
