//! Tells names and rules of members as plain data.

use serde::Serialize;

use super::{Kind, Member, Range, Rule, Shape, Visitor};

/// A member of a structure: what the model says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberDescription {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether its value is a secret.
    pub sensitive: bool,
    /// Its type.
    #[serde(flatten)]
    pub kind: TypeDescription,
}

/// A type of the model. Which members are present follows from `type_name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TypeDescription {
    /// The model's name of the type: `string`, `integer`, `boolean`, `blob`, `timestamp`, `list`,
    /// `map` or `structure`.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// The least length or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// The greatest length or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The regular expression of a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<&'static str>,
    /// The values of an enumeration.
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub values: Option<&'static [&'static str]>,
    /// The type of the items of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Box<TypeDescription>>,
    /// The members of a structure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MemberDescription>>,
}

/// Describes each member of a shape; its values do not matter.
pub fn describe(shape: &dyn Shape) -> Vec<MemberDescription> {
    let mut describe = Describe(Vec::new());
    shape.members(&mut describe);
    describe.0
}

struct Describe(Vec<MemberDescription>);

impl Visitor for Describe {
    fn member(&mut self, name: &'static str, _: &dyn Member, rule: &'static Rule) {
        let Rule { required, sensitive, kind } = rule;
        self.0.push(MemberDescription {
            name,
            required: *required,
            sensitive: *sensitive,
            kind: describe_type(kind),
        });
    }
}

fn describe_type(kind: &Kind) -> TypeDescription {
    let bounded = |type_name, range: Range| TypeDescription {
        type_name,
        min: range.min,
        max: range.max,
        ..TypeDescription::default()
    };
    let plain = |type_name| bounded(type_name, Range::ANY);
    match kind {
        Kind::Text { length, pattern } => TypeDescription {
            pattern: pattern.map(|pattern| pattern.text),
            ..bounded("string", *length)
        },
        Kind::Enumeration(values) => TypeDescription { values: Some(values), ..plain("string") },
        Kind::Integer(range) => bounded("integer", *range),
        Kind::Boolean => plain("boolean"),
        Kind::Blob(length) => bounded("blob", *length),
        Kind::Timestamp => plain("timestamp"),
        Kind::List { length, item } => TypeDescription {
            item: Some(Box::new(describe_type(item))),
            ..bounded("list", *length)
        },
        Kind::Map => plain("map"),
        Kind::Structure(members) => {
            let mut describe = Describe(Vec::new());
            members(&mut describe);
            TypeDescription { members: Some(describe.0), ..plain("structure") }
        }
    }
}
