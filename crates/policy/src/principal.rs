//! Who calls, and whom a statement names.

use std::str::FromStr;

use serde::Serialize;
use wire::names::{AccountId, Partition};

use crate::statement::Effect;

/// The authenticated caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal {
    /// The account that the caller belongs to.
    pub account: AccountId,
    /// The caller's ARN; for a session the session's, as CloudTrail shows it; for a service its
    /// name, for a web identity its provider.
    pub arn: Box<str>,
    /// What kind of principal it is, with what only that kind has.
    pub kind: PrincipalKind,
}

/// Kinds of callers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrincipalKind {
    /// The root user of an account.
    Root,
    /// An IAM user, also with credentials of GetSessionToken.
    User,
    /// A session of a role.
    RoleSession {
        /// The ARN of the role behind the session.
        role_arn: Box<str>,
    },
    /// A session that a user made with GetFederationToken.
    FederatedUser {
        /// The ARN of the user behind the session; `None` if it is the account's root user.
        user_arn: Option<Box<str>>,
    },
    /// A service acting for itself. It has no identity policies: the key policy must name it.
    Service {
        /// The service principal, such as `s3.amazonaws.com`.
        name: Box<str>,
    },
    /// Someone who shows a token of an OIDC provider in order to assume a role. It has no identity
    /// policies: the trust policy of the role must name its provider.
    WebIdentity {
        /// The ARN of the account's OIDC provider, or the name of one that all accounts have, such
        /// as `accounts.google.com`.
        provider: Box<str>,
    },
}

impl Principal {
    /// Service control policies are about the principals of an account, which a service acting for
    /// itself and a web identity are not.
    pub(crate) fn has_service_control(&self) -> bool {
        match self.kind {
            PrincipalKind::Root
            | PrincipalKind::User
            | PrincipalKind::RoleSession { .. }
            | PrincipalKind::FederatedUser { .. } => true,
            PrincipalKind::Service { .. } | PrincipalKind::WebIdentity { .. } => false,
        }
    }

    /// A session of a federated user can do nothing of its own until a session policy lets it.
    pub(crate) fn needs_session_policy(&self) -> bool {
        matches!(self.kind, PrincipalKind::FederatedUser { .. })
    }
}

/// A principal as a statement names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PrincipalPattern {
    /// `*`: everybody, also of other accounts.
    Everyone,
    /// An account: its root user and, through their identity policies, its other principals.
    Account {
        /// The account.
        account: AccountId,
        /// The partition of the root ARN; `None` if the bare account id was written, which
        /// GetKeyPolicy shows as [`root_arn`].
        partition: Option<Partition>,
    },
    /// A user, a role, a role session or a federated user.
    Arn {
        /// The ARN, without wildcards.
        arn: Box<str>,
        /// The account in the ARN.
        account: AccountId,
    },
    /// The unique id (`AIDA...`, `AROA...`) that AWS shows in place of a deleted user or role. It
    /// matches nobody, so a namesake created later gains nothing.
    UniqueId(Box<str>),
    /// A service principal.
    Service(Box<str>),
    /// A web identity or SAML provider, in the trust policy of a role.
    Federated(Box<str>),
    /// A canonical user id, which only S3 knows; it matches nobody.
    CanonicalUser(Box<str>),
}

/// The ARN of an account's root user: `arn:aws:iam::111122223333:root`.
pub fn root_arn(account: AccountId, partition: Partition) -> String {
    format!("arn:{}:iam::{account}:root", partition.as_str())
}

/// How closely a statement names the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Reach {
    /// The caller itself, by its own ARN or as one of all. An allowance needs nothing else in the
    /// account of the resource.
    Caller,
    /// The role or the user behind the caller's session. An allowance needs no identity policy, but
    /// the permissions boundary and the session policies limit it.
    Issuer,
    /// The caller's account. A denial reaches everyone in it; an allowance only switches on the
    /// account's identity policies.
    Account,
}

/// Whom a statement is about.
#[derive(Clone, Debug)]
pub(crate) enum PrincipalClause {
    /// Whoever holds the identity policy.
    Holder,
    /// `Principal`
    Named(Box<[PrincipalPattern]>),
    /// `NotPrincipal`
    NotNamed(Box<[PrincipalPattern]>),
}

impl PrincipalClause {
    /// How closely the clause names the caller, `None` if not at all.
    ///
    /// `NotPrincipal` under a denial reaches everyone who is `bounded` by a permissions boundary,
    /// whomever it lists (IAM User Guide, "Permissions boundaries for IAM entities").
    pub(crate) fn reach(&self, caller: &Principal, effect: Effect, bounded: bool) -> Option<Reach> {
        match self {
            PrincipalClause::Holder => Some(Reach::Caller),
            PrincipalClause::Named(patterns) => closest(patterns, caller),
            PrincipalClause::NotNamed(patterns) => {
                let reaches = (bounded && effect == Effect::Deny)
                    || reaches_the_unnamed(patterns, caller, effect);
                reaches.then_some(Reach::Caller)
            }
        }
    }

