//! Fresh UUIDs, drawn from a stock of random bytes.
//!
//! Every request takes two (its own and its record's), and asking the random generator for 16 bytes costs as much as asking
//! for a thousand. Ids are public, so the stock need not be guarded like a secret; nothing else is drawn from it.

use std::sync::{Arc, Mutex, PoisonError};

use crypto::{Rng, RngError};
use uuid::Uuid;

/// Bytes of one id.
const ID_BYTES: usize = 16;
/// Ids drawn at once.
const STOCK_IDS_COUNT: usize = 128;

/// See the module's text.
pub(crate) struct Ids {
    rng: Arc<dyn Rng>,
    stock: Mutex<Vec<[u8; ID_BYTES]>>,
}

impl Ids {
    /// An empty stock.
    pub(crate) fn new(rng: Arc<dyn Rng>) -> Ids {
        Ids { rng, stock: Mutex::new(Vec::with_capacity(STOCK_IDS_COUNT)) }
    }

    /// A fresh random UUID (RFC 9562, version 4).
    pub(crate) fn uuid(&self) -> Result<Uuid, RngError> {
        let mut stock = self.stock.lock().unwrap_or_else(PoisonError::into_inner);
        if stock.is_empty() {
            let mut bytes = [0; ID_BYTES * STOCK_IDS_COUNT];
            self.rng.fill(&mut bytes)?;
            stock.extend_from_slice(bytes.as_chunks().0);
        }
        let bytes = stock.pop().ok_or(RngError)?;
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crypto::SystemRng;

    use super::*;

    #[test]
    fn ids_are_random_uuids_and_never_twice_the_same() {
        let ids = Ids::new(Arc::new(SystemRng));
        let drawn: HashSet<Uuid> = (0..10 * STOCK_IDS_COUNT).map(|_| ids.uuid().unwrap()).collect();
        assert_eq!(drawn.len(), 10 * STOCK_IDS_COUNT);
        assert!(drawn.iter().all(|id| id.get_version_num() == 4));
    }
}
