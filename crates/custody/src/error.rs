//! Why custody refuses; the service decides what of it a caller may read.

use std::{io, path::PathBuf};

use crypto::{CryptoError, InvalidCiphertext, InvalidKeyMaterial, InvalidPublicKey};
use wire::enums::KeySpec;
use wire::names::{KeyId, KeyMaterialId};

use crate::arena::ArenaError;
use crate::{DomainPurpose, InvalidShare, RootProvider};

/// Why an operation of this crate failed. The texts are the operator's.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// The caller's ciphertext, context or key does not fit. Nothing is wrong here.
    #[error("the ciphertext is invalid")]
    InvalidCiphertext,
    /// Stored material does not open as the material of this identity: its row was altered, swapped
    /// or copied.
    #[error(
        "the stored material {key_material_id} of key {key_id} does not open under domain key \
         {domain_key_version}: its row was altered, or is another key's"
    )]
    MaterialRefused {
        /// The key whose material was asked for.
        key_id: KeyId,
        /// The version of its material.
        key_material_id: KeyMaterialId,
        /// The domain key that the row names.
        domain_key_version: u32,
    },
    /// New material did not decrypt through its wrapped form what it had encrypted; it was thrown
    /// away.
    #[error("new key material failed its test encryption and was thrown away")]
    SelfTestFailed,
    /// A peer's public key is not one on the key's curve.
    #[error("the public key is not one on the key's curve")]
    InvalidPublicKey,
    /// Bytes to be imported are not key material of the spec.
    #[error("the bytes are not key material of the key's spec")]
    InvalidKeyMaterial,
    /// An import token was not made by this deployment for this key.
    #[error("the import token was not made by this deployment for this key")]
    InvalidImportToken,
    /// A stored key for digest files does not open: its row was altered, or is another deployment's.
    #[error(
        "the stored key for digest files does not open: its row was altered, or is another deployment's"
    )]
    DigestKeyRefused,
    /// The key cannot do what it was asked: the caller did not check its spec and usage, or another build made it.
    #[error("this build cannot do this with a key of spec {key_spec}")]
    NotCapable {
        /// The spec of the key.
        key_spec: KeySpec,
    },
    /// More slow work is waiting than is let wait.
    #[error("too much slow work with keys is waiting already")]
    Busy,
    /// A row names a domain key that the keyring does not have.
    #[error("there is no {purpose} domain key of version {version}")]
    UnknownDomainKey {
        /// What the key is for.
        purpose: DomainPurpose,
        /// The version named.
        version: u32,
    },
    /// A secret names a version of an AWS owned key that is not there, or none is there yet.
    #[error("the AWS owned key {name} has no version under the number {wrapping_version}")]
    UnknownOwnedKeyVersion {
        /// The name of the owned key.
        name: &'static str,
        /// The number.
        wrapping_version: u32,
    },
    /// A domain key does not open under the root key.
    #[error(
        "the root key does not open the {purpose} domain key of version {version}: this root key \
         belongs to another deployment, or the stored domain key was altered"
    )]
    WrongRootKey {
        /// What the domain key is for.
        purpose: DomainPurpose,
        /// Its version.
        version: u32,
    },
    /// The stored domain keys are not a whole keyring.
    #[error(
        "the stored {purpose} domain keys are not a line of versions: none is there, or one twice"
    )]
    DomainKeysIncomplete {
        /// The purpose without a key, or with two of one version.
        purpose: DomainPurpose,
    },
    /// The root key does not open what it is given: another root key, another identity or altered
    /// bytes.
    #[error("the root key does not open this")]
    RootKeyRefused,
    /// The stored parameters of the root key are not in the form, or within the bounds, of their provider.
    #[error(
        "the stored header of the root key has no parameters that the provider {provider} takes: it was altered"
    )]
    RootHeader {
        /// The provider that the header names.
        provider: RootProvider,
    },
    /// A passphrase is empty or too long.
    #[error("a passphrase has 1 to 1024 bytes")]
    PassphraseLength,
    /// A passphrase could not be hashed.
    #[error("the passphrase could not be hashed: is there memory enough?")]
    PassphraseHash,
    /// Numbers of shares that make no sharing.
    #[error("a root key has 2 to 16 shares, of which at least 2 are needed")]
    ShareCounts,
    /// A text is no share.
    #[error(transparent)]
    InvalidShare(#[from] InvalidShare),
    /// A share is one of another root key.
    #[error(
        "this share is not one of this root key: it is of another deployment, or from before a rotation"
    )]
    ForeignShare,
    /// What was given makes another root key than the deployment's.
    #[error(
        "this is not the root key: the passphrase, or a share among those given, is wrong; all shares are forgotten"
    )]
    WrongSecret,
    /// A share with this number was given already.
    #[error("a share with this number was given already")]
    RepeatedShare,
    /// The root key's file cannot be used as it is.
    #[error("root key file {}: {why}", path.display())]
    RootKeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        why: &'static str,
    },
    /// The root key's file could not be read or written.
    #[error("root key file {}", path.display())]
    RootKeyIo {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// Locked memory could not be had, or is full.
    #[error(transparent)]
    Arena(#[from] ArenaError),
    /// Locked memory is full, so that no new key can be made.
    #[error("no locked memory is left for a new key")]
    ArenaFull,
    /// The process could not be hardened.
    #[error("the process could not be hardened: {step}")]
    Harden {
        /// The system call that failed.
        step: &'static str,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// The cryptographic module or the source of randomness failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<InvalidCiphertext> for CustodyError {
    fn from(_: InvalidCiphertext) -> CustodyError {
        CustodyError::InvalidCiphertext
    }
}

impl From<InvalidKeyMaterial> for CustodyError {
    fn from(_: InvalidKeyMaterial) -> CustodyError {
        CustodyError::InvalidKeyMaterial
    }
}

impl From<InvalidPublicKey> for CustodyError {
    fn from(_: InvalidPublicKey) -> CustodyError {
        CustodyError::InvalidPublicKey
    }
}

impl From<crypto::RngError> for CustodyError {
    fn from(error: crypto::RngError) -> CustodyError {
        CustodyError::Crypto(error.into())
    }
}
