//! A second evaluator, slow and literal: it reads the JSON of the policies anew for each request
//! and shares no code with the first. It knows only what [`super::cases`] generates.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A caller, by its names.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) kind: CallerKind,
    pub(crate) account: &'static str,
    pub(crate) arn: String,
    /// The role or user behind a session.
    pub(crate) issuer_arn: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CallerKind {
    Root,
    User,
    RoleSession,
    FederatedUser,
    /// Federated by the root user.
    FederatedRoot,
    Service,
}

/// A request and all policies that apply to it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) caller: Caller,
    pub(crate) action: &'static str,
    pub(crate) key_arn: &'static str,
    pub(crate) key_account: &'static str,
    /// Condition keys in lower case; a list is a multivalued key.
    pub(crate) facts: BTreeMap<String, Value>,
    pub(crate) key_policy: Value,
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Vec<Value>,
    /// Levels of the organization, from its root.
    pub(crate) service_control: Vec<Vec<Value>>,
    pub(crate) resource_control: Vec<Value>,
    pub(crate) endpoint: Option<Value>,
}

/// What comes out, with AWS's name of the kind of policy that refuses.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Verdict {
    Allowed,
    DeniedBy(&'static str),
    NoneAllows(&'static str),
}

/// The order of the IAM User Guide's flow chart, "Policy evaluation for requests within a single
/// account", and of "Cross-account policy evaluation logic".
pub(crate) fn evaluate(request: &Request) -> Verdict {
    let caller = &request.caller;
    let is_service = caller.kind == CallerKind::Service;
    let denies = |policy: &Value| any(request, policy, "Deny", |_| true);
    let allows = |policy: &Value| any(request, policy, "Allow", |_| true);
    let denies_caller = |policy: &Value| {
        any(request, policy, "Deny", |statement| names(request, statement, "Deny") != "nobody")
    };
    let reached = |policy: &Value, how: &str| {
        any(request, policy, "Allow", |statement| names(request, statement, "Allow") == how)
    };

    // An explicit denial in any applicable policy is final.
    let levels = if is_service { &[][..] } else { &request.service_control[..] };
    let denials = [
        ("resource control policy", request.resource_control.iter().any(denies)),
        ("service control policy", levels.iter().flatten().any(denies)),
        ("VPC endpoint policy", request.endpoint.iter().any(denies_caller)),
        ("resource-based policy", denies_caller(&request.key_policy)),
        ("identity-based policy", request.identity.iter().any(denies)),
        ("permissions boundary", request.boundary.iter().any(denies)),
        ("session policy", request.session.iter().any(denies)),
    ];
    if let Some((kind, _)) = denials.iter().find(|(_, denied)| *denied) {
        return Verdict::DeniedBy(kind);
    }
    // Each level of the organization must allow, and the endpoint.
    if !levels.iter().all(|level| level.iter().any(allows)) {
        return Verdict::NoneAllows("service control policy");
    }
    let reaches =
        |policy: &Value| ["caller", "issuer", "account"].iter().any(|how| reached(policy, how));
    if !request.endpoint.iter().all(reaches) {
        return Verdict::NoneAllows("VPC endpoint policy");
    }
    // The key policy must let the caller or its account in.
    if !reaches(&request.key_policy) {
        return Verdict::NoneAllows("resource-based policy");
    }
    let same_account = caller.account == request.key_account || is_service;
    if same_account && reached(&request.key_policy, "caller") {
        return Verdict::Allowed;
    }
    let by_name = same_account && reached(&request.key_policy, "issuer");
    let identity_allows = match caller.kind {
        CallerKind::Root | CallerKind::FederatedRoot => true,
        CallerKind::User | CallerKind::RoleSession | CallerKind::FederatedUser => {
            request.identity.iter().any(allows)
        }
        CallerKind::Service => false,
    };
    if !by_name && !identity_allows {
        return Verdict::NoneAllows("identity-based policy");
    }
    if !request.boundary.iter().all(allows) {
        return Verdict::NoneAllows("permissions boundary");
    }
    let federated = matches!(caller.kind, CallerKind::FederatedUser | CallerKind::FederatedRoot);
    if (federated || !request.session.is_empty()) && !request.session.iter().any(allows) {
        return Verdict::NoneAllows("session policy");
    }
    Verdict::Allowed
}

/// Is there a statement of this effect about the request, for which `about_caller` is true as well?
fn any(
    request: &Request,
    policy: &Value,
    effect: &str,
    about_caller: impl Fn(&Value) -> bool,
) -> bool {
    let variables = policy["Version"] == "2012-10-17";
    listed(&policy["Statement"]).iter().any(|statement| {
        statement["Effect"] == effect
            && about_caller(statement)
            && action_matches(request, statement)
            && resource_matches(request, statement, variables)
            && conditions_hold(request, statement, variables)
    })
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    }
}

