//! The rules of AWS KMS for the life of a key, as a program: what each call does and answers, given all that was done
//! before. It knows nothing of Keystead. Where AWS's documentation leaves a choice, the rule says which was taken.
//!
//! | File | Which rules |
//! |---|---|
//! | `states` | which operations a key's state allows |
//! | `keys` | making, switching and describing keys; their tags and deletion |
//! | `aliases` | names |
//! | `materials` | versions of key material: rotation |
//! | `import` | material that customers bring |
//! | `multi_region` | replicas and primary keys |
//! | `cryptography` | what a key makes, and for how long that is good |
//! | `time` | what happens by itself |

mod aliases;
mod cryptography;
mod import;
mod keys;
mod materials;
mod multi_region;
mod states;
mod time;

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use crate::names::{Account, AliasName, KeyName, Material, Product, Region};
use crate::step::{Call, KeySpec, Operation, Origin, Step, Verb};

pub(crate) use self::keys::Metadata;
pub(crate) use self::materials::RotationsListEntry;
pub(crate) use self::states::KeyState;

/// Seconds since the sequence began.
pub(crate) type Seconds = i64;

pub(crate) const MINUTE: Seconds = 60;
pub(crate) const DAY: Seconds = 24 * 60 * MINUTE;

/// The name of an error, as in `__type`.
pub(crate) type Refusal = &'static str;

pub(crate) const ACCESS_DENIED: Refusal = "AccessDeniedException";
pub(crate) const ALREADY_EXISTS: Refusal = "AlreadyExistsException";
pub(crate) const CONFLICT: Refusal = "ConflictException";
pub(crate) const DISABLED: Refusal = "DisabledException";
pub(crate) const EXPIRED_IMPORT_TOKEN: Refusal = "ExpiredImportTokenException";
pub(crate) const INCORRECT_KEY: Refusal = "IncorrectKeyException";
pub(crate) const INCORRECT_KEY_MATERIAL: Refusal = "IncorrectKeyMaterialException";
pub(crate) const INVALID_IMPORT_TOKEN: Refusal = "InvalidImportTokenException";
pub(crate) const INVALID_KEY_USAGE: Refusal = "InvalidKeyUsageException";
pub(crate) const INVALID_STATE: Refusal = "KMSInvalidStateException";
pub(crate) const LIMIT_EXCEEDED: Refusal = "LimitExceededException";
pub(crate) const NOT_AUTHORIZED: Refusal = "NotAuthorizedException";
pub(crate) const NOT_FOUND: Refusal = "NotFoundException";
pub(crate) const UNSUPPORTED: Refusal = "UnsupportedOperationException";
pub(crate) const VALIDATION: Refusal = "ValidationException";

/// What a call must answer.
pub(crate) type Outcome = Result<Answer, Refusal>;

/// A success, as far as it can be foretold.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Nothing at all.
    Empty,
    /// The ARN of the key.
    Key(At),
    /// The metadata of a key that was made.
    Metadata(Metadata),
    /// ScheduleKeyDeletion: the state, the date where there is one, and the days.
    Deletion { at: At, key_state: KeyState, deletion_date: Option<Seconds>, days: u16 },
    /// GetParametersForImport: until when they are good.
    ImportParameters { at: At, valid_to: Seconds },
    /// ImportKeyMaterial and DeleteImportedKeyMaterial: the material, where it is told.
    Material { at: At, material: Option<Material> },
    /// A new ciphertext, MAC or signature, and the material that made it.
    Made { at: At, material: Material },
    /// A plaintext, and the material that had encrypted it.
    Decrypted { at: At, material: Material },
    /// A new ciphertext of an old plaintext.
    ReEncrypted { from: At, source: Material, to: At, destination: Material },
}

/// A key in a Region.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) key: KeyName,
    pub(crate) region: Region,
}

impl Debug for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in {}", self.key, self.region)
    }
}

/// A key with all its related keys. What stands here is shared by them; each has a [`Place`] of its own beside it.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) account: Account,
    pub(crate) key_spec: KeySpec,
    pub(crate) origin: Origin,
    pub(crate) multi_region: bool,
    /// Where the primary key is; the only Region of a single-Region key.
    pub(crate) primary: Region,
    /// The versions of the material, oldest first; one that waits for a rotation is last.
    pub(crate) versions: Vec<Version>,
    /// Automatic rotation, if it is enabled.
    pub(crate) rotation: Option<Rotation>,
    /// The key in each Region that has it. A deleted key has none.
    pub(crate) places: BTreeMap<Region, Place>,
}

