//! The principals that policies name: whether they exist here, and what becomes of their names.

use policy::PrincipalPattern;
use store::Transaction;
use wire::names::{AccountId, Partition};

use crate::error::ServiceError;
use crate::host::Host;
use crate::identities::PrincipalArn;

/// Whether a principal that a policy or a grant names exists in a partition here.
pub(crate) fn exists(host: &Host, partition: Partition, principal: &PrincipalPattern) -> bool {
    match principal {
        PrincipalPattern::Everyone => true,
        PrincipalPattern::Account { account, .. } => host.credentials.has_account(*account),
        PrincipalPattern::Service(name) => is_service_name(name),
        PrincipalPattern::Arn { arn, account } => {
            host.identities.is_principal(*account, arn, partition)
        }
        PrincipalPattern::UniqueId(_)
        | PrincipalPattern::Federated(_)
        | PrincipalPattern::CanonicalUser(_) => false,
    }
}

/// The users and roles that a policy or a grant names, which must still be there when it is saved.
#[derive(Clone)]
pub(crate) struct Named {
    partition: Partition,
    arns: Vec<(AccountId, Box<str>)>,
}

impl Named {
    /// Those among some principals.
    pub(crate) fn of<'p>(
        partition: Partition,
        principals: impl Iterator<Item = &'p PrincipalPattern>,
    ) -> Named {
        let mut arns: Vec<_> = principals
            .filter_map(|principal| match principal {
                PrincipalPattern::Arn { arn, account } => Some((*account, arn.clone())),
                PrincipalPattern::Everyone
                | PrincipalPattern::Account { .. }
                | PrincipalPattern::UniqueId(_)
                | PrincipalPattern::Service(_)
                | PrincipalPattern::Federated(_)
                | PrincipalPattern::CanonicalUser(_) => None,
            })
            .collect();
        arns.sort_unstable();
        arns.dedup();
        Named { partition, arns }
    }

    /// Refuses to save what names somebody who was deleted or renamed after the checks: whoever takes the name later would
    /// have the rights. Memory cannot tell, since it does not know yet what other acts of the same commit did; so the rows
    /// are asked, and the pipeline checks again.
    pub(crate) fn refuse_gone(&self, transaction: &Transaction<'_>) -> Result<(), ServiceError> {
        for (account, arn) in &self.arns {
            if !is_stored(transaction, self.partition, *account, arn)? {
                return Err(ServiceError::superseded());
            }
        }
        Ok(())
    }
}

/// Whether a user, a role or a session of a role can have this ARN, as the rows have it.
fn is_stored(
    transaction: &Transaction<'_>,
    partition: Partition,
    account: AccountId,
    arn: &str,
) -> Result<bool, ServiceError> {
    let Some(named) = PrincipalArn::parse(account, arn, partition) else { return Ok(false) };
    let Some(identity_id) = transaction.identity_named(account, named.kind, named.name)? else {
        return Ok(false);
    };
    let record = transaction.identity(account, &identity_id)?;
    Ok(record.is_some_and(|record| named.is_of(&record.identity)))
}

/// Whether a name has the form of AWS's service principals.
fn is_service_name(name: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn"]
        .iter()
        .any(|suffix| name.strip_suffix(suffix).is_some_and(|rest| !rest.is_empty()))
}

/// The policy with one principal written otherwise, and not a byte of it else; none if it does not name that one.
///
/// The text is a policy that was accepted, so it is JSON whose principals stand where they should.
pub(crate) fn rewrite(document: &str, principal: &str, instead: &str) -> Option<String> {
    let mut out = String::with_capacity(document.len());
    let mut copied = 0;
    let mut frames: Vec<Frame> = Vec::new();
    let mut position = 0;
    let bytes = document.as_bytes();
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'{' => frames.push(Frame::Object { member: None, is_at_name: true }),
            b'[' => frames.push(Frame::List),
            b'}' | b']' => drop(frames.pop()),
            b':' => set_at_name(&mut frames, false),
            b',' => set_at_name(&mut frames, true),
            b'"' => {
                let end = position + string_bytes(bytes.get(position..)?);
                let text: String = serde_json::from_str(document.get(position..end)?).ok()?;
                if let Some(Frame::Object { member, is_at_name: true }) = frames.last_mut() {
                    *member = Some(text);
                } else if text == principal && is_principal(&frames) {
                    out.push_str(document.get(copied..position)?);
                    out.push_str(&serde_json::to_string(instead).ok()?);
                    copied = end;
                }
                position = end;
                continue;
            }
            _ => {}
        }
        position += 1;
    }
    out.push_str(document.get(copied..)?);
    (copied > 0).then_some(out)
}

/// What the place in a JSON text stands in.
enum Frame {
    /// An object, at a member's name or behind it.
    Object { member: Option<String>, is_at_name: bool },
    /// A list.
    List,
}

fn set_at_name(frames: &mut [Frame], is_now: bool) {
    if let Some(Frame::Object { is_at_name, .. }) = frames.last_mut() {
        *is_at_name = is_now;
    }
}

/// Whether a string in this place is a principal of the kind `AWS`.
fn is_principal(frames: &[Frame]) -> bool {
    let mut members = frames.iter().filter_map(|frame| match frame {
        Frame::Object { member, .. } => member.as_deref(),
        Frame::List => None,
    });
    members.next() == Some("Statement")
        && matches!(members.next(), Some("Principal" | "NotPrincipal"))
        && members.next() == Some("AWS")
        && members.next().is_none()
}

/// The bytes of the string that a text begins with, its quotes included.
fn string_bytes(text: &[u8]) -> usize {
    let mut is_escaped = false;
    for (position, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return position + 1,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:iam::111122223333:user/Ada";

    #[test]
    fn a_principal_is_rewritten_wherever_it_stands_and_nothing_else() {
        for (policy, expected) in [
            (
                r#"{"Statement":{"Principal":{"AWS":"@"}}}"#,
                r#"{"Statement":{"Principal":{"AWS":"AIDA1"}}}"#,
            ),
            (
                r#"{ "Statement" : [ {"NotPrincipal":{"AWS":["*", "@", "@"]}} ], "Id": "@" }"#,
                r#"{ "Statement" : [ {"NotPrincipal":{"AWS":["*", "AIDA1", "AIDA1"]}} ], "Id": "@" }"#,
            ),
        ] {
            let (policy, expected) = (policy.replace('@', ARN), expected.replace('@', ARN));
            assert_eq!(rewrite(&policy, ARN, "AIDA1"), Some(expected));
        }
        let escaped =
            r#"{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user\/Ada"}}}"#;
        assert!(rewrite(escaped, ARN, "AIDA1").is_some_and(|policy| policy.contains("AIDA1")));
    }

    #[test]
    fn the_same_text_elsewhere_is_no_principal() {
        for policy in [
            r#"{"Statement":{"Sid":"@","Condition":{"ArnEquals":{"aws:PrincipalArn":"@"}}}}"#,
            r#"{"Statement":{"Principal":{"Federated":"@"},"Resource":"@"}}"#,
            r#"{"Statement":{"Principal":{"AWS":"@2"},"@":"a\\"}}"#,
            r#"{"Principal":{"AWS":"@"}}"#,
        ] {
            assert_eq!(rewrite(&policy.replace('@', ARN), ARN, "AIDA1"), None, "{policy}");
        }
    }
}
