//! Who asks in a simulation.

use std::sync::Arc;

use policy::{Principal, PrincipalKind};
use store::IdentityKind;
use wire::names::AccountId;

use super::invalid;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::Identity;

/// The name of the session with which a role asks.
const SESSION_NAME: &str = "simulation";

/// Somebody who may exist or not.
pub(super) struct Supposed {
    /// As policies see it.
    pub(super) principal: Principal,
    /// The user or role, if the calling account has it.
    pub(super) identity: Option<Arc<Identity>>,
    /// Whether it is a user or role, which policies of resources can name. A group is nobody, and a simulation need not
    /// say who asks.
    pub(super) is_named: bool,
}

impl Supposed {
    /// The user, group or role of that ARN; without one, a user of the calling account whom nothing names.
    pub(super) fn new(context: &Context<'_>, arn: Option<&str>) -> Result<Supposed, ServiceError> {
        let call = context.call();
        let (own, partition) = (call.account(), call.region.partition().as_str());
        let Some(arn) = arn else {
            let arn = format!("arn:{partition}:iam::{own}:user/").into_boxed_str();
            let principal = Principal { account: own, arn, kind: PrincipalKind::User };
            return Ok(Supposed { principal, identity: None, is_named: false });
        };
        let (account, kind, name) = parse(arn, partition).ok_or_else(|| {
            invalid(format!("Invalid Caller ARN: {arn}; it must name a user, group or role."))
        })?;
        let found = context.host().identities.find(account, kind, name);
        let identity =
            found.filter(|found| account == own && found.arn(call.region.partition()) == arn);
        let (arn, kind, is_named) = match kind {
            IdentityKind::Role => (
                format!("arn:{partition}:sts::{account}:assumed-role/{name}/{SESSION_NAME}"),
                PrincipalKind::RoleSession { role_arn: arn.into() },
                true,
            ),
            IdentityKind::User => (arn.to_owned(), PrincipalKind::User, true),
            IdentityKind::Group | IdentityKind::Policy | IdentityKind::OidcProvider => {
                (arn.to_owned(), PrincipalKind::User, false)
            }
        };
        let principal = Principal { account, arn: arn.into_boxed_str(), kind };
        Ok(Supposed { principal, identity, is_named })
    }

    /// The name, if a user asks.
    pub(super) fn user_name(&self) -> Option<&str> {
        let is_user = self.is_named && self.principal.kind == PrincipalKind::User;
        self.principal.arn.rsplit('/').next().filter(|_| is_user)
    }
}

fn parse<'a>(arn: &'a str, partition: &str) -> Option<(AccountId, IdentityKind, &'a str)> {
    let rest = arn.strip_prefix("arn:")?.strip_prefix(partition)?.strip_prefix(":iam::")?;
    let (account, resource) = rest.split_once(':')?;
    let (kind, path) = resource.split_once('/')?;
    let kind = kind.parse().ok().filter(|kind| is_holder(*kind))?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some((account.parse().ok()?, kind, name))
}

fn is_holder(kind: IdentityKind) -> bool {
    matches!(kind, IdentityKind::User | IdentityKind::Group | IdentityKind::Role)
}

/// The account that `ResourceOwner` names: twelve digits, or the ARN of the account.
pub(super) fn owner(text: &str) -> Result<AccountId, ServiceError> {
    let of_arn = || text.strip_prefix("arn:")?.strip_suffix(":root")?.rsplit(':').next();
    let digits = of_arn().unwrap_or(text);
    digits.parse().map_err(|_| invalid(format!("Invalid Resource Owner: {text}")))
}
