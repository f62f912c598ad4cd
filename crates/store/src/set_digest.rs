//! One value over which aggregates there are and how new each is, so that no mix of older and newer
//! ones passes.
//!
//! ```text
//! term   = HMAC-SHA-256(K, label, "aggregate", table, identity, sequence)
//! digest = XOR of the terms of all aggregates
//! head's = HMAC-SHA-256(K, label, "aggregates", digest)
//! ```
//!
//! A manifest cannot tell an older whole of its aggregate from the newest, nor its absence. The
//! digest can: saving an aggregate takes its old term out and puts the new one in, and the start of
//! the store sums up what it finds. Terms and digest never leave memory. That matters: who could
//! see how the digest changes could combine older versions of some hundred aggregates whose terms
//! cancel out.

use crypto::seal::{SEAL_BYTES, SealKey};

use crate::schema::SealedTable;

/// The digest of a set of aggregates.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SetDigest([u8; SEAL_BYTES]);

impl SetDigest {
    /// Puts an aggregate in, or takes it out if it is in.
    pub(crate) fn toggle(
        &mut self,
        key: &SealKey,
        table: &SealedTable,
        identity: &[&str],
        sequence: u64,
    ) {
        let sequence = sequence.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![b"aggregate", table.name.as_bytes()];
        parts.extend(identity.iter().map(|part| part.as_bytes()));
        parts.push(&sequence);
        self.combine(&SetDigest(key.tag(&parts)));
    }

    /// Takes over what was put in and taken out elsewhere.
    pub(crate) fn combine(&mut self, other: &SetDigest) {
        for (byte, other) in self.0.iter_mut().zip(other.0) {
            *byte ^= other;
        }
    }

    /// What the head shows of the digest.
    pub(crate) fn tag(&self, key: &SealKey) -> [u8; SEAL_BYTES] {
        key.tag(&[b"aggregates", &self.0])
    }
}

#[cfg(test)]
mod tests {
    use crypto::SecretKey;

    use super::*;
    use crate::accounts::ACCOUNTS;
    use crate::keys::KEYS;

    #[test]
    fn the_order_does_not_count_and_everything_else_does() {
        let key = SealKey::new(1, &SecretKey::new([7; 32]));
        let digest = |entries: &[(&SealedTable, &[&str], u64)]| {
            let mut digest = SetDigest::default();
            entries.iter().for_each(|(table, identity, sequence)| {
                digest.toggle(&key, table, identity, *sequence);
            });
            digest.tag(&key)
        };
        let one: (_, &[&str], _) = (&KEYS, &["r", "one"], 1);
        let two: (_, &[&str], _) = (&KEYS, &["r", "two"], 2);
        assert_eq!(digest(&[one, two]), digest(&[two, one]));
        assert_eq!(digest(&[one, two, two]), digest(&[one]));
        let others: [(_, &[&str], _); 3] =
            [(&KEYS, &["r", "one"], 2), (&ACCOUNTS, &["r", "one"], 1), (&KEYS, &["ro", "ne"], 1)];
        for other in others {
            assert_ne!(digest(&[one]), digest(&[other]));
        }
    }
}
