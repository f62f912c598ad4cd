//! A second evaluator, slow and literal: it reads the JSON of the policies anew for each request
//! and shares no code with the first. It knows only what [`super::cases`] generates.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A caller, by its names.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) account: &'static str,
    pub(crate) arn: String,
    /// The role behind a session.
    pub(crate) role_arn: Option<String>,
    pub(crate) is_root: bool,
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
}

/// What comes out, as comparable text.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Verdict {
    Allowed,
    DeniedByKeyPolicy,
    DeniedByIdentityPolicy,
    NoKeyPolicyAllows,
    NoIdentityPolicyAllows,
}

pub(crate) fn evaluate(request: &Request) -> Verdict {
    let key_policy = &request.key_policy;
    if any(request, key_policy, "Deny", |statement| names(request, statement, "Deny") != "nobody") {
        return Verdict::DeniedByKeyPolicy;
    }
    if request.identity.iter().any(|policy| any(request, policy, "Deny", |_| true)) {
        return Verdict::DeniedByIdentityPolicy;
    }
    let reached = |how: &str| {
        any(request, key_policy, "Allow", |statement| names(request, statement, "Allow") == how)
    };
    let same_account = request.caller.account == request.key_account;
    let identity_allows = request.caller.is_root
        || request.identity.iter().any(|policy| any(request, policy, "Allow", |_| true));
    if same_account && reached("caller") {
        Verdict::Allowed
    } else if !reached("caller") && !reached("account") {
        Verdict::NoKeyPolicyAllows
    } else if identity_allows {
        Verdict::Allowed
    } else {
        Verdict::NoIdentityPolicyAllows
    }
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
    let account_root = format!("arn:aws:iam::{}:root", caller.account);
    let texts = |element: &Value| match element {
        Value::String(_) => vec![element.clone()],
        object => listed(&object["AWS"]),
    };
    let lists = |element: &Value| -> (bool, bool) {
        let texts = texts(element);
        let named = |name: &str| texts.iter().any(|text| text == name);
        let everyone = named("*");
        let account = everyone || named(caller.account) || named(&account_root);
        let role = caller.role_arn.as_deref().is_some_and(named);
        let itself = everyone || named(&caller.arn) || role || (caller.is_root && account);
        (itself, account)
    };
    if statement["NotPrincipal"].is_null() {
        match lists(&statement["Principal"]) {
            (true, _) => "caller",
            (false, true) => "account",
            (false, false) => "nobody",
        }
    } else {
        let (itself, account) = lists(&statement["NotPrincipal"]);
        let listed = texts(&statement["NotPrincipal"]);
        // Of a session the role and the session itself must both be spared.
        let whole = caller.role_arn.as_ref().is_none_or(|role| {
            listed.contains(&json!("*"))
                || (listed.contains(&json!(role)) && listed.contains(&json!(caller.arn)))
        });
        let spared = if effect == "Deny" { itself && account && whole } else { itself || account };
        if spared { "nobody" } else { "caller" }
    }
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
