//! The keys that sign the digests of a trail and the beginnings of a journal.

use audit::trail::{DigestKey, PublicKey, fingerprint};
use crypto::digest_signing::DigestSigningKey;
use custody::Keyring;
use jiff::{SignedDuration, Timestamp};
use store::{DigestKeyRow, Snapshot, Store};

use crate::error::ServiceError;

/// How long a key signs before the next one is made.
const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// The keys that signed or do, the oldest first.
pub(crate) struct DigestKeys(Vec<(DigestKey, Timestamp)>);

/// A public key with the time in which its private key signs.
pub(crate) struct ValidKey {
    pub(crate) key: PublicKey,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl DigestKeys {
    /// The keys of the store.
    pub(crate) async fn load(store: &Store, keyring: &Keyring) -> Result<DigestKeys, ServiceError> {
        let rows = store.read(|snapshot: &Snapshot<'_>| snapshot.digest_keys()).await?;
        let mut keys = Vec::new();
        for DigestKeyRow { fingerprint, wrapped, created } in rows {
            let key = keyring.unwrap_digest_key(&wrapped, &fingerprint, created)?;
            keys.push((DigestKey { fingerprint, key }, created));
        }
        Ok(DigestKeys(keys))
    }

    /// The same with a fresh one where none is young enough to sign.
    pub(crate) async fn able_to_sign(
        self,
        store: &Store,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<DigestKeys, ServiceError> {
        let DigestKeys(mut keys) = self;
        let now = Timestamp::from_second(now.as_second()).map_err(ServiceError::internal)?;
        if keys.last().is_some_and(|(_, created)| now.duration_since(*created) < KEY_LIFETIME) {
            return Ok(DigestKeys(keys));
        }
        let key = DigestSigningKey::generate().map_err(ServiceError::internal)?;
        let fingerprint = fingerprint(key.public_key_der());
        let wrapped = keyring.wrap_digest_key(&key, &fingerprint, now)?;
        let row = DigestKeyRow { fingerprint: fingerprint.clone(), wrapped, created: now };
        store
            .write(move |transaction| transaction.add_digest_key(&row).map_err(ServiceError::from))
            .await?;
        keys.push((DigestKey { fingerprint, key }, now));
        Ok(DigestKeys(keys))
    }

    /// All of them; the last one is the one that signs.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &DigestKey> + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// What verifies their signatures.
    pub(crate) fn public_keys(&self) -> impl Iterator<Item = ValidKey> {
        let starts = self.0.iter().map(|(_, created)| *created);
        // Twice its lifetime, since it goes on until the next start makes another one.
        let ends =
            starts.map(|start| start.saturating_add(KEY_LIFETIME * 2).unwrap_or(Timestamp::MAX));
        self.0.iter().zip(ends).map(|((key, start), end)| ValidKey {
            key: PublicKey {
                fingerprint: key.fingerprint.clone(),
                der: key.key.public_key_der().to_vec(),
            },
            start: *start,
            end,
        })
    }
}
