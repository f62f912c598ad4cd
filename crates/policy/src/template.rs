//! Patterns that may hold policy variables, `${aws:username}`.
//!
//! A variable stands for the value of a condition key of the request, `${key, 'default'}` for the
//! default when the key is absent; `${*}`, `${?}` and `${$}` are those characters without their
//! meaning (IAM User Guide, "Variables and tags"). What a variable brings is always taken
//! literally: a caller whose tag is `*` does not gain a wildcard. A variable without value and
//! default makes its pattern match nothing, as AWS documents.

use std::borrow::Cow;

use crate::conditions::context::ConditionContext;
use crate::wildcard::{Pattern, Token, push_wildcards};

/// What a text may hold besides plain characters.
#[derive(Clone, Copy)]
pub(crate) struct Grammar {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${...}` is a variable: only in documents of version `2012-10-17`.
    pub(crate) variables: bool,
}

/// A variable that cannot be read.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct InvalidVariable;

/// A part of a template.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Known when the document is parsed.
    Fixed(Token),
    /// Known when a request is decided.
    Variable {
        /// The condition key, in lower case.
        key: Box<str>,
        /// What stands in when the request has no such key.
        default: Option<Box<str>>,
    },
}

/// A pattern, complete or waiting for the values of its variables.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// Without variables.
    Fixed(Pattern),
    /// With at least one variable.
    Variable(Box<[Piece]>),
}

impl Template {
    /// Compiles a text.
    pub(crate) fn parse(text: &str, grammar: Grammar) -> Result<Template, InvalidVariable> {
        Ok(Template::from_pieces(pieces(text, grammar)?))
    }

    /// Compiles pieces.
    pub(crate) fn from_pieces(pieces: Vec<Piece>) -> Template {
        if pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. })) {
            return Template::Variable(pieces.into());
        }
        Template::Fixed(Pattern::from_tokens(pieces.into_iter().filter_map(|piece| match piece {
            Piece::Fixed(token) => Some(token),
            Piece::Variable { .. } => None,
        })))
    }

    /// Does the whole of `text` match, with the variables taken from `context`?
    pub(crate) fn matches(&self, text: &str, context: &dyn ConditionContext) -> bool {
        self.matches_by(context, text.len(), |pattern| pattern.matches(text))
    }

    /// As [`Template::matches`] for a template without wildcards, upper and lower case alike.
    pub(crate) fn matches_ignoring_case(&self, text: &str, context: &dyn ConditionContext) -> bool {
        // A character takes one to four bytes, and so does its other case.
        let longest = text.len().saturating_mul(4);
        self.matches_by(context, longest, |pattern| match pattern {
            Pattern::Exactly(whole) => {
                let lower = |text: &str| -> Vec<char> {
                    text.chars().flat_map(char::to_lowercase).collect()
                };
                whole.eq_ignore_ascii_case(text) || lower(whole) == lower(text)
            }
            Pattern::Anything | Pattern::StartsWith(_) | Pattern::Segments(_) => false,
        })
    }

    /// Puts the values of variables in, and tests what comes out. Literal text of more than `longest`
    /// bytes cannot match, so that a request's long values are not copied many times over.
    fn matches_by(
        &self,
        context: &dyn ConditionContext,
        longest: usize,
        test: impl FnOnce(&Pattern) -> bool,
    ) -> bool {
        match self {
            Template::Fixed(pattern) => test(pattern),
            Template::Variable(pieces) => {
                let mut literal_bytes: usize = 0;
                let tokens: Option<Vec<Token>> = pieces
                    .iter()
                    .map(|piece| {
                        let token = piece.resolve(context)?;
                        if let Token::Literal(literal) = &token {
                            literal_bytes = literal_bytes.saturating_add(literal.len());
                        }
                        (literal_bytes <= longest).then_some(token)
                    })
                    .collect();
                tokens.is_some_and(|tokens| test(&Pattern::from_tokens(tokens)))
            }
        }
    }
}

impl Piece {
    fn resolve(&self, context: &dyn ConditionContext) -> Option<Token> {
        match self {
            Piece::Fixed(token) => Some(token.clone()),
            Piece::Variable { key, default } => {
                let values = context.values(key);
                let value = values.as_ref().and_then(|values| values.single());
                let text = match (value, default) {
                    (Some(value), _) => value.as_text(),
                    (None, Some(default)) => Cow::Borrowed(&**default),
                    (None, None) => return None,
                };
                Some(Token::Literal(text.into()))
            }
        }
    }
}

/// Cuts a text into its pieces.
pub(crate) fn pieces(text: &str, grammar: Grammar) -> Result<Vec<Piece>, InvalidVariable> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${").filter(|_| grammar.variables) {
        push_plain(before, grammar, &mut pieces);
        let (piece, after) = variable(after).ok_or(InvalidVariable)?;
        pieces.push(piece);
        rest = after;
    }
    push_plain(rest, grammar, &mut pieces);
    Ok(pieces)
}

fn push_plain(text: &str, grammar: Grammar, pieces: &mut Vec<Piece>) {
    let mut tokens = Vec::new();
    if grammar.wildcards {
        push_wildcards(text, &mut tokens);
    } else if !text.is_empty() {
        tokens.push(Token::Literal(text.into()));
    }
    pieces.extend(tokens.into_iter().map(Piece::Fixed));
}

/// Reads what follows `${`, and returns what follows the `}`.
fn variable(text: &str) -> Option<(Piece, &str)> {
    for special in ["*", "?", "$"] {
        let rest = text.strip_prefix(special).and_then(|rest| rest.strip_prefix('}'));
        if let Some(rest) = rest {
            return Some((Piece::Fixed(Token::Literal(special.into())), rest));
        }
    }
    let (name, after_name) = text.split_at_checked(text.find([',', '}'])?)?;
    let (default, rest) = if let Some(after_comma) = after_name.strip_prefix(',') {
        let quoted = after_comma.trim_start().strip_prefix('\'')?;
        let (default, after_quote) = quoted.split_once('\'')?;
        (Some(default.into()), after_quote.trim_start().strip_prefix('}')?)
    } else {
        (None, after_name.strip_prefix('}')?)
    };
    let name = name.trim();
    let readable = !name.is_empty() && !name.contains(['$', '{', '*', '?']);
    readable.then(|| (Piece::Variable { key: name.to_ascii_lowercase().into(), default }, rest))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::conditions::context::ConditionValues;

    const FULL: Grammar = Grammar { wildcards: true, variables: true };

    struct Facts(BTreeMap<&'static str, Vec<&'static str>>);

    impl ConditionContext for Facts {
        fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
            self.0.get(key).map(|values| match values.as_slice() {
                [one] => (*one).into(),
                many => ConditionValues::many(many.iter().copied()),
            })
        }
    }

    fn matches(pattern: &str, text: &str) -> bool {
        let facts = Facts(BTreeMap::from([
            ("aws:username", vec!["ann"]),
            ("aws:principaltag/star", vec!["*"]),
            ("aws:tagkeys", vec!["a", "b"]),
        ]));
        Template::parse(pattern, FULL).is_ok_and(|template| template.matches(text, &facts))
    }

    #[test]
    fn a_variable_stands_for_the_value_of_the_request() {
        assert!(matches("home/${aws:username}/*", "home/ann/x"));
        assert!(matches("home/${AWS:UserName}/*", "home/ann/x"));
        assert!(!matches("home/${aws:username}/*", "home/bob/x"));
    }

    #[test]
    fn a_value_brings_no_wildcard() {
        assert!(!matches("${aws:PrincipalTag/star}", "anything"));
        assert!(matches("${aws:PrincipalTag/star}", "*"));
    }

    #[test]
    fn a_default_stands_in_for_an_absent_key_only() {
        assert!(matches("${aws:PrincipalTag/team, 'red, }team'}", "red, }team"));
        assert!(!matches("${aws:username, 'bob'}", "bob"));
        assert!(!matches("${aws:PrincipalTag/team}", ""));
        assert!(!matches("*${aws:PrincipalTag/team}*", "anything"));
    }

    #[test]
    fn a_key_with_several_values_is_no_variable() {
        assert!(!matches("${aws:TagKeys}", "a"));
        assert!(!matches("${aws:TagKeys}", "b"));
    }

    #[test]
    fn what_is_longer_than_the_text_matches_nothing() {
        assert!(matches("${aws:username}${aws:username}", "annann"));
        assert!(matches("${aws:username}?${aws:username}*", "annéann"));
        assert!(!matches("${aws:username}${aws:username}", "annan"));
        let kelvin = Facts(BTreeMap::from([("aws:username", vec!["\u{212a}"])]));
        let template = Template::parse("${aws:username}", Grammar { wildcards: false, ..FULL });
        let template = template.expect("a variable is a template");
        assert!(template.matches_ignoring_case("k", &kelvin));
    }

    #[test]
    fn the_three_special_characters_can_be_meant() {
        assert!(matches("a${*}b", "a*b"));
        assert!(!matches("a${*}b", "axb"));
        assert!(matches("${?}${$}{", "?${"));
    }

    #[test]
    fn a_broken_variable_is_refused() {
        for text in ["${", "${aws:username", "${}", "${ }", "${a, b}", "${a, 'b}", "${a${b}}"] {
            assert_eq!(Template::parse(text, FULL).err(), Some(InvalidVariable), "{text}");
        }
    }

    #[test]
    fn the_older_version_takes_variables_as_plain_text() {
        let older = Grammar { wildcards: true, variables: false };
        let facts = Facts(BTreeMap::from([("aws:username", vec!["ann"])]));
        let template = Template::parse("${aws:username}", older);
        let template = template.expect("plain text has no variable to refuse");
        assert!(template.matches("${aws:username}", &facts));
        assert!(!template.matches("ann", &facts));
    }
}
