//! Explanations for the operator: how policies and grants decide a call, and by which statement.
//!
//! Nobody calls. The caller is made up as a signature would have proved it, and the question goes to the documents,
//! conditions and grants through [`authorize::put`](crate::authorize::put), as those of real calls do; only at its end
//! stands [`policy::explain`] in place of the decision.

mod caller;
mod told;
mod users;

pub use self::told::{DecidingStatement, Explained, NamedDocument, Verdict};
pub use self::users::{GrantToUse, KeyUser, KeyUsers};

pub(crate) use self::users::who_can;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use policy::{
    ConditionContext, ConditionValues, Decision, GrantPermissions, GrantedRequest, Grants,
    Policies, PrincipalKind, Query,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::enums::{EncryptionAlgorithmSpec, KeyUsage};
use wire::names::{AliasArn, GrantId, KeyRef, Region};
use wire::values::EncryptionContext;

use crate::api::Peer;
use crate::authorize::{granted_request, grants_known, put};
use crate::call::Call;
use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::facts::{Facts, GrantFacts};
use crate::host::Host;
use crate::operation::Spec;
use crate::operations;
use crate::target::{Ask, Lookup, OneKey};

/// Operations about no key and no alias.
pub(crate) const WITHOUT_KEY: [&str; 5] =
    ["CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants"];
/// Operations that ask about an alias, and then about its key.
pub(crate) const OF_ALIASES: [&str; 3] = ["CreateAlias", "UpdateAlias", "DeleteAlias"];

/// A call that nobody makes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupposedCall {
    /// The ARN of a root user, a user, a role or a session of a role.
    pub principal: String,
    /// The action, such as `kms:Decrypt`, in any case.
    pub action: String,
    /// The key, in any of the forms that the operation accepts; for an operation on an alias also the alias. None for
    /// operations on neither.
    pub key: Option<String>,
    /// The Region; that of the key's ARN when absent.
    pub region: Option<String>,
    /// The encryption context.
    pub encryption_context: BTreeMap<String, String>,
    /// Condition keys with their values. They count in place of what the call would say; what else is not said here is as
    /// in a request from this machine without TLS.
    pub context: Vec<(String, String)>,
    /// The session policy of a role's session.
    pub session_policy: Option<String>,
}

