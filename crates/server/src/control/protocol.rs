//! The commands of the control socket and their outcomes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use service::SupposedCall;
use zeroize::Zeroizing;

/// What the command line asks of the holder of the data directory.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    /// Make these accounts, all or none.
    CreateAccounts { accounts: Vec<Account> },
    /// Tell every account.
    ListAccounts,
    /// Tell how a call would be decided.
    Explain { call: SupposedCall },
    /// Tell who can do to a key what the call asks for.
    WhoCan { call: SupposedCall },
    /// Make an access key for a service.
    CreateServiceAccessKey { name: String },
    /// Delete an access key of a service.
    DeleteServiceAccessKey { access_key_id: String },
    /// Tell every service.
    ListServices,
    /// Tell every AWS owned key.
    ListOwnedKeys,
    /// Rotate an AWS owned key now.
    RotateOwnedKey { name: String },
    /// Take a share of the root key, or its passphrase.
    Unseal { secret: Secret },
    /// Forget every key until unsealed.
    Seal,
    /// Tell what was used in a month, by one account or by all.
    Usage { month: String, account_id: Option<String> },
}

impl Command {
    /// What it is called on the wire.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::CreateAccounts { .. } => "create_accounts",
            Command::ListAccounts => "list_accounts",
            Command::Explain { .. } => "explain",
            Command::WhoCan { .. } => "who_can",
            Command::CreateServiceAccessKey { .. } => "create_service_access_key",
            Command::DeleteServiceAccessKey { .. } => "delete_service_access_key",
            Command::ListServices => "list_services",
            Command::ListOwnedKeys => "list_owned_keys",
            Command::RotateOwnedKey { .. } => "rotate_owned_key",
            Command::Unseal { .. } => "unseal",
            Command::Seal => "seal",
            Command::Usage { .. } => "usage",
        }
    }
}

/// One account to make, or one that was made.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) account_id: String,
    /// The root user's; `None` asks for a generated one.
    pub(crate) access_key: Option<AccessKey>,
}

/// An access key with its secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessKey {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
}

/// A secret on its way over the socket, the only place where it is serialised.
pub(crate) struct Secret(pub(crate) Zeroizing<String>);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        Ok(Secret(Zeroizing::new(String::deserialize(deserializer)?)))
    }
}

/// What came of a command.
#[derive(Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Outcome {
    /// The accounts are made and may call at once.
    Created { accounts: Vec<Account> },
    /// Every account.
    Accounts { accounts: Vec<Listed> },
    /// An explanation or report, as text and as data.
    Explained { text: String, data: Value },
    /// The access key is made and good at once.
    ServiceAccessKey { access_key: AccessKey },
    /// The access key is good no longer.
    ServiceAccessKeyDeleted,
    /// Every service.
    Services { services: Vec<ListedService> },
    /// The AWS owned key has a new version.
    OwnedKeyRotated { version: u32 },
    /// More shares are needed.
    Unsealing { collected: u8, threshold: u8 },
    /// The root key is there; the data is being opened.
    Unsealed,
    /// Every key is being forgotten.
    Sealed,
    /// Nothing was done.
    Refused { message: String },
}

impl Outcome {
    /// Why nothing was done, if nothing was.
    pub(crate) fn refusal(self) -> Option<String> {
        match self {
            Outcome::Refused { message } => Some(message),
            Outcome::Created { .. }
            | Outcome::Accounts { .. }
            | Outcome::Explained { .. }
            | Outcome::ServiceAccessKey { .. }
            | Outcome::ServiceAccessKeyDeleted
            | Outcome::Services { .. }
            | Outcome::OwnedKeyRotated { .. }
            | Outcome::Unsealing { .. }
            | Outcome::Unsealed
            | Outcome::Sealed => None,
        }
    }
}

/// One account as it is listed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) account_id: String,
    pub(crate) created: String,
    pub(crate) access_key_ids: Vec<String>,
}

/// One service as it is listed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedService {
    pub(crate) name: String,
    /// None if it has access keys and is not registered.
    pub(crate) principal: Option<String>,
    pub(crate) access_key_ids: Vec<String>,
}
