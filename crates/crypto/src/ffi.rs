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

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

#[cfg(feature = "fips")]
use aws_lc_fips_sys as aws_lc;
use aws_lc_rs::error::Unspecified;
#[cfg(not(feature = "fips"))]
use aws_lc_sys as aws_lc;
use zeroize::Zeroizing;

use crate::SecretBytes;
use crate::ed25519::PUBLIC_KEY_BYTES;

/// AWS-LC answers 1 for success; all else is a failure.
fn succeeded(answer: c_int) -> Result<(), Unspecified> {
    if answer == 1 { Ok(()) } else { Err(Unspecified) }
}

/// What AWS-LC calls itself, with its version.
pub(crate) fn module_name() -> &'static str {
    // SAFETY: 0 is `OPENSSL_VERSION`; the function answers a string constant of the library, which ends in a zero and is never freed.
    // JUSTIFICATION: only the library knows which of its versions is linked.
    let name = unsafe { CStr::from_ptr(aws_lc::OpenSSL_version(0)) };
    name.to_str().unwrap_or_default()
}

/// How many approved services of the FIPS module this thread has had (`openssl/service_indicator.h`).
#[cfg(all(test, feature = "fips"))]
pub(crate) fn approved_services() -> u64 {
    // SAFETY: the function reads a counter of the calling thread.
    // JUSTIFICATION: `aws-lc-rs` keeps the indicator to itself.
    unsafe { aws_lc::FIPS_service_indicator_after_call() }
}

/// An `EVP_PKEY`: a private key, or a public one.
pub(crate) struct Key(NonNull<aws_lc::EVP_PKEY>);

// SAFETY: an `EVP_PKEY` has no ties to the thread that made it, and its reference count is atomic.
// JUSTIFICATION: keys are parsed once and used by every thread.
unsafe impl Send for Key {}
// SAFETY: nothing here changes an `EVP_PKEY` after it was made, and AWS-LC allows concurrent calls
// that do not (`openssl/evp.h`, at `EVP_PKEY_new`).
// JUSTIFICATION: as for `Send`.
unsafe impl Sync for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the pointer came from AWS-LC, this value is its one owner, and it is not used
        // again. AWS-LC wipes the key.
        // JUSTIFICATION: AWS-LC's memory goes back to AWS-LC.
        unsafe { aws_lc::EVP_PKEY_free(self.0.as_ptr()) }
    }
}

impl Key {
    /// Takes over what a function of AWS-LC made, or the null that tells its failure.
    fn owned(key: *mut aws_lc::EVP_PKEY) -> Result<Key, Unspecified> {
        NonNull::new(key).map(Key).ok_or(Unspecified)
    }

    /// Reads a `PrivateKeyInfo` (RFC 5208) or `OneAsymmetricKey` (RFC 5958) that nothing follows.
    ///
    /// The numbers of RSA and EC keys are checked as `RSA_check_key` and `EC_KEY_check_key` do.
    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<Key, Unspecified> {
        Key::parse(bytes, aws_lc::EVP_parse_private_key)
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280) that nothing follows.
    fn from_public_key_der(bytes: &[u8]) -> Result<Key, Unspecified> {
        Key::parse(bytes, aws_lc::EVP_parse_public_key)
    }

    fn parse(
        bytes: &[u8],
        parser: unsafe extern "C" fn(*mut aws_lc::CBS) -> *mut aws_lc::EVP_PKEY,
    ) -> Result<Key, Unspecified> {
        let mut input = MaybeUninit::uninit();
        // SAFETY: `CBS_init` initialises `input` to read the bytes, which outlive it. Both callers
        // give a parser, which reads nothing else and copies what it keeps. `CBS_len` reads an
        // initialised value.
        // JUSTIFICATION: no safe interface tells whether bytes were left over, or reads the keys
        // below.
        let (key, bytes_left) = unsafe {
            aws_lc::CBS_init(input.as_mut_ptr(), bytes.as_ptr(), bytes.len());
            let key = parser(input.as_mut_ptr());
            (Key::owned(key)?, aws_lc::CBS_len(input.as_ptr()))
        };
        if bytes_left == 0 { Ok(key) } else { Err(Unspecified) }
    }

    /// Checks that it is an RSA key whose numbers belong together: `n = p q` with p and q prime and
    /// of half the length of n (FIPS 186-5, A.1.1), `e d = 1`, and the CRT parameters those of d.
    ///
    /// The two tests of primality take 64 rounds of Miller-Rabin each, as AWS-LC advises for numbers
    /// that others chose. The caller bounds the size first.
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

