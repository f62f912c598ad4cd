//! Patterns with `*` (any run of characters) and `?` (any one character).
//!
//! A pattern is cut at its `*` into segments, and each segment is searched once from where the last
//! one ended. The leftmost place is always good enough, so nothing is ever tried again: no input
//! makes the time more than the text's length times the number of `?` plus one, and
//! [`SEARCHES_MAX`](crate::SEARCHES_MAX) bounds that number.

use memchr::memmem;

/// A piece of a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    /// These characters.
    Literal(Box<str>),
    /// `?`: exactly one character.
    AnyOne,
    /// `*`: any number of characters, also none.
    AnyRun,
}

/// A compiled pattern. The frequent forms have their own variants because they cost one comparison.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// `*`
    Anything,
    /// Without a wildcard.
    Exactly(Box<str>),
    /// A text, then one `*` at the end.
    StartsWith(Box<str>),
    /// Anything else: what stands before, between and after the `*`.
    Segments(Segments),
}

/// A pattern cut at its `*`. Segments are made of literals and `?`.
#[derive(Clone, Debug)]
pub(crate) struct Segments {
    first: Box<[Token]>,
    between: Box<[Between]>,
    /// `None` if there is no `*`.
    last: Option<Box<[Token]>>,
}

/// A segment with a `*` on each side, which is searched for.
#[derive(Clone, Debug)]
enum Between {
    /// One literal, with its search made ready: linear whatever the text, and much the most frequent.
    Literal(Box<memmem::Finder<'static>>),
    Mixed(Box<[Token]>),
}

impl Pattern {
    /// Compiles a text in which `*` and `?` are wildcards.
    pub(crate) fn with_wildcards(text: &str) -> Pattern {
        let mut tokens = Vec::new();
        push_wildcards(text, &mut tokens);
        Pattern::from_tokens(tokens)
    }

    /// Compiles tokens; neighbours that mean the same are merged.
    pub(crate) fn from_tokens(tokens: impl IntoIterator<Item = Token>) -> Pattern {
        let mut merged: Vec<Token> = Vec::new();
        let mut literal = String::new();
        for token in tokens {
            match token {
                Token::Literal(text) => literal.push_str(&text),
                wildcard @ (Token::AnyOne | Token::AnyRun) => {
                    push_literal(&mut literal, &mut merged);
                    if wildcard == Token::AnyOne || merged.last() != Some(&Token::AnyRun) {
                        merged.push(wildcard);
                    }
                }
            }
        }
        push_literal(&mut literal, &mut merged);
        match merged.as_mut_slice() {
            [] => Pattern::Exactly("".into()),
            [Token::AnyRun] => Pattern::Anything,
            [Token::Literal(text)] => Pattern::Exactly(std::mem::take(text)),
            [Token::Literal(text), Token::AnyRun] => Pattern::StartsWith(std::mem::take(text)),
            [..] => Pattern::Segments(Segments::cut(&merged)),
        }
    }

    /// Does the whole of `text` match?
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Anything => true,
            Pattern::Exactly(whole) => **whole == *text,
            Pattern::StartsWith(start) => text.starts_with(&**start),
            Pattern::Segments(segments) => segments.match_whole(text),
        }
    }
}

/// Moves what has been gathered of a literal to the tokens.
fn push_literal(literal: &mut String, tokens: &mut Vec<Token>) {
    if !literal.is_empty() {
        tokens.push(Token::Literal(std::mem::take(literal).into()));
    }
}

/// Appends the tokens of a text in which `*` and `?` are wildcards.
pub(crate) fn push_wildcards(text: &str, tokens: &mut Vec<Token>) {
    for piece in text.split_inclusive(['*', '?']) {
        let (literal, wildcard) = if let Some(literal) = piece.strip_suffix('*') {
            (literal, Some(Token::AnyRun))
        } else if let Some(literal) = piece.strip_suffix('?') {
            (literal, Some(Token::AnyOne))
        } else {
            (piece, None)
        };
        if !literal.is_empty() {
            tokens.push(Token::Literal(literal.into()));
        }
        tokens.extend(wildcard);
    }
}

impl Segments {
    fn cut(tokens: &[Token]) -> Segments {
        let mut segments = tokens.split(|token| *token == Token::AnyRun);
        let first = segments.next().unwrap_or_default().into();
        let last = segments.next_back().map(Box::from);
        Segments { first, between: segments.map(Between::new).collect(), last }
    }

