//! Sequences: which steps follow each other, and how often.
//!
//! Steps are drawn at random, and mostly kept only if the model lets them go on, so that keys get far; every seventh is meant
//! to be refused. Most steps stay with the key of the step before.

use std::fmt::{self, Debug};

use proptest::prelude::*;
use proptest::test_runner::TestRng;
use proptest_state_machine::Sequential;

use crate::answers::DRIFT_SECONDS_MAX;
use crate::names::{Account, AliasName, KeyName, Material, Product, Region};
use crate::rules::{At, DAY, Key, MINUTE, Model, Outcome, Seconds, Version};
use crate::step::{
    AliasVerb, Call, CreateKey, ImportKeyMaterial, ImportType, KeyId, KeySpec, MakeVerb, Operation,
    Origin, Step, Verb,
};
use crate::wrapping::MATERIALS_COUNT;

/// Keys of a sequence.
const KEYS_MAX: u8 = 5;

/// Steps of a sequence.
const STEPS: std::ops::RangeInclusive<usize> = 10..=40;

/// Kinds of steps that are tried until one has a step that goes on, or is refused, as wished.
const FAMILIES_MAX: usize = 3;

/// Draws from one kind.
const DRAWS_MAX: usize = 8;

/// What is known while a sequence is drawn and checked.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) model: Model,
    /// What the last step must answer.
    pub(crate) outcome: Outcome,
    theme: Theme,
    keys_max: u8,
    /// The key of the last step.
    focus: KeyName,
    /// What the last step was made for, and how often that comes next, in percent.
    follow_up: Option<(Family, u32)>,
}

/// Kinds of steps.
#[derive(Clone, Copy)]
enum Family {
    Advancing,
    Waiting,
    Restarting,
    Creating,
    Importing,
    Relating,
    Rotating,
    Naming,
    Switching,
    Using,
}

/// How often each kind comes: in sequences of any keys, and in those of imported multi-Region keys.
const FAMILIES: [(Family, usize, usize); 10] = [
    (Family::Advancing, 9, 8),
    (Family::Waiting, 3, 6),
    (Family::Restarting, 2, 2),
    (Family::Creating, 12, 4),
    (Family::Importing, 8, 32),
    (Family::Relating, 13, 20),
    (Family::Rotating, 17, 16),
    (Family::Naming, 10, 0),
    (Family::Switching, 12, 10),
    (Family::Using, 14, 8),
];

/// Which keys a sequence makes. Those with the most rules go deeper when they have a sequence for themselves.
#[derive(Clone, Copy, Debug)]
enum Theme {
    Any,
    ImportedMultiRegion,
}

/// A strategy for sequences.
pub(crate) type Sequences = Sequential<World, Step, BoxedStrategy<World>, BoxedStrategy<Step>>;

/// All sequences, for a server that does by itself what is to be done after each call or not.
pub(crate) fn sequences(settles_after_each_call: bool) -> Sequences {
    Sequential::new(
        STEPS.into(),
        move || {
            let any = (1..=KEYS_MAX).prop_map(|keys_max| (Theme::Any, keys_max));
            let imported = Just((Theme::ImportedMultiRegion, 1));
            prop_oneof![2 => any, 1 => imported]
                .prop_map(move |(theme, keys_max)| {
                    World::new(settles_after_each_call, theme, keys_max)
                })
                .no_shrink()
                .boxed()
        },
        World::allows,
        |world| Just(world.clone()).prop_perturb(|world, mut rng| world.draw(&mut rng)).boxed(),
        World::take,
    )
}

impl World {
    fn new(settles_after_each_call: bool, theme: Theme, keys_max: u8) -> World {
        World {
            model: Model::new(settles_after_each_call),
            outcome: Ok(crate::rules::Answer::Empty),
            theme,
            keys_max,
            focus: KeyName(0),
            follow_up: None,
        }
    }

    /// The world after a step.
    pub(crate) fn take(mut self, step: &Step) -> World {
        self.outcome = self.model.take(step);
        if let Step::Call(Call { operation, .. }) = step
            && let Some(key) = operation.key()
        {
            self.focus = key;
        }
        self.follow_up = follow_up(step).filter(|_| self.outcome.is_ok());
        self
    }

    /// Whether a step can be taken at all: it names only what is there, by names that are new where new things are made, and
    /// no date lies so near that it depends on the time that calls take.
    fn allows(&self, step: &Step) -> bool {
        let model = &self.model;
        match step {
            Step::Advance { seconds } => {
                let then = model.now + seconds;
                let too_near = then + 1..=then + DRIFT_SECONDS_MAX;
                !model.dates().iter().any(|date| too_near.contains(date))
            }
            Step::Restart => true,
            Step::Call(call) => call.operation.is_possible(model),
        }
    }

