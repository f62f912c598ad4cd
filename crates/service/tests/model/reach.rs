//! What random sequences reach, by the model alone: every operation goes on and is refused in every way that it can be, and time
//! does its work often enough.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::generate::{World, sequences};
use crate::rules::RotationType;
use crate::step::Step;

/// As many sequences as are run against the service.
const SEQUENCES_COUNT: u64 = 1_000;

/// How often each operation must go on in them.
const SUCCESSES_MIN: u32 = 20;

/// How often time must delete keys, rotate them, and let material expire.
const EVENTS_MIN: u32 = 50;

/// The refusals of each operation.
#[rustfmt::skip]
const REFUSALS: &[(&str, &[&str])] = &[
    ("CreateKey", &[]),
    ("EnableKey", &["KMSInvalidState", "NotFound", "AccessDenied"]),
    ("DisableKey", &["KMSInvalidState", "NotFound", "AccessDenied"]),
    ("UpdateKeyDescription", &["KMSInvalidState", "NotFound", "AccessDenied"]),
    ("ScheduleKeyDeletion", &["Validation", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("CancelKeyDeletion", &["KMSInvalidState", "NotFound", "AccessDenied"]),
    ("TagResource", &["KMSInvalidState", "NotFound", "AccessDenied"]),
    ("UntagResource", &["KMSInvalidState", "NotFound"]),
    ("CreateAlias", &["AlreadyExists", "NotAuthorized", "KMSInvalidState", "NotFound"]),
    ("UpdateAlias", &["NotAuthorized", "KMSInvalidState", "NotFound", "Validation"]),
    ("DeleteAlias", &["NotAuthorized", "NotFound"]),
    ("EnableKeyRotation", &["UnsupportedOperation", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("DisableKeyRotation", &["UnsupportedOperation", "Disabled", "KMSInvalidState", "NotFound"]),
    ("RotateKeyOnDemand", &["Conflict", "UnsupportedOperation", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("GetParametersForImport", &["KMSInvalidState", "AccessDenied"]),
    ("ImportKeyMaterial", &["ExpiredImportToken", "InvalidImportToken", "IncorrectKeyMaterial", "UnsupportedOperation",
                            "Validation", "KMSInvalidState", "AccessDenied"]),
    ("DeleteImportedKeyMaterial", &["KMSInvalidState", "NotFound", "AccessDenied"]),
    ("ReplicateKey", &["AlreadyExists", "UnsupportedOperation", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("UpdatePrimaryRegion", &["UnsupportedOperation", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("Encrypt", &["InvalidKeyUsage", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("GenerateDataKey", &["Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("GenerateMac", &["InvalidKeyUsage", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("Sign", &["InvalidKeyUsage", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("Decrypt", &["IncorrectKey", "Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]),
    ("ReEncrypt", &["InvalidKeyUsage", "Disabled", "KMSInvalidState", "AccessDenied"]),
];

#[test]
fn random_sequences_reach_every_answer() {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..SEQUENCES_COUNT {
        for what in reached(seed) {
            *counts.entry(what).or_default() += 1;
        }
    }
    println!("{counts:#?}");
    let count = |what: &str| counts.get(what).copied().unwrap_or_default();
    let mut missed = Vec::new();
    for (operation, refusals) in REFUSALS {
        if count(operation) < SUCCESSES_MIN {
            missed.push((*operation).to_owned());
        }
        let refusals = refusals.iter().map(|refusal| format!("{operation} {refusal}Exception"));
        missed.extend(refusals.filter(|what| count(what) == 0));
    }
    let events = ["deletion", "rotation", "expiry"].into_iter();
    missed.extend(events.filter(|event| count(event) < EVENTS_MIN).map(str::to_owned));
    assert!(missed.is_empty(), "too seldom: {missed:?}");
}

/// What happens in the sequence of a seed.
fn reached(seed: u64) -> Vec<String> {
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() };
    let tree = sequences(false).new_tree(&mut TestRunner::new(config)).unwrap();
    let (mut world, steps, _) = tree.current();
    let mut reached = Vec::new();
    for step in steps {
        let before = Weight::of(&world);
        world = world.take(&step);
        match step {
            Step::Call(call) => reached.push(match world.outcome {
                Ok(_) => call.operation.name(),
                Err(refusal) => format!("{} {refusal}", call.operation.name()),
            }),
            Step::Advance { .. } => reached.extend(before.events(&Weight::of(&world))),
            Step::Restart => {}
        }
    }
    reached
}

/// What time changes.
struct Weight {
    keys: usize,
    rotations: usize,
    imports: usize,
}

impl Weight {
    fn of(world: &World) -> Weight {
        let model = &world.model;
        let versions = model.keys.values().flat_map(|key| &key.versions);
        let imports = model.everywhere().flat_map(|at| model.place(at).imports.values());
        Weight {
            keys: model.everywhere().count(),
            rotations: versions
                .filter(|version| matches!(version.rotated, Some((RotationType::Automatic, _))))
                .count(),
            imports: imports.filter(|import| import.is_here).count(),
        }
    }

    fn events(&self, after: &Weight) -> Vec<String> {
        let events = [
            ("deletion", after.keys < self.keys),
            ("rotation", after.rotations > self.rotations),
            ("expiry", after.keys == self.keys && after.imports < self.imports),
        ];
        let happened = events.into_iter().filter(|(_, has_happened)| *has_happened);
        happened.map(|(event, _)| event.to_owned()).collect()
    }
}