/// What the key of one Region has of its own.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) created: Seconds,
    pub(crate) key_state: KeyState,
    pub(crate) description: Option<u8>,
    pub(crate) tags: BTreeMap<u8, u8>,
    pub(crate) deletion_date: Option<Seconds>,
    pub(crate) pending_window_days: u16,
    /// What was imported here, and is here still.
    pub(crate) imports: BTreeMap<Material, Import>,
}

/// Imported material in one Region.
#[derive(Clone, Default)]
pub(crate) struct Import {
    /// Whether it is here: neither deleted nor expired.
    pub(crate) is_here: bool,
    pub(crate) valid_to: Option<Seconds>,
    pub(crate) description: Option<u8>,
}

/// A version of a key's material.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) material: Material,
    pub(crate) state: MaterialState,
    /// Which rotation brought it, and when; the first material came with none.
    pub(crate) rotated: Option<(RotationType, Seconds)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaterialState {
    /// Encrypts and decrypts.
    Current,
    /// Decrypts.
    NonCurrent,
    /// Imported, and waits for a rotation on demand.
    PendingRotation,
    /// The same, and some replica key has not been given it yet.
    PendingMultiRegionImportAndRotation,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RotationType {
    Automatic,
    OnDemand,
}

/// Automatic rotation.
#[derive(Clone, Copy)]
pub(crate) struct Rotation {
    pub(crate) period_days: u16,
    pub(crate) enabled: Seconds,
    pub(crate) next: Seconds,
}

/// All that AWS KMS knows.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) now: Seconds,
    pub(crate) keys: BTreeMap<KeyName, Key>,
    pub(crate) aliases: BTreeMap<(Account, Region, AliasName), KeyName>,
    /// The last import token of each key, and until when it is good.
    pub(crate) tokens: BTreeMap<At, Seconds>,
    /// What each product was made with.
    pub(crate) products: BTreeMap<Product, Made>,
    made_count: u16,
    /// Whether what KMS does by itself within seconds is done after each call, or only while the clock moves; then what lies
    /// between is seen.
    settles_after_each_call: bool,
}

/// Which key made something, with which material.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) at: At,
    pub(crate) material: Material,
}

impl Model {
    pub(crate) fn new(settles_after_each_call: bool) -> Model {
        Model {
            now: 0,
            keys: BTreeMap::new(),
            aliases: BTreeMap::new(),
            tokens: BTreeMap::new(),
            products: BTreeMap::new(),
            made_count: 0,
            settles_after_each_call,
        }
    }

