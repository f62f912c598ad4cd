//! A reader of Rust that knows just enough: where code is, where functions end, what is excepted.

use std::str::Chars;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Line of the word `fn`, from 1.
    pub(super) line: usize,
    /// Lines from the word `fn` to the closing brace, both counted.
    pub(super) lines: usize,
}

/// The source with comments and the insides of literals blanked; lines and columns stay.
pub(super) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut chars = source.chars();
    let mut inside_word = false;
    while let Some((length, skipped)) = next_piece(chars.as_str(), inside_word) {
        for character in chars.by_ref().take(length) {
            code.push(if skipped && character != '\n' { ' ' } else { character });
            inside_word = !skipped && is_word(character);
        }
    }
    code
}

/// The characters of the next piece of `rest`, and whether it is to be blanked.
fn next_piece(rest: &str, inside_word: bool) -> Option<(usize, bool)> {
    let first = rest.chars().next()?;
    if rest.starts_with("//") {
        return Some((rest.chars().take_while(|character| *character != '\n').count(), true));
    }
    if rest.starts_with("/*") {
        return Some((block_comment(rest), true));
    }
    let literal = if inside_word { rest } else { rest.trim_start_matches(['b', 'c']) };
    let prefix = rest.len() - literal.len();
    if prefix <= 1 {
        if let Some(length) = raw_string(literal).filter(|_| !inside_word) {
            return Some((prefix + length, true));
        }
        if literal.starts_with('"') {
            return Some((prefix + quoted(literal, '"'), true));
        }
        if literal.starts_with('\'') && is_character(literal) {
            return Some((prefix + quoted(literal, '\''), true));
        }
    }
    // A raw identifier (`r#fn`) is no keyword and no literal.
    if first == 'r' && rest.starts_with("r#") && !inside_word {
        return Some((2, true));
    }
    Some((1, false))
}

/// Characters of the block comment at the start of `rest`; Rust's nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut chars = rest.chars();
    let mut length = 0;
    loop {
        let step = if chars.as_str().starts_with("/*") {
            depth += 1;
            2
        } else if chars.as_str().starts_with("*/") {
            depth -= 1;
            2
        } else {
            1
        };
        let taken = chars.by_ref().take(step).count();
        length += taken;
        if depth == 0 || taken < step {
            return length;
        }
    }
}

/// Characters of the raw string at the start of `rest`, if one stands there.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let body = after.trim_start_matches('#');
    let hashes = after.len() - body.len();
    let text = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = text.split_once(&end).map_or(text, |(inside, _)| inside);
    Some(1 + hashes + 1 + inside.chars().count() + end.len())
}

/// Characters of the literal at the start of `rest`, both quotes counted.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, character) in rest.chars().enumerate().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return index + 1,
            _ => {}
        }
    }
    rest.chars().count()
}

/// Tells a character (`'a'`, `'\n'`) from a lifetime (`'a`).
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => true,
        (Some(_), Some(second)) => second == '\'',
        (_, None) | (None, _) => false,
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Every function of code that [`code_only`] gave, nested ones too.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for (line, rest) in keyword(code, "fn") {
        let name: String = rest.trim_start().chars().take_while(|c| is_word(*c)).collect();
        if name.is_empty() {
            continue;
        }
        if let Some(newlines) = body_newlines(rest.chars()) {
            functions.push(Function { name, line, lines: newlines + 1 });
        }
    }
    functions
}

/// Line breaks from here to the closing brace of the body; `None` for a declaration without one.
fn body_newlines(chars: Chars<'_>) -> Option<usize> {
    let (mut braces, mut brackets, mut newlines) = (0_usize, 0_usize, 0_usize);
    for character in chars {
        match character {
            '\n' => newlines += 1,
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 && brackets == 0 {
                    return Some(newlines);
                }
            }
            _ => {}
        }
    }
    None
}

/// Lines of attributes that relax a lint and give no reason.
pub(super) fn exceptions_without_reason(code: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    for (line, rest) in places(code, "#") {
        let Some(inside) = rest.trim_start_matches('!').strip_prefix('[') else { continue };
        let attribute = attribute(inside);
        let relaxes = ["allow", "expect"].into_iter().any(|lint| {
            keyword(attribute, lint).any(|(_, after)| after.trim_start().starts_with('('))
        });
        if relaxes && keyword(attribute, "reason").next().is_none() {
            lines.push(line);
        }
    }
    lines
}

/// The text up to the bracket that closes the attribute.
fn attribute(inside: &str) -> &str {
    let mut depth = 1_usize;
    for (at, character) in inside.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inside.split_at(at).0;
        }
    }
    inside
}

/// Every place of a text: its line from 1, and what follows it.
fn places<'a>(code: &'a str, text: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let mut line = 1;
    let mut rest = code;
    std::iter::from_fn(move || {
        let (before, after) = rest.split_once(text)?;
        line += before.matches('\n').count();
        rest = after;
        Some((line, after))
    })
}

/// Every place of a whole word: its line from 1, and what follows it.
fn keyword<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    places(code, word).filter(move |(_, rest)| {
        let before = code.split_at(code.len() - rest.len() - word.len()).0;
        !before.ends_with(is_word) && !rest.starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str) -> Vec<(String, usize, usize)> {
        functions(&code_only(source))
            .into_iter()
            .map(|function| (function.name, function.line, function.lines))
            .collect()
    }

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let source = "a // {\n/* /* { */ } */ b \"{\\\"{\" c '{' r#\"{\"}\"# b\"{\" <'a> '\\'' d\n";
        let code = code_only(source);
        assert!(!code.contains(['{', '}']), "{code}");
        assert_eq!(code.lines().count(), source.lines().count());
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words, ["a", "b", "c", "<'a>", "d"]);
    }

    #[test]
    fn a_word_that_ends_like_a_prefix_is_no_prefix() {
        assert_eq!(code_only("for\"x\" abc\"y\"").replace(' ', ""), "forabc");
    }

    #[test]
    fn functions_end_at_their_brace() {
        let source =
            "fn one() {\n    \"}\";\n}\n\nimpl X {\n    fn two(&self) -> [u8; 4] { [0; 4] }\n}\n";
        assert_eq!(lines(source), [("one".into(), 1, 3), ("two".into(), 6, 1)]);
    }

    #[test]
    fn declarations_and_pointers_are_no_functions() {
        assert_eq!(lines("trait T { fn a(&self, f: fn(u8)); }\ntype F = fn(u8) -> u8;"), []);
    }

    #[test]
    fn nested_functions_count_too() {
        assert_eq!(lines("fn a() {\nfn b() {}\n}"), [("a".into(), 1, 3), ("b".into(), 2, 1)]);
    }

    #[test]
    fn an_exception_needs_its_reason() {
        let without = "#[allow(dead_code)]\nfn a() { b.expect(\"c\") }\n#![expect(\n    x,\n)]\n";
        assert_eq!(exceptions_without_reason(&code_only(without)), [1, 3]);
        let with =
            "#[expect(x, reason = \"why [it] is\")]\n#[cfg_attr(t, allow(y, reason = \"z\"))]";
        assert_eq!(exceptions_without_reason(&code_only(with)), [0_usize; 0]);
        let nested = "#[cfg_attr(test, allow(y))]\n";
        assert_eq!(exceptions_without_reason(nested), [1]);
    }
}
