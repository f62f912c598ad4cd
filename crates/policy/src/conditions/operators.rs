//! The names of the condition operators and what they stand for.

use std::fmt;

/// What kind of value an operator compares, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    /// Strings, exactly.
    Text,
    /// Strings, upper and lower case alike.
    TextIgnoringCase,
    /// Strings with wildcards.
    TextLike,
    /// ARNs, each of their six parts with wildcards. `ArnEquals` and `ArnLike` are the same.
    Arn,
    /// Numbers.
    Number(Order),
    /// Moments.
    Date(Order),
    /// Booleans.
    Bool,
    /// Bytes, in base64.
    Binary,
    /// Addresses within networks.
    Address,
    /// Whether the key is absent.
    Null,
}

impl Family {
    /// Are `*` and `?` wildcards in the values of the policy?
    pub(crate) fn has_wildcards(self) -> bool {
        matches!(self, Family::TextLike | Family::Arn)
    }
}

/// How a value of the request stands to a value of the policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// Does `requested` stand so to `written`?
    pub(crate) fn holds<T: Ord>(self, requested: &T, written: &T) -> bool {
        match self {
            Order::Equal => requested == written,
            Order::Less => requested < written,
            Order::LessOrEqual => requested <= written,
            Order::Greater => requested > written,
            Order::GreaterOrEqual => requested >= written,
        }
    }
}

/// How many of the values of the request must hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Quantifier {
    /// Without a set operator, for single-valued keys.
    Single,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

/// A condition operator as written: `ForAnyValue:StringNotLikeIfExists`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Operator {
    pub(crate) quantifier: Quantifier,
    /// The name without set operator and `IfExists`.
    name: &'static str,
    pub(crate) family: Family,
    /// The comparison must fail with every value of the policy.
    pub(crate) negated: bool,
    /// An absent key fulfils the condition.
    pub(crate) if_exists: bool,
}

const ALL_VALUES: &str = "ForAllValues:";
const ANY_VALUE: &str = "ForAnyValue:";
const IF_EXISTS: &str = "IfExists";

const PLAIN: bool = false;
const NEGATED: bool = true;

/// IAM User Guide, "Condition operators".
const OPERATORS: [(&str, Family, bool); 27] = [
    ("StringEquals", Family::Text, PLAIN),
    ("StringNotEquals", Family::Text, NEGATED),
    ("StringEqualsIgnoreCase", Family::TextIgnoringCase, PLAIN),
    ("StringNotEqualsIgnoreCase", Family::TextIgnoringCase, NEGATED),
    ("StringLike", Family::TextLike, PLAIN),
    ("StringNotLike", Family::TextLike, NEGATED),
    ("NumericEquals", Family::Number(Order::Equal), PLAIN),
    ("NumericNotEquals", Family::Number(Order::Equal), NEGATED),
    ("NumericLessThan", Family::Number(Order::Less), PLAIN),
    ("NumericLessThanEquals", Family::Number(Order::LessOrEqual), PLAIN),
    ("NumericGreaterThan", Family::Number(Order::Greater), PLAIN),
    ("NumericGreaterThanEquals", Family::Number(Order::GreaterOrEqual), PLAIN),
    ("DateEquals", Family::Date(Order::Equal), PLAIN),
    ("DateNotEquals", Family::Date(Order::Equal), NEGATED),
    ("DateLessThan", Family::Date(Order::Less), PLAIN),
    ("DateLessThanEquals", Family::Date(Order::LessOrEqual), PLAIN),
    ("DateGreaterThan", Family::Date(Order::Greater), PLAIN),
    ("DateGreaterThanEquals", Family::Date(Order::GreaterOrEqual), PLAIN),
    ("Bool", Family::Bool, PLAIN),
    ("BinaryEquals", Family::Binary, PLAIN),
    ("IpAddress", Family::Address, PLAIN),
    ("NotIpAddress", Family::Address, NEGATED),
    ("ArnEquals", Family::Arn, PLAIN),
    ("ArnLike", Family::Arn, PLAIN),
    ("ArnNotEquals", Family::Arn, NEGATED),
    ("ArnNotLike", Family::Arn, NEGATED),
    ("Null", Family::Null, PLAIN),
];

impl Operator {
    /// Reads an operator's name; `None` if there is no such operator. `Null` takes neither a set
    /// operator nor `IfExists`, since it is itself the question whether the key exists.
    pub(crate) fn parse(name: &str) -> Option<Operator> {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix(ALL_VALUES) {
            (Quantifier::All, rest)
        } else if let Some(rest) = name.strip_prefix(ANY_VALUE) {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::Single, name)
        };
        let (base, if_exists) = match rest.strip_suffix(IF_EXISTS) {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (name, family, negated) = *OPERATORS.iter().find(|(known, ..)| *known == base)?;
        if family == Family::Null && (if_exists || quantifier != Quantifier::Single) {
            return None;
        }
        Some(Operator { quantifier, name, family, negated, if_exists })
    }
}

impl fmt::Display for Operator {
    /// The name as the policy writes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = match self.quantifier {
            Quantifier::Single => "",
            Quantifier::All => ALL_VALUES,
            Quantifier::Any => ANY_VALUE,
        };
        let if_exists = if self.if_exists { IF_EXISTS } else { "" };
        write!(formatter, "{set}{}{if_exists}", self.name)
    }
}
