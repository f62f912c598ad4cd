//! The principals that policies name: whether they exist here.

use policy::PrincipalPattern;

use crate::context::Context;

/// Whether a principal that a policy names exists here.
pub(crate) fn exists(context: &Context<'_>, principal: &PrincipalPattern) -> bool {
    match principal {
        PrincipalPattern::Everyone => true,
        PrincipalPattern::Account { account, .. } => {
            context.host().credentials.has_account(*account)
        }
        PrincipalPattern::Service(name) => is_service_name(name),
        PrincipalPattern::Arn { arn, account } => {
            context.host().identities.is_principal(*account, arn, context.call().region.partition())
        }
        PrincipalPattern::UniqueId(_)
        | PrincipalPattern::Federated(_)
        | PrincipalPattern::CanonicalUser(_) => false,
    }
}

/// Whether a name has the form of AWS's service principals.
fn is_service_name(name: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn"]
        .iter()
        .any(|suffix| name.strip_suffix(suffix).is_some_and(|rest| !rest.is_empty()))
}