    /// The patterns of the clause.
    pub(crate) fn patterns(&self) -> &[PrincipalPattern] {
        match self {
            PrincipalClause::Holder => &[],
            PrincipalClause::Named(patterns) | PrincipalClause::NotNamed(patterns) => patterns,
        }
    }
}

fn closest(patterns: &[PrincipalPattern], caller: &Principal) -> Option<Reach> {
    let mut closest = None;
    for pattern in patterns {
        match (pattern.reach(caller), closest) {
            (Some(Reach::Caller), _) => return Some(Reach::Caller),
            (Some(Reach::Issuer), _) => closest = Some(Reach::Issuer),
            (Some(Reach::Account), None) => closest = Some(Reach::Account),
            (Some(Reach::Account), Some(_)) | (None, _) => {}
        }
    }
    closest
}

/// `NotPrincipal`: AWS looks at the caller's account, then at the role, then at the session, and
/// asks its users to list them all (IAM User Guide, "NotPrincipal"). A denial therefore spares only
/// those who are listed together with all that stands behind them; an allowance leaves out everyone
/// of whom anything is listed. Both err on the side of refusing.
fn reaches_the_unnamed(patterns: &[PrincipalPattern], caller: &Principal, effect: Effect) -> bool {
    let named = |reach| patterns.iter().any(|pattern| pattern.reach(caller) == Some(reach));
    let account_named = || patterns.iter().any(|pattern| pattern.names_account_of(caller));
    let everyone = patterns.contains(&PrincipalPattern::Everyone);
    let (all_named, any_named) = match caller.kind {
        PrincipalKind::Service { .. } | PrincipalKind::WebIdentity { .. } => {
            (named(Reach::Caller), named(Reach::Caller))
        }
        PrincipalKind::Root
        | PrincipalKind::User
        | PrincipalKind::FederatedUser { user_arn: None } => {
            let (caller, account) = (named(Reach::Caller), account_named());
            (caller && account, caller || account)
        }
        PrincipalKind::RoleSession { .. } | PrincipalKind::FederatedUser { user_arn: Some(_) } => {
            let (caller, account) = (named(Reach::Caller), account_named());
            let issuer = named(Reach::Issuer) || everyone;
            (caller && issuer && account, caller || issuer || account)
        }
    };
    match effect {
        Effect::Deny => !all_named,
        Effect::Allow => !any_named,
    }
}

