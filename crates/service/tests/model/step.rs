//! The steps that sequences are made of: calls of AWS KMS, time that passes, and restarts.
//!
//! Their `Debug` is what a failing test prints: one line for each call, in the words of the API.

use std::fmt::{self, Debug};

use crate::names::{Account, AliasName, KeyName, Material, Product, Region};

/// One step of a sequence.
#[derive(Clone)]
pub(crate) enum Step {
    Call(Call),
    /// The clock moves forward, and what fell due is done.
    Advance {
        seconds: i64,
    },
    /// The server ends and starts again.
    Restart,
}

/// A call of AWS KMS.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) by: Account,
    pub(crate) region: Region,
    pub(crate) operation: Operation,
}

/// An operation and what its request says.
#[derive(Clone)]
pub(crate) enum Operation {
    CreateKey(CreateKey),
    /// An operation that is told a key and nothing else.
    On(Verb, KeyName),
    UpdateKeyDescription {
        key: KeyName,
        description: u8,
    },
    ScheduleKeyDeletion {
        key: KeyName,
        days: Option<u16>,
    },
    PointAlias {
        verb: AliasVerb,
        alias: AliasName,
        key: KeyName,
    },
    DeleteAlias {
        alias: AliasName,
    },
    TagResource {
        key: KeyName,
        tag: u8,
        value: u8,
    },
    UntagResource {
        key: KeyName,
        tag: u8,
    },
    EnableKeyRotation {
        key: KeyName,
        days: Option<u16>,
    },
    ImportKeyMaterial(ImportKeyMaterial),
    DeleteImportedKeyMaterial {
        key: KeyName,
        material: Option<Material>,
    },
    ReplicateKey {
        key: KeyName,
        to: Region,
        tag: u8,
    },
    UpdatePrimaryRegion {
        key: KeyName,
        to: Region,
    },
    Make {
        verb: MakeVerb,
        key: KeyId,
        product: Product,
    },
    Decrypt {
        product: Product,
        key: Option<KeyName>,
    },
    ReEncrypt {
        product: Product,
        key: KeyName,
        made: Product,
    },
}

/// What CreateKey is told.
#[derive(Clone)]
pub(crate) struct CreateKey {
    pub(crate) key: KeyName,
    pub(crate) key_spec: KeySpec,
    pub(crate) origin: Origin,
    pub(crate) multi_region: bool,
}

/// What ImportKeyMaterial is told.
#[derive(Clone)]
pub(crate) struct ImportKeyMaterial {
    pub(crate) key: KeyName,
    /// Which bytes.
    pub(crate) bytes: u8,
    pub(crate) import_type: Option<ImportType>,
    /// How many days from now the material expires; it does not when absent.
    pub(crate) valid_days: Option<u16>,
    /// The key and the Region whose last token is used.
    pub(crate) token: (KeyName, Region),
    pub(crate) description: Option<u8>,
}

/// Operations that are told a key and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    EnableKey,
    DisableKey,
    CancelKeyDeletion,
    DisableKeyRotation,
    RotateKeyOnDemand,
    GetParametersForImport,
}

/// Operations that let an alias stand for a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AliasVerb {
    CreateAlias,
    UpdateAlias,
}

/// Operations whose products are checked for as long as their key lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MakeVerb {
    Encrypt,
    GenerateDataKey,
    GenerateMac,
    Sign,
}

/// How a request names a key.
#[derive(Clone, Copy)]
pub(crate) enum KeyId {
    Key(KeyName),
    Alias(AliasName),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeySpec {
    SymmetricDefault,
    Hmac256,
    EccNistP256,
}

impl KeySpec {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            KeySpec::SymmetricDefault => "SYMMETRIC_DEFAULT",
            KeySpec::Hmac256 => "HMAC_256",
            KeySpec::EccNistP256 => "ECC_NIST_P256",
        }
    }

    /// The one usage that keys of the spec are made with here.
    pub(crate) fn key_usage(self) -> &'static str {
        match self {
            KeySpec::SymmetricDefault => "ENCRYPT_DECRYPT",
            KeySpec::Hmac256 => "GENERATE_VERIFY_MAC",
            KeySpec::EccNistP256 => "SIGN_VERIFY",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    AwsKms,
    External,
}

impl Origin {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Origin::AwsKms => "AWS_KMS",
            Origin::External => "EXTERNAL",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportType {
    NewKeyMaterial,
    ExistingKeyMaterial,
}

impl ImportType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ImportType::NewKeyMaterial => "NEW_KEY_MATERIAL",
            ImportType::ExistingKeyMaterial => "EXISTING_KEY_MATERIAL",
        }
    }
}

impl Operation {
    /// The key that the operation names.
    pub(crate) fn key(&self) -> Option<KeyName> {
        match self {
            Operation::CreateKey(CreateKey { key, .. })
            | Operation::On(_, key)
            | Operation::UpdateKeyDescription { key, .. }
            | Operation::ScheduleKeyDeletion { key, .. }
            | Operation::PointAlias { key, .. }
            | Operation::TagResource { key, .. }
            | Operation::UntagResource { key, .. }
            | Operation::EnableKeyRotation { key, .. }
            | Operation::ImportKeyMaterial(ImportKeyMaterial { key, .. })
            | Operation::DeleteImportedKeyMaterial { key, .. }
            | Operation::ReplicateKey { key, .. }
            | Operation::UpdatePrimaryRegion { key, .. }
            | Operation::Make { key: KeyId::Key(key), .. }
            | Operation::ReEncrypt { key, .. } => Some(*key),
            Operation::Decrypt { key, .. } => *key,
            Operation::DeleteAlias { .. } | Operation::Make { key: KeyId::Alias(_), .. } => None,
        }
    }

