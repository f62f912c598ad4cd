//! Keys of every spec, for the tests of what they do.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crypto::{InvalidKeyMaterial, SystemRng, WorkingKey, key_material, key_specs};
use wire::enums::{KeySpec, KeyUsage};

/// Material of every spec that is built, made once: RSA is slow.
pub(crate) static MATERIALS: LazyLock<BTreeMap<KeySpec, Vec<u8>>> = LazyLock::new(|| {
    let built = KeySpec::ALL.iter().filter(|key_spec| key_specs::is_built(**key_spec));
    built
        .map(|key_spec| {
            let material = key_material::generate(*key_spec, &SystemRng).unwrap();
            (*key_spec, material.into_exposed())
        })
        .collect()
});

pub(crate) fn parse(
    key_spec: KeySpec,
    key_usage: KeyUsage,
) -> Result<WorkingKey, InvalidKeyMaterial> {
    WorkingKey::parse(key_spec, key_usage, MATERIALS.get(&key_spec).unwrap())
}

pub(crate) fn specs_for(key_usage: KeyUsage) -> impl Iterator<Item = KeySpec> {
    MATERIALS.keys().copied().filter(move |key_spec| {
        *key_spec != KeySpec::SymmetricDefault && key_specs::row(*key_spec).admits(key_usage)
    })
}

/// Another key of the spec.
pub(crate) fn other(key_spec: KeySpec, key_usage: KeyUsage) -> WorkingKey {
    let material = key_material::generate(key_spec, &SystemRng).unwrap();
    WorkingKey::parse(key_spec, key_usage, material.expose()).unwrap()
}