    /// Checks that it is an EC key whose curve was given by name (RFC 5480, 2.1.1), not by its
    /// parameters.
    pub(crate) fn check_named_curve(&self) -> Result<(), Unspecified> {
        // SAFETY: the key outlives `ec_key`, which points into it and is not null when it is used;
        // both functions only read.
        // JUSTIFICATION: `aws-lc-rs` takes both, and does not tell which it was.
        let is_explicit = unsafe {
            let ec_key = aws_lc::EVP_PKEY_get0_EC_KEY(self.0.as_ptr());
            if ec_key.is_null() {
                return Err(Unspecified);
            }
            aws_lc::EC_KEY_decoded_from_explicit_params(ec_key)
        };
        if is_explicit == 0 { Ok(()) } else { Err(Unspecified) }
    }

    /// One half of the key in the encoding of its own standard.
    fn raw(
        &self,
        get: unsafe extern "C" fn(*const aws_lc::EVP_PKEY, *mut u8, *mut usize) -> c_int,
    ) -> Result<Vec<u8>, Unspecified> {
        let mut bytes = 0;
        // SAFETY: the key is alive and only read; null asks for the length, which is set; the second
        // call writes at most `bytes` bytes to a vector of that length.
        // JUSTIFICATION: the safe types that do the work take expanded keys.
        unsafe {
            succeeded(get(self.0.as_ptr(), ptr::null_mut(), &raw mut bytes))?;
            let mut out = vec![0; bytes];
            succeeded(get(self.0.as_ptr(), out.as_mut_ptr(), &raw mut bytes))?;
            Ok(out)
        }
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
    fn with(key: &Key) -> Result<Operation, Unspecified> {
        // SAFETY: the key is alive, and the context takes a reference of its own to it, by its
        // atomic count; that is the one thing changed. No engine is named.
        // JUSTIFICATION: both uses of mu begin with a context.
        let context = unsafe { aws_lc::EVP_PKEY_CTX_new(key.0.as_ptr(), ptr::null_mut()) };
        NonNull::new(context).map(Operation).ok_or(Unspecified)
    }

    /// An operation that makes a key of a kind.
    fn of_kind(kind: c_int) -> Result<Operation, Unspecified> {
        // SAFETY: the function reads nothing of ours. No engine is named.
        // JUSTIFICATION: making a key of a seed begins with a context.
        let context = unsafe { aws_lc::EVP_PKEY_CTX_new_id(kind, ptr::null_mut()) };
        NonNull::new(context).map(Operation).ok_or(Unspecified)
    }
}

/// An ML-DSA key that works with a given mu (FIPS 204, algorithms 7 and 8 with the message
/// representative computed outside).
pub(crate) struct MlDsaKey(Key);

impl MlDsaKey {
    /// Reads a private key of ML-DSA as `aws-lc-rs` writes it.
    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<MlDsaKey, Unspecified> {
        Key::from_pkcs8(bytes).map(MlDsaKey)
    }

