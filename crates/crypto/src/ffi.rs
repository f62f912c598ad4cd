//! What AWS-LC can do and `aws-lc-rs` has no safe interface for.
//!
//! Ed25519ph, ML-DSA over a given mu, ML-KEM from its seed, and the checks of private keys that
//! come from outside. Everything else goes through `aws-lc-rs`, which is linked to the same library.
//!
//! Each pointer has one owner, which frees it when dropped. An `EVP_PKEY` is not changed after it
//! was made: AWS-LC (`openssl/evp.h`) then lets threads share it.
#![expect(
    unsafe_code,
    reason = "AWS-LC is called by its C interface here, where there is no other, and only here"
)]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use aws_lc_rs::error::Unspecified;
use aws_lc_sys as aws_lc;
use zeroize::Zeroizing;

use crate::{SecretBytes, ml_dsa};

/// Room for the `SubjectPublicKeyInfo` of an ML-KEM key, in bytes: that of ML-KEM-1024 has 1,590.
const PUBLIC_KEY_DER_BYTES_MAX: usize = 2048;

/// AWS-LC answers 1 for success; all else is a failure.
fn succeeded(answer: c_int) -> Result<(), Unspecified> {
    if answer == 1 { Ok(()) } else { Err(Unspecified) }
}

/// An `EVP_PKEY` with a private half.
pub(crate) struct PrivateKey(NonNull<aws_lc::EVP_PKEY>);

// SAFETY: an `EVP_PKEY` has no ties to the thread that made it, and its reference count is atomic.
// JUSTIFICATION: keys are parsed once and used by every thread.
unsafe impl Send for PrivateKey {}
// SAFETY: nothing here changes an `EVP_PKEY` after it was made, and AWS-LC allows concurrent calls
// that do not (`openssl/evp.h`, at `EVP_PKEY_new`).
// JUSTIFICATION: as for `Send`.
unsafe impl Sync for PrivateKey {}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        // SAFETY: the pointer came from AWS-LC, this value is its one owner, and it is not used
        // again. AWS-LC wipes the key.
        // JUSTIFICATION: AWS-LC's memory goes back to AWS-LC.
        unsafe { aws_lc::EVP_PKEY_free(self.0.as_ptr()) }
    }
}

impl PrivateKey {
    /// Takes over what a function of AWS-LC made, or the null that tells its failure.
    fn owned(key: *mut aws_lc::EVP_PKEY) -> Result<PrivateKey, Unspecified> {
        NonNull::new(key).map(PrivateKey).ok_or(Unspecified)
    }

    /// Reads a `PrivateKeyInfo` (RFC 5208) or `OneAsymmetricKey` (RFC 5958) that nothing follows.
    ///
    /// `aws-lc-rs` ignores what follows. The numbers of RSA and EC keys are checked as
    /// `RSA_check_key` and `EC_KEY_check_key` do.
    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<PrivateKey, Unspecified> {
        let mut input = MaybeUninit::uninit();
        // SAFETY: `CBS_init` initialises `input` to read the bytes, which outlive it; the parser
        // reads nothing else and copies what it keeps; `CBS_len` reads an initialised value.
        // JUSTIFICATION: no safe interface tells whether bytes were left over.
        let (key, bytes_left) = unsafe {
            aws_lc::CBS_init(input.as_mut_ptr(), bytes.as_ptr(), bytes.len());
            let key = aws_lc::EVP_parse_private_key(input.as_mut_ptr());
            (PrivateKey::owned(key)?, aws_lc::CBS_len(input.as_ptr()))
        };
        if bytes_left == 0 { Ok(key) } else { Err(Unspecified) }
    }

    /// Checks that it is an RSA key whose numbers belong together: `n = p q` with p and q prime and
    /// of half the length of n (FIPS 186-5, A.1.1), `e d = 1`, and the CRT parameters those of d.
    ///
    /// The two tests of primality take 64 rounds of Miller-Rabin each, as AWS-LC advises for numbers
    /// that others chose: a tenth of a second for 4,096 bits.
    pub(crate) fn check_rsa(&self) -> Result<(), Unspecified> {
        let (mut p, mut q) = (ptr::null(), ptr::null());
        // SAFETY: the key outlives `rsa`, `p` and `q`, which point into it; `rsa` is not null when it
        // is used; the factors are written to the two places given.
        // JUSTIFICATION: no safe interface shows the factors, and `aws-lc-rs` takes an RSA key that
        // has none (n, e and d alone).
        let bits = unsafe {
            let rsa = aws_lc::EVP_PKEY_get0_RSA(self.0.as_ptr());
            if rsa.is_null() {
                return Err(Unspecified);
            }
            succeeded(aws_lc::RSA_check_key(rsa))?;
            aws_lc::RSA_get0_factors(rsa, &raw mut p, &raw mut q);
            aws_lc::RSA_bits(rsa)
        };
        for factor in [p, q] {
            let mut is_prime = 0;
            if factor.is_null() {
                return Err(Unspecified);
            }
            // SAFETY: `factor` points into the key, which outlives the call; null stands for a
            // context of the function's own and for no callback.
            // JUSTIFICATION: as above.
            let factor_bits = unsafe {
                succeeded(aws_lc::BN_primality_test(
                    &raw mut is_prime,
                    factor,
                    aws_lc::BN_prime_checks_for_validation,
                    ptr::null_mut(),
                    1,
                    ptr::null_mut(),
                ))?;
                aws_lc::BN_num_bits(factor)
            };
            if is_prime != 1 || factor_bits * 2 != bits {
                return Err(Unspecified);
            }
        }
        Ok(())
    }
}