    /// Takes one step, and tells what it must answer. A refusal changes nothing.
    pub(crate) fn take(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Call(call) => {
                let outcome = self.call(call);
                if self.settles_after_each_call {
                    self.settle();
                }
                outcome
            }
            Step::Advance { seconds } => {
                self.now += seconds;
                self.settle();
                Ok(Answer::Empty)
            }
            Step::Restart => Ok(Answer::Empty),
        }
    }

    fn call(&mut self, call: &Call) -> Outcome {
        match &call.operation {
            Operation::CreateKey(create) => Ok(self.create_key(call, create)),
            Operation::On(Verb::EnableKey, key) => self.switch(call, *key, KeyState::Enabled),
            Operation::On(Verb::DisableKey, key) => self.switch(call, *key, KeyState::Disabled),
            Operation::On(Verb::CancelKeyDeletion, key) => self.cancel_key_deletion(call, *key),
            Operation::On(Verb::DisableKeyRotation, key) => self.disable_key_rotation(call, *key),
            Operation::On(Verb::RotateKeyOnDemand, key) => self.rotate_key_on_demand(call, *key),
            Operation::On(Verb::GetParametersForImport, key) => {
                self.get_parameters_for_import(call, *key)
            }
            Operation::UpdateKeyDescription { key, description } => {
                self.update_key_description(call, *key, *description)
            }
            Operation::ScheduleKeyDeletion { key, days } => {
                self.schedule_key_deletion(call, *key, *days)
            }
            Operation::PointAlias { verb, alias, key } => {
                self.point_alias(call, *verb, *alias, *key)
            }
            Operation::DeleteAlias { alias } => self.delete_alias(call, *alias),
            Operation::TagResource { key, tag, value } => {
                self.tag_resource(call, *key, *tag, *value)
            }
            Operation::UntagResource { key, tag } => self.untag_resource(call, *key, *tag),
            Operation::EnableKeyRotation { key, days } => {
                self.enable_key_rotation(call, *key, *days)
            }
            Operation::ImportKeyMaterial(import) => self.import_key_material(call, import),
            Operation::DeleteImportedKeyMaterial { key, material } => {
                self.delete_imported_key_material(call, *key, *material)
            }
            Operation::ReplicateKey { key, to, tag } => self.replicate_key(call, *key, *to, *tag),
            Operation::UpdatePrimaryRegion { key, to } => {
                self.update_primary_region(call, *key, *to)
            }
            Operation::Make { verb, key, product } => self.make(call, *verb, *key, *product),
            Operation::Decrypt { product, key } => self.decrypt(call, *product, *key),
            Operation::ReEncrypt { product, key, made } => {
                self.re_encrypt(call, *product, *key, *made)
            }
        }
    }

    /// The key that a call names by its id or ARN.
    ///
    /// Keys of other accounts are named by ARN. Their default key policy lets nobody else in, and whoever may not know of a
    /// key learns nothing of it: not even whether it exists.
    fn find(&self, call: &Call, key: KeyName) -> Result<At, Refusal> {
        let at = At { key, region: call.region };
        match self.key(key).account == call.by {
            true if self.key(key).places.contains_key(&call.region) => Ok(at),
            true => Err(NOT_FOUND),
            false => Err(ACCESS_DENIED),
        }
    }

    pub(crate) fn key(&self, name: KeyName) -> &Key {
        &self.keys[&name]
    }

    fn key_mut(&mut self, name: KeyName) -> &mut Key {
        self.keys.get_mut(&name).unwrap()
    }

    pub(crate) fn place(&self, at: At) -> &Place {
        &self.key(at.key).places[&at.region]
    }

    fn place_mut(&mut self, at: At) -> &mut Place {
        self.key_mut(at.key).places.get_mut(&at.region).unwrap()
    }

    /// Every key of every Region.
    pub(crate) fn everywhere(&self) -> impl Iterator<Item = At> {
        self.keys.iter().flat_map(|(name, key)| {
            key.places.keys().map(|region| At { key: *name, region: *region })
        })
    }

    fn fresh_material(&mut self) -> Material {
        self.made_count += 1;
        Material::Made(self.made_count)
    }
}

impl Key {
    fn is_replica(&self, region: Region) -> bool {
        self.multi_region && self.primary != region
    }

    fn replica_regions(&self) -> Vec<Region> {
        let replicas = self.places.keys().filter(|region| self.is_replica(**region));
        replicas.copied().collect()
    }

    /// The version that encrypts; none before the first import.
    pub(crate) fn current(&self) -> Option<Material> {
        let is_current = |version: &&Version| version.state == MaterialState::Current;
        self.versions.iter().find(is_current).map(|version| version.material)
    }

    /// Whether the key of a Region waits for imported material. What belongs to the key for good must all be here; what only
    /// waits for a rotation need not.
    fn lacks_material(&self, region: Region) -> bool {
        let place = &self.places[&region];
        let is_here = |material| place.imports.get(material).is_some_and(|import| import.is_here);
        self.origin == Origin::External
            && (self.current().is_none()
                || self
                    .versions
                    .iter()
                    .any(|version| version.state.is_for_good() && !is_here(&version.material)))
    }
}

impl MaterialState {
    /// Whether material of that state belongs to its key permanently.
    pub(crate) fn is_for_good(self) -> bool {
        match self {
            MaterialState::Current | MaterialState::NonCurrent => true,
            MaterialState::PendingRotation | MaterialState::PendingMultiRegionImportAndRotation => {
                false
            }
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            MaterialState::Current => "CURRENT",
            MaterialState::NonCurrent => "NON_CURRENT",
            MaterialState::PendingRotation => "PENDING_ROTATION",
            MaterialState::PendingMultiRegionImportAndRotation => {
                "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
            }
        }
    }
}

impl RotationType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RotationType::Automatic => "AUTOMATIC",
            RotationType::OnDemand => "ON_DEMAND",
        }
    }
}