    /// Reads a public key of ML-DSA, which only verifies.
    pub(crate) fn from_public_key_der(bytes: &[u8]) -> Result<MlDsaKey, Unspecified> {
        Key::from_public_key_der(bytes).map(MlDsaKey)
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

/// A parameter set of ML-KEM, by its number in AWS-LC.
#[derive(Clone, Copy)]
pub(crate) struct MlKemParameterSet(c_int);

impl MlKemParameterSet {
    pub(crate) const ML_KEM_512: MlKemParameterSet = MlKemParameterSet(aws_lc::NID_MLKEM512);
    pub(crate) const ML_KEM_768: MlKemParameterSet = MlKemParameterSet(aws_lc::NID_MLKEM768);
    pub(crate) const ML_KEM_1024: MlKemParameterSet = MlKemParameterSet(aws_lc::NID_MLKEM1024);
}

/// Both halves of an ML-KEM key, as FIPS 203 encodes them.
pub(crate) struct MlKemKeys {
    /// `ek`.
    pub(crate) encapsulation_key: Vec<u8>,
    /// `dk`, expanded.
    pub(crate) decapsulation_key: SecretBytes,
}

/// `(ek, dk) = ML-KEM.KeyGen_internal(d, z)` (FIPS 203, algorithm 16), of the seed d || z.
///
/// `aws-lc-rs` makes ML-KEM keys at random or from their expanded form, never from the seed, which
/// is what data key pairs and imports are written in. Of AWS-LC's FIPS module this is the one
/// function that takes a seed: its parser of `PrivateKeyInfo` knows no ML-KEM.
pub(crate) fn ml_kem_keys_of_seed(
    parameter_set: MlKemParameterSet,
    seed: &[u8; 64],
) -> Result<MlKemKeys, Unspecified> {
    let operation = Operation::of_kind(aws_lc::EVP_PKEY_KEM)?;
    let mut seed_bytes = seed.len();
    let mut key = ptr::null_mut();
    // SAFETY: the operation is alive, and this thread's. `seed_bytes` tells the length of the seed,
    // which is only read. A null key is replaced by a fresh one, or stays null.
    // JUSTIFICATION: no safe interface makes a key of a seed.
    let key = unsafe {
        succeeded(aws_lc::EVP_PKEY_CTX_kem_set_params(operation.0.as_ptr(), parameter_set.0))?;
        succeeded(aws_lc::EVP_PKEY_keygen_init(operation.0.as_ptr()))?;
        succeeded(aws_lc::EVP_PKEY_keygen_deterministic(
            operation.0.as_ptr(),
            &raw mut key,
            seed.as_ptr(),
            &raw mut seed_bytes,
        ))?;
        Key::owned(key)?
    };
    Ok(MlKemKeys {
        encapsulation_key: key.raw(aws_lc::EVP_PKEY_get_raw_public_key)?,
        decapsulation_key: SecretBytes::new(key.raw(aws_lc::EVP_PKEY_get_raw_private_key)?),
    })
}

/// Length of an Ed25519 signature, in bytes.
const ED25519_SIGNATURE_BYTES: usize = 64;

/// A private key of Ed25519ph with the empty context (RFC 8032, 5.1, with `phflag` = 1): in AWS-LC's
/// form, the seed and the public key after it.
pub(crate) struct Ed25519PhKey(Box<Zeroizing<[u8; 64]>>);

impl Ed25519PhKey {
    /// The key of a seed (RFC 8032, 5.1.5).
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Ed25519PhKey {
        let mut public_key = [0; PUBLIC_KEY_BYTES];
        // It is written where it stays: a key that is returned by value leaves copies on the stack.
        let mut key = Ed25519PhKey(Box::new(Zeroizing::new([0; 64])));
        // SAFETY: the function writes 32 and 64 bytes and reads 32: the lengths of the three arrays.
        // JUSTIFICATION: AWS-LC alone says what its form of a private key is.
        unsafe {
            aws_lc::ED25519_keypair_from_seed(
                public_key.as_mut_ptr(),
                key.0.as_mut_ptr(),
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
                self.0.as_ptr(),
                ptr::null(),
                0,
            )
        };
        succeeded(answer).map(|()| signature)
    }
}

/// Whether the signature is one of `PH(M)` by Ed25519ph with the empty context.
pub(crate) fn ed25519ph_verify(
    public_key: &[u8; PUBLIC_KEY_BYTES],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(signature) = <&[u8; ED25519_SIGNATURE_BYTES]>::try_from(signature) else {
        return false;
    };
    // SAFETY: the function reads the message for its length, 64 bytes of the signature and 32 of the
    // public key; an empty context may be null.
    // JUSTIFICATION: no safe interface has Ed25519ph.
    let answer = unsafe {
        aws_lc::ED25519ph_verify(
            message.as_ptr(),
            message.len(),
            signature.as_ptr(),
            public_key.as_ptr(),
            ptr::null(),
            0,
        )
    };
    answer == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let bytes = text
            .as_bytes()
            .chunks_exact(2)
            .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
        bytes.collect::<Vec<u8>>().try_into().unwrap()
    }

    #[test]
    fn ed25519ph_signs_as_rfc_8032_section_7_3_does() {
        let key = Ed25519PhKey::from_seed(&hex(
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        ));
        let public_key = hex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf");
        let signature: [u8; 64] = hex(concat!(
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41",
            "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
        ));
        assert_eq!(key.sign(b"abc").unwrap(), signature);
        assert!(ed25519ph_verify(&public_key, b"abc", &signature));
        assert!(!ed25519ph_verify(&public_key, b"abd", &signature));
        assert!(!ed25519ph_verify(&public_key, b"abc", &signature[..63]));
    }

    /// Figures of ACVP, whose source `tests/keys/acvp.rs` names: the messages have 128 bytes, which only this function takes.
    #[test]
    fn ed25519ph_verifies_as_acvp_says() {
        let read = include_str!("../tests/vectors/acvp.json");
        let read: serde_json::Value = serde_json::from_str(read).unwrap();
        let vectors = read["ed25519ph_signature_verification"].as_array().unwrap();
        assert_eq!(vectors.len(), 5);
        for vector in vectors {
            let text = |member: &str| vector[member].as_str().unwrap();
            let message: [u8; 128] = hex(text("message"));
            let signature: [u8; 64] = hex(text("signature"));
            let verified = ed25519ph_verify(&hex(text("q")), &message, &signature);
            assert_eq!(verified, vector["test_passed"].as_bool().unwrap(), "{}", vector["tc_id"]);
            let signed = Ed25519PhKey::from_seed(&hex(text("d"))).sign(&message).unwrap();
            assert_eq!(signed == signature, verified, "{}", vector["tc_id"]);
        }
    }

    #[test]
    fn what_follows_a_key_is_refused() {
        // RFC 8410, 10.3.
        let mut bytes = hex::<48>(concat!(
            "302e020100300506032b657004220420",
            "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
        ))
        .to_vec();
        assert!(Key::from_pkcs8(&bytes).is_ok());
        assert!(Key::from_pkcs8(&bytes).unwrap().check_rsa().is_err());
        bytes.push(0);
        assert!(Key::from_pkcs8(&bytes).is_err());
        assert!(Key::from_pkcs8(&[]).is_err());
    }
}