    /// Whether each of the steps can be taken after those before it.
    pub(crate) fn allows_all(&self, steps: &[Step]) -> bool {
        let mut world = self.clone();
        steps.iter().all(|step| {
            let is_allowed = world.allows(step);
            if is_allowed {
                world = world.clone().take(step);
            }
            is_allowed
        })
    }

    /// A step of some family that goes on, or is refused, as wished.
    fn draw(&self, rng: &mut TestRng) -> Step {
        let goes_on = !rng.random_ratio(1, 7);
        let mut step = Step::Restart;
        for _ in 0..FAMILIES_MAX {
            let family = self.family(rng);
            for _ in 0..DRAWS_MAX {
                step = self.draw_of(family, rng);
                if self.allows(&step) && self.model.clone().take(&step).is_ok() == goes_on {
                    return step;
                }
            }
        }
        step
    }

    fn family(&self, rng: &mut TestRng) -> Family {
        let has_room = self.model.keys.len() < usize::from(self.keys_max);
        let has = |is_meant: fn(&Key) -> bool| self.model.keys.values().any(is_meant);
        match self.follow_up {
            _ if self.model.keys.is_empty() => return Family::Creating,
            Some((family, percent)) if rng.random_ratio(percent, 100) => return family,
            Some(_) | None => {}
        }
        let is_possible = |family: Family| match family {
            Family::Creating => has_room,
            Family::Importing => has(can_be_imported),
            Family::Relating => has(can_be_related),
            Family::Rotating => has(can_be_rotated),
            Family::Advancing
            | Family::Waiting
            | Family::Restarting
            | Family::Naming
            | Family::Switching
            | Family::Using => true,
        };
        let weights = FAMILIES.iter().filter(|(family, ..)| is_possible(*family));
        let weights: Vec<Family> = weights
            .flat_map(|(family, any, imported)| {
                let weight = match self.theme {
                    Theme::Any => *any,
                    Theme::ImportedMultiRegion => *imported,
                };
                std::iter::repeat_n(*family, weight)
            })
            .collect();
        pick(rng, &weights)
    }

    fn draw_of(&self, family: Family, rng: &mut TestRng) -> Step {
        match family {
            Family::Advancing => self.advance(rng),
            Family::Waiting => Step::Advance { seconds: pick(rng, &[MINUTE, 20 * MINUTE]) },
            Family::Restarting => Step::Restart,
            Family::Creating => self.create_key(rng),
            Family::Importing => self.import(rng),
            Family::Relating => self.of_key(rng, can_be_related, relating),
            Family::Rotating => self.of_key(rng, can_be_rotated, rotating),
            Family::Naming => self.of_key(rng, is_alive, naming),
            Family::Switching => self.of_key(rng, is_alive, switching),
            Family::Using => self.of_key(rng, is_alive, using),
        }
    }

    fn create_key(&self, rng: &mut TestRng) -> Step {
        let symmetric = KeySpec::SymmetricDefault;
        let key_specs = [symmetric, symmetric, symmetric, KeySpec::Hmac256, KeySpec::EccNistP256];
        let key = KeyName(u8::try_from(self.model.keys.len()).unwrap_or(u8::MAX));
        let create = match self.theme {
            Theme::Any => CreateKey {
                key,
                key_spec: pick(rng, &key_specs),
                origin: if rng.random_ratio(1, 4) { Origin::External } else { Origin::AwsKms },
                multi_region: rng.random_ratio(2, 3),
            },
            Theme::ImportedMultiRegion => {
                CreateKey { key, key_spec: symmetric, origin: Origin::External, multi_region: true }
            }
        };
        let by = if rng.random_ratio(1, 8) { Account::Second } else { Account::First };
        let operation = Operation::CreateKey(create);
        Step::Call(Call { by, region: pick(rng, &Region::ALL), operation })
    }

    /// A step with a key that it is meant for, mostly by its owner, where the key is, and with the key of the step before.
    fn of_key(
        &self,
        rng: &mut TestRng,
        is_meant: fn(&Key) -> bool,
        draw: impl FnOnce(&World, &mut TestRng, At) -> Operation,
    ) -> Step {
        let name = self.any_key(rng, is_meant);
        let key = self.model.key(name);
        let regions: Vec<Region> = key.places.keys().copied().collect();
        let region = match rng.random_range(0..30_u8) {
            0 => pick(rng, &Region::ALL),
            1..10 => key.primary,
            _ if regions.is_empty() => key.primary,
            _ => pick(rng, &regions),
        };
        let by = if rng.random_ratio(1, 30) { pick(rng, &Account::ALL) } else { key.account };
        let operation = draw(self, rng, At { key: name, region });
        Step::Call(Call { by, region, operation })
    }

