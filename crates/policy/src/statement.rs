//! One statement: what it is about, and whether it is about a request.

use serde::Serialize;

use crate::conditions::Condition;
use crate::decide::Question;
use crate::document::{Compilation, DocumentKind};
use crate::error::DocumentError;
use crate::principal::{PrincipalClause, PrincipalPattern, Reach};
use crate::syntax::{Json, Object, syntax_error};
use crate::template::{Grammar, Template};
use crate::wildcard::Pattern;

/// What a statement does to the requests that it is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Effect {
    /// It allows them.
    Allow,
    /// It refuses them, whatever else allows them.
    Deny,
}

/// A compiled statement.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    pub(crate) principal: PrincipalClause,
    actions: Clause<Pattern>,
    resources: Clause<Template>,
    conditions: Box<[Condition]>,
}

/// Patterns of which one must match, or (`NotAction`, `NotResource`) none.
#[derive(Clone, Debug)]
struct Clause<T> {
    negated: bool,
    patterns: Box<[T]>,
}

impl<T> Clause<T> {
    fn holds(&self, matches: impl Fn(&T) -> bool) -> bool {
        self.patterns.iter().any(matches) != self.negated
    }
}

impl Statement {
    /// Compiles the elements of a statement.
    pub(crate) fn compile(
        mut elements: Object,
        compilation: &mut Compilation,
    ) -> Result<Statement, DocumentError> {
        let statement = Statement {
            sid: elements.take_text("Sid")?.map(Into::into),
            effect: effect(&mut elements)?,
            principal: principal_clause(&mut elements, compilation)?,
            actions: action_clause(&mut elements, compilation)?,
            resources: resource_clause(&mut elements, compilation)?,
            conditions: match elements.take("Condition") {
                Some(json) => Condition::compile_all(json.object("Condition")?, compilation)?,
                None => Box::default(),
            },
        };
        elements.finish()?;
        if compilation.kind == DocumentKind::ResourceControl && !statement.only_denies_everyone() {
            return Err(syntax_error("a resource control policy denies, with Principal \"*\""));
        }
        Ok(statement)
    }

    /// The only form that AWS Organizations lets its customers write in a resource control policy.
    fn only_denies_everyone(&self) -> bool {
        let everyone = match &self.principal {
            PrincipalClause::Named(patterns) => **patterns == [PrincipalPattern::Everyone],
            PrincipalClause::Holder | PrincipalClause::NotNamed(_) => false,
        };
        everyone && self.effect == Effect::Deny
    }

    /// How closely the statement reaches the caller with this request; `None` if it does not apply.
    pub(crate) fn applies(&self, question: &Question<'_>) -> Option<Reach> {
        let reach = self.reach(question)?;
        let applies = self.is_about_action(question)
            && self.is_about_resource(question)
            && self.conditions.iter().all(|condition| question.holds(condition, self.effect));
        applies.then_some(reach)
    }

    /// How closely the statement names the caller.
    pub(crate) fn reach(&self, question: &Question<'_>) -> Option<Reach> {
        self.principal.reach(question.principal, self.effect, question.bounded)
    }

    /// Is it about the action?
    pub(crate) fn is_about_action(&self, question: &Question<'_>) -> bool {
        self.actions.holds(|pattern| pattern.matches(question.action))
    }

    /// Is it about the resource?
    pub(crate) fn is_about_resource(&self, question: &Question<'_>) -> bool {
        self.resources.holds(|pattern| pattern.matches(question.resource, question.context))
    }