/// An `EVP_PKEY_CTX`: one operation, for one thread.
struct Operation(NonNull<aws_lc::EVP_PKEY_CTX>);

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: the pointer came from AWS-LC, this value is its one owner, and it is not used
        // again.
        // JUSTIFICATION: AWS-LC's memory goes back to AWS-LC.
        unsafe { aws_lc::EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

impl Operation {
    /// An operation with a key.
    fn with(key: &PrivateKey) -> Result<Operation, Unspecified> {
        // SAFETY: the key is alive, and the context takes a reference of its own to it, by its
        // atomic count; that is the one thing changed. No engine is named.
        // JUSTIFICATION: both uses of mu begin with a context.
        let context = unsafe { aws_lc::EVP_PKEY_CTX_new(key.0.as_ptr(), ptr::null_mut()) };
        NonNull::new(context).map(Operation).ok_or(Unspecified)
    }
}

/// A parameter set of ML-DSA, by AWS-LC's number.
#[derive(Clone, Copy)]
pub(crate) struct MlDsaParameters(c_int);

impl MlDsaParameters {
    pub(crate) const ML_DSA_44: MlDsaParameters = MlDsaParameters(aws_lc::NID_MLDSA44);
    pub(crate) const ML_DSA_65: MlDsaParameters = MlDsaParameters(aws_lc::NID_MLDSA65);
    pub(crate) const ML_DSA_87: MlDsaParameters = MlDsaParameters(aws_lc::NID_MLDSA87);
}

/// An ML-DSA key that signs and verifies a given mu (FIPS 204, algorithms 7 and 8 from their
/// second step on).
pub(crate) struct MlDsaKey(PrivateKey);

impl MlDsaKey {
    /// `ML-DSA.KeyGen_internal(xi)` (FIPS 204, algorithm 6).
    pub(crate) fn from_seed(
        parameters: MlDsaParameters,
        seed: &[u8; ml_dsa::SEED_BYTES],
    ) -> Result<MlDsaKey, Unspecified> {
        // SAFETY: the function reads the seed's bytes and copies them. A seed is told from an
        // expanded key by its length.
        // JUSTIFICATION: the safe key of the same seed signs no mu.
        let key = unsafe {
            aws_lc::EVP_PKEY_pqdsa_new_raw_private_key(parameters.0, seed.as_ptr(), seed.len())
        };
        PrivateKey::owned(key).map(MlDsaKey)
    }

    /// Writes a signature of mu and gives its length in bytes; fails when it does not fit.
    pub(crate) fn sign_mu(
        &self,
        mu: &[u8; 64],
        signature: &mut [u8],
    ) -> Result<usize, Unspecified> {
        let operation = Operation::with(&self.0)?;
        let mut bytes = signature.len();
        // SAFETY: `bytes` tells the room at `signature`, and is set to what was written; mu is read
        // for its length. The operation is alive, and this thread's.
        // JUSTIFICATION: no safe interface signs a mu.
        unsafe {
            succeeded(aws_lc::EVP_PKEY_sign_init(operation.0.as_ptr()))?;
            succeeded(aws_lc::EVP_PKEY_sign(
                operation.0.as_ptr(),
                signature.as_mut_ptr(),
                &raw mut bytes,
                mu.as_ptr(),
                mu.len(),
            ))?;
        }
        Ok(bytes)
    }

    /// Whether the signature is one of mu.
    pub(crate) fn verify_mu(&self, mu: &[u8; 64], signature: &[u8]) -> Result<bool, Unspecified> {
        let operation = Operation::with(&self.0)?;
        // SAFETY: signature and mu are read for their lengths. The operation is alive, and this
        // thread's.
        // JUSTIFICATION: no safe interface verifies a mu.
        let answer = unsafe {
            succeeded(aws_lc::EVP_PKEY_verify_init(operation.0.as_ptr()))?;
            aws_lc::EVP_PKEY_verify(
                operation.0.as_ptr(),
                signature.as_ptr(),
                signature.len(),
                mu.as_ptr(),
                mu.len(),
            )
        };
        Ok(answer == 1)
    }
}

/// An ML-KEM key.
pub(crate) struct MlKemKey(PrivateKey);

impl MlKemKey {
    /// Reads a `PrivateKeyInfo` of ML-KEM: `ML-KEM.KeyGen_internal(d, z)` (FIPS 203, algorithm 16)
    /// for the seed form (RFC 9935, section 6).
    ///
    /// `aws-lc-rs` makes ML-KEM keys at random or from their expanded form, never from the seed,
    /// which is what data key pairs and imports are written in.
    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<MlKemKey, Unspecified> {
        PrivateKey::from_pkcs8(bytes).map(MlKemKey)
    }

    /// `SubjectPublicKeyInfo` (RFC 9935, section 4).
    pub(crate) fn public_key_der(&self) -> Result<Vec<u8>, Unspecified> {
        let mut out = vec![0; PUBLIC_KEY_DER_BYTES_MAX];
        let mut bytes = 0;
        let mut output = MaybeUninit::uninit();
        // SAFETY: `CBB_init_fixed` initialises `output` to write into `out` up to its length, and
        // owns no memory then. The marshalling function writes to it and reads the key, which is
        // alive. `CBB_finish` may be given no place for the buffer's address when the buffer is
        // ours, and sets `bytes` to what was written.
        // JUSTIFICATION: `aws-lc-rs` encodes no ML-KEM keys.
        unsafe {
            succeeded(aws_lc::CBB_init_fixed(output.as_mut_ptr(), out.as_mut_ptr(), out.len()))?;
            succeeded(aws_lc::EVP_marshal_public_key(output.as_mut_ptr(), self.0.0.as_ptr()))?;
            succeeded(aws_lc::CBB_finish(output.as_mut_ptr(), ptr::null_mut(), &raw mut bytes))?;
        }
        out.truncate(bytes);
        Ok(out)
    }

    /// `dk`, the expanded decapsulation key.
    pub(crate) fn decapsulation_key(&self) -> Result<SecretBytes, Unspecified> {
        self.raw(aws_lc::EVP_PKEY_get_raw_private_key).map(SecretBytes::new)
    }

    /// `ek`, the encapsulation key.
    pub(crate) fn encapsulation_key(&self) -> Result<Vec<u8>, Unspecified> {
        self.raw(aws_lc::EVP_PKEY_get_raw_public_key)
    }

    fn raw(
        &self,
        get: unsafe extern "C" fn(*const aws_lc::EVP_PKEY, *mut u8, *mut usize) -> c_int,
    ) -> Result<Vec<u8>, Unspecified> {
        let mut bytes = 0;
        // SAFETY: the key is alive and only read; null asks for the length, which is set; the second
        // call writes at most `bytes` bytes to a vector of that length.
        // JUSTIFICATION: the safe types that do the work take expanded keys.
        unsafe {
            succeeded(get(self.0.0.as_ptr(), ptr::null_mut(), &raw mut bytes))?;
            let mut out = vec![0; bytes];
            succeeded(get(self.0.0.as_ptr(), out.as_mut_ptr(), &raw mut bytes))?;
            Ok(out)
        }
    }
}

/// Length of an Ed25519 signature, in bytes.
const ED25519_SIGNATURE_BYTES: usize = 64;

/// A key of Ed25519ph with the empty context (RFC 8032, 5.1, with `phflag` = 1).
pub(crate) struct Ed25519PhKey {
    /// The seed, and the public key after it: AWS-LC's form of a private key.
    private_key: Zeroizing<[u8; 64]>,
    public_key: [u8; 32],
}

impl Ed25519PhKey {
    /// The key of a seed (RFC 8032, 5.1.5).
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Ed25519PhKey {
        let mut key = Ed25519PhKey { private_key: Zeroizing::new([0; 64]), public_key: [0; 32] };
        // SAFETY: the function writes 32 and 64 bytes and reads 32: the lengths of the three arrays.
        // JUSTIFICATION: AWS-LC alone says what its form of a private key is.
        unsafe {
            aws_lc::ED25519_keypair_from_seed(
                key.public_key.as_mut_ptr(),
                key.private_key.as_mut_ptr(),
                seed.as_ptr(),
            );
        }
        key
    }

    /// Signs `PH(M)`, which is SHA-512 of M.
    pub(crate) fn sign(
        &self,
        message: &[u8],
    ) -> Result<[u8; ED25519_SIGNATURE_BYTES], Unspecified> {
        let mut signature = [0; ED25519_SIGNATURE_BYTES];
        // SAFETY: the function writes 64 bytes, reads the message for its length and 64 bytes of the
        // private key; an empty context may be null.
        // JUSTIFICATION: no safe interface has Ed25519ph.
        let answer = unsafe {
            aws_lc::ED25519ph_sign(
                signature.as_mut_ptr(),
                message.as_ptr(),
                message.len(),
                self.private_key.as_ptr(),
                ptr::null(),
                0,
            )
        };
        succeeded(answer).map(|()| signature)
    }

    /// Whether the signature is one of `PH(M)`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = <&[u8; ED25519_SIGNATURE_BYTES]>::try_from(signature) else {
            return false;
        };
        // SAFETY: the function reads the message for its length, 64 bytes of the signature and 32 of
        // the public key; an empty context may be null.
        // JUSTIFICATION: no safe interface has Ed25519ph.
        let answer = unsafe {
            aws_lc::ED25519ph_verify(
                message.as_ptr(),
                message.len(),
                signature.as_ptr(),
                self.public_key.as_ptr(),
                ptr::null(),
                0,
            )
        };
        answer == 1
    }
}