    /// Importing, deleting what was imported, and asking for what imports need. That is asked for once and used for as long as
    /// it is good: an RSA key is dear.
    fn import(&self, rng: &mut TestRng) -> Step {
        let model = &self.model;
        let at = self.any_import(rng);
        let tokens: Vec<At> = model.tokens.keys().copied().collect();
        let is_good = model.tokens.get(&at).is_some_and(|valid_to| *valid_to > model.now);
        let key = at.key;
        let operation = match rng.random_range(0..30_u8) {
            0..3 => {
                let bytes = self.any_bytes(rng, at);
                let material = pick(rng, &[None, Some(Material::Imported(bytes))]);
                Operation::DeleteImportedKeyMaterial { key, material }
            }
            3 if !tokens.is_empty() => {
                let token = pick(rng, &tokens);
                self.import_with(rng, at, token)
            }
            _ if is_good => self.import_with(rng, at, at),
            _ => Operation::On(Verb::GetParametersForImport, key),
        };
        let owner = model.key(key).account;
        let by = if rng.random_ratio(1, 30) { pick(rng, &Account::ALL) } else { owner };
        Step::Call(Call { by, region: at.region, operation })
    }

    /// A key that waits for material, mostly.
    fn any_import(&self, rng: &mut TestRng) -> At {
        let all: Vec<At> =
            self.model.everywhere().filter(|at| can_be_imported(self.model.key(at.key))).collect();
        let waits = |at: &&At| {
            let versions = &self.model.key(at.key).versions;
            versions.is_empty() || !self.missing(**at).is_empty()
        };
        let waiting: Vec<At> = all.iter().filter(waits).copied().collect();
        match waiting.is_empty() || rng.random_ratio(1, 3) {
            true => pick(rng, &all),
            false => pick(rng, &waiting),
        }
    }

    fn import_with(&self, rng: &mut TestRng, at: At, token: At) -> Operation {
        let key = self.model.key(at.key);
        let bytes = self.any_bytes(rng, at);
        let import_type = match imported(key).contains(&bytes) != rng.random_ratio(1, 8) {
            true => ImportType::ExistingKeyMaterial,
            false => ImportType::NewKeyMaterial,
        };
        let is_told = key.key_spec == KeySpec::SymmetricDefault || rng.random_ratio(1, 8);
        Operation::ImportKeyMaterial(ImportKeyMaterial {
            key: at.key,
            bytes,
            import_type: Some(import_type).filter(|_| is_told && !rng.random_ratio(1, 5)),
            valid_days: pick(rng, &[None, None, Some(1), Some(30), Some(365), Some(366)]),
            token: (token.key, token.region),
            description: pick(rng, &[None, Some(0), Some(1)]).filter(|_| is_told),
        })
    }

    /// Bytes that the key lacks, that it knows, or that it does not.
    fn any_bytes(&self, rng: &mut TestRng, at: At) -> u8 {
        let (missing, known) = (self.missing(at), imported(self.model.key(at.key)));
        match rng.random_range(0..6_u8) {
            0..3 if !missing.is_empty() => pick(rng, &missing),
            3 if !known.is_empty() => pick(rng, &known),
            _ => rng.random_range(0..MATERIALS_COUNT),
        }
    }

    /// Bytes that belong to the key and are not here.
    fn missing(&self, at: At) -> Vec<u8> {
        let imports = &self.model.place(at).imports;
        let is_here = |bytes: &u8| {
            imports.get(&Material::Imported(*bytes)).is_some_and(|import| import.is_here)
        };
        imported(self.model.key(at.key)).into_iter().filter(|bytes| !is_here(bytes)).collect()
    }

    fn any_key(&self, rng: &mut TestRng, is_meant: fn(&Key) -> bool) -> KeyName {
        let all: Vec<KeyName> = self.model.keys.keys().copied().collect();
        let is_meant = |name: &&KeyName| is_meant(self.model.key(**name));
        let meant: Vec<KeyName> = all.iter().filter(is_meant).copied().collect();
        match meant.is_empty() || rng.random_ratio(1, 40) {
            true => pick(rng, &all),
            false if meant.contains(&self.focus) && rng.random_ratio(2, 3) => self.focus,
            false => pick(rng, &meant),
        }
    }

