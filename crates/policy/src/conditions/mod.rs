//! The `Condition` element: compiled operators, and whether they hold for a request.
//!
//! All operators of a statement must hold, and all keys of an operator. Of the values of a key one
//! must match; under a negated operator none may. An absent key fails a plain operator, fulfils a
//! negated one and every `...IfExists`, fulfils `ForAllValues:` and fails `ForAnyValue:`
//! (IAM User Guide, "Condition operators" and "Multivalued context keys").

mod arn;
pub(crate) mod context;
mod operators;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::conditions::arn::ArnPattern;
use crate::conditions::context::{ConditionContext, ConditionValue, parse_bool, parse_date};
use crate::conditions::operators::{Family, Operator, Order, Quantifier};
use crate::decimal::Decimal;
use crate::document::Compilation;
use crate::error::DocumentError;
use crate::syntax::Object;
use crate::template::{Grammar, Template};

/// One operator on one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The condition key, in lower case.
    pub(crate) key: Box<str>,
    pub(crate) operator: Operator,
    /// The values as written, which only an explanation reads.
    pub(crate) written: Box<[Box<str>]>,
    test: Test,
}

/// What a value of the request is compared with: the values of the policy, of which one must match.
#[derive(Clone, Debug)]
enum Test {
    Texts(Box<[Template]>),
    TextsIgnoringCase(Box<[Template]>),
    Arns(Box<[ArnPattern]>),
    Numbers(Order, Box<[Decimal]>),
    Dates(Order, Box<[Timestamp]>),
    Bools(Box<[bool]>),
    Binaries(Box<[Vec<u8>]>),
    Networks(Box<[IpNet]>),
    /// `Null`: `true` asks that the key be absent.
    Absence(Box<[bool]>),
}

impl Condition {
    /// Compiles a `Condition` element.
    pub(crate) fn compile_all(
        element: Object,
        compilation: &mut Compilation,
    ) -> Result<Box<[Condition]>, DocumentError> {
        let mut conditions = Vec::new();
        for (name, keys) in element.into_members() {
            let operator = Operator::parse(&name)
                .ok_or_else(|| DocumentError::UnknownOperator { operator: name.as_str().into() })?;
            for (key, values) in keys.object(&name)?.into_members() {
                let key = checked_key(&key, operator)?;
                let values = values.scalars(&name)?;
                compilation.count_values(&values, operator.family.has_wildcards())?;
                let test = Test::compile(&name, operator, &values, compilation.variables)?;
                let written = values.into_iter().map(String::into_boxed_str).collect();
                conditions.push(Condition { key, operator, written, test });
            }
        }
        Ok(conditions.into())
    }

    /// Does the condition hold for the request?
    pub(crate) fn holds(&self, context: &dyn ConditionContext) -> bool {
        let Operator { quantifier, negated, if_exists, .. } = self.operator;
        let values = context.values(&self.key);
        let values = values.as_ref().map_or(&[][..], |values| values.as_slice());
        if let Test::Absence(wanted) = &self.test {
            return wanted.contains(&values.is_empty());
        }
        if values.is_empty() {
            return match quantifier {
                Quantifier::Single => negated || if_exists,
                Quantifier::All => true,
                Quantifier::Any => if_exists,
            };
        }
        let matches = |value: &ConditionValue<'_>| self.test.matches(value, context);
        match quantifier {
            Quantifier::Single => values.iter().any(matches) != negated,
            Quantifier::All => values.iter().all(|value| matches(value) != negated),
            Quantifier::Any => values.iter().any(|value| matches(value) != negated),
        }
    }
}

/// The key in lower case. AWS KMS refuses `ForAllValues` on its single-valued key families, whose
/// absence would silently fulfil the condition.
fn checked_key(key: &str, operator: Operator) -> Result<Box<str>, DocumentError> {
    const SINGLE_VALUED: [&str; 2] = ["kms:encryptioncontext:", "aws:requesttag/"];
    let lower = key.to_ascii_lowercase();
    match lower.split_once(':') {
        Some((vendor, name)) if !vendor.is_empty() && !name.is_empty() => {}
        Some(_) | None => return Err(DocumentError::MissingVendor { name: key.into() }),
    }
    let single_valued = SINGLE_VALUED.iter().any(|family| lower.starts_with(family));
    if operator.quantifier == Quantifier::All && single_valued {
        return Err(DocumentError::OverlyPermissiveCondition { key: lower.into() });
    }
    Ok(lower.into())
}