    /// The name in the API.
    pub(crate) fn name(&self) -> String {
        match self {
            Operation::CreateKey(_) => "CreateKey".to_owned(),
            Operation::On(verb, _) => format!("{verb:?}"),
            Operation::UpdateKeyDescription { .. } => "UpdateKeyDescription".to_owned(),
            Operation::ScheduleKeyDeletion { .. } => "ScheduleKeyDeletion".to_owned(),
            Operation::PointAlias { verb, .. } => format!("{verb:?}"),
            Operation::DeleteAlias { .. } => "DeleteAlias".to_owned(),
            Operation::TagResource { .. } => "TagResource".to_owned(),
            Operation::UntagResource { .. } => "UntagResource".to_owned(),
            Operation::EnableKeyRotation { .. } => "EnableKeyRotation".to_owned(),
            Operation::ImportKeyMaterial(_) => "ImportKeyMaterial".to_owned(),
            Operation::DeleteImportedKeyMaterial { .. } => "DeleteImportedKeyMaterial".to_owned(),
            Operation::ReplicateKey { .. } => "ReplicateKey".to_owned(),
            Operation::UpdatePrimaryRegion { .. } => "UpdatePrimaryRegion".to_owned(),
            Operation::Make { verb, .. } => format!("{verb:?}"),
            Operation::Decrypt { .. } => "Decrypt".to_owned(),
            Operation::ReEncrypt { .. } => "ReEncrypt".to_owned(),
        }
    }
}

impl Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Call(call) => call.fmt(formatter),
            Step::Advance { seconds } => {
                let (days, rest) = (seconds / 86_400, seconds % 86_400);
                write!(formatter, "(the clock moves on by {days} days and {rest} s)")
            }
            Step::Restart => formatter.write_str("(the server restarts)"),
        }
    }
}

impl Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.by, self.region, self.operation.name())?;
        self.operation.fmt(formatter)
    }
}

impl Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::CreateKey(create) => create.fmt(formatter),
            Operation::On(_, key) => write!(formatter, " {key}"),
            Operation::UpdateKeyDescription { key, description } => {
                write!(formatter, " {key} Description={description}")
            }
            Operation::ScheduleKeyDeletion { key, days: None } => write!(formatter, " {key}"),
            Operation::ScheduleKeyDeletion { key, days: Some(days) } => {
                write!(formatter, " {key} PendingWindowInDays={days}")
            }
            Operation::PointAlias { alias, key, .. } => {
                write!(formatter, " {alias} TargetKeyId={key}")
            }
            Operation::DeleteAlias { alias } => write!(formatter, " {alias}"),
            Operation::TagResource { key, tag, value } => {
                write!(formatter, " {key} Tag={tag}:{value}")
            }
            Operation::UntagResource { key, tag } => write!(formatter, " {key} TagKey={tag}"),
            Operation::EnableKeyRotation { key, days: None } => write!(formatter, " {key}"),
            Operation::EnableKeyRotation { key, days: Some(days) } => {
                write!(formatter, " {key} RotationPeriodInDays={days}")
            }
            Operation::ImportKeyMaterial(import) => import.fmt(formatter),
            Operation::DeleteImportedKeyMaterial { key, material: None } => {
                write!(formatter, " {key}")
            }
            Operation::DeleteImportedKeyMaterial { key, material: Some(material) } => {
                write!(formatter, " {key} KeyMaterialId={material}")
            }
            Operation::ReplicateKey { key, to, tag } => {
                write!(formatter, " {key} ReplicaRegion={to} Tag={tag}")
            }
            Operation::UpdatePrimaryRegion { key, to } => {
                write!(formatter, " {key} PrimaryRegion={to}")
            }
            Operation::Make { key: KeyId::Key(key), product, .. } => {
                write!(formatter, " {key} -> {product}")
            }
            Operation::Make { key: KeyId::Alias(alias), product, .. } => {
                write!(formatter, " {alias} -> {product}")
            }
            Operation::Decrypt { product, key: None } => write!(formatter, " {product}"),
            Operation::Decrypt { product, key: Some(key) } => {
                write!(formatter, " {product} KeyId={key}")
            }
            Operation::ReEncrypt { product, key, made } => {
                write!(formatter, " {product} DestinationKeyId={key} -> {made}")
            }
        }
    }
}

impl Debug for CreateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CreateKey { key, key_spec, origin, multi_region } = self;
        write!(formatter, " KeySpec={} Origin={}", key_spec.as_str(), origin.as_str())?;
        write!(formatter, "{} -> {key}", if *multi_region { " MultiRegion" } else { "" })
    }
}

impl Debug for ImportKeyMaterial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, " {} bytes-{}", self.key, self.bytes)?;
        if let Some(import_type) = self.import_type {
            write!(formatter, " ImportType={}", import_type.as_str())?;
        }
        if let Some(days) = self.valid_days {
            write!(formatter, " ValidTo={days} days from now")?;
        }
        if let Some(description) = self.description {
            write!(formatter, " KeyMaterialDescription={description}")?;
        }
        write!(formatter, " with the token of {} in {}", self.token.0, self.token.1)
    }
}
