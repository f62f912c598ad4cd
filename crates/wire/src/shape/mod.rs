//! One description of each request serves validation, the audit record and the model oracle.
//!
//! A request implements [`Shape`] by showing each of its members once, with its name and the rule
//! that the model gives it. Three visitors look: [`validate()`] collects every violation in AWS's
//! words, [`record()`] writes CloudTrail's `requestParameters`, [`describe()`] tells names and
//! rules as plain data, to be compared with the model that AWS publishes.

mod describe;
pub(crate) mod pattern;
mod record;
mod rule;
mod validate;

pub use describe::{MemberDescription, TypeDescription, describe};
pub use record::{cloudtrail_date, record};
pub use rule::{Kind, Pattern, Range, Rule};
pub use validate::{Violations, validate};

use crate::{
    enums::WireEnum,
    values::{Blob, EncryptionContext, OneOf, SecretText},
};

/// A structure of the model whose members can be looked at.
pub trait Shape {
    /// Shows each member once, in the model's order.
    fn members(&self, visitor: &mut dyn Visitor);
}

/// Looks at the members of a [`Shape`].
pub trait Visitor {
    /// A member: its name on the wire, its value if it has one, and its rule.
    fn member(&mut self, name: &'static str, member: &dyn Member, rule: &'static Rule);
}

/// A member of a request. All are optional, since a missing one is a violation like any other.
pub trait Member {
    /// The value, if there is one.
    fn value(&self) -> Option<Value<'_>>;
}

/// A present member, seen as one of the model's types.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A string, or a value of an enumeration.
    Text(&'a str),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
    /// Bytes.
    Blob(&'a [u8]),
    /// A point in time.
    Timestamp(jiff::Timestamp),
    /// A list.
    List(&'a dyn List),
    /// A map of strings.
    Map(&'a EncryptionContext),
    /// A structure.
    Structure(&'a dyn Shape),
}

/// A list of values.
pub trait List {
    /// How many there are.
    fn count(&self) -> usize;

    /// Calls `look` with each value in order.
    fn each(&self, look: &mut dyn FnMut(Value<'_>));
}

/// A type whose values can be seen as one of the model's types.
pub trait View {
    /// The value as the model sees it.
    fn view(&self) -> Value<'_>;
}

impl<T: View> Member for Option<T> {
    fn value(&self) -> Option<Value<'_>> {
        self.as_ref().map(View::view)
    }
}

impl<T: View> List for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn each(&self, look: &mut dyn FnMut(Value<'_>)) {
        for item in self {
            look(item.view());
        }
    }
}

impl View for String {
    fn view(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl View for SecretText {
    fn view(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}

impl View for i64 {
    fn view(&self) -> Value<'_> {
        Value::Integer(*self)
    }
}

impl View for bool {
    fn view(&self) -> Value<'_> {
        Value::Boolean(*self)
    }
}

impl View for Blob {
    fn view(&self) -> Value<'_> {
        Value::Blob(self.as_slice())
    }
}

impl View for jiff::Timestamp {
    fn view(&self) -> Value<'_> {
        Value::Timestamp(*self)
    }
}

impl<E: WireEnum> View for OneOf<E> {
    fn view(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}

impl View for EncryptionContext {
    fn view(&self) -> Value<'_> {
        Value::Map(self)
    }
}

impl<T: View> View for Vec<T> {
    fn view(&self) -> Value<'_> {
        Value::List(self)
    }
}

impl<T: Shape> View for T {
    fn view(&self) -> Value<'_> {
        Value::Structure(self)
    }
}

/// A member that validation promises was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a required member is missing after validation")]
pub struct MissingMember;

/// Takes a required member after validation.
///
/// # Errors
/// [`MissingMember`] when it is absent, which validation has made impossible: the caller answers
/// with an internal error.
pub fn required<T>(member: &Option<T>) -> Result<&T, MissingMember> {
    member.as_ref().ok_or(MissingMember)
}

/// The name of a member as AWS's texts and CloudTrail write it: the first letter in lower case.
fn camel_case(name: &str) -> impl Iterator<Item = char> {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters)
}
