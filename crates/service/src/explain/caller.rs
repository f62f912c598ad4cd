//! A caller without a signature.

use std::sync::Arc;

use policy::Document;
use sigv4::SecretAccessKey;
use store::IdentityKind;
use wire::names::{AccountId, Partition, Region};

use super::{ExplainError, SupposedCall, SupposedSession};
use crate::call::Caller;
use crate::credentials::Credential;
use crate::host::Host;
use crate::identities::{Holder, Identity, PolicyArn};
use crate::services::{self, Forwarding, Itself, Part, RegisteredService, SYSTEM_ACCOUNT};
use crate::sessions::{self, Claims, SessionKind};
use crate::web_identity;

/// The name of a role's session where only the role is named.
const SESSION_NAME: &str = "explain";
/// What is said of a provider's token that is supposed otherwise.
const ONLY_CLAIMS: &str =
    "a token of an OIDC provider has claims and nothing else: give them with --web-identity-claims";
/// The length of a session, which no policy can ask about.
const SESSION_SECONDS: i64 = 3_600;

/// The caller whom a supposed call names.
pub(super) fn suppose(
    host: &Host,
    supposed: &SupposedCall,
    region: Region,
) -> Result<Caller, ExplainError> {
    let maker = Maker { host, supposed, partition: region.partition() };
    let caller = match supposed.principal.starts_with("arn:") {
        true => maker.caller()?,
        false => maker.service(region)?,
    };
    let Some(name) = &supposed.via_service else { return Ok(caller) };
    if caller.service().is_some() || caller.web_identity().is_some() {
        return Err(cannot("services call as users and roles, and not as each other"));
    }
    let service = host.services.find(name);
    let service =
        service.ok_or_else(|| cannot(format!("no service {name:?} is registered here")))?;
    services::refuse_region(&service, region)?;
    let actions = service.actions.clone();
    Ok(caller.with_part(Part::Forwarding(Forwarding { service, region, actions })))
}

fn cannot(reason: impl Into<String>) -> ExplainError {
    ExplainError::Caller(reason.into())
}

struct Maker<'a> {
    host: &'a Host,
    supposed: &'a SupposedCall,
    partition: Partition,
}