impl PrincipalPattern {
    /// The account that the pattern lies in, if it lies in one.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            PrincipalPattern::Account { account, .. } | PrincipalPattern::Arn { account, .. } => {
                Some(*account)
            }
            PrincipalPattern::Everyone
            | PrincipalPattern::UniqueId(_)
            | PrincipalPattern::Service(_)
            | PrincipalPattern::Federated(_)
            | PrincipalPattern::CanonicalUser(_) => None,
        }
    }

    /// Reads a member of `"AWS"`; `None` if it names no principal.
    pub(crate) fn parse_aws(text: &str) -> Option<PrincipalPattern> {
        if text == "*" {
            return Some(PrincipalPattern::Everyone);
        }
        if let Ok(account) = AccountId::from_str(text) {
            return Some(PrincipalPattern::Account { account, partition: None });
        }
        if text.starts_with("arn:") { parse_arn(text) } else { parse_unique_id(text) }
    }

    /// Reads a member of `"Service"`.
    pub(crate) fn parse_service(text: &str) -> Option<PrincipalPattern> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        let named = !text.is_empty() && text.bytes().all(allowed);
        named.then(|| PrincipalPattern::Service(text.into()))
    }

    /// Reads a member of `"Federated"`.
    pub(crate) fn parse_federated(text: &str) -> Option<PrincipalPattern> {
        let named = !text.is_empty() && !text.contains(['*', '?']);
        named.then(|| PrincipalPattern::Federated(text.into()))
    }

    /// Reads a member of `"CanonicalUser"`.
    pub(crate) fn parse_canonical_user(text: &str) -> Option<PrincipalPattern> {
        let named = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        named.then(|| PrincipalPattern::CanonicalUser(text.into()))
    }

    /// How closely the pattern names the caller.
    fn reach(&self, caller: &Principal) -> Option<Reach> {
        match self {
            PrincipalPattern::Everyone => Some(Reach::Caller),
            PrincipalPattern::Account { .. } => match caller.kind {
                PrincipalKind::Service { .. } | PrincipalKind::WebIdentity { .. } => None,
                PrincipalKind::Root => self.names_account_of(caller).then_some(Reach::Caller),
                PrincipalKind::User
                | PrincipalKind::RoleSession { .. }
                | PrincipalKind::FederatedUser { .. } => {
                    self.names_account_of(caller).then_some(Reach::Account)
                }
            },
            PrincipalPattern::Arn { arn, .. } => match &caller.kind {
                PrincipalKind::User => (*arn == caller.arn).then_some(Reach::Caller),
                PrincipalKind::RoleSession { role_arn } => session_reach(arn, caller, role_arn),
                PrincipalKind::FederatedUser { user_arn: Some(user_arn) } => {
                    session_reach(arn, caller, user_arn)
                }
                PrincipalKind::FederatedUser { user_arn: None } => {
                    (*arn == caller.arn).then_some(Reach::Caller)
                }
                PrincipalKind::Root
                | PrincipalKind::Service { .. }
                | PrincipalKind::WebIdentity { .. } => None,
            },
            PrincipalPattern::Service(service) => match &caller.kind {
                PrincipalKind::Service { name } => (service == name).then_some(Reach::Caller),
                PrincipalKind::Root
                | PrincipalKind::User
                | PrincipalKind::RoleSession { .. }
                | PrincipalKind::FederatedUser { .. }
                | PrincipalKind::WebIdentity { .. } => None,
            },
            PrincipalPattern::Federated(named) => match &caller.kind {
                PrincipalKind::WebIdentity { provider } => {
                    (named == provider).then_some(Reach::Caller)
                }
                PrincipalKind::Root
                | PrincipalKind::User
                | PrincipalKind::RoleSession { .. }
                | PrincipalKind::FederatedUser { .. }
                | PrincipalKind::Service { .. } => None,
            },
            PrincipalPattern::UniqueId(_) | PrincipalPattern::CanonicalUser(_) => None,
        }
    }

    fn names_account_of(&self, caller: &Principal) -> bool {
        match self {
            PrincipalPattern::Everyone => true,
            PrincipalPattern::Account { account, partition } => {
                *account == caller.account
                    && partition.is_none_or(|partition| lies_in(partition, &caller.arn))
            }
            PrincipalPattern::Arn { .. }
            | PrincipalPattern::UniqueId(_)
            | PrincipalPattern::Service(_)
            | PrincipalPattern::Federated(_)
            | PrincipalPattern::CanonicalUser(_) => false,
        }
    }
}

fn session_reach(named: &str, session: &Principal, issuer_arn: &str) -> Option<Reach> {
    if *named == *session.arn {
        Some(Reach::Caller)
    } else {
        (named == issuer_arn).then_some(Reach::Issuer)
    }
}

fn lies_in(partition: Partition, arn: &str) -> bool {
    arn.strip_prefix("arn:")
        .and_then(|rest| rest.strip_prefix(partition.as_str()))
        .is_some_and(|rest| rest.starts_with(':'))
}

/// Reads the ARN of an account root, a user, a role, a role session or a federated user. Groups
/// cannot be principals and wildcards cannot stand in for parts of a name (IAM User Guide,
/// "Principal").
fn parse_arn(text: &str) -> Option<PrincipalPattern> {
    let mut parts = text.splitn(6, ':');
    let (_arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let partition = Partition::from_str(partition).ok()?;
    let account = AccountId::from_str(account).ok()?;
    if !region.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    if service == "iam" && resource == "root" {
        return Some(PrincipalPattern::Account { account, partition: Some(partition) });
    }
    let (kind, name) = resource.split_once('/')?;
    let well_formed = match (service, kind) {
        ("iam", "user" | "role") => !name.is_empty() && !name.ends_with('/'),
        ("sts", "assumed-role") => name.split_once('/').is_some_and(|(role, session)| {
            !role.is_empty() && !session.is_empty() && !session.contains('/')
        }),
        ("sts", "federated-user") => !name.is_empty(),
        (_, _) => false,
    };
    let plain = !name.contains(['*', '?', ':', '"', '\\', '$']);
    (well_formed && plain).then(|| PrincipalPattern::Arn { arn: text.into(), account })
}

/// Reads a unique id of IAM: four letters of kind, then at least twelve letters and digits.
fn parse_unique_id(text: &str) -> Option<PrincipalPattern> {
    let kind = ["AIDA", "AROA"].iter().any(|prefix| text.starts_with(prefix));
    let characters = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let well_formed = kind && characters && (16..=128).contains(&text.len());
    well_formed.then(|| PrincipalPattern::UniqueId(text.into()))
}
