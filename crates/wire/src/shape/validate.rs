//! Collects every violation of a request in AWS's words.

use std::fmt;

use super::{List, Member, Shape, Value, Visitor, camel_case, rule::*};
use crate::limits::VIOLATIONS_MAX;

/// All that is wrong with the members of a request: the text of one ValidationException.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations(Vec<String>);

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let errors = if count == 1 { "error" } else { "errors" };
        write!(formatter, "{count} validation {errors} detected: ")?;
        for (place, violation) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(formatter, "{separator}{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// Checks each member against its rule: presence, length, range, pattern, set of values.
///
/// # Errors
/// All violations, the first [`VIOLATIONS_MAX`] of them if there are more.
pub fn validate(shape: &dyn Shape) -> Result<(), Violations> {
    let mut validate = Validate { path: String::new(), violations: Vec::new() };
    shape.members(&mut validate);
    if validate.violations.is_empty() { Ok(()) } else { Err(Violations(validate.violations)) }
}

struct Validate {
    /// Where the members being looked at are, such as `tags.1.member.`.
    path: String,
    violations: Vec<String>,
}

impl Visitor for Validate {
    fn member(&mut self, name: &'static str, member: &dyn Member, rule: &'static Rule) {
        let Some(value) = member.value() else {
            if rule.required {
                self.violation(name, "Value null", "Member must not be null");
            }
            return;
        };
        let mut constraints = Vec::new();
        broken_constraints(&value, &rule.kind, &mut constraints);
        if !constraints.is_empty() {
            let shown = shown(&value, rule);
            for constraint in &constraints {
                self.violation(name, &shown, constraint);
            }
        }
        match value {
            Value::Structure(shape) => self.nested(name, None, shape),
            Value::List(list) => self.structures_of(name, list),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Boolean(_)
            | Value::Blob(_)
            | Value::Timestamp(_)
            | Value::Map(_) => {}
        }
    }
}

impl Validate {
    fn violation(&mut self, name: &str, shown: &str, constraint: &str) {
        if self.violations.len() < VIOLATIONS_MAX {
            let name: String = camel_case(name).collect();
            self.violations.push(format!(
                "{shown} at '{}{name}' failed to satisfy constraint: {constraint}",
                self.path
            ));
        }
    }

    /// Looks into the structures of a list; AWS counts them from 1, as in `tags.1.member.tagKey`.
    fn structures_of(&mut self, name: &str, list: &dyn List) {
        let mut place = 0_usize;
        list.each(&mut |item| {
            place += 1;
            if let Value::Structure(shape) = item {
                self.nested(name, Some(place), shape);
            }
        });
    }

    fn nested(&mut self, name: &str, place: Option<usize>, shape: &dyn Shape) {
        let outer = self.path.len();
        self.path.extend(camel_case(name));
        if let Some(place) = place {
            let place = place.to_string();
            self.path.extend([".", &place, ".member"]);
        }
        self.path.push('.');
        shape.members(self);
        self.path.truncate(outer);
    }
}

/// Adds each constraint of the type that the value breaks, in AWS's words.
fn broken_constraints(value: &Value<'_>, kind: &Kind, broken: &mut Vec<String>) {
    match (value, kind) {
        (Value::Text(text), Kind::Text { length, pattern }) => {
            length_constraints(text.chars().count(), *length, broken);
            if let Some(pattern) = pattern.filter(|pattern| !(pattern.matches)(text)) {
                broken.push(must_match(pattern));
            }
        }
        (Value::Text(text), Kind::Enumeration(values)) => {
            if !values.contains(text) {
                broken.push(must_be_one_of(values));
            }
        }
        (Value::Integer(number), Kind::Integer(range)) => {
            range_constraints(*number, *range, "value", broken);
        }
        (Value::Blob(bytes), Kind::Blob(length)) => {
            length_constraints(bytes.len(), *length, broken);
        }
        (Value::List(list), Kind::List { length, item }) => {
            length_constraints(list.count(), *length, broken);
            item_constraints(*list, item, broken);
        }
        // Nothing more is asked of these, and a value is always of the type that its rule states:
        // the model oracle compares the rules, and tests of each request the values.
        (
            Value::Text(_)
            | Value::Integer(_)
            | Value::Boolean(_)
            | Value::Blob(_)
            | Value::Timestamp(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Structure(_),
            _,
        ) => {}
    }
}

/// AWS gathers in brackets all that is asked of the plain items of a list, also what none breaks,
/// once for the whole list. Its answers of ACM, ECR and Lambda show that.
fn item_constraints(list: &dyn List, item: &Kind, broken: &mut Vec<String>) {
    let mut of_item = Vec::new();
    list.each(&mut |value| {
        if of_item.is_empty() {
            broken_constraints(&value, item, &mut of_item);
        }
    });
    if !of_item.is_empty() {
        let asked = asked_of_text(item).join(", ");
        broken.push(format!("Member must satisfy constraint: [{asked}]"));
    }
}

/// All constraints of a type; the plain items of the model's lists are texts.
fn asked_of_text(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Text { length, pattern } => {
            let max = length.max.map(|max| at_most("length", max));
            let min = length.min.map(|min| at_least("length", min));
            [max, min, pattern.map(must_match)].into_iter().flatten().collect()
        }
        Kind::Enumeration(values) => vec![must_be_one_of(values)],
        Kind::Integer(_)
        | Kind::Boolean
        | Kind::Blob(_)
        | Kind::Timestamp
        | Kind::List { .. }
        | Kind::Map
        | Kind::Structure(_) => Vec::new(),
    }
}

fn at_most(measure: &str, max: u64) -> String {
    format!("Member must have {measure} less than or equal to {max}")
}

fn at_least(measure: &str, min: u64) -> String {
    format!("Member must have {measure} greater than or equal to {min}")
}

fn must_match(pattern: Pattern) -> String {
    format!("Member must satisfy regular expression pattern: {}", pattern.text)
}

fn must_be_one_of(values: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

fn length_constraints(length: usize, range: Range, broken: &mut Vec<String>) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    range_constraints(length, range, "length", broken);
}

fn range_constraints(number: i64, range: Range, measure: &str, broken: &mut Vec<String>) {
    if let Some(max) = range.max
        && u64::try_from(number).is_ok_and(|number| number > max)
    {
        broken.push(at_most(measure, max));
    }
    if let Some(min) = range.min
        && u64::try_from(number).map_or(true, |number| number < min)
    {
        broken.push(at_least(measure, min));
    }
}

/// `Value 'x'`, or `Value` alone where repeating it could tell a secret or make no sense.
fn shown(value: &Value<'_>, rule: &Rule) -> String {
    let mut shown = "Value".to_owned();
    if !rule.sensitive && !matches!(value, Value::Blob(_)) {
        shown.push_str(" '");
        show(value, &mut shown);
        shown.push('\'');
    }
    shown
}

/// Writes a value as Java shows it.
fn show(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Text(text) => out.push_str(text),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Timestamp(time) => out.push_str(&time.to_string()),
        Value::List(list) => {
            let mut separator = "[";
            list.each(&mut |item| {
                out.push_str(separator);
                separator = ", ";
                show(&item, out);
            });
            out.push_str(if separator == "[" { "[]" } else { "]" });
        }
        // Neither has constraints of its own; their members are told apart.
        Value::Map(_) | Value::Structure(_) | Value::Blob(_) => {}
    }
}