/// Why there is no explanation. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No such principal.
    #[error(
        "no principal {0:?} here; expected the ARN of a root user, a user, a role or a role's session, \
         for example: arn:aws:iam::111122223333:user/ada"
    )]
    Principal(String),
    /// No such action.
    #[error(
        "no action {0:?} that policies decide for a key alone; expected one of AWS KMS, for example: kms:Decrypt"
    )]
    Action(String),
    /// No Region.
    #[error("which Region? Say it, or name the key by its ARN")]
    Region,
    /// The operation acts on a key.
    #[error("{0} acts on a key: say which")]
    NoKey(&'static str),
    /// The operation acts on no key.
    #[error("{0} acts on no key")]
    NeedlessKey(&'static str),
    /// No such key.
    #[error("no key {0:?} here; expected a key ID, a key ARN or an alias ARN")]
    Key(String),
    /// The session policy cannot be read, or there is no session.
    #[error("the session policy cannot be used: {0}")]
    SessionPolicy(String),
    /// A call would be refused before policies are asked, or the service failed.
    #[error("refused before policies are asked: {0}")]
    Service(#[from] ServiceError),
}

/// Explains how a supposed call would be decided.
pub(crate) async fn explain(
    host: &Host,
    supposed: &SupposedCall,
) -> Result<Explained, ExplainError> {
    Ok(answer(host, supposed).await?.explained)
}

async fn answer(host: &Host, supposed: &SupposedCall) -> Result<Walked, ExplainError> {
    let (spec, position) = asked_action(&supposed.action)?;
    let region = region_of(supposed)?;
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None };
    let call = Call {
        request_id: Uuid::nil(),
        event_id: Uuid::nil(),
        now: host.clock.now(),
        region,
        caller: caller::suppose(host, supposed, region.partition())?,
        guard_rails: host.guard_rails.load_full(),
        peer: &peer,
        user_agent: b"",
        host_header: b"",
        body: b"",
    };
    let lookup = Lookup { host, call: &call, spec, position: 0 };
    let named = Named::find(&lookup, supposed.key.as_deref()).await?;
    Ok(walk(&lookup, position, &named, supposed).await?)
}

/// The operation that asks for the action. Who may retire a grant is a matter of that grant, and what is no action of KMS
/// is about no key.
fn asked_action(action: &str) -> Result<(&'static Spec, usize), ExplainError> {
    let asked = operations::of_action(action).filter(|(spec, position)| {
        spec.action(*position).starts_with("kms:") && spec.name != "RetireGrant"
    });
    asked.ok_or_else(|| ExplainError::Action(action.to_owned()))
}

fn region_of(supposed: &SupposedCall) -> Result<Region, ExplainError> {
    let of_key =
        || supposed.key.as_deref().filter(|key| key.starts_with("arn:"))?.split(':').nth(3);
    let region = supposed.region.as_deref().or_else(of_key).ok_or(ExplainError::Region)?;
    region.parse().map_err(|_| ExplainError::Region)
}

/// What the question is about.
enum Named {
    Nothing,
    Alias(AliasArn),
    Key(OneKey),
}

impl Named {
    async fn find(lookup: &Lookup<'_>, key: Option<&str>) -> Result<Named, ExplainError> {
        let name = lookup.spec.name;
        let Some(text) = key else {
            return match WITHOUT_KEY.contains(&name) {
                true => Ok(Named::Nothing),
                false => Err(ExplainError::NoKey(name)),
            };
        };
        if WITHOUT_KEY.contains(&name) {
            return Err(ExplainError::NeedlessKey(name));
        }
        let call = lookup.call;
        match KeyRef::parse(text) {
            Ok(KeyRef::AliasArn(arn)) if OF_ALIASES.contains(&name) => Ok(Named::Alias(arn)),
            Ok(KeyRef::AliasName(alias)) if OF_ALIASES.contains(&name) => {
                Ok(Named::Alias(AliasArn { region: call.region, account: call.account(), alias }))
            }
            Ok(_) | Err(_) => Ok(Named::Key(lookup.key(text).await?)),
        }
    }

    fn ask(&self) -> Ask<'_> {
        match self {
            Named::Nothing => Ask::Nothing,
            Named::Alias(arn) => Ask::Alias(arn),
            Named::Key(OneKey { key, named_by }) => Ask::Key(key, named_by),
        }
    }
}

/// What came of a question.
struct Walked {
    explained: Explained,
    /// What policies alone say to the most favourable request of this caller.
    at_best: Decision,
    /// The condition keys of those documents that are for the request to fill.
    open: BTreeSet<String>,
}

impl Walked {
    fn is_open(&self, key: &str) -> bool {
        self.open.contains(key)
    }
}

async fn walk(
    lookup: &Lookup<'_>,
    position: usize,
    named: &Named,
    supposed: &SupposedCall,
) -> Result<Walked, ServiceError> {
    let operation = lookup.spec.grant_operation(position);
    let known = match (named, operation) {
        (Named::Key(one), Some(_)) => grants_known(lookup, &one.key).await?,
        (Named::Key(_) | Named::Alias(_) | Named::Nothing, _) => Vec::new(),
    };
    let encryption_context = EncryptionContext::from(supposed.encryption_context.clone());
    let facts = facts(lookup.spec, position, &encryption_context);
    facts.check()?;
    // A grant that permits CreateGrant covers at least the grant that permits nothing.
    let child = GrantPermissions::default();
    let request = operation
        .map(|operation| granted_request(lookup.call, &facts, position, operation, Some(&child)));
    let covering = |request: &GrantedRequest<'_>| -> Vec<_> {
        known.iter().filter_map(|grants| grants.covering(request)).collect()
    };
    let covering = request.as_ref().map(covering).unwrap_or_default();
    let candidates: Vec<_> = covering.iter().map(|(_, grant)| *grant).collect();
    let grants = request.map(|request| Grants { request, candidates: &candidates, alone: false });
    let ask = named.ask();
    let conditions = Given {
        values: given(&supposed.context),
        otherwise: &Conditions::new(lookup.call, Some(&ask), &facts, position),
    };
    let grant_ids: Vec<GrantId> = covering.iter().map(|(grant_id, _)| *grant_id).collect();
    put(lookup, &ask, lookup.spec.action(position), &conditions, grants, |query, policies| {
        let Query { principal, resource, .. } = *query;
        let explanation = policy::explain(query, policies);
        let is_open =
            |key: &str| !conditions.values.contains_key(key) && is_of_request(key, &principal.kind);
        let alone = Policies { grants: None, ..*policies };
        let at_best = policy::decide_at_best(query, &alone, &is_open);
        let explained =
            told::tell(lookup, &ask, &principal.arn, resource, position, explanation, &grant_ids);
        let statements =
            explained.documents.iter().flat_map(|document| &document.explanation.statements);
        let keys = statements.flat_map(|statement| &statement.conditions).map(|one| &one.key);
        let open = keys.filter(|key| is_open(key)).cloned().collect();
        Walked { explained, at_best, open }
    })
}

