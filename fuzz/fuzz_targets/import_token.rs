//! Import tokens and what is wrapped for them: whatever was not sealed here for this key is refused, and no wrapped material
//! does harm.
#![no_main]

use std::sync::LazyLock;

use crypto::SystemRng;
use crypto::import_wrapping::UnwrappingKey;
use custody::{DeploymentId, FileRootKey, ImportToken, Keyring};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use wire::enums::{WrappingAlgorithm, WrappingKeySpec};
use wire::names::KeyArn;

struct World {
    keyring: Keyring,
    key: KeyArn,
    sealed: Vec<u8>,
    token: ImportToken,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let root =
        FileRootKey::create(&directory.path().join("root-key"), &SystemRng).expect("a root key");
    let deployment = DeploymentId::from_bytes([1; 16]);
    let (keyring, _) =
        Keyring::create(&root, deployment, Timestamp::UNIX_EPOCH, &SystemRng).expect("a keyring");
    let key = KeyArn {
        region: "us-east-1".parse().expect("a Region"),
        account: "111122223333".parse().expect("an account"),
        key_id: "1234abcd-12ab-34cd-56ef-1234567890ab".parse().expect("a key id"),
    };
    let token = ImportToken {
        unwrapping_key: UnwrappingKey::generate(WrappingKeySpec::Rsa2048, &SystemRng)
            .expect("a key"),
        wrapping_algorithm: WrappingAlgorithm::RsaAesKeyWrapSha256,
        expiry: Timestamp::UNIX_EPOCH,
    };
    let sealed = keyring.seal_import_token(&key, &token).expect("a token");
    World { keyring, key, sealed, token }
});

fuzz_target!(|input: &[u8]| {
    let Some((part, rest)) = input.split_first() else { return };
    let world = &*WORLD;
    match part % 3 {
        // Bytes of a stranger.
        0 => assert!(
            world.keyring.open_import_token(&world.key, rest).is_err() || rest == world.sealed
        ),
        // A token of ours, changed.
        1 => {
            let mut changed = world.sealed.clone();
            for (place, byte) in changed.iter_mut().zip(rest) {
                *place ^= byte;
            }
            let opened = world.keyring.open_import_token(&world.key, &changed);
            assert_eq!(opened.is_ok(), changed == world.sealed);
        }
        // Material that nobody wrapped.
        _ => {
            for algorithm in WrappingAlgorithm::ALL {
                drop(world.token.unwrapping_key.unwrap(*algorithm, rest));
            }
        }
    }
});