impl Maker<'_> {
    fn unknown(&self) -> ExplainError {
        ExplainError::Principal(self.supposed.principal.clone())
    }

    /// A caller of an account.
    fn caller(&self) -> Result<Caller, ExplainError> {
        let Maker { host, supposed, partition } = *self;
        let unknown = || self.unknown();
        let named = NamedCaller::parse(&supposed.principal, partition).ok_or_else(unknown)?;
        let account = named.account;
        // Users of that account are services, and are named otherwise.
        if account == *SYSTEM_ACCOUNT {
            return Err(unknown());
        }
        match named.kind {
            NamedKind::WebIdentity { provider } => self.web_identity(account, provider),
            NamedKind::Root | NamedKind::Identity(IdentityKind::User) => {
                let behind = self.behind(&supposed.principal)?;
                let kind = supposed.session.is_temporary.then_some(SessionKind::Same);
                self.of(behind, kind)
            }
            NamedKind::Identity(_) => {
                let role = self.behind(&supposed.principal)?;
                self.of(role, Some(SessionKind::Role(SESSION_NAME.to_owned())))
            }
            NamedKind::Session { role, session } => {
                let found = host.identities.find(account, IdentityKind::Role, role);
                let role = found.filter(|found| found.name() == role).ok_or_else(unknown)?;
                let behind = Behind { account, identity: Some(role) };
                self.of(behind, Some(SessionKind::Role(session.to_owned())))
            }
            NamedKind::Federated { name } => {
                let issuer = supposed.session.issuer.as_deref().ok_or_else(|| {
                    cannot("who federated it? Name the user or root user with --session-issuer")
                })?;
                let behind = self.behind(issuer)?;
                let is_user = behind
                    .identity
                    .as_ref()
                    .is_none_or(|identity| identity.kind() == IdentityKind::User);
                if behind.account != account || !is_user {
                    return Err(cannot("users and root users federate, in their own account"));
                }
                self.of(behind, Some(SessionKind::Federated(name.to_owned())))
            }
        }
    }

    /// The root user, user or role of an ARN.
    fn behind(&self, arn: &str) -> Result<Behind, ExplainError> {
        let Maker { host, partition, .. } = *self;
        let unknown = || ExplainError::Principal(arn.to_owned());
        let NamedCaller { account, kind } =
            NamedCaller::parse(arn, partition).ok_or_else(unknown)?;
        match kind {
            NamedKind::Root if host.credentials.has_account(account) => {
                Ok(Behind { account, identity: None })
            }
            NamedKind::Identity(kind) => {
                let name = arn.rsplit('/').next().unwrap_or_default();
                let found = host.identities.find(account, kind, name);
                let identity = found.filter(|found| found.arn(partition) == arn);
                Ok(Behind { account, identity: Some(identity.ok_or_else(unknown)?) })
            }
            NamedKind::Root
            | NamedKind::Session { .. }
            | NamedKind::Federated { .. }
            | NamedKind::WebIdentity { .. } => Err(unknown()),
        }
    }

    /// The caller with an access key, or in a session.
    fn of(&self, behind: Behind, kind: Option<SessionKind>) -> Result<Caller, ExplainError> {
        let Maker { host, supposed, .. } = *self;
        let unknown = || self.unknown();
        self.check_session(kind.as_ref())?;
        let Behind { account, identity } = behind;
        let holder = match &identity {
            Some(identity) => holder_of(host, identity).ok_or_else(unknown)?,
            None => Arc::new(Holder::of_root(account)),
        };
        let credential =
            Credential::of("", account, Arc::clone(&holder), SecretAccessKey::new(String::new()));
        let credential = match kind {
            Some(kind) => {
                let identity_id = identity.map(|identity| identity.id().to_owned());
                let claims = self.claims(account, identity_id, kind)?;
                let standing = holder.standing().ok_or_else(unknown)?;
                credential.of_session(sessions::open("", claims, &standing).ok_or_else(unknown)?)
            }
            None => credential,
        };
        let caller = Caller::of(Arc::new(credential), &host.identities).ok_or_else(unknown)?;
        match supposed.session.claims {
            None => Ok(caller),
            Some(_) => Err(cannot("only tokens of OIDC providers have claims")),
        }
    }

    /// Refuses what a session of that kind cannot have.
    fn check_session(&self, kind: Option<&SessionKind>) -> Result<(), ExplainError> {
        let SupposedSession {
            issuer,
            policy,
            policy_arns,
            tags,
            source_identity,
            is_temporary,
            claims: _,
        } = &self.supposed.session;
        let (is_role, is_federated) = match kind {
            None | Some(SessionKind::Same) => (false, false),
            Some(SessionKind::Role(_)) => (true, false),
            Some(SessionKind::Federated(_)) => (false, true),
        };
        if !is_role && !is_federated && (policy.is_some() || !policy_arns.is_empty()) {
            let reason = "only sessions of roles and federated users can be supposed to have one";
            return Err(ExplainError::SessionPolicy(reason.to_owned()));
        }
        let refused = [
            (!is_role && !is_federated && !tags.is_empty(), "only sessions have tags of their own"),
            (
                !is_role && source_identity.is_some(),
                "only sessions of roles have a source identity",
            ),
            (!is_federated && issuer.is_some(), "only federated users have a session issuer"),
            (
                *is_temporary && (is_role || is_federated),
                "it has no others than temporary credentials",
            ),
        ];
        match refused.into_iter().find(|(is_refused, _)| *is_refused) {
            Some((_, reason)) => Err(cannot(reason)),
            None => Ok(()),
        }
    }

    /// What the token of such a session would say.
    fn claims(
        &self,
        account: AccountId,
        identity_id: Option<String>,
        kind: SessionKind,
    ) -> Result<Claims, ExplainError> {
        let SupposedSession { policy, policy_arns, tags, source_identity, .. } =
            &self.supposed.session;
        if let Some(policy) = policy {
            Document::parse_identity(policy)
                .map_err(|error| ExplainError::SessionPolicy(error.to_string()))?;
        }
        let stored = |arn: &String| {
            let parsed = PolicyArn::parse(arn).and_then(|parsed| parsed.stored(self.partition));
            let known = parsed.filter(|arn| self.host.identities.policy(account, arn).is_some());
            known.ok_or_else(|| ExplainError::SessionPolicy(format!("no policy {arn:?} here")))
        };
        let issued_seconds = self.host.clock.now().as_second();
        Ok(Claims {
            account: account.to_string(),
            identity_id,
            kind,
            issued_seconds,
            expires_seconds: issued_seconds.saturating_add(SESSION_SECONDS),
            policy: policy.clone(),
            policy_arns: policy_arns.iter().map(stored).collect::<Result<_, _>>()?,
            tags: tags.clone(),
            transitive_tag_keys: Vec::new(),
            source_identity: source_identity.clone(),
            federated_provider: None,
        })
    }

    /// Somebody with a token that says what is supposed of it.
    fn web_identity(&self, account: AccountId, provider: &str) -> Result<Caller, ExplainError> {
        let Maker { host, supposed, partition } = *self;
        let found = host.identities.find(account, IdentityKind::OidcProvider, provider);
        let provider = found
            .filter(|found| found.arn(partition) == supposed.principal)
            .ok_or_else(|| self.unknown())?;
        let SupposedSession { claims, .. } = &supposed.session;
        let only_claims = SupposedSession { claims: claims.clone(), ..SupposedSession::default() };
        let claims = claims
            .as_deref()
            .filter(|_| supposed.session == only_claims)
            .ok_or_else(|| cannot(ONLY_CLAIMS))?;
        let identity = web_identity::suppose(account, &provider, partition, claims)?;
        Caller::of_web_identity(identity).ok_or_else(|| self.unknown())
    }

    /// A service that calls as itself; for the resource that the condition keys name, if they do.
    fn service(&self, region: Region) -> Result<Caller, ExplainError> {
        let Maker { host, supposed, .. } = *self;
        let unknown = || self.unknown();
        let services = host.services.all();
        let service = services.iter().find(|one| one.principal == supposed.principal);
        let service = Arc::clone(service.ok_or_else(unknown)?);
        services::refuse_region(&service, region)?;
        if supposed.session != SupposedSession::default() {
            return Err(cannot("services have no sessions"));
        }
        let identity = self.identity_of(&service).ok_or_else(|| {
            cannot(format!("the service {:?} has no access key yet", service.name))
        })?;
        let behind = Behind { account: *SYSTEM_ACCOUNT, identity: Some(identity) };
        let caller = self.of(behind, None)?;
        Ok(caller.with_part(Part::Itself(Itself {
            principal: services::principal(&service),
            service,
            source_arn: self.given("aws:SourceArn"),
            source_account: self.given("aws:SourceAccount"),
        })))
    }

    fn identity_of(&self, service: &RegisteredService) -> Option<Arc<Identity>> {
        self.host.identities.find(*SYSTEM_ACCOUNT, IdentityKind::User, &service.name)
    }

    /// What the operator said of a condition key.
    fn given(&self, name: &str) -> Option<Box<str>> {
        let context = &self.supposed.context;
        let given = context.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        given.map(|(_, value)| value.as_str().into())
    }
}

