//! A deployment with its root key in a directory of its own.
#![expect(unreachable_pub, reason = "shared by several test programs")]
#![allow(dead_code, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crypto::SystemRng;
use custody::{
    Custodial, CustodyError, DeploymentId, FileRootKey, Keyring, MaterialIdentity, OwnedKey,
    OwnedKeyMaterial, SoftwareCustodian, Workshop, WrappedDomainKey,
};
use jiff::Timestamp;
use tempfile::TempDir;
use wire::enums::{KeySpec, KeyUsage, OriginType};
use wire::names::{KeyId, KeyMaterialId, Partition};

pub const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([1; 16]);

pub struct Deployment {
    pub directory: TempDir,
    pub root: FileRootKey,
    pub stored: Vec<WrappedDomainKey>,
    pub owned_keys: Vec<OwnedKeyMaterial>,
    pub keyring: Arc<Keyring>,
}

impl Deployment {
    pub fn new() -> Deployment {
        let directory = tempfile::tempdir().unwrap();
        let root = FileRootKey::create(&directory.path().join("root-key"), &SystemRng).unwrap();
        let (keyring, stored) =
            Keyring::create(&root, DEPLOYMENT, Timestamp::UNIX_EPOCH, &SystemRng).unwrap();
        let owned_keys: Vec<_> =
            OwnedKey::ALL.into_iter().map(|owned_key| draw(&keyring, owned_key, 1)).collect();
        keyring.install_owned_keys(keyring.open_owned_keys(&owned_keys).unwrap());
        Deployment { directory, root, stored, owned_keys, keyring: Arc::new(keyring) }
    }

    pub fn root_key_file(&self) -> PathBuf {
        self.directory.path().join("root-key")
    }

    pub fn custodian(&self, arena_bytes: usize) -> SoftwareCustodian {
        SoftwareCustodian::new(
            Arc::clone(&self.keyring),
            Arc::new(SystemRng),
            arena_bytes,
            Arc::new(Workshop::start()),
        )
        .unwrap()
    }
}

/// A fresh version of an owned key.
pub fn draw(keyring: &Keyring, owned_key: OwnedKey, version: u32) -> OwnedKeyMaterial {
    let key_id = KeyId::from_uuid_bytes([3; 16]);
    keyring.draw_owned_key(owned_key, key_id, version, &SystemRng).unwrap()
}

/// The identity of the n-th key of one account.
pub fn identity(number: u16) -> MaterialIdentity {
    let mut key_id = [7; 16];
    let mut key_material_id = [7; 32];
    key_id[..2].copy_from_slice(&number.to_be_bytes());
    key_material_id[..2].copy_from_slice(&number.to_be_bytes());
    MaterialIdentity {
        deployment_id: DEPLOYMENT,
        partition: Partition::Aws,
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        key_id: KeyId::from_uuid_bytes(key_id),
        key_material_id: KeyMaterialId::from_bytes(key_material_id),
        key_spec: KeySpec::SymmetricDefault,
        key_usage: KeyUsage::EncryptDecrypt,
        origin: OriginType::AwsKms,
    }
}

/// Waits for a custodian whose answer may come from its workshop.
pub fn wait<T>(mut future: Custodial<'_, T>) -> Result<T, CustodyError> {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        std::thread::park();
    }
}

/// Waits for a custodian that answers at once.
pub fn call<T>(mut future: Custodial<'_, T>) -> Result<T, CustodyError> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("software custody never waits"),
    }
}