    fn match_whole(&self, text: &str) -> bool {
        let Some(rest) = strip_start(&self.first, text) else {
            return false;
        };
        let Some(last) = &self.last else {
            return rest.is_empty();
        };
        self.between
            .iter()
            .try_fold(rest, |rest, segment| segment.strip_through(rest))
            .is_some_and(|rest| ends_with(last, rest))
    }
}

impl Between {
    fn new(segment: &[Token]) -> Between {
        match segment {
            [Token::Literal(literal)] => {
                Between::Literal(Box::new(memmem::Finder::new(&**literal).into_owned()))
            }
            [..] => Between::Mixed(segment.into()),
        }
    }

    /// What follows the leftmost place of the segment in `text`.
    fn strip_through<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Between::Literal(finder) => {
                let place = finder.find(text.as_bytes())?;
                text.get(place + finder.needle().len()..)
            }
            Between::Mixed(segment) => {
                let mut place = text;
                loop {
                    if let Some(rest) = strip_start(segment, place) {
                        return Some(rest);
                    }
                    place = without_first_character(place)?;
                }
            }
        }
    }
}

/// What follows the segment at the start of `text`.
fn strip_start<'t>(segment: &[Token], text: &'t str) -> Option<&'t str> {
    segment.iter().try_fold(text, |rest, token| match token {
        Token::Literal(literal) => rest.strip_prefix(&**literal),
        Token::AnyOne => without_first_character(rest),
        Token::AnyRun => Some(rest),
    })
}

fn ends_with(segment: &[Token], text: &str) -> bool {
    let start = segment.iter().rev().try_fold(text, |rest, token| match token {
        Token::Literal(literal) => rest.strip_suffix(&**literal),
        Token::AnyOne => without_last_character(rest),
        Token::AnyRun => Some(rest),
    });
    start.is_some()
}

fn without_first_character(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

fn without_last_character(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next_back().map(|_| characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::with_wildcards(pattern).matches(text)
    }

    /// The textbook definition, exponential and obviously right.
    fn matches_slowly(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], text) => {
                (0..=text.len()).any(|skipped| matches_slowly(rest, &text[skipped..]))
            }
            (['?', rest @ ..], [_, text @ ..]) => matches_slowly(rest, text),
            ([first, rest @ ..], [other, text @ ..]) if first == other => {
                matches_slowly(rest, text)
            }
            _ => false,
        }
    }

    #[test]
    fn a_star_may_stand_for_nothing_and_for_colons() {
        assert!(matches("kms:*", "kms:"));
        assert!(matches("arn:aws:kms:*", "arn:aws:kms:eu-west-1:111122223333:key/1"));
        assert!(matches("*", ""));
    }

    #[test]
    fn parts_of_the_pattern_never_overlap_in_the_text() {
        assert!(!matches("ab*ba", "aba"));
        assert!(!matches("a*a", "a"));
        assert!(matches("a*a", "aa"));
        assert!(matches("*ab*b", "aabb"));
    }

    #[test]
    fn a_question_mark_is_one_character_of_any_width() {
        assert!(matches("a?c", "aéc"));
        assert!(!matches("a?c", "ac"));
        assert!(matches("*?", "é"));
        assert!(!matches("?*", ""));
        assert!(matches("*?a", "aa"));
        assert!(matches("*a?", "ab"));
        assert!(!matches("a*?", "a"));
        assert!(!matches("a*?b", "ab"));
    }

    #[test]
    fn the_pattern_of_many_stars_takes_no_longer_than_its_text() {
        let pattern = "a*".repeat(2_000) + "b";
        let text = "a".repeat(8_000);
        assert!(!matches(&pattern, &text));
        let pattern = "*?a".repeat(200) + "b";
        assert!(!matches(&pattern, &text));
    }

    proptest! {
        // 20,480 cases, unless `PROPTEST_CASES` asks for fewer.
        #![proptest_config(ProptestConfig::with_cases(80 * ProptestConfig::default().cases))]
        #[test]
        fn agrees_with_the_textbook(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
            let characters: Vec<char> = pattern.chars().collect();
            let text_characters: Vec<char> = text.chars().collect();
            prop_assert_eq!(
                matches(&pattern, &text),
                matches_slowly(&characters, &text_characters)
            );
        }
    }
}