    /// Its conditions.
    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

fn effect(elements: &mut Object) -> Result<Effect, DocumentError> {
    match elements.take_text("Effect")?.as_deref() {
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        Some(other) => Err(syntax_error(format!("Effect {other} is neither Allow nor Deny"))),
        None => Err(syntax_error("a statement has no Effect")),
    }
}

/// Takes an element or its negation; both at once are refused.
fn either<T>(
    name: &str,
    plain: Option<T>,
    negation: Option<T>,
) -> Result<Option<(bool, T)>, DocumentError> {
    match (plain, negation) {
        (Some(_), Some(_)) => Err(syntax_error(format!("both {name} and Not{name}"))),
        (Some(value), None) => Ok(Some((false, value))),
        (None, Some(value)) => Ok(Some((true, value))),
        (None, None) => Ok(None),
    }
}

fn principal_clause(
    elements: &mut Object,
    compilation: &mut Compilation,
) -> Result<PrincipalClause, DocumentError> {
    let element = either("Principal", elements.take("Principal"), elements.take("NotPrincipal"))?;
    match (compilation.kind.names_principals(), element) {
        (false, None) => Ok(PrincipalClause::Holder),
        (false, Some(_)) => Err(DocumentError::UnexpectedPrincipal),
        (true, None) => Err(DocumentError::MissingPrincipal),
        (true, Some((negated, json))) => {
            let patterns: Box<[PrincipalPattern]> = principals(json)?.into();
            compilation.count_patterns(patterns.len());
            Ok(if negated {
                PrincipalClause::NotNamed(patterns)
            } else {
                PrincipalClause::Named(patterns)
            })
        }
    }
}

/// Reads one kind of principal.
type ReadPrincipal = fn(&str) -> Option<PrincipalPattern>;

const PRINCIPAL_KINDS: [(&str, ReadPrincipal); 4] = [
    ("AWS", PrincipalPattern::parse_aws),
    ("Service", PrincipalPattern::parse_service),
    ("Federated", PrincipalPattern::parse_federated),
    ("CanonicalUser", PrincipalPattern::parse_canonical_user),
];

fn principals(json: Json) -> Result<Vec<PrincipalPattern>, DocumentError> {
    let invalid = |principal: &str| DocumentError::InvalidPrincipal { principal: principal.into() };
    let mut members = match json {
        Json::Text(text) if text == "*" => return Ok(vec![PrincipalPattern::Everyone]),
        Json::Text(text) | Json::Scalar(text) => return Err(invalid(&text)),
        Json::List(_) => return Err(syntax_error("Principal must be an object or \"*\"")),
        Json::Object(members) => members,
    };
    let mut patterns = Vec::new();
    for (kind, read) in PRINCIPAL_KINDS {
        for text in members.take_texts(kind)?.unwrap_or_default() {
            patterns.push(read(&text).ok_or_else(|| invalid(&text))?);
        }
    }
    members.finish()?;
    if patterns.is_empty() { Err(invalid("{}")) } else { Ok(patterns) }
}

fn action_clause(
    elements: &mut Object,
    compilation: &mut Compilation,
) -> Result<Clause<Pattern>, DocumentError> {
    let plain = elements.take_texts("Action")?;
    let negation = elements.take_texts("NotAction")?;
    let (negated, texts) =
        either("Action", plain, negation)?.ok_or(DocumentError::MissingAction)?;
    compilation.count_values(&texts, true)?;
    let patterns: Result<Box<[Pattern]>, DocumentError> = texts
        .iter()
        .map(|text| {
            action_pattern(text)
                .ok_or_else(|| DocumentError::MissingVendor { name: text.as_str().into() })
        })
        .collect();
    Ok(Clause { negated, patterns: patterns? })
}

/// `*`, or a service and an action: `kms:Generate*`. Actions know no upper and lower case.
fn action_pattern(text: &str) -> Option<Pattern> {
    if text != "*" {
        let (vendor, name) = text.split_once(':')?;
        let vendor_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let name_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'*' || byte == b'?';
        let well_formed = (vendor == "*" || vendor.bytes().all(vendor_byte))
            && name.bytes().all(name_byte)
            && !vendor.is_empty()
            && !name.is_empty();
        if !well_formed {
            return None;
        }
    }
    Some(Pattern::with_wildcards(&text.to_ascii_lowercase()))
}

/// AWS KMS accepts a key policy's statement without `Resource`; it then is about no key at all
/// (AWS KMS Developer Guide, "Key policies"), which is what a clause without patterns says. A trust
/// policy is about its role and never has a `Resource`.
fn resource_clause(
    elements: &mut Object,
    compilation: &mut Compilation,
) -> Result<Clause<Template>, DocumentError> {
    let plain = elements.take_texts("Resource")?;
    let negation = elements.take_texts("NotResource")?;
    let (negated, texts) = match (compilation.kind, either("Resource", plain, negation)?) {
        (DocumentKind::KeyPolicy, None) => {
            return Ok(Clause { negated: false, patterns: Box::default() });
        }
        (DocumentKind::RoleTrust, None) => {
            return Ok(Clause { negated: true, patterns: Box::default() });
        }
        (DocumentKind::RoleTrust, Some(_)) => return Err(DocumentError::UnexpectedResource),
        (
            DocumentKind::Identity
            | DocumentKind::ServiceControl
            | DocumentKind::ResourceControl
            | DocumentKind::Endpoint,
            None,
        ) => return Err(DocumentError::MissingResource),
        (
            DocumentKind::KeyPolicy
            | DocumentKind::Identity
            | DocumentKind::ServiceControl
            | DocumentKind::ResourceControl
            | DocumentKind::Endpoint,
            Some(clause),
        ) => clause,
    };
    compilation.count_values(&texts, true)?;
    let grammar = Grammar { wildcards: true, variables: compilation.variables };
    let patterns: Result<Box<[Template]>, DocumentError> = texts
        .iter()
        .map(|text| {
            if text != "*" && !text.starts_with("arn:") {
                return Err(DocumentError::InvalidResource { resource: text.as_str().into() });
            }
            Template::parse(text, grammar)
                .map_err(|_| DocumentError::InvalidVariable { text: text.as_str().into() })
        })
        .collect();
    Ok(Clause { negated, patterns: patterns? })
}
