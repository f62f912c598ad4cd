//! What the model asks of a member.

use super::Visitor;

/// The rule of a member. Rules are constants; see [`kms::rules`](crate::kms).
#[derive(Clone, Copy)]
pub struct Rule {
    /// Whether the member must be there.
    pub required: bool,
    /// Whether its value must never be repeated or recorded.
    pub sensitive: bool,
    /// Its type, with the bounds of its values.
    pub kind: Kind,
}

/// A type of the model with its bounds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A string; its length is counted in Unicode characters.
    Text {
        /// The bounds of its length.
        length: Range,
        /// The pattern that it must match as a whole.
        pattern: Option<Pattern>,
    },
    /// A string of a closed set.
    Enumeration(&'static [&'static str]),
    /// An integer.
    Integer(Range),
    /// A boolean.
    Boolean,
    /// Bytes; their length is counted in bytes.
    Blob(Range),
    /// A point in time.
    Timestamp,
    /// A list.
    List {
        /// The bounds of its length.
        length: Range,
        /// The type of each item.
        item: &'static Kind,
    },
    /// A map of strings.
    Map,
    /// A structure; shows the members of an empty one, so that they can be described.
    Structure(fn(&mut dyn Visitor)),
}

/// Inclusive bounds of a length or a number; an absent one does not bind.
#[derive(Clone, Copy, Default)]
pub struct Range {
    /// The least that is allowed.
    pub min: Option<u64>,
    /// The most that is allowed.
    pub max: Option<u64>,
}

impl Range {
    /// No bounds.
    pub const ANY: Range = Range { min: None, max: None };

    /// From `min` to `max`, both included.
    pub const fn of(min: u64, max: u64) -> Range {
        Range { min: Some(min), max: Some(max) }
    }

    /// From `min` on, itself included.
    pub const fn at_least(min: u64) -> Range {
        Range { min: Some(min), max: None }
    }

    /// Up to `max`, itself included.
    pub const fn at_most(max: u64) -> Range {
        Range { min: None, max: Some(max) }
    }
}

/// A regular expression of the model, with a function that decides the same by hand.
///
/// Java matches the whole text, with or without anchors in the expression.
#[derive(Clone, Copy)]
pub struct Pattern {
    /// The expression as the model writes it.
    pub text: &'static str,
    /// Whether a text matches.
    pub matches: fn(&str) -> bool,
}

impl Kind {
    /// A string with bounds and no pattern.
    pub const fn text(length: Range) -> Kind {
        Kind::Text { length, pattern: None }
    }

    /// A string with bounds and a pattern.
    pub const fn patterned(length: Range, text: &'static str, matches: fn(&str) -> bool) -> Kind {
        Kind::Text { length, pattern: Some(Pattern { text, matches }) }
    }
}

impl Rule {
    /// The rule of an optional member of that type.
    pub const fn of(kind: Kind) -> Rule {
        Rule { required: false, sensitive: false, kind }
    }

    /// The same rule for a member that must be there.
    pub const fn required(self) -> Rule {
        Rule { required: true, ..self }
    }

    /// The same rule for a member whose value is a secret.
    pub const fn sensitive(self) -> Rule {
        Rule { sensitive: true, ..self }
    }
}
