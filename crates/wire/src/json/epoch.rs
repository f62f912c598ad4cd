//! Timestamps in AWS JSON: seconds since 1970 as a number, for `#[serde(with = "epoch")]`.
//!
//! Answers have milliseconds at most. Requests may also say an ISO 8601 text, as some SDKs do.

use std::fmt;

use jiff::{SignedDuration, Timestamp, Unit};
use serde::{Deserializer, Serialize, Serializer, de};

/// Writes a time as a number of seconds, rounded down to milliseconds.
///
/// # Errors
/// What the serializer itself fails with.
pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    // A double has 53 bits: room for milliseconds until the year 287,396.
    let milliseconds = SignedDuration::from_millis(time.as_millisecond());
    milliseconds.as_secs_f64().serialize(serializer)
}

/// Reads a time from a whole number, a number with a fraction, or an ISO 8601 text with an offset.
///
/// # Errors
/// For other types, other texts, and times outside the years -9999 to 9999.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    deserializer.deserialize_any(EpochVisitor)
}

struct EpochVisitor;

impl EpochVisitor {
    fn out_of_range<E: de::Error>() -> E {
        E::custom("Timestamp is out of range")
    }
}

impl<'de> de::Visitor<'de> for EpochVisitor {
    type Value = Timestamp;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a timestamp")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Timestamp, E> {
        let found = if value { "TRUE_VALUE" } else { "FALSE_VALUE" };
        Err(E::custom(format_args!("{found} can not be converted to a Timestamp")))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
        Timestamp::from_second(seconds).map_err(|_| EpochVisitor::out_of_range())
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
        let seconds = i64::try_from(seconds).map_err(|_| EpochVisitor::out_of_range())?;
        self.visit_i64(seconds)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
        SignedDuration::try_from_secs_f64(seconds)
            .and_then(Timestamp::from_duration)
            .and_then(|time| time.round(Unit::Millisecond))
            .map_err(|_| EpochVisitor::out_of_range())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(|_| E::custom("STRING_VALUE can not be converted to a Timestamp"))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, _: A) -> Result<Timestamp, A::Error> {
        Err(de::Error::custom("Start of list found where not expected"))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, _: A) -> Result<Timestamp, A::Error> {
        Err(de::Error::custom("Start of structure or map found where not expected."))
    }
}

/// The same for an optional time.
pub mod option {
    use super::*;

    /// Writes a time, or null; answers leave absent members out instead.
    ///
    /// # Errors
    /// What the serializer itself fails with.
    pub fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a time, or null as its absence; a member needs `#[serde(default)]` beside this.
    ///
    /// # Errors
    /// Those of [`epoch::deserialize`](super::deserialize).
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        deserializer.deserialize_option(OptionVisitor)
    }

    struct OptionVisitor;

    impl<'de> de::Visitor<'de> for OptionVisitor {
        type Value = Option<Timestamp>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            EpochVisitor.expecting(formatter)
        }

        fn visit_none<E: de::Error>(self) -> Result<Option<Timestamp>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}
