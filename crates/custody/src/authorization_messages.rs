//! Authorization messages: why a request was refused, sealed and handed to whom must not read it.
//!
//! ```text
//! message = wrap(K_R, AAD, contents)
//! AAD     = encode("keystead authorization message 1", account)
//! ```
//!
//! with `wrap` of [`crypto::wrap`] and `K_R` a key of this run of the server, which is stored nowhere. Whoever may call
//! can be refused as often as they like, so messages do not use up what a stored key may wrap; and a message is of use
//! for hours, so that it may end with the run. Bound to its account, it is worth nothing in another.

use std::sync::atomic::{AtomicU64, Ordering};

use crypto::fields::Fields;
use crypto::{Rng, RngError, SecretBytes, SecretKey, wrap};

use crate::CustodyError;

/// Messages of one run: what a key with random IVs may seal (NIST SP 800-38D, 8.3).
const MESSAGES_MAX: u64 = 1 << 32;

/// Seals the messages of one run and opens them again.
pub struct AuthorizationMessages {
    key: SecretKey,
    sealed_count: AtomicU64,
}

impl AuthorizationMessages {
    /// Starts a run, with a key of its own.
    ///
    /// # Errors
    /// Failures of the source of randomness.
    pub fn new(rng: &dyn Rng) -> Result<AuthorizationMessages, RngError> {
        Ok(AuthorizationMessages {
            key: SecretKey::generate(rng)?,
            sealed_count: AtomicU64::new(0),
        })
    }

    /// Seals what the account may read. None when the run has sealed as many as its key may.
    ///
    /// # Errors
    /// Failures of the cryptographic module, and contents above [`crypto::wrap::SECRET_BYTES_MAX`].
    pub fn seal(&self, account: &str, contents: &[u8]) -> Result<Option<Vec<u8>>, CustodyError> {
        // The count does not wrap: at a thousand million a second that takes five hundred years.
        if self.sealed_count.fetch_add(1, Ordering::Relaxed) >= MESSAGES_MAX {
            return Ok(None);
        }
        Ok(Some(wrap::wrap(&self.key, &aad(account), contents)?))
    }

    /// Opens what [`AuthorizationMessages::seal`] made for the account in this run; whether it has expired is the
    /// caller's to see. None for anything else.
    #[must_use]
    pub fn open(&self, account: &str, sealed: &[u8]) -> Option<SecretBytes> {
        wrap::unwrap(&self.key, &aad(account), sealed).ok()
    }
}

fn aad(account: &str) -> Vec<u8> {
    Fields::new("keystead authorization message 1").text(account).finish()
}

#[cfg(test)]
mod tests {
    use crypto::SystemRng;

    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn run() -> AuthorizationMessages {
        AuthorizationMessages::new(&SystemRng).unwrap()
    }

    #[test]
    fn a_message_opens_in_its_account_and_run_alone() {
        let run_of_it = run();
        let sealed = run_of_it.seal(ACCOUNT, b"why").unwrap().unwrap();
        let opened = run_of_it.open(ACCOUNT, &sealed).unwrap();
        assert_eq!(opened.expose(), b"why");
        assert!(run_of_it.open("444455556666", &sealed).is_none());
        assert!(run().open(ACCOUNT, &sealed).is_none());
    }

    #[test]
    fn an_altered_or_shortened_message_does_not_open() {
        let run = run();
        let sealed = run.seal(ACCOUNT, b"why").unwrap().unwrap();
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert!(run.open(ACCOUNT, &altered).is_none());
            assert!(run.open(ACCOUNT, &sealed[..position]).is_none());
        }
    }

    #[test]
    fn a_run_seals_no_more_than_its_key_may() {
        let run = run();
        run.sealed_count.store(MESSAGES_MAX - 1, Ordering::Relaxed);
        assert!(run.seal(ACCOUNT, b"why").unwrap().is_some());
        assert!(run.seal(ACCOUNT, b"why").unwrap().is_none());
    }
}