    /// By days or years; or to a date on which something is due, or to ten minutes before it.
    fn advance(&self, rng: &mut TestRng) -> Step {
        let dates: Vec<Seconds> =
            self.model.dates().into_iter().filter(|date| *date > self.model.now).collect();
        let seconds = match rng.random_range(0..10_u8) {
            0 => DAY,
            1 => pick(rng, &[8, 31, 91, 366, 3 * 366]) * DAY,
            2..7 if !dates.is_empty() => pick(rng, &dates) - self.model.now,
            _ if !dates.is_empty() => pick(rng, &dates) - self.model.now - 10 * MINUTE,
            _ => 31 * DAY,
        };
        Step::Advance { seconds: seconds.max(MINUTE) }
    }

    /// An alias that stands for some key of the same account and Region.
    fn any_taken_alias(&self, rng: &mut TestRng, at: At) -> Option<AliasName> {
        let account = self.model.key(at.key).account;
        let taken: Vec<AliasName> = self
            .model
            .aliases
            .keys()
            .filter(|(owner, region, _)| (*owner, *region) == (account, at.region))
            .map(|(.., alias)| *alias)
            .collect();
        (!taken.is_empty() && rng.random_ratio(4, 5)).then(|| pick(rng, &taken))
    }

    fn new_product(&self) -> Product {
        Product(u8::try_from(self.model.products.len()).unwrap_or(u8::MAX))
    }
}

/// What a step is usually made for, and how often that comes next, in percent: a token to import with it, a replica key to use
/// it once it is there.
fn follow_up(step: &Step) -> Option<(Family, u32)> {
    let Step::Call(Call { operation, .. }) = step else { return None };
    let follow_ups = [
        ("GetParametersForImport", Family::Importing, 90),
        ("ImportKeyMaterial", Family::Importing, 40),
        ("ReplicateKey", Family::Waiting, 60),
        ("UpdatePrimaryRegion", Family::Waiting, 30),
        ("EnableKeyRotation", Family::Advancing, 60),
    ];
    let follow_up = follow_ups.into_iter().find(|(name, ..)| operation.name() == *name);
    follow_up.map(|(_, family, percent)| (family, percent))
}

fn is_alive(key: &Key) -> bool {
    !key.places.is_empty()
}

fn can_be_imported(key: &Key) -> bool {
    is_alive(key) && key.origin == Origin::External
}

fn can_be_related(key: &Key) -> bool {
    is_alive(key) && key.multi_region
}

fn can_be_rotated(key: &Key) -> bool {
    is_alive(key) && key.key_spec == KeySpec::SymmetricDefault
}

/// Enabling, disabling and deleting; descriptions.
fn switching(_: &World, rng: &mut TestRng, At { key, .. }: At) -> Operation {
    match rng.random_range(0..18_u8) {
        0..5 => Operation::On(Verb::EnableKey, key),
        5..8 => Operation::On(Verb::DisableKey, key),
        8..11 => {
            let days = pick(rng, &[None, Some(6), Some(7), Some(7), Some(30)]);
            Operation::ScheduleKeyDeletion { key, days }
        }
        11..15 => Operation::On(Verb::CancelKeyDeletion, key),
        _ => Operation::UpdateKeyDescription { key, description: rng.random_range(0..3) },
    }
}

/// Aliases and tags.
fn naming(world: &World, rng: &mut TestRng, at: At) -> Operation {
    let key = at.key;
    let (alias, taken) = (any_alias(rng), world.any_taken_alias(rng, at));
    let tag = rng.random_range(0..5);
    match rng.random_range(0..8_u8) {
        0..2 => Operation::PointAlias { verb: AliasVerb::CreateAlias, alias, key },
        2..4 => {
            let alias = taken.unwrap_or(alias);
            Operation::PointAlias { verb: AliasVerb::UpdateAlias, alias, key }
        }
        4 => Operation::DeleteAlias { alias: taken.unwrap_or(alias) },
        5..7 => Operation::TagResource { key, tag, value: rng.random_range(0..3) },
        _ => Operation::UntagResource { key, tag },
    }
}

fn any_alias(rng: &mut TestRng) -> AliasName {
    match rng.random_ratio(1, 10) {
        true => AliasName::Reserved,
        false => AliasName::Customer(rng.random_range(0..5)),
    }
}