impl Test {
    fn compile(
        name: &str,
        operator: Operator,
        values: &[String],
        variables: bool,
    ) -> Result<Test, DocumentError> {
        let texts = |wildcards: bool| {
            let grammar = Grammar { wildcards, variables };
            with_variables(values, |value| Template::parse(value, grammar).ok())
        };
        Ok(match operator.family {
            Family::Text => Test::Texts(texts(false)?),
            Family::TextIgnoringCase => Test::TextsIgnoringCase(texts(false)?),
            Family::TextLike => Test::Texts(texts(true)?),
            Family::Arn => Test::Arns(with_variables(values, |value| {
                ArnPattern::parse(value, variables).ok()
            })?),
            Family::Number(order) => Test::Numbers(order, typed(name, values, Decimal::parse)?),
            Family::Date(order) => Test::Dates(order, typed(name, values, parse_date)?),
            Family::Bool => Test::Bools(typed(name, values, parse_bool)?),
            Family::Binary => {
                Test::Binaries(typed(name, values, |value| STANDARD.decode(value).ok())?)
            }
            Family::Address => Test::Networks(typed(name, values, parse_network)?),
            Family::Null => Test::Absence(typed(name, values, parse_bool)?),
        })
    }

    fn matches(&self, value: &ConditionValue<'_>, context: &dyn ConditionContext) -> bool {
        match self {
            Test::Texts(templates) => {
                let matches =
                    |text: &str| templates.iter().any(|template| template.matches(text, context));
                // By far the most frequent test, which needs no owned text.
                if let ConditionValue::Text(text) = value {
                    matches(text)
                } else {
                    matches(&value.as_text())
                }
            }
            Test::TextsIgnoringCase(templates) => {
                let text = value.as_text();
                templates.iter().any(|template| template.matches_ignoring_case(&text, context))
            }
            Test::Arns(patterns) => {
                let arn = value.as_text();
                patterns.iter().any(|pattern| pattern.matches(&arn, context))
            }
            Test::Numbers(order, numbers) => value.as_number().is_some_and(|requested| {
                numbers.iter().any(|written| order.holds(&requested, written))
            }),
            Test::Dates(order, dates) => value.as_date().is_some_and(|requested| {
                dates.iter().any(|written| order.holds(&requested, written))
            }),
            Test::Bools(wanted) => {
                value.as_bool().is_some_and(|requested| wanted.contains(&requested))
            }
            Test::Binaries(binaries) => {
                let requested = STANDARD.decode(value.as_text().as_bytes());
                requested.is_ok_and(|requested| binaries.contains(&requested))
            }
            Test::Networks(networks) => value
                .as_address()
                .is_some_and(|address| networks.iter().any(|network| network.contains(&address))),
            // `Condition::holds` has answered before any value is looked at.
            Test::Absence(_) => false,
        }
    }
}

/// Compiles values that may hold variables.
fn with_variables<T>(
    values: &[String],
    compile: impl Fn(&str) -> Option<T>,
) -> Result<Box<[T]>, DocumentError> {
    let invalid = |value: &String| DocumentError::InvalidVariable { text: value.as_str().into() };
    values.iter().map(|value| compile(value).ok_or_else(|| invalid(value))).collect()
}

/// Compiles values of a type other than text. A value of another type is refused: it could only
/// make the condition hold never, or under a negated operator always.
fn typed<T>(
    operator: &str,
    values: &[String],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Box<[T]>, DocumentError> {
    let invalid = |value: &String| DocumentError::InvalidConditionValue {
        operator: operator.into(),
        value: value.as_str().into(),
    };
    values.iter().map(|value| parse(value).ok_or_else(|| invalid(value))).collect()
}

/// Reads a network in CIDR form, or an address as the network of itself alone.
fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?)))
}