fn holder_of(host: &Host, identity: &Identity) -> Option<Arc<Holder>> {
    host.identities.holder(identity.account(), identity.id())
}

/// What stands behind a caller.
struct Behind {
    account: AccountId,
    /// The user or role; none for a root user.
    identity: Option<Arc<Identity>>,
}

/// The ARN of a caller, taken apart.
struct NamedCaller<'a> {
    account: AccountId,
    kind: NamedKind<'a>,
}

enum NamedKind<'a> {
    Root,
    Identity(IdentityKind),
    Session { role: &'a str, session: &'a str },
    Federated { name: &'a str },
    WebIdentity { provider: &'a str },
}

impl<'a> NamedCaller<'a> {
    fn parse(arn: &'a str, partition: Partition) -> Option<NamedCaller<'a>> {
        let rest = arn.strip_prefix("arn:")?.strip_prefix(partition.as_str())?.strip_prefix(':')?;
        let (service, rest) = rest.split_once("::")?;
        let (account, resource) = rest.split_once(':')?;
        let kind = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => NamedKind::Root,
            ("iam", Some(("user", _))) => NamedKind::Identity(IdentityKind::User),
            ("iam", Some(("role", _))) => NamedKind::Identity(IdentityKind::Role),
            ("iam", Some(("oidc-provider", provider))) => NamedKind::WebIdentity { provider },
            ("sts", Some(("federated-user", name))) => NamedKind::Federated { name },
            ("sts", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/')?;
                NamedKind::Session { role, session }
            }
            (_, _) => return None,
        };
        Some(NamedCaller { account: account.parse().ok()?, kind })
    }
}