/// Whether it is for the request or its session to say what a condition key has, rather than a fact of the caller or the
/// key. The key is in lower case.
fn is_of_request(key: &str, caller: &PrincipalKind) -> bool {
    let of_session = matches!(caller, PrincipalKind::RoleSession { .. });
    match key {
        "aws:principalarn"
        | "aws:principalaccount"
        | "aws:principaltype"
        | "aws:username"
        | "aws:principalisawsservice"
        | "aws:principalorgid"
        | "aws:principalorgpaths"
        | "aws:resourceorgid"
        | "aws:resourceorgpaths"
        | "aws:requestedregion"
        | "aws:resourceaccount"
        | "kms:calleraccount"
        | "kms:keyspec"
        | "kms:keyusage"
        | "kms:customermasterkeyspec"
        | "kms:customermasterkeyusage"
        | "kms:keyorigin"
        | "kms:multiregion"
        | "kms:multiregionkeytype"
        | "kms:resourcealiases" => false,
        // A session adds its name and tags of its own, and only it has the others.
        "aws:userid"
        | "aws:sourceidentity"
        | "aws:tokenissuetime"
        | "aws:multifactorauthpresent" => of_session,
        _ if key.starts_with("aws:principaltag/") => of_session,
        _ => !key.starts_with("aws:resourcetag/"),
    }
}

/// What a request says of itself with only an encryption context in it.
fn facts<'r>(
    spec: &'static Spec,
    position: usize,
    encryption_context: &'r EncryptionContext,
) -> Facts<'r> {
    let mut facts = Facts::default();
    if let Some(place) = facts.encryption_contexts.get_mut(position) {
        *place = Some(encryption_context).filter(|context| !context.is_empty());
    }
    // AWS's default; and what data keys are always encrypted with.
    let algorithm = (spec.key_usage == Some(KeyUsage::EncryptDecrypt))
        .then_some(EncryptionAlgorithmSpec::SymmetricDefault);
    if let Some(place) = facts.encryption_algorithms.get_mut(position) {
        *place = algorithm;
    }
    let is_about_grants = ["CreateGrant", "ListGrants", "RevokeGrant"].contains(&spec.name);
    facts.grant = GrantFacts { asked: None, is_for_aws_resource: is_about_grants.then_some(false) };
    facts
}

/// Condition keys whose values the operator gave, before those of the call.
struct Given<'a> {
    /// By condition key in lower case.
    values: BTreeMap<String, Vec<&'a str>>,
    otherwise: &'a dyn ConditionContext,
}

fn given(context: &[(String, String)]) -> BTreeMap<String, Vec<&str>> {
    let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, value) in context {
        values.entry(key.to_ascii_lowercase()).or_default().push(value);
    }
    values
}

impl ConditionContext for Given<'_> {
    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        match self.values.get(key).map(Vec::as_slice) {
            Some([value]) => Some(ConditionValues::from(*value)),
            Some(values) => Some(ConditionValues::many(values.iter().copied())),
            None => self.otherwise.values(key),
        }
    }
}