fn names(request: &Request, statement: &Value, effect: &str) -> &'static str {
    let caller = &request.caller;
    let is_service = caller.kind == CallerKind::Service;
    let account_root = format!("arn:aws:iam::{}:root", caller.account);
    let element = |name: &str| match &statement[name] {
        Value::String(everyone) => vec![json!(everyone)],
        object if is_service => listed(&object["Service"]),
        object => listed(&object["AWS"]),
    };
    let listed_as = if statement["NotPrincipal"].is_null() { "Principal" } else { "NotPrincipal" };
    let texts = element(listed_as);
    let named = |name: &str| texts.iter().any(|text| text == name);
    let everyone = named("*") || statement[listed_as]["AWS"] == "*";
    let account = everyone || (!is_service && (named(caller.account) || named(&account_root)));
    let issuer = caller.issuer_arn.as_deref().is_some_and(named);
    let itself = everyone || named(&caller.arn) || (caller.kind == CallerKind::Root && account);
    if listed_as == "Principal" {
        return match (itself, issuer, account) {
            (true, _, _) => "caller",
            (false, true, _) => "issuer",
            (false, false, true) => "account",
            (false, false, false) => "nobody",
        };
    }
    // A denial spares those of whom everything is listed, and nobody with a boundary.
    let has_issuer = caller.issuer_arn.is_some();
    let whole = itself && (account || is_service) && (issuer || everyone || !has_issuer);
    let spared = match effect {
        "Deny" => whole && request.boundary.is_none(),
        _ => itself || issuer || account,
    };
    if spared { "nobody" } else { "caller" }
}

fn action_matches(request: &Request, statement: &Value) -> bool {
    let action = request.action.to_lowercase();
    let matches = |patterns: &Value| {
        listed(patterns).iter().any(|pattern| {
            let pattern = pattern.as_str().unwrap().to_lowercase();
            like(&symbols(request, &pattern, true, false).unwrap(), &action)
        })
    };
    if statement["NotAction"].is_null() {
        matches(&statement["Action"])
    } else {
        !matches(&statement["NotAction"])
    }
}

fn resource_matches(request: &Request, statement: &Value, variables: bool) -> bool {
    let matches = |patterns: &Value| {
        listed(patterns).iter().any(|pattern| {
            symbols(request, pattern.as_str().unwrap(), true, variables)
                .is_some_and(|symbols| like(&symbols, request.key_arn))
        })
    };
    if statement["NotResource"].is_null() {
        matches(&statement["Resource"])
    } else {
        !matches(&statement["NotResource"])
    }
}

fn conditions_hold(request: &Request, statement: &Value, variables: bool) -> bool {
    let Value::Object(operators) = &statement["Condition"] else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().unwrap().iter().all(|(key, written)| {
            condition_holds(request, operator, key, &listed(written), variables)
        })
    })
}

fn condition_holds(
    request: &Request,
    operator: &str,
    key: &str,
    written: &[Value],
    variables: bool,
) -> bool {
    let requested: Vec<String> = request.facts.get(&key.to_lowercase()).map_or(vec![], |value| {
        listed(value).iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    });
    let written: Vec<&str> = written.iter().map(|value| value.as_str().unwrap()).collect();
    if operator == "Null" {
        return written.contains(&if requested.is_empty() { "true" } else { "false" });
    }
    let if_exists = operator.ends_with("IfExists");
    let operator = operator.trim_end_matches("IfExists");
    let (set, base) = operator.split_once(':').unwrap_or(("", operator));
    let positive = base.replace("Not", "");
    let negated = positive != base;
    if requested.is_empty() {
        return match set {
            "ForAllValues" => true,
            "ForAnyValue" => if_exists,
            _ => if_exists || negated,
        };
    }
    let equal_to_one = |value: &String| {
        written.iter().any(|written| compare(request, &positive, value, written, variables))
    };
    let fits = |value: &String| if negated { !equal_to_one(value) } else { equal_to_one(value) };
    match set {
        "ForAllValues" => requested.iter().all(fits),
        "ForAnyValue" => requested.iter().any(fits),
        _ if negated => requested.iter().all(fits),
        _ => requested.iter().any(fits),
    }
}

