//! Policies that a simulation leaves out.

use store::IdentityKind;
use wire::iam::enums::{AttachmentType, PolicyIdentifierPolicyType};
use wire::iam::simulation::{InlinePolicyIdentifier, PolicyIdentifier};
use wire::names::Partition;
use wire::values::OneOf;

use super::invalid;
use crate::error::ServiceError;
use crate::identities::{HeldName, PolicyArn};

/// What managed policies of AWS's are called.
const OF_AWS: &str = "arn:aws:iam::aws:";

/// The policies that a request leaves out.
pub(super) struct Exclusions<'r>(Vec<Exclusion<'r>>);

enum Exclusion<'r> {
    Type(PolicyIdentifierPolicyType),
    /// A stored ARN with wildcards.
    Managed(String),
    Inline(&'r InlinePolicyIdentifier),
}

impl<'r> Exclusions<'r> {
    /// Reads the identifiers, each of which says one thing.
    pub(super) fn read(
        identifiers: &'r [PolicyIdentifier],
        partition: Partition,
    ) -> Result<Exclusions<'r>, ServiceError> {
        let read = |identifier: &'r PolicyIdentifier| {
            let PolicyIdentifier { policy_type, policy_arn, inline_policy_identifier } = identifier;
            match (policy_type, policy_arn, inline_policy_identifier) {
                (Some(policy_type), None, None) => policy_type.known().map(Exclusion::Type),
                (None, Some(arn), None) => stored_pattern(arn, partition).map(Exclusion::Managed),
                (None, None, Some(inline)) => Some(Exclusion::Inline(inline)),
                (_, _, _) => None,
            }
        };
        let read = identifiers.iter().map(|identifier| {
            read(identifier)
                .ok_or_else(|| invalid("PolicyExclusionList: an identifier is malformed."))
        });
        Ok(Exclusions(read.collect::<Result<_, _>>()?))
    }

    /// Whether an identity policy is left out.
    pub(super) fn leave_out(&self, name: &HeldName) -> bool {
        self.0.iter().any(|exclusion| match (exclusion, name) {
            (Exclusion::Type(kind), HeldName::Inline { .. }) => {
                *kind == PolicyIdentifierPolicyType::Inline
            }
            (Exclusion::Type(kind), HeldName::Managed(arn)) => match arn.starts_with(OF_AWS) {
                true => *kind == PolicyIdentifierPolicyType::AwsManaged,
                false => *kind == PolicyIdentifierPolicyType::UserManaged,
            },
            (Exclusion::Managed(pattern), HeldName::Managed(arn)) => matches(pattern, arn),
            (Exclusion::Inline(inline), HeldName::Inline { kind, holder, policy }) => {
                inline.policy_name.as_ref() == Some(policy)
                    && inline.attachment_name.as_ref() == Some(holder)
                    && inline.attachment_type.as_ref().and_then(OneOf::known).map(kind_of)
                        == Some(*kind)
            }
            (Exclusion::Managed(_), HeldName::Inline { .. })
            | (Exclusion::Inline(_), HeldName::Managed(_)) => false,
        })
    }

    /// Whether the permissions boundary is left out.
    pub(super) fn leave_out_boundary(&self) -> bool {
        self.has(PolicyIdentifierPolicyType::PermissionBoundary)
    }

    /// Whether the service control policies are left out.
    pub(super) fn leave_out_service_control(&self) -> bool {
        self.has(PolicyIdentifierPolicyType::Scp)
    }

    fn has(&self, wanted: PolicyIdentifierPolicyType) -> bool {
        self.0.iter().any(|exclusion| match exclusion {
            Exclusion::Type(kind) => *kind == wanted,
            Exclusion::Managed(_) | Exclusion::Inline(_) => false,
        })
    }
}

fn kind_of(attachment: AttachmentType) -> IdentityKind {
    match attachment {
        AttachmentType::User => IdentityKind::User,
        AttachmentType::Group => IdentityKind::Group,
        AttachmentType::Role => IdentityKind::Role,
    }
}

/// The ARN as rows have it. Wildcards stand in the name alone, of `*` at most one.
fn stored_pattern(arn: &str, partition: Partition) -> Option<String> {
    let (head, name) = arn.split_once(":policy/")?;
    let is_right = !head.contains(['*', '?']) && name.matches('*').count() <= 1;
    PolicyArn::parse(arn).filter(|_| is_right)?.stored(partition)
}

/// Whether a text is of a pattern with one `*` at most.
fn matches(pattern: &str, text: &str) -> bool {
    let are_like = |pattern: &str, text: &str| {
        pattern.chars().zip(text.chars()).all(|(wanted, found)| wanted == '?' || wanted == found)
    };
    let length = text.chars().count();
    let Some((first, last)) = pattern.split_once('*') else {
        return pattern.chars().count() == length && are_like(pattern, text);
    };
    let (first_length, last_length) = (first.chars().count(), last.chars().count());
    let Some(last_place) = length.checked_sub(last_length) else { return false };
    let rest: String = text.chars().skip(last_place).collect();
    first_length <= last_place && are_like(first, text) && are_like(last, &rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_one_star_and_any_number_of_single_wildcards() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a?c", "axc", true),
            ("a*c", "ac", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("ab*bc", "abc", false),
            ("*", "", true),
            ("?*", "", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn wildcards_stand_in_the_name_alone() {
        let read = |arn| stored_pattern(arn, Partition::Aws).is_some();
        assert!(read("arn:aws:iam::111122223333:policy/team/*"));
        assert!(!read("arn:aws:iam::*:policy/team"));
        assert!(!read("arn:aws:iam::111122223333:policy/*a*"));
        assert!(!read("arn:aws-cn:iam::111122223333:policy/a"));
        assert!(!read("arn:aws:iam::111122223333:user/a"));
    }
}
