//! Key states, and which operations they allow: the table "Key state table" of the developer guide
//! (docs.aws.amazon.com/kms/latest/developerguide/key-state.html). Operations that work on keys of every state are left out.

use super::{DISABLED, INVALID_STATE, Refusal};

/// The state of a key. `Unavailable` belongs to custom key stores, which have no part here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion,
    PendingReplicaDeletion,
    PendingImport,
    Creating,
    Updating,
}

/// What the table says: the operation goes on, the key is disabled, or its state is wrong.
#[derive(Clone, Copy)]
enum Cell {
    Ok,
    D,
    S,
}
use Cell::{D, Ok as OK, S};

/// Pending deletion and pending replica deletion are one column.
#[rustfmt::skip]
const TABLE: &[(&[&str], [Cell; 6])] = &[
    //                                          Enabled Disabled Deletion Import Creating Updating
    (&["CancelKeyDeletion"],                       [S,   S,   OK,  S,   S,   S]),
    (&["CreateAlias", "UpdateAlias"],              [OK,  OK,  S,   OK,  OK,  OK]),
    (&["Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey",
       "GenerateMac", "VerifyMac", "Sign", "Verify"],
                                                   [OK,  D,   S,   S,   S,   OK]),
    (&["GetPublicKey"],                            [OK,  OK,  S,   S,   S,   OK]),
    (&["EnableKey", "DisableKey"],                 [OK,  OK,  S,   S,   S,   S]),
    (&["EnableKeyRotation", "DisableKeyRotation"], [OK,  D,   S,   S,   S,   OK]),
    (&["RotateKeyOnDemand"],                       [OK,  D,   S,   S,   S,   S]),
    (&["GetParametersForImport"],                  [OK,  OK,  S,   OK,  S,   S]),
    (&["ImportKeyMaterial"],                       [OK,  OK,  S,   OK,  S,   OK]),
    (&["DeleteImportedKeyMaterial"],               [OK,  OK,  OK,  OK,  S,   S]),
    (&["ReplicateKey"],                            [OK,  D,   S,   S,   S,   S]),
    (&["UpdatePrimaryRegion"],                     [OK,  D,   S,   S,   S,   OK]),
    (&["ScheduleKeyDeletion"],                     [OK,  OK,  S,   OK,  OK,  S]),
    (&["TagResource", "UntagResource", "UpdateKeyDescription"],
                                                   [OK,  OK,  S,   OK,  OK,  OK]),
];

impl KeyState {
    /// Refuses what the table refuses.
    pub(super) fn check(self, operation: &str) -> Result<(), Refusal> {
        let (_, cells) = TABLE
            .iter()
            .find(|(operations, _)| operations.contains(&operation))
            .unwrap_or_else(|| panic!("{operation} is not in the table of states"));
        let column = match self {
            KeyState::Enabled => 0,
            KeyState::Disabled => 1,
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => 2,
            KeyState::PendingImport => 3,
            KeyState::Creating => 4,
            KeyState::Updating => 5,
        };
        match cells[column] {
            OK => Ok(()),
            D => Err(DISABLED),
            S => Err(INVALID_STATE),
        }
    }

    pub(crate) fn is_pending_deletion(self) -> bool {
        matches!(self, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    }
}
