//! Which key states let an operation go on (reference 2.4).

use wire::enums::KeyState;

use crate::error::ServiceError;

/// The rule of one operation for the state of the key that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStateRule {
    /// Every state: the operation reads, or changes what deletion does not touch.
    Any,
    /// The key must be able to do cryptography.
    Usable,
    /// Grants may be made, also while the store of the key's material cannot be reached.
    Grantable,
    /// Everything but a key that is to be deleted.
    NotPendingDeletion,
    /// The key may be switched on and off.
    Switchable,
    /// The key may be given a deletion date.
    Deletable,
    /// The key must be pending deletion.
    PendingDeletion,
    /// The key must have a public key to tell; a disabled one still tells it.
    PublicKeyKnown,
    /// Imported material may be asked for.
    Importable,
    /// Imported material may be destroyed, also of a key that is to be deleted.
    Deleting,
    /// Imported material may come in, also while the primary key moves.
    Importing,
    /// The primary key may be copied, and its material changed.
    Settled,
}

impl KeyStateRule {
    /// Refuses with AWS's sentence when `state` does not allow the operation on the key at `arn`.
    pub(crate) fn check(self, arn: &str, state: KeyState) -> Result<(), ServiceError> {
        let refused = match self {
            KeyStateRule::Any => false,
            KeyStateRule::Usable => match state {
                KeyState::Enabled | KeyState::Updating => false,
                KeyState::Disabled => return Err(ServiceError::disabled(arn)),
                KeyState::Creating
                | KeyState::PendingDeletion
                | KeyState::PendingImport
                | KeyState::PendingReplicaDeletion
                | KeyState::Unavailable => true,
            },
            KeyStateRule::Grantable => match state {
                KeyState::Enabled | KeyState::Updating | KeyState::Unavailable => false,
                KeyState::Disabled => return Err(ServiceError::disabled(arn)),
                KeyState::Creating
                | KeyState::PendingDeletion
                | KeyState::PendingImport
                | KeyState::PendingReplicaDeletion => true,
            },
            KeyStateRule::NotPendingDeletion => is_pending_deletion(state),
            KeyStateRule::Switchable => {
                is_pending_deletion(state)
                    || matches!(
                        state,
                        KeyState::PendingImport | KeyState::Creating | KeyState::Updating
                    )
            }
            KeyStateRule::Deletable => is_pending_deletion(state) || state == KeyState::Updating,
            KeyStateRule::PublicKeyKnown => match state {
                KeyState::Enabled | KeyState::Updating | KeyState::Disabled => false,
                KeyState::Creating
                | KeyState::PendingDeletion
                | KeyState::PendingImport
                | KeyState::PendingReplicaDeletion
                | KeyState::Unavailable => true,
            },
            KeyStateRule::Importable => {
                is_pending_deletion(state)
                    || matches!(state, KeyState::Creating | KeyState::Updating)
            }
            KeyStateRule::Deleting => matches!(state, KeyState::Creating | KeyState::Updating),
            KeyStateRule::Importing => is_pending_deletion(state) || state == KeyState::Creating,
            KeyStateRule::Settled => match state {
                KeyState::Enabled => false,
                KeyState::Disabled => return Err(ServiceError::disabled(arn)),
                KeyState::Creating
                | KeyState::Updating
                | KeyState::PendingDeletion
                | KeyState::PendingImport
                | KeyState::PendingReplicaDeletion
                | KeyState::Unavailable => true,
            },
            KeyStateRule::PendingDeletion => {
                if !is_pending_deletion(state) {
                    return Err(ServiceError::not_pending_deletion(arn));
                }
                false
            }
        };
        if refused { Err(ServiceError::invalid_state(arn, state)) } else { Ok(()) }
    }
}

fn is_pending_deletion(state: KeyState) -> bool {
    matches!(state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
}