fn compare(
    request: &Request,
    operator: &str,
    requested: &str,
    written: &str,
    variables: bool,
) -> bool {
    let plain = |wildcards| symbols(request, written, wildcards, variables);
    match operator {
        "StringEquals" => plain(false).is_some_and(|symbols| like(&symbols, requested)),
        "StringEqualsIgnoreCase" => plain(false).is_some_and(|symbols| {
            let lower: Vec<Symbol> = symbols.into_iter().map(Symbol::to_lower).collect();
            like(&lower, &requested.to_lowercase())
        }),
        "StringLike" => plain(true).is_some_and(|symbols| like(&symbols, requested)),
        "ArnEquals" | "ArnLike" => {
            let parts: Vec<&str> = requested.splitn(6, ':').collect();
            let patterns: Vec<&str> = written.splitn(6, ':').collect();
            parts.len() == 6
                && patterns.iter().zip(parts).all(|(pattern, part)| {
                    symbols(request, pattern, true, variables)
                        .is_some_and(|symbols| like(&symbols, part))
                })
        }
        "Bool" => requested == written,
        "IpAddress" => within(requested, written),
        _ => {
            // All generated dates have one form, in which the order of the texts is that of time.
            let order = if operator.starts_with("Numeric") {
                requested.parse::<i64>().unwrap().cmp(&written.parse::<i64>().unwrap())
            } else {
                requested.cmp(written)
            };
            match operator.trim_start_matches("Numeric").trim_start_matches("Date") {
                "Equals" => order.is_eq(),
                "LessThan" => order.is_lt(),
                "LessThanEquals" => order.is_le(),
                "GreaterThan" => order.is_gt(),
                "GreaterThanEquals" => order.is_ge(),
                other => panic!("operator {other}"),
            }
        }
    }
}

fn within(address: &str, network: &str) -> bool {
    let bits = |text: &str| -> u32 {
        text.split('.').fold(0, |bits, part| bits * 256 + part.parse::<u32>().unwrap())
    };
    let (base, length) = network.split_once('/').unwrap_or((network, "32"));
    let ignored = 32 - length.parse::<u32>().unwrap();
    u64::from(bits(address)) >> ignored == u64::from(bits(base)) >> ignored
}

/// A character of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Symbol {
    Is(char),
    One,
    Run,
}

impl Symbol {
    fn to_lower(self) -> Symbol {
        match self {
            Symbol::Is(character) => Symbol::Is(character.to_ascii_lowercase()),
            wildcard @ (Symbol::One | Symbol::Run) => wildcard,
        }
    }
}

/// The characters of a pattern; `None` if a variable has no value.
fn symbols(
    request: &Request,
    pattern: &str,
    wildcards: bool,
    variables: bool,
) -> Option<Vec<Symbol>> {
    let mut symbols = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if variables && rest.starts_with("${") {
            let end = rest.find('}').unwrap();
            let inner = &rest[2..end];
            let value = if ["*", "?", "$"].contains(&inner) {
                inner.to_owned()
            } else {
                let (key, default) = match inner.split_once(", ") {
                    Some((key, default)) => (key, Some(default.trim_matches('\'').to_owned())),
                    None => (inner, None),
                };
                let fact = request.facts.get(&key.to_lowercase());
                fact.and_then(|value| value.as_str().map(str::to_owned)).or(default)?
            };
            symbols.extend(value.chars().map(Symbol::Is));
            rest = &rest[end + 1..];
            continue;
        }
        symbols.push(match first {
            '*' if wildcards => Symbol::Run,
            '?' if wildcards => Symbol::One,
            character => Symbol::Is(character),
        });
        rest = &rest[first.len_utf8()..];
    }
    Some(symbols)
}

/// Matching by a table: which prefixes of the text does each prefix of the pattern match?
fn like(pattern: &[Symbol], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for symbol in pattern {
        let before = reached.clone();
        for end in 0..=text.len() {
            let by_one = end > 0 && before[end - 1];
            reached[end] = match symbol {
                Symbol::Run => before[end] || (end > 0 && reached[end - 1]),
                Symbol::One => by_one,
                Symbol::Is(character) => by_one && text[end - 1] == *character,
            };
        }
    }
    reached[text.len()]
}
