//! What was told a moment ago: a caller who goes on using a key that is to be deleted would otherwise fill the queue.

use std::collections::HashMap;

use jiff::Timestamp;
use service::Event;

use crate::limits::{EVENT_REPEAT_SECONDS, EVENT_REPEATS_MAX};

/// What was told last, by key and caller. Forgotten by a restart, after which it is told again.
#[derive(Default)]
pub(super) struct Repeats(HashMap<String, Timestamp, foldhash::fast::RandomState>);

impl Repeats {
    /// Whether an event tells what was just told. One that does not is remembered.
    pub(super) fn is_repeat(&mut self, event: &Event) -> bool {
        let Some(told) = event.repeated() else { return false };
        let is_recent = |time: &Timestamp| {
            event.time.duration_since(*time).as_secs().abs() < EVENT_REPEAT_SECONDS
        };
        if self.0.get(&told).is_some_and(is_recent) {
            return true;
        }
        if self.0.len() >= EVENT_REPEATS_MAX {
            self.0.retain(|_, time| is_recent(time));
        }
        // With so many at once one is told more often.
        if self.0.len() < EVENT_REPEATS_MAX {
            self.0.insert(told, event.time);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(principal: &str, second: i64) -> Event {
        let time = Timestamp::from_second(1_700_000_000 + second).unwrap();
        let record = format!(
            r#"{{"userIdentity":{{"arn":"{principal}"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"Decrypt","awsRegion":"us-east-1","sourceIPAddress":"::1","eventID":"1","eventType":"AwsApiCall","recipientAccountId":"111122223333","errorCode":"KMSInvalidStateException","errorMessage":"arn:aws:kms:us-east-1:111122223333:key/1 is pending deletion."}}"#
        );
        Event::of_record(record.as_bytes()).unwrap()
    }

    #[test]
    fn the_same_use_is_told_once_in_five_minutes() {
        let mut repeats = Repeats::default();
        let told: Vec<bool> =
            [("a", 0), ("a", 299), ("b", 299), ("a", 300), ("a", 301), ("b", 301)]
                .iter()
                .map(|(principal, second)| !repeats.is_repeat(&used(principal, *second)))
                .collect();
        assert_eq!(told, [true, false, true, true, false, false]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut repeats = Repeats::default();
        for number in 0..EVENT_REPEATS_MAX + 10 {
            assert!(!repeats.is_repeat(&used(&number.to_string(), 0)));
        }
        assert_eq!(repeats.0.len(), EVENT_REPEATS_MAX);
        assert!(!repeats.is_repeat(&used("later", EVENT_REPEAT_SECONDS)));
        assert_eq!(repeats.0.len(), 1);
        let event = Event::health_change(uuid::Uuid::nil(), "store", true, Timestamp::UNIX_EPOCH);
        assert!(!repeats.is_repeat(&event) && !repeats.is_repeat(&event));
    }
}
