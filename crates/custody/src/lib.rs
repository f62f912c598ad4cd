//! Where key material lives: root and domain keys, wrapped material, locked memory.
//!
//! The hierarchy, top down: a root key ([`RootKey`]) wraps the domain keys of a [`Keyring`]; the
//! newest domain key wraps each version of a KMS key's material, bound to its [`MaterialIdentity`];
//! a [`Custodian`] unwraps material into a locked [`arena`] and runs the algorithms of `crypto`
//! with it. Plaintext key material exists nowhere else. The server's own secrets stand under
//! [`OwnedKey`]s, whose material is wrapped as that of KMS keys is. This crate knows neither policies nor rows;
//! whoever calls it has decided already.
//!
//! `custody` is an open set: hardware modules and external key stores will stand beside
//! [`SoftwareCustodian`].

pub mod arena;
mod authorization_messages;
mod custodian;
mod digest_keys;
mod error;
mod forward_access_tokens;
mod harden;
mod identity;
mod import_tokens;
mod keyring;
mod owned_keys;
mod root;
mod session_tokens;
mod software;
mod trail_states;
mod working_keys;
mod workshop;

pub use authorization_messages::AuthorizationMessages;
pub use custodian::{Custodial, Custodian, Message, WrappedMaterial};
pub use error::CustodyError;
pub use harden::harden_process;
pub use identity::{DeploymentId, MaterialIdentity};
pub use import_tokens::ImportToken;
pub use keyring::{DomainPurpose, Keyring, WrappedDomainKey};
pub use owned_keys::{
    InvalidOwnedKey, OWNED_KEY_VERSIONS_MAX, OpenedOwnedKeys, OwnedKey, OwnedKeyMaterial,
    WRAPPING_VERSIONS_START,
};
pub use root::{
    FileRootKey, InvalidProvider, InvalidShare, LockedRootKey, Offered, PASSPHRASE_BYTES_MAX,
    PASSPHRASE_BYTES_MIN, PassphraseParameters, RootHeader, RootKey, RootParameters, RootProvider,
    SHARES_KEPT, SHARES_MAX, Share, ShareParameters, THRESHOLD_MIN, Unsealing, passphrase_root_key,
    split_root_key,
};
pub use software::{ARENA_BYTES_DEFAULT, SoftwareCustodian};
pub use workshop::Workshop;
