//! Grant tokens: proof that a grant was made, for the few minutes in which AWS may not know it everywhere.
//!
//! Here a grant is known at once, so a token permits nothing: it is checked, and names the grant that RetireGrant retires.
//! It is good for one grant on one key, and only this deployment can make it (threat T-7).

use jiff::{SignedDuration, Timestamp};
use wire::names::{GrantId, KeyArn};

use crate::error::ServiceError;
use crate::host::Host;

/// How long a token is good.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// What the tokens are for, and no others of this deployment.
const PURPOSE: &str = "GrantToken";

/// What a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedGrant {
    /// The key.
    pub(crate) key: KeyArn,
    /// The grant, which may be gone.
    pub(crate) grant_id: GrantId,
}

impl NamedGrant {
    /// A token for the grant, issued at `now`.
    pub(crate) fn token(&self, host: &Host, now: Timestamp) -> Result<String, ServiceError> {
        let payload = self.payload(now);
        host.token_key.seal(PURPOSE, &[], &payload).map_err(ServiceError::internal)
    }

    /// What a token names at `now`.
    pub(crate) fn of_token(
        host: &Host,
        token: &str,
        now: Timestamp,
    ) -> Result<NamedGrant, ServiceError> {
        host.token_key
            .open(PURPOSE, &[], token)
            .and_then(|payload| NamedGrant::of_payload(&payload, now))
            .ok_or_else(ServiceError::invalid_grant_token)
    }

    /// `grant id || second of issue || key ARN`
    fn payload(&self, issued: Timestamp) -> Vec<u8> {
        let arn = self.key.to_string();
        [self.grant_id.as_bytes(), &issued.as_second().to_be_bytes()[..], arn.as_bytes()].concat()
    }

    fn of_payload(payload: &[u8], now: Timestamp) -> Option<NamedGrant> {
        let (grant_id, rest) = payload.split_first_chunk()?;
        let (issued, arn) = rest.split_first_chunk()?;
        let issued = Timestamp::from_second(i64::from_be_bytes(*issued)).ok()?;
        let key = str::from_utf8(arn).ok()?.parse().ok()?;
        let is_good = now.duration_since(issued) <= LIFETIME;
        is_good.then(|| NamedGrant { key, grant_id: GrantId::from_bytes(*grant_id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_grant_for_five_minutes() {
        let named = NamedGrant {
            key: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
                .parse()
                .unwrap(),
            grant_id: GrantId::from_bytes([7; 32]),
        };
        let issued = Timestamp::from_second(1_700_000_000).unwrap();
        let payload = named.payload(issued);
        for (seconds, is_good) in [(0, true), (300, true), (301, false), (100_000_000, false)] {
            let now = issued + SignedDuration::from_secs(seconds);
            let found = NamedGrant::of_payload(&payload, now);
            assert_eq!(found, is_good.then_some(named), "after {seconds} seconds");
        }
        assert_eq!(NamedGrant::of_payload(&payload[..payload.len() - 1], issued), None);
        assert_eq!(NamedGrant::of_payload(&[], issued), None);
    }
}
