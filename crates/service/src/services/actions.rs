//! What a forward access session can carry.

use wire::enums::GrantOperation;

/// An action of KMS that a service may be registered for.
///
/// These are what grants can permit, and what AWS's services do as the user with the grants that they made for a
/// resource (AWS KMS Developer Guide, "Default key policy", the statement "Allow attachment of persistent resources").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedAction {
    /// What a grant can permit too.
    Granted(GrantOperation),
    /// `kms:ListGrants`.
    ListGrants,
    /// `kms:RevokeGrant`.
    RevokeGrant,
}

impl ForwardedAction {
    /// Every action that can be carried.
    pub fn all() -> impl Iterator<Item = ForwardedAction> {
        let granted = GrantOperation::ALL.iter().copied().map(ForwardedAction::Granted);
        granted.chain([ForwardedAction::ListGrants, ForwardedAction::RevokeGrant])
    }

    /// The action that a policy calls `kms:NAME`; none if it cannot be carried.
    #[must_use]
    pub fn from_action(action: &str) -> Option<ForwardedAction> {
        let name = action.strip_prefix("kms:")?;
        ForwardedAction::all().find(|carried| carried.name() == name)
    }

    /// As policies write it.
    pub(crate) fn action(self) -> String {
        format!("kms:{}", self.name())
    }

    fn name(self) -> &'static str {
        match self {
            ForwardedAction::Granted(operation) => operation.as_str(),
            ForwardedAction::ListGrants => "ListGrants",
            ForwardedAction::RevokeGrant => "RevokeGrant",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::OPERATIONS;

    #[test]
    fn every_action_is_one_of_an_operation_and_is_read_as_it_is_written() {
        for carried in ForwardedAction::all() {
            let action = carried.action();
            assert_eq!(ForwardedAction::from_action(&action), Some(carried));
            assert!(
                OPERATIONS.iter().any(|row| row.spec().actions.contains(&&*action)),
                "{action}"
            );
        }
    }

    #[test]
    fn nothing_that_manages_a_key_is_carried() {
        for action in ["kms:DisableKey", "kms:PutKeyPolicy", "kms:CreateKey", "kms:*", "ListGrants"]
        {
            assert_eq!(ForwardedAction::from_action(action), None, "{action}");
        }
    }
}
