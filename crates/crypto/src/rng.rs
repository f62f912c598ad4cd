//! Where randomness comes from, as an argument.

/// A source of random bytes fit for keys and nonces.
///
/// Code that needs chance takes `&dyn Rng`; only the assembly of the process names [`SystemRng`].
pub trait Rng: Send + Sync {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`RngError`] when the source fails; `out` must then not be used.
    fn fill(&self, out: &mut [u8]) -> Result<(), RngError>;
}

/// The source of randomness failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct RngError;

/// AWS-LC's generator: CTR_DRBG with AES-256 (NIST SP 800-90A rev. 1), seeded by the kernel.
///
/// It notices a fork of the process and, where the kernel tells, a resumed snapshot, and reseeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, out: &mut [u8]) -> Result<(), RngError> {
        #[expect(clippy::disallowed_methods, reason = "the one place that `Rng` stands for")]
        aws_lc_rs::rand::fill(out).map_err(|_| RngError)
    }
}

/// Draws `N` random bytes that are not secret (ids, nonces); secrets are drawn in place by
/// [`crate::SecretKey::generate`].
///
/// # Errors
/// [`RngError`] when the source fails.
pub fn array<const N: usize>(rng: &dyn Rng) -> Result<[u8; N], RngError> {
    let mut out = [0; N];
    rng.fill(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_differ() {
        let first: [u8; 16] = array(&SystemRng).unwrap();
        let second: [u8; 16] = array(&SystemRng).unwrap();
        assert_ne!(first, second);
    }
}