fn rotating(world: &World, rng: &mut TestRng, At { key, .. }: At) -> Operation {
    let enabling = if world.model.key(key).origin == Origin::AwsKms { 6 } else { 1 };
    match rng.random_range(0..12_u8) {
        number if number < enabling => {
            let days = pick(rng, &[None, Some(90), Some(180), Some(2560)]);
            Operation::EnableKeyRotation { key, days }
        }
        11 => Operation::On(Verb::DisableKeyRotation, key),
        _ => Operation::On(Verb::RotateKeyOnDemand, key),
    }
}

/// Bytes that the key knows.
fn imported(key: &Key) -> Vec<u8> {
    let bytes = |version: &Version| match version.material {
        Material::Imported(bytes) => Some(bytes),
        Material::Made(_) => None,
    };
    key.versions.iter().filter_map(bytes).collect()
}

fn relating(world: &World, rng: &mut TestRng, At { key, .. }: At) -> Operation {
    let places = &world.model.key(key).places;
    let to = pick(rng, &Region::ALL);
    // Mostly a Region that has the key can only become the primary one, and another only get a replica key.
    match places.contains_key(&to) == rng.random_ratio(1, 10) {
        true => Operation::ReplicateKey { key, to, tag: rng.random_range(0..5) },
        false => Operation::UpdatePrimaryRegion { key, to },
    }
}

fn using(world: &World, rng: &mut TestRng, at: At) -> Operation {
    let (model, key) = (&world.model, at.key);
    let is_ciphertext = |product: &&Product| {
        model.key(model.products[*product].at.key).key_spec == KeySpec::SymmetricDefault
    };
    let ciphertexts: Vec<Product> = model.products.keys().filter(is_ciphertext).copied().collect();
    if !ciphertexts.is_empty() && rng.random_ratio(1, 3) {
        let product = pick(rng, &ciphertexts);
        let source = model.products[&product].at.key;
        return match rng.random_range(0..4_u8) {
            0 => Operation::Decrypt { product, key: None },
            1 => Operation::Decrypt { product, key: Some(source) },
            2 => Operation::Decrypt { product, key: Some(key) },
            _ => Operation::ReEncrypt { product, key, made: world.new_product() },
        };
    }
    let verb = match (rng.random_ratio(1, 10), model.key(key).key_spec) {
        (true, _) => pick(rng, &[MakeVerb::Encrypt, MakeVerb::GenerateMac, MakeVerb::Sign]),
        (false, KeySpec::SymmetricDefault) => {
            pick(rng, &[MakeVerb::Encrypt, MakeVerb::GenerateDataKey])
        }
        (false, KeySpec::Hmac256) => MakeVerb::GenerateMac,
        (false, KeySpec::EccNistP256) => MakeVerb::Sign,
    };
    let key = match rng.random_ratio(1, 5) {
        true => KeyId::Alias(world.any_taken_alias(rng, at).unwrap_or_else(|| any_alias(rng))),
        false => KeyId::Key(key),
    };
    Operation::Make { verb, key, product: world.new_product() }
}

fn pick<T: Copy>(rng: &mut TestRng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())]
}

impl Operation {
    /// See [`World::allows`].
    fn is_possible(&self, model: &Model) -> bool {
        let knows_key = self.key().is_none_or(|key| model.keys.contains_key(&key));
        let is_new = |product| !model.products.contains_key(product);
        match self {
            Operation::CreateKey(create) => !model.keys.contains_key(&create.key),
            Operation::ImportKeyMaterial(import) => {
                let (key, region) = import.token;
                knows_key && model.tokens.contains_key(&At { key, region })
            }
            Operation::Make { product, .. } => knows_key && is_new(product),
            Operation::Decrypt { product, .. } => knows_key && !is_new(product),
            Operation::ReEncrypt { product, made, .. } => {
                knows_key && !is_new(product) && is_new(made)
            }
            Operation::On(..)
            | Operation::UpdateKeyDescription { .. }
            | Operation::ScheduleKeyDeletion { .. }
            | Operation::PointAlias { .. }
            | Operation::DeleteAlias { .. }
            | Operation::TagResource { .. }
            | Operation::UntagResource { .. }
            | Operation::EnableKeyRotation { .. }
            | Operation::DeleteImportedKeyMaterial { .. }
            | Operation::ReplicateKey { .. }
            | Operation::UpdatePrimaryRegion { .. } => knows_key,
        }
    }
}

/// The world of a sequence that is not drawn.
impl Default for World {
    fn default() -> World {
        World::new(false, Theme::Any, KEYS_MAX)
    }
}

impl Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}, up to {} keys", self.theme, self.keys_max)
    }
}
