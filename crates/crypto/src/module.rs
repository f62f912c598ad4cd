//! Which cryptographic module does the work, and whether it is the one that was validated.

use crate::ffi;

/// Whether this build is for AWS-LC's FIPS module (`docs/fips.md`).
pub const IS_FIPS_BUILD: bool = cfg!(feature = "fips");

/// What the FIPS module does without calling it an approved service; the server does it all the same.
///
/// secp256k1 is no curve of FIPS 186-5. Ed25519ph, and ECDSA and RSA over a digest that the caller made, are outside what the
/// module's service indicator approves.
pub const NOT_APPROVED: &[&str] = &[
    "ECC_SECG_P256K1",
    "ED25519_PH_SHA_512",
    "MessageType DIGEST",
    "RSAES_OAEP_SHA_1 for keys that were made elsewhere",
];

/// A build for the FIPS module found itself without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is a FIPS build, and AWS-LC does not run in FIPS mode")]
pub struct NotFips;

/// What the module calls itself, with its version.
#[must_use]
pub fn name() -> &'static str {
    ffi::module_name()
}

/// To be asked before the first key is touched: in a FIPS build, whether the module runs in FIPS mode, its self-tests passed.
///
/// # Errors
/// [`NotFips`] when it does not; never in other builds.
pub fn check() -> Result<(), NotFips> {
    match IS_FIPS_BUILD {
        true => aws_lc_rs::try_fips_mode().map_err(|_| NotFips),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_the_one_that_the_build_is_for() {
        assert_eq!(check(), Ok(()));
        assert!(name().contains("AWS-LC"), "{}", name());
        assert_eq!(name().contains("FIPS"), IS_FIPS_BUILD, "{}", name());
    }
}
